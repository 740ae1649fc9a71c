"""The webhook events: all that are known, and which of them this desk causes."""

from __future__ import annotations

from deskhand.catalogue import events
from deskhand.catalogue.events import BY_NAME, EVENTS
from deskhand.catalogue.operations import OPERATIONS

NOT_BY_AN_OPERATION = {
    "satisfaction.ratings": "a customer rates a reply by a link in its mail",
    "convo.merged": "somebody merges two conversations on their page",
}
"""Events that no operation causes, and what does."""


def test_there_are_twenty_seven_each_once() -> None:
    """Source: the list on the newest crawl of the Get Webhook page."""
    assert len(EVENTS) == len(BY_NAME) == 27
    assert "helpscout.test" not in BY_NAME


def test_the_eleven_of_the_reference_guide_are_marked() -> None:
    assert {kind.name for kind in EVENTS if kind.listed} == {
        "convo.created", "convo.agent.reply.created", "convo.customer.reply.created", "convo.note.created",
        "convo.assigned", "convo.status", "convo.tags", "convo.deleted", "customer.created", "customer.updated",
        "satisfaction.ratings",
    }  # fmt: skip


def test_what_operations_cause_is_emitted_and_the_other_way_round() -> None:
    caused = {name for operation in OPERATIONS for name in operation.emits}
    assert caused | set(NOT_BY_AN_OPERATION) == {kind.name for kind in EVENTS if kind.emitted}


def test_what_verbs_record_has_a_name_of_its_own() -> None:
    named = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    assert named == {kind.name for kind in EVENTS if kind.emitted}


def test_deletions_tell_the_id_alone() -> None:
    assert {kind.name for kind in EVENTS if kind.payload == "id"} == {
        kind.name for kind in EVENTS if kind.name.endswith(".deleted")
    }


def test_only_conversation_events_are_narrowed_by_inboxes() -> None:
    assert {kind.group for kind in EVENTS if kind.by_inbox} == {"convo"}
    assert BY_NAME["customer.created"].group == "customer"
