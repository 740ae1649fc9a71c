"""Since when customers waited for replies, and which was the first: kept right by whatever changes threads."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from deskhand.db.statements import P, rows
from deskhand.desk.conversations.reply_facts import ReplyFacts, ThreadFacts, of
from deskhand.desk.conversations.tables import conversation, thread
from tests.desk.conversations.mail.arriving import Letterbox, inbox
from tests.world import Desk

VERA = {"email": "vera@shop.example"}


def customer(id: int, at: str = "", **changes: Any) -> ThreadFacts:
    return msgspec.structs.replace(
        ThreadFacts(id, "customer", "published", "customer", at or f"2026-10-01T0{id}:00:00Z"), **changes
    )


def message(id: int, at: str = "", **changes: Any) -> ThreadFacts:
    return customer(id, at, **({"type": "message", "created_by_type": "user"} | changes))


def test_a_customer_waits_from_the_first_message_that_no_reply_has_followed() -> None:
    facts = of([customer(1), customer(2), message(3), message(4), customer(5), message(6)])
    assert facts.threads == {3: ("2026-10-01T01:00:00Z", 1), 4: (None, 0), 6: ("2026-10-01T05:00:00Z", 0)}
    assert (facts.replies, facts.first_reply_at) == (3, "2026-10-01T03:00:00Z")


def test_time_decides_and_not_the_order_of_arrival_and_of_equals_the_id() -> None:
    same = "2026-10-01T01:00:00Z"
    facts = of([message(9, "2026-10-01T00:30:00Z"), customer(1, same), message(2, same)])
    assert facts.threads == {9: (None, 1), 2: (same, 0)}


@pytest.mark.parametrize(
    "nothing",
    [
        message(2, state="draft"),
        message(2, state="hidden"),
        message(2, type="note"),
        message(2, created_by_type="customer"),
        message(2, source_type="workflows"),
    ],
)
def test_drafts_hidden_messages_notes_and_what_customers_or_workflows_send_are_no_replies(nothing: ThreadFacts) -> None:
    assert of([customer(1), nothing]) == ReplyFacts({}, 0, None)


def test_an_automatic_mail_begins_no_wait_but_where_it_began_the_conversation() -> None:
    assert of([customer(1), message(2), customer(3, automatic=1), message(4)]).threads[4] == (None, 0)
    assert of([customer(1, automatic=1), customer(2), message(3)]).threads == {3: ("2026-10-01T01:00:00Z", 1)}
    between = of([customer(1), message(2), customer(3, automatic=1), customer(4), message(5)])
    assert between.threads[5] == ("2026-10-01T04:00:00Z", 0), "from when the customer wrote"


# -- Kept by the API


class _Thread(msgspec.Struct, frozen=True):
    type: str
    waited_since: str | None
    first_reply: int


class _Case(msgspec.Struct, frozen=True):
    replies: int
    first_reply_at: str | None


_THREADS = rows(
    _Thread,
    sa.select(thread.c.type, thread.c.waited_since, thread.c.first_reply)
    .where(thread.c.account_id == P("account_id"), thread.c.conversation_id == P("id"))
    .order_by(thread.c.created_at, thread.c.id),
    keep=False,
)
_CASE = rows(
    _Case,
    sa.select(conversation.c.replies, conversation.c.first_reply_at).where(
        conversation.c.account_id == P("account_id"), conversation.c.id == P("id")
    ),
    keep=False,
)


def kept(desk: Desk, id: int) -> tuple[tuple[int, str | None], list[tuple[str | None, int]]]:
    """What the conversation says of its replies, and what these say, the oldest first."""
    case = desk.write(lambda tx: tx.first(_CASE, account_id=desk.account_id, id=id))
    threads = desk.write(lambda tx: tx.all(_THREADS, account_id=desk.account_id, id=id))
    said = [(one.waited_since, one.first_reply) for one in threads if one.type == "message"]
    assert all(not one.waited_since and not one.first_reply for one in threads if one.type != "message")
    return (case.replies, case.first_reply_at), said


def start(desk: Desk, *threads: dict[str, Any], **changes: Any) -> int:
    """An imported conversation; each thread as (type, hour of 1 October)."""
    body = {
        "subject": "Order", "type": "email", "mailboxId": desk.add_inbox(), "status": "active", "customer": VERA,
        "imported": True, "createdAt": at(0),
        "threads": [{"customer": VERA, "text": "Text", "imported": True} | one for one in threads],
    } | changes  # fmt: skip
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def at(hour: int) -> str:
    return f"2026-10-01T{hour:02}:00:00Z"


def add(desk: Desk, id: int, kind: str, **changes: Any) -> int:
    answer = desk.post(f"/v2/conversations/{id}/{kind}", {"customer": VERA, "text": "Text"} | changes)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def edit(desk: Desk, path: str, step: dict[str, Any]) -> None:
    answer = desk.patch(path, step)
    assert answer.status_code == 204, answer.text


CUSTOMER, REPLY = {"type": "customer"}, {"type": "reply"}


def test_a_conversation_that_starts_with_replies(desk: Desk) -> None:
    id = start(desk, CUSTOMER | {"createdAt": at(1)}, REPLY | {"createdAt": at(3)}, CUSTOMER | {"createdAt": at(2)})
    assert kept(desk, id) == ((1, at(3)), [(at(1), 1)])


def test_a_reply_ends_the_wait_also_after_the_conversation_was_closed(desk: Desk) -> None:
    id = start(desk, CUSTOMER | {"createdAt": at(1)}, status="closed")
    add(desk, id, "reply")
    (replies, first_at), said = kept(desk, id)
    assert (replies, said) == (1, [(at(1), 1)])
    assert first_at is not None and first_at > at(1)
    add(desk, id, "reply")
    assert kept(desk, id) == ((2, first_at), [(at(1), 1), (None, 0)])


def test_what_is_imported_into_the_past_sets_right_what_was_kept(desk: Desk) -> None:
    id = start(desk, CUSTOMER | {"createdAt": at(5)}, REPLY | {"createdAt": at(9)})
    add(desk, id, "reply", imported=True, createdAt=at(7))
    assert kept(desk, id) == ((2, at(7)), [(at(5), 1), (None, 0)])
    add(desk, id, "customer", imported=True, createdAt=at(8))
    assert kept(desk, id) == ((2, at(7)), [(at(5), 1), (at(8), 0)])


def test_a_draft_counts_when_it_is_published(desk: Desk) -> None:
    id = start(desk, CUSTOMER | {"createdAt": at(1)}, REPLY | {"draft": True, "imported": False, "createdAt": None})
    assert kept(desk, id) == ((0, None), [(None, 0)])
    edit(desk, f"/v2/conversations/{id}", {"op": "replace", "path": "/draft", "value": False})
    assert kept(desk, id)[1] == [(at(1), 1)]
    assert kept(desk, id)[0][0] == 1


def test_a_scheduled_draft_counts_when_it_is_sent(desk: Desk) -> None:
    id = start(desk, CUSTOMER | {"createdAt": at(1)})
    draft = add(desk, id, "reply", draft=True)
    path = f"/v2/conversations/{id}/threads/{draft}"
    planned = desk.put(f"{path}/schedule", {"scheduledFor": "2099-01-01T00:00:00Z", "unscheduleOnCustomerReply": False})
    assert planned.status_code in (200, 201, 204), planned.text
    assert kept(desk, id)[0] == (0, None)
    edit(desk, f"{path}/schedule", {"op": "replace", "path": "/state", "value": "published"})
    assert kept(desk, id)[1] == [(at(1), 1)]


def test_a_hidden_reply_counts_no_more_until_it_is_shown_again(desk: Desk) -> None:
    id = start(desk, CUSTOMER | {"createdAt": at(1)}, REPLY | {"createdAt": at(2)}, REPLY | {"createdAt": at(3)})
    assert kept(desk, id) == ((2, at(2)), [(at(1), 1), (None, 0)])
    first = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"][1]["id"]
    path = f"/v2/conversations/{id}/threads/{first}"
    edit(desk, path, {"op": "replace", "path": "/hidden", "value": True})
    assert kept(desk, id) == ((1, at(3)), [(None, 0), (at(1), 1)])
    edit(desk, path, {"op": "replace", "path": "/hidden", "value": False})
    assert kept(desk, id) == ((2, at(2)), [(at(1), 1), (None, 0)])


def test_an_absence_note_begins_no_wait_for_the_next_reply(desk: Desk) -> None:
    box, (_, address) = Letterbox(desk), inbox(desk)
    id, _ = box.deliver(address, From=VERA["email"])
    sent = box.reply(id)
    answer = {"From": VERA["email"], "In_Reply_To": sent.message_id}
    assert box.deliver(address, Auto_Submitted="auto-replied", **answer)[0] == id
    box.reply(id)
    (replies, _), [first, second] = kept(desk, id)
    assert (replies, second, first[0] is None) == (2, (None, 0), False)
    box.deliver(address, List_Id="<help.groups.example>", **answer)  # a person wrote it, to a list
    box.reply(id)
    assert kept(desk, id)[1][2][0] is not None
