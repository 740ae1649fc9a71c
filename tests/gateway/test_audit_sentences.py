"""The log in plain English, whatever is known and whatever names are like."""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.catalogue.operation import SLUG
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.gateway.policy import Outcome
from deskhand.gateway.sentences import NAME_MOST, failed_sign_in, one_line, phrase, sentence, unknown


@pytest.mark.parametrize(
    ("agent", "operation", "path", "outcome", "given", "told"),
    [
        ("Triage", "delete_conversation", (5123,), "refused",
         {"number": 1874, "inboxes": ["Orders"], "why": "its access to conversations is write, deleting needs full"},
         "Triage was refused to delete conversation #1874 in Orders: its access to conversations is write, deleting"
         " needs full"),
        ("Drafter", "reply_to_conversation", (5123,), "allowed", {"number": 1874, "inboxes": ["Orders"], "draft": True},
         "Drafter was allowed to reply to conversation #1874 in Orders, as a draft"),
        ("Triage", "set_conversation_tags", (5123,), "held", {"number": 1874, "inboxes": ["Orders"], "why": "hold"},
         "Triage asks to set the tags of conversation #1874 in Orders"),
        ("Triage", "get_conversation", (5123,), "allowed", {"why": "conversations: read"},
         "Triage was allowed to read conversation 5123"),
        ("Triage", "get_conversation", (5123,), "refused", {"why": "it is paused."},
         "Triage was refused to read conversation 5123: it is paused"),
        ("Reader", "list_conversations", (), "allowed", {"inboxes": ["Orders", "Returns", "VIP"]},
         "Reader was allowed to list conversations in Orders, Returns and VIP"),
        ("Reader", "list_conversations", (), "allowed", {"inboxes": ["A", "B", "C", "D", "E"]},
         "Reader was allowed to list conversations in A, B and 3 other inboxes"),
        ("Reader", "list_inbox_folders", (501,), "allowed", {"inbox": "Orders", "inboxes": ["Orders"]},
         "Reader was allowed to list folders of inbox Orders"),
        ("Reader", "list_inbox_folders", (501,), "allowed", {}, "Reader was allowed to list folders of inbox 501"),
        ("Reader", "list_tags", (), "allowed", {}, "Reader was allowed to list tags"),
        ("Closer", "update_thread", (5123, 77), "refused", {"number": 3},
         "Closer was refused to change thread 77 of conversation #3"),
    ],
)  # fmt: skip
def test_an_entry_reads_as_a_sentence(
    agent: str, operation: str, path: tuple[int, ...], outcome: Outcome, given: dict[str, Any], told: str
):
    does = phrase(BY_NAME[operation], path, number=given.pop("number", None), inbox=given.pop("inbox", None))
    assert sentence(agent, does, outcome, given.pop("why", ""), **given) == told


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_has_its_phrase_with_and_without_what_its_path_says(operation: Any):
    slug = "tier" if SLUG in operation.path else ""
    ids = tuple(range(11, 11 + len(operation.parameters)))[: len(operation.parameters) - bool(slug)]
    full = phrase(operation, ids, slug, number=1874)
    for name, id in zip(operation.parameters, ids, strict=False):
        assert ("#1874" if name == "conversation_id" else str(id)) in full
    assert slug in full
    bare = phrase(operation)
    for words in (full, bare):
        assert "{" not in words
        assert "  " not in words
        assert not words.endswith(" ")
        assert not any(piece in f" {words} " for piece in (" the the ", " a the ", " of of "))
    assert bare[0].islower()


def test_without_an_id_something_is_named_all_the_same():
    assert phrase(BY_NAME["reply_to_conversation"]) == "reply to a conversation"
    assert phrase(BY_NAME["list_inbox_folders"]) == "list folders of an inbox"
    assert phrase(BY_NAME["update_thread"], (5123,)) == "change a thread of conversation 5123"


def test_nobodys_name_can_fake_a_line_or_fill_a_page():
    name = "Triage\nDrafter was allowed to\r\x1b[31m\u202e\u2028 delete"
    told = sentence(name, "list tags", "allowed", inboxes=["a\nb", "x" * 5_000])
    assert told.isprintable()
    assert told.startswith("Triage Drafter was allowed to [31m delete was allowed to list tags in a b and xxx")
    assert len(told) < 3 * NAME_MOST
    assert "👩\u200d💻" in sentence("👩\u200d💻", "list tags", "allowed")


def test_a_slug_is_shown_on_one_line():
    operation = next(each for each in OPERATIONS if SLUG in each.path and len(each.parameters) == 1)
    assert "a b" in phrase(operation, (), "a\nb")


def test_a_call_that_is_no_operation_is_told_as_it_came():
    assert unknown("Triage", "POST", "/v2/everything\n") == (
        "Triage was refused to call POST /v2/everything: it is no operation of the desk"
    )


def test_a_failed_sign_in_says_why():
    assert failed_sign_in("Triage", "the key expired.") == "Somebody failed to sign in as Triage: the key expired"
    assert failed_sign_in(None, "no such key") == "Somebody failed to sign in as an agent: no such key"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""), ("a b", "a b"), (" a  b ", "a b"), ("a\t\nb", "a b"), ("\ud800x", "x"),
        ("x" * 3_000, "x" * 1_999 + "…"),
    ],
    ids=lambda text: repr(text)[:12],
)  # fmt: skip
def test_texts_are_brought_onto_a_line(text: str, line: str):
    assert one_line(text) == line
