"""Which conversation a mail belongs to, by the rules alone."""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.desk.conversations.mail.matching import Candidate, Clues, Mail, People, candidates, clues, known_form
from deskhand.desk.conversations.mail.matching import may_answer as allowed
from deskhand.mail.headers import Address
from deskhand.mail.incoming import Incoming

OWN = {"help@desk.example"}
NO_CLUES = Clues((), (), ())


def incoming(**given: Any) -> Incoming:
    return Incoming(**{"message_id": "<m@x>", "sender": Address("paul@buyer.example"), **given})


def test_a_token_is_found_in_every_address_that_a_mail_came_to() -> None:
    token = "abcdefgh2345"
    address = f"Help+{token.upper()}@Desk.example"
    for mail, recipients in (
        (incoming(to=(Address(address),)), ()),
        (incoming(cc=(Address("x@y"), Address(address))), ()),
        (incoming(delivered_to=(address,)), ()),
        (incoming(), (address,)),
    ):
        assert clues(mail, recipients, OWN).tokens == (token,)


@pytest.mark.parametrize(
    "address",
    ["help@desk.example", "help+@desk.example", "help+short@desk.example", "other+abcdefgh2345@desk.example",
     "help+abcdefgh2345@else.example", "help+abcdefgh 2345@desk.example", "abcdefgh2345", ""],
)  # fmt: skip
def test_what_is_no_token_of_ours_is_none(address: str) -> None:
    assert clues(incoming(), (address,), OWN).tokens == ()


def test_ids_come_from_the_newest_to_the_oldest() -> None:
    mail = incoming(in_reply_to=("<3@x>",), references=("<1@x>", "<2@x>", "<3@x>"))
    assert clues(mail, (), OWN).message_ids == ("<3@x>", "<2@x>", "<1@x>")


def test_an_endless_id_has_a_short_form() -> None:
    endless = f"<{'x' * 5_000}@x>"
    assert len(known_form(endless)) < 100
    assert known_form(endless) == known_form(endless) != known_form(endless + "y")
    assert known_form("<1@x>") == "<1@x>"


def test_numbers_are_read_from_the_subject() -> None:
    assert clues(incoming(subject="Re: [#12] a [#3] #4 [5] [#12] [#٣]"), (), OWN).numbers == (12, 3)


def test_a_token_comes_before_ids_and_ids_before_numbers() -> None:
    given = Clues(("t" * 8,), ("<in@x>", "<out@x>"), (7,))
    mails = [Mail("<out@x>", "out", 1, 20, 5), Mail("<in@x>", "in", 2, 30, 5)]
    assert candidates(given, {"t" * 8: 10}, mails, {7: 40}, 5) == [
        Candidate(10, "anybody"), Candidate(30, "participants"), Candidate(20, "anybody"), Candidate(40, "customer"),
    ]  # fmt: skip


def test_of_two_that_have_one_id_ours_and_then_this_inbox_wins() -> None:
    given = Clues((), ("<1@x>",), ())
    mails = [Mail("<1@x>", "in", 1, 10, 5), Mail("<1@x>", "in", 2, 20, 6), Mail("<1@x>", "out", 3, 30, 7)]
    found = [one.conversation_id for one in candidates(given, {}, mails, {}, 6)]
    assert found == [30, 20, 10]


@pytest.mark.parametrize(
    ("trust", "sender", "verdicts", "expected"),
    [
        ("anybody", "eve@evil.example", {"dmarc": "fail"}, True),
        ("participants", "lea@buyer.example", {}, True),
        ("participants", "eve@evil.example", {}, False),
        ("participants", "lea@buyer.example", {"dmarc": "fail"}, False),
        ("participants", "lea@buyer.example", {"dmarc": "none", "spf": "fail"}, True),
        ("customer", "lea@buyer.example", {}, False),
        ("customer", "paul@buyer.example", {"dmarc": "pass"}, True),
        ("customer", "paul@buyer.example", {"dmarc": "FAIL"}, False),
        ("participants", "", {}, False),
    ],
)
def test_who_may_answer(trust: Any, sender: str, verdicts: dict[str, str], expected: bool) -> None:
    people = People({"paul@buyer.example"}, {"paul@buyer.example", "lea@buyer.example", ""})
    assert allowed(Candidate(1, trust), sender, people, verdicts) is expected


def test_without_clues_there_is_no_candidate() -> None:
    assert clues(incoming(subject="Re: A lamp"), ("help@desk.example",), OWN) == NO_CLUES
    assert candidates(NO_CLUES, {}, [], {}, 1) == []
