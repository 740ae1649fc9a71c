"""Where replies are set to draft: what is allowed as a draft, and what goes beyond one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from deskhand.catalogue.conversations import NewConversation, NewThread
from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.operation import Asked
from deskhand.catalogue.threads import NewReply, ThreadStep
from deskhand.catalogue.values import Email, Recipient, WireTime
from deskhand.gateway.limits import Limits
from deskhand.gateway.policy import Rule, Setting, drafted, message
from tests.gateway.asking import IN_ORDERS, IN_PRODUCTS, ORDERS, asked, decided, holding, needed

BEN_NAMED = CustomerReference(email=Email("ben@buyer.example"))
PAST = WireTime("2020-01-01T00:00:00Z")


def reply(**fields: Any) -> NewReply:
    return NewReply(text="Hello", customer=BEN_NAMED, **fields)


DRAFTER = holding({"conversations": (2, ORDERS), "threads": (2, ORDERS)}, {"reply_to_conversation": "draft"})


def test_a_reply_under_draft_is_allowed_as_a_draft() -> None:
    found = decided(DRAFTER, asked("reply_to_conversation", body=reply(draft=False)))
    assert (found.outcome, found.draft, found.rule) == ("allowed", True, "replies are set to draft")
    note = decided(DRAFTER, asked("add_note"))
    assert (note.outcome, note.draft) == ("allowed", False)


def test_draft_stands_as_the_lift_itself() -> None:
    grants = holding({"threads": (1, ORDERS)}, {"reply_to_conversation": "draft"})
    assert decided(grants, asked("reply_to_conversation", body=reply())).draft


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ({"status": "closed"}, "status"),
        ({"assign_to": 5}, "assignTo"),
        ({"assign_to": None}, "assignTo"),
        ({"cc": ["a@b.example", "c@d.example"]}, "cc"),
        ({"bcc": ["a@b.example"]}, "bcc"),
        ({"user": 5}, "user"),
        ({"imported": True}, "imported"),
        ({"created_at": "2020-01-01T00:00:00Z"}, "createdAt"),
    ],
)
def test_a_draft_sets_nothing_and_goes_to_nobody_else(field: dict[str, Any], path: str) -> None:
    speaking = msgspec.structs.replace(DRAFTER, limits=Limits(speak_for_others=True))
    found = decided(speaking, asked("reply_to_conversation", body=reply(**field)))
    assert (found.outcome, found.reason, found.path, found.missing) == ("refused", "limit", path, None)
    assert path in message(found)


def test_what_goes_beyond_a_draft_is_said_before_what_else_it_needs() -> None:
    grants = holding({"conversations": (1, ORDERS), "threads": (2, ORDERS)}, {"reply_to_conversation": "draft"})
    setting_status = (needed("reply_to_conversation", IN_ORDERS), needed("update_conversation", IN_ORDERS))
    call = asked("reply_to_conversation", *setting_status, body=reply(status="closed"))
    assert decided(grants, call).path == "status"
    assert decided(grants, asked("reply_to_conversation", *setting_status)).missing == {
        "resource": "conversations", "level": "write",
    }  # fmt: skip
    foreign = needed("reply_to_conversation", IN_PRODUCTS)
    assert decided(grants, asked("reply_to_conversation", foreign, body=reply(status="closed"))).path is None


def test_a_draft_may_say_what_it_does_not_use() -> None:
    body = reply(cc=[], bcc=[], imported=False)
    assert decided(DRAFTER, asked("reply_to_conversation", body=body)).outcome == "allowed"


def conversation(*threads: NewThread, **fields: Any) -> NewConversation:
    fields = {"status": "active"} | fields
    return NewConversation(
        subject="Hi", type="email", mailbox_id=ORDERS, customer=BEN_NAMED, threads=list(threads), **fields
    )


def creating(body: NewConversation) -> Asked:
    needs = [needed("create_conversation", ORDERS)]
    names = {"reply": "reply_to_conversation", "note": "add_note"}
    needs += [needed(names[thread.type], ORDERS) for thread in body.threads]
    return asked("create_conversation", *needs, body=body)


def test_a_new_conversation_with_a_reply_takes_the_replys_setting() -> None:
    call = creating(conversation(NewThread(type="reply", text="Hello"), NewThread(type="note", text="Psst")))
    found = decided(DRAFTER, call)
    assert (found.outcome, found.draft) == ("allowed", True)
    assert [thread.draft for thread in drafted(call).body.threads] == [True, None]
    assert (
        decided(msgspec.structs.replace(DRAFTER, actions={"reply_to_conversation": Rule("hold")}), call).outcome
        == "held"
    )
    both = {"reply_to_conversation": Rule("draft"), "create_conversation": Rule("hold")}
    waiting = decided(msgspec.structs.replace(DRAFTER, actions=both), call)
    assert (waiting.outcome, waiting.draft) == ("held", True)
    off = decided(msgspec.structs.replace(DRAFTER, actions={"reply_to_conversation": Rule("off")}), call)
    assert off.missing == {"action": "reply_to_conversation"}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (conversation(NewThread(type="reply", text="x"), status="closed"), "status"),
        (conversation(NewThread(type="reply", text="x"), assign_to=5), "assignTo"),
        (conversation(NewThread(type="reply", text="x"), auto_reply=True), "autoReply"),
        (conversation(NewThread(type="reply", text="x"), user=5), "user"),
        (
            conversation(NewThread(type="note", text="x"), NewThread(type="reply", text="x", cc=[Recipient("a@b.c")])),
            "threads[1].cc",
        ),
        (conversation(NewThread(type="reply", text="x", created_at=PAST)), "threads[0].createdAt"),
    ],
)
def test_a_new_conversation_with_a_draft_sets_nothing_else(body: NewConversation, path: str) -> None:
    found = decided(DRAFTER, creating(body))
    assert (found.reason, found.path) == ("limit", path)


def test_drafted_forces_the_draft_of_a_reply() -> None:
    call = asked("reply_to_conversation", body=reply(draft=False))
    assert drafted(call).body.draft is True
    assert call.body.draft is False


@pytest.mark.parametrize("name", ["update_conversation", "schedule_thread", "send_scheduled_thread"])
def test_publishing_follows_replies(name: str) -> None:
    call = asked(name, needed(name, IN_ORDERS), needed("reply_to_conversation", IN_ORDERS))
    found = decided(DRAFTER, call)
    assert (found.outcome, found.missing) == ("refused", {"action": "reply_to_conversation"})
    resources: Any = {"conversations": (2, ORDERS), "threads": (2, ORDERS)}
    assert decided(holding(resources, {"reply_to_conversation": "hold"}), call).outcome == "held"
    assert decided(holding(resources, {"reply_to_conversation": "off"}), call).outcome == "refused"
    assert decided(holding(resources), call).outcome == "allowed"


@pytest.mark.parametrize("chosen", [None, "allow", "off", "draft", "hold"])
def test_who_may_not_reply_at_once_leaves_alone_what_is_on_its_way(chosen: Setting | None) -> None:
    grants = holding({"threads": (2, ORDERS)}, {"reply_to_conversation": chosen} if chosen else {})
    expected = set() if chosen in (None, "allow") else {"outgoing"}
    for name, body in (
        ("add_attachment", None), ("update_thread", ThreadStep(op="replace", path="/text", value="x")),
        ("update_thread", ThreadStep(op="replace", path="text", value="x")),
    ):  # fmt: skip
        assert decided(grants, asked(name, path=(1, 2), body=body)).hide == expected
    hiding = asked("update_thread", path=(1, 2), body=ThreadStep(op="replace", path="/hidden", value=True))
    assert decided(grants, hiding).hide == set()
