"""Jobs in the settings: what waits, what gave up and why, running it again; of the own account alone."""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec
from lxml.html import HtmlElement

from deskhand.outbox import jobs
from deskhand.outbox.jobs import Chosen, NewJob, Shown
from tests.web.people import signed_in
from tests.world import Desk, open_desk

HERE = "/settings/jobs"
LATER = 4 * 10**12
"""Nobody carries these out while a test looks."""


def text(element: HtmlElement) -> str:
    return re.sub(r"\s+", " ", element.text_content()).strip()


def add(desk: Desk, kind: str, **values: Any) -> None:
    given: dict[str, Any] = {"target": "nowhere", "payload": "{}", "due_at": LATER, "created_at": desk.now} | values
    desk.write(lambda tx: jobs.add_many(tx, [NewJob(account_id=desk.account_id, kind=kind, **given)]))


def failed(desk: Desk) -> list[Shown]:
    chosen = Chosen(account_id=desk.account_id)
    return desk.server.app.database.read_now(lambda db: jobs.failed(db, chosen))


def until_tried(desk: Desk, *ids: int) -> None:
    """Wait until a worker has had these jobs: it knows no such kind, and says so."""
    deadline = time.monotonic() + 60
    while any(one.id in ids and one.last_error == "broken" for one in failed(desk)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_waits_and_what_gave_up_is_told_in_words(desk: Desk) -> None:
    person = signed_in(desk)
    assert "Nothing waits, and nothing gave up" in person.get(HERE).text
    add(desk, "send_email", state="failed", attempts=11, last_error="the server <b>refused</b> the sign-in")
    add(desk, "deliver_webhook", target="webhook:12", payload="77", last_error="no answer within 10 s", attempts=2)
    add(desk, "run_workflows", payload=msgspec.json.encode({"conversation_id": 9}).decode())
    page = person.page(HERE)
    kinds = [[text(cell) for cell in row.cssselect("td")] for row in page.cssselect(".job-kinds tbody tr")]
    assert kinds == [
        ["Send a reply by mail", "0", "1"],
        ["Deliver to a webhook", "1", "0"],
        ["Let workflows look at a conversation", "1", "0"],
    ]
    gave_up, again = page.cssselect("section ul")
    assert "the server <b>refused</b> the sign-in" in text(gave_up) and "11 tries" in text(gave_up)
    assert "no answer within 10 s" in text(again)
    assert again.cssselect("a")[0].get("href") == "/settings/webhooks/12/deliveries/77"


def test_running_again_one_a_kind_or_all(desk: Desk) -> None:
    person = signed_in(desk)
    for kind in ("one_kind", "one_kind", "one_kind", "another_kind"):
        add(desk, kind, state="failed", last_error="broken")
    first, second, third, other = (one.id for one in failed(desk))
    narrowed = person.page(f"{HERE}?kind=another_kind")
    assert len(narrowed.cssselect("section li")) == 1 and "Another kind" in text(narrowed)
    assert "1 job will be run again." in person.send(f"{HERE}/again", id=first).text
    until_tried(desk, first)
    assert {one.id for one in failed(desk) if one.last_error == "broken"} == {second, third, other}
    person.send(f"{HERE}/again", kind="one_kind")
    until_tried(desk, second, third)
    assert {one.id for one in failed(desk) if one.last_error == "broken"} == {other}
    person.send(f"{HERE}/again")
    until_tried(desk, other)


def test_nothing_of_other_accounts(desk: Desk) -> None:
    other = open_desk(desk.server)
    add(other, "send_email", state="failed", last_error="of somebody else")
    person = signed_in(desk)
    assert "of somebody else" not in person.get(HERE).text
    assert "It has been run again already." in person.send(f"{HERE}/again", id=failed(other)[0].id).text
    person.send(f"{HERE}/again")
    person.send(f"{HERE}/again", kind="send_email")
    assert [one.last_error for one in failed(other)] == ["of somebody else"]
    assert signed_in(desk, desk.add_user()).get(HERE).status_code == 403
