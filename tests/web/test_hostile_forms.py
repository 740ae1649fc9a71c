"""Forms and addresses that nobody sends in good faith: refused in words, soon, and nobody else is kept waiting."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest

from tests.web.people import Person, add_conversation, signed_in
from tests.world import Desk

pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)
SOON_S = 10.0


@pytest.fixture
def person(desk: Desk) -> Person:
    return signed_in(desk)


@pytest.mark.parametrize("part", ["&", "a=&", "id=1&"])
def test_a_form_of_millions_of_fields_is_refused_before_it_is_read(person: Person, part: str) -> None:
    body = f"csrf={person.csrf}&" + part * (8_000_000 // len(part))
    began = time.monotonic()
    answer = person.http.post(
        f"{person.server.url}/bulk", data=body, timeout=60,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert answer.status_code in (400, 413)
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize(
    "text", ["a" + "<br>" * 40_000 + "x", "a" + " " * 400_000 + "x", "<div" * 100_000, "<b>" * 100_000]
)
def test_a_text_that_is_hard_to_read_keeps_nobody_waiting(desk: Desk, person: Person, text: str) -> None:
    id = add_conversation(desk, desk.add_inbox())
    began = time.monotonic()
    answer = person.send(f"/conversation/{id}/draft", kind="note", html=text, text="")
    assert answer.status_code == 200
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize("digits", ["²", "١٢٣", "9" * 5_000, "9" * 19])
def test_numbers_that_are_none_are_refused(desk: Desk, person: Person, digits: str) -> None:
    inbox = desk.add_inbox()
    id = add_conversation(desk, inbox)
    desk.post(f"/v2/mailboxes/{inbox}/saved-replies", {"name": "Hello", "text": "x"})
    reply = desk.get(f"/v2/mailboxes/{inbox}/saved-replies").json()[0]["id"]
    customer = desk.get(f"/v2/conversations/{id}").json()["primaryCustomer"]["id"]
    for path in (
        f"/conversation/{id}/merge?into=", f"/conversation/{id}?page=", f"/customers/{customer}?page=",
        f"/inboxes/{inbox}/saved-replies/{reply}?conversation=", "/reports/happiness?page=", "/settings/users?page=",
        "/settings/workflows?inbox=", "/settings/ratings?page=", "/settings/received?page=", "/search?query=x&page=",
        "/console/approvals?before=", "/console/log?conversation=", "/console/explain?number=", "/palette?q=",
        f"/settings/inboxes/{inbox}/mail/received?page=", f"/settings/inboxes/{inbox}/mail/received?before=",
    ):  # fmt: skip
        answer = person.get(path + digits)
        assert answer.status_code < 500, (path, digits[:20], answer.text[:300])


@pytest.mark.parametrize("fields", [
    {"choice": "T", "until": "2030-01-01T10:00"}, {"choice": "xTx", "until": "2030-01-01T10:00"},
    {"until": "0001-01-01T00:00"}, {"until": "9999-12-31T23:59"}, {"choice": "0001-01-01T00:00:00Z"},
    {"choice": "2030-01-01T10:00+00:00Z"}, {"until": "2030-01-01T10:00:00+23:59"},
])  # fmt: skip
def test_odd_moments_break_no_page(desk: Desk, person: Person, fields: dict[str, str]) -> None:
    id = add_conversation(desk, desk.add_inbox())
    for path in (f"/conversation/{id}/snooze", "/bulk"):
        answer = person.send(path, **fields, id=str(id), do=f"snooze:{fields.get('choice', '')}")
        assert answer.status_code < 500, path
    answer = person.send(f"/conversation/{id}/reply", text="x", later="own", at=fields.get("until", ""))
    assert answer.status_code < 500
    assert person.get(f"/conversation/{id}").status_code == 200


@pytest.mark.parametrize(
    "to", ["(" * 5_000, "<" * 5_000, '"' * 5_000, "a@b.example," * 5_000, "a@b.example\nBcc: c@d.example"]
)
def test_odd_addresses_are_refused(desk: Desk, person: Person, to: str) -> None:
    id = add_conversation(desk, desk.add_inbox())
    for path, field in (
        ("/new", "to"),
        (f"/conversation/{id}/forward", "forward_to"),
        (f"/conversation/{id}/reply", "cc"),
    ):
        answer = person.send(path, **{field: to, "subject": "x\r\nBcc: c@d.example", "text": "x"})
        assert answer.status_code < 500, path


@pytest.mark.parametrize(
    "goal",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "\\\\evil.example",
    ],
)
def test_no_form_leads_elsewhere(desk: Desk, person: Person, goal: str) -> None:
    id = add_conversation(desk, desk.add_inbox())
    fields = dict.fromkeys(("back", "next", "list", "then", "place"), goal) | {
        "status": "spam",
        "do": "status:closed",
        "id": str(id),
    }
    for path in (
        f"/conversation/{id}/status",
        f"/conversation/{id}/follow",
        "/bulk",
        f"/conversation/{id}/reply",
        f"/conversation/{id}/delete",
    ):
        answer = person.http.post(
            person.server.url + path,
            data={"csrf": person.csrf, "text": "x", **fields},
            timeout=30,
            allow_redirects=False,
        )
        where = answer.headers.get("Location", "/")
        assert where.startswith("/") and not where.startswith(("//", "/\\")) and "evil" not in where, path
    for path in (
        f"/sign-in?next={quote(goal)}",
        f"/conversation/{id}?from={quote(goal)}",
    ):
        answer = person.get(path, allow_redirects=False)
        assert "evil" not in answer.headers.get("Location", "")
        if answer.status_code == 200 and "evil" in answer.text:
            for attribute in ("href", "action", "src"):
                assert f'{attribute}="{goal}' not in answer.text


@pytest.mark.parametrize("time", ["0001-01-01T00:00", "9999-12-31T23:59", "0000-13-40T99:99", "tomorrow"])
@pytest.mark.parametrize("zone", ["Europe/Paris", "Pacific/Honolulu"])
def test_a_time_that_none_can_mean_is_refused_in_plain_words(desk: Desk, person: Person, time: str, zone: str) -> None:
    id = add_conversation(desk, desk.add_inbox())
    person.send("/account", first_name="Ada", last_name="Byron", timezone=zone)
    answer = person.send(f"/conversation/{id}/snooze", until=time, asks="1")
    assert answer.status_code == 400
    assert "The time must be" in answer.text
    assert "snoozedUntil" not in answer.text


def test_a_number_of_thousands_of_digits_behind_a_conversation_is_no_address(desk: Desk, person: Person) -> None:
    id = add_conversation(desk, desk.add_inbox())
    assert person.get(f"/conversation/{id}/1001").status_code == 200
    assert person.get(f"/conversation/{id}/" + "1" * 5_000).status_code == 404
