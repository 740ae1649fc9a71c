"""Webhooks in the settings: making and changing them, secrets that are shown once, the log, sending again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import html
from lxml.html import HtmlElement

from deskhand.db.engine import Reader
from deskhand.desk import access
from deskhand.desk.webhooks import delivering, history, queries
from tests import receiver
from tests.receiver import Received, Receiver, Reply
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk

HERE = "/settings/webhooks"


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver.receiving() as started:
        yield started


def text(element: HtmlElement) -> str:
    return re.sub(r"\s+", " ", element.text_content()).strip()


def add(person: Person, url: str, **fields: Any) -> tuple[int, str]:
    """A webhook made on the page; gives its id and the secret that was shown."""
    given = {"url": url, "events": ["convo.created"], "payload_version": "V3"} | fields
    answer = person.send(f"{HERE}/new", **given)
    assert answer.status_code == 200, answer.text
    page = html.fromstring(answer.text)
    shown = page.cssselect("#secret")
    id = int(re.search(r"/settings/webhooks/(\d+)", answer.text.split("settings-up", 1)[-1])[1])  # type: ignore[index]
    return id, text(shown[0]) if shown else ""


def until(found: Callable[[], Any]) -> Any:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not (result := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return result


def lines(desk: Desk, id: int) -> list[history.Line]:
    return desk.server.app.database.read_now(lambda db: history.lines(db, desk.account_id, id))


def row(desk: Desk, id: int) -> queries.WebhookRow:
    found = desk.server.app.database.read_now(lambda db: queries.by_id(db, desk.account_id, id))
    assert found is not None
    return found


def secret_of(desk: Desk, id: int) -> str:
    def read(db: Reader) -> str:
        actor = access.actor(db, desk.user_id)
        assert actor is not None
        return queries.secret_of(db, actor, id)

    return desk.server.app.database.read_now(read)


def test_a_made_secret_is_shown_once_and_signs(desk: Desk, receiving: Receiver) -> None:
    person = signed_in(desk)
    id, secret = add(person, receiving.url, label="Data warehouse")
    assert len(secret) == 40
    assert secret not in person.get(f"{HERE}/{id}").text and secret not in person.get(f"{HERE}/{id}/change").text
    person.send(f"{HERE}/{id}/test")
    came = receiving.first("webhook.test")
    signed = base64.b64encode(hmac.digest(secret.encode(), came.body, hashlib.sha1)).decode()
    assert came.headers["x-helpscout-signature"] == signed and came.json["test"] is True
    until(lambda: lines(desk, id)[0].delivery.state == "delivered")
    cells = [text(one) for one in person.page(f"{HERE}/{id}").cssselect(".deliveries tbody td")]
    assert cells[1:4] == ["webhook.test", "Delivered", "200"] and cells[4].endswith(" ms") and cells[5] == "1"
    page = person.page(f"{HERE}/{id}/deliveries/{lines(desk, id)[0].delivery.id}")
    headers, body = [one.text_content() for one in page.cssselect("pre.sent")]
    assert f"X-HelpScout-Signature: {signed}" in headers and f"X-Deskhand-Delivery: {came.key}" in headers
    assert '"test": true' in body


def test_changing_keeps_the_secret_and_another_one_is_shown_once(desk: Desk, receiving: Receiver) -> None:
    person, inbox = signed_in(desk), desk.add_inbox("Support")
    id, secret = add(person, receiving.url)
    assert person.send(
        f"{HERE}/{id}/change", url=receiving.url + "/b", label="Chat", events=["convo.created", "tag.created"],
        scope="some", mailbox_ids=[inbox], payload_version="V2", notification="1",
    ).status_code == 200  # fmt: skip
    after = row(desk, id)
    assert (after.url, after.label, after.payload_version, after.notification) == (
        receiving.url + "/b", "Chat", "V2", 1,
    )  # fmt: skip
    assert after.inbox_ids == f"[{inbox}]" and "Support" in text(person.page(f"{HERE}/{id}"))
    kept = secret_of(desk, id)
    assert kept == secret
    page = html.fromstring(person.send(f"{HERE}/{id}/secret").text)
    fresh = page.get_element_by_id("secret").text
    assert fresh != secret
    assert secret_of(desk, id) == fresh
    assert row(desk, id).label == "Chat"


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(desk: Desk) -> None:
    person = signed_in(desk)
    answer = person.send(f"{HERE}/new", url="ftp://example.com", label="Mine", secret="s" * 41)
    assert answer.status_code == 400
    page = html.fromstring(answer.text)
    assert page.get_element_by_id("label").get("value") == "Mine"
    answer = person.send(f"{HERE}/new", url="ftp://example.com", events=["convo.created"])
    page = html.fromstring(answer.text)
    assert text(page.get_element_by_id("url-hint")) == "Address must be an http or https URL with a host."
    assert page.get_element_by_id("url").get("value") == "ftp://example.com"
    answer = person.send(f"{HERE}/new", url="https://example.com")
    assert answer.status_code == 400 and "Choose at least one event." in answer.text
    assert "No webhooks yet" in person.get(HERE).text


def failing(_: Received) -> Reply:
    return Reply(500, b"out of order")


def test_what_was_given_up_is_sent_again_oldest_first(desk: Desk, receiving: Receiver) -> None:
    person = signed_in(desk)
    id, _ = add(person, receiving.url)
    receiving.answer = lambda _: Reply(410)
    person.send(f"{HERE}/{id}/test")
    until(lambda: row(desk, id).state == "disabled")
    page = person.get(f"{HERE}/{id}").text
    assert "it wants no more" in page and "Switch it on again" in page
    assert "Switch it on first" in person.send(f"{HERE}/{id}/test").text
    assert "Switch it on first" in person.send(f"{HERE}/{id}/replay", hours="24").text
    receiving.answer = lambda _: Reply()
    person.send(f"{HERE}/{id}/switch", state="enabled")
    assert row(desk, id).state == "enabled" and row(desk, id).disabled_because == ""
    assert "1 delivery will be sent again" in person.send(f"{HERE}/{id}/replay", hours="24").text
    until(lambda: lines(desk, id)[0].delivery.state == "delivered")
    first, second = receiving.named("webhook.test")
    assert first.key == second.key and first.body == second.body
    assert "Nothing was given up in that time." in person.send(f"{HERE}/{id}/replay", hours="24").text


def test_one_that_waits_is_tried_now_and_not_twice(desk: Desk, receiving: Receiver) -> None:
    person = signed_in(desk)
    id, _ = add(person, receiving.url)
    receiving.answer = failing
    person.send(f"{HERE}/{id}/test")
    line = until(lambda: next((one for one in lines(desk, id) if one.delivery.attempts), None))
    assert line.delivery.state == "waiting" and line.last.status == 500 and line.due_at is not None
    path = f"{HERE}/{id}/deliveries/{line.delivery.id}"
    page = person.page(path)
    assert "out of order" in text(page) and "Next try" in text(page) and "Try it now" in text(page)
    receiving.answer = lambda _: Reply()
    person.send(f"{path}/replay")
    until(lambda: lines(desk, id)[0].delivery.state == "delivered")
    assert lines(desk, id)[0].due_at is None
    assert len(receiving.named("webhook.test")) == 2


def test_the_log_is_narrowed_by_how_it_went(desk: Desk, receiving: Receiver) -> None:
    person = signed_in(desk)
    id, _ = add(person, receiving.url)
    person.send(f"{HERE}/{id}/test")
    until(lambda: lines(desk, id)[0].delivery.state == "delivered")
    assert person.page(f"{HERE}/{id}?state=delivered").cssselect(".deliveries tbody tr")
    assert not person.page(f"{HERE}/{id}?state=discarded").cssselect(".deliveries tbody tr")
    newest = lines(desk, id)[0].delivery.id
    assert not person.page(f"{HERE}/{id}?before={newest}").cssselect(".deliveries tbody tr")


def test_headers_are_those_that_are_sent(desk: Desk) -> None:
    found = delivering.headers("convo.created", "key", "secret", b"{}")
    assert found["X-HelpScout-Signature"] == delivering.signature("secret", b"{}")


def test_deleting_asks_first(desk: Desk) -> None:
    person = signed_in(desk)
    id, _ = add(person, "https://example.com/hook", label="Old")
    assert "Delete the webhook Old?" in person.get(f"{HERE}/{id}/delete").text
    assert "The webhook is deleted." in person.send(f"{HERE}/{id}/delete").text
    assert person.get(f"{HERE}/{id}").status_code == 404


def test_nothing_of_other_accounts(desk: Desk, receiving: Receiver) -> None:
    person = signed_in(desk)
    id, _ = add(person, receiving.url)
    person.send(f"{HERE}/{id}/test")
    delivery = until(lambda: lines(desk, id))[0].delivery.id
    stranger = signed_in(open_desk(desk.server))
    for path in ("", "/change", "/delete", f"/deliveries/{delivery}"):
        assert stranger.get(f"{HERE}/{id}{path}").status_code == 404
    for path in ("/change", "/switch", "/secret", "/test", "/replay", "/delete", f"/deliveries/{delivery}/replay"):
        answer = stranger.send(f"{HERE}/{id}{path}", url="https://a.example", events=["convo.created"])
        assert answer.status_code == 404, path
    own, _ = add(stranger, receiving.url)
    assert stranger.get(f"{HERE}/{own}/deliveries/{delivery}").status_code == 404
    assert stranger.send(f"{HERE}/{own}/deliveries/{delivery}/replay").status_code == 404
    assert signed_in(desk, desk.add_user()).get(HERE).status_code == 403
