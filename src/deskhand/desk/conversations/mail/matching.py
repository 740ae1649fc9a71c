"""Which conversation a mail belongs to: pure rules; what is known of ids, tokens and people is looked up elsewhere.

In this order: the reply token in an address; a Message-ID that it answers, In-Reply-To first, then References from the
newest to the oldest; the subject's `[#number]`. The subject's words never decide.

Ids of mails that went out can't be guessed, so whoever knows one was given it. Ids of mails that came can be, and
numbers always: these count only for people who are in the conversation already, and not when the receiving server
says that the sender is forged.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from deskhand.desk.conversations.mail.keeping import folded
from deskhand.mail.incoming import Incoming

Trust = Literal["anybody", "participants", "customer"]
"""Who may answer so: anybody who knows it, whoever is in the conversation, or its customer alone."""

MOST_IDS = 100
MOST_CANDIDATES = 20
MOST_NUMBERS = 3
_LONGEST_ID = 400
_NUMBER = re.compile(r"\[#([0-9]{1,15})\]", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_=-]{8,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Clues:
    """What a mail says of the conversation it belongs to, the strongest of each kind first."""

    tokens: tuple[str, ...]
    message_ids: tuple[str, ...]
    numbers: tuple[int, ...]


class Mail(msgspec.Struct, frozen=True):
    """A mail of a conversation that is known by its Message-ID; `direction` is in or out."""

    message_id: str
    direction: str
    thread_id: int
    conversation_id: int
    inbox_id: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A conversation that a mail may belong to, and who has to have sent it."""

    conversation_id: int
    trust: Trust


@dataclass(frozen=True, slots=True)
class People:
    """The addresses, folded, of a conversation's customer and of all who are in it."""

    customer: Collection[str]
    everybody: Collection[str]


def clues(incoming: Incoming, recipients: Sequence[str], own: Collection[str]) -> Clues:
    """What a mail says; `recipients` are the envelope's, `own` the account's inboxes, folded."""
    addresses = [*recipients, *incoming.delivered_to, *(one.email for one in (*incoming.to, *incoming.cc))]
    tokens = dict.fromkeys(token for address in addresses for token in _tokens(address, own))
    ids = dict.fromkeys(map(known_form, (*incoming.in_reply_to, *reversed(incoming.references))))
    numbers = dict.fromkeys(int(number) for number in _NUMBER.findall(incoming.subject))
    return Clues(tuple(tokens)[:MOST_IDS], tuple(ids)[:MOST_IDS], tuple(numbers)[:MOST_NUMBERS])


def _tokens(address: str, own: Collection[str]) -> Iterator[str]:
    """What stands between an inbox's address and its domain: `support+token@example.com`."""
    local, _, domain = address.strip().rpartition("@")
    before, plus, token = local.rpartition("+")
    if plus and _TOKEN.fullmatch(token) and folded(f"{before}@{domain}") in own:
        yield token.lower()


def known_form(message_id: str) -> str:
    """A Message-ID as it is stored and looked up: one that is longer than any index takes is replaced by its hash."""
    message_id = message_id.replace("\0", "").encode(errors="replace").decode()
    if len(message_id) <= _LONGEST_ID:
        return message_id
    return f"<{hashlib.sha256(message_id.encode()).hexdigest()}@long.deskhand.invalid>"


def candidates(
    clues: Clues, by_token: Mapping[str, int], mails: Sequence[Mail], by_number: Mapping[int, int], inbox_id: int
) -> list[Candidate]:
    """The conversations that a mail may belong to, the likeliest first; of very many only some.

    A mail that came to two inboxes is known twice; then the conversation in the inbox that this one came to wins. Of
    two in one inbox the older does: somebody may have repeated the other's id to draw the answers to it.
    """
    found = [Candidate(by_token[token], "anybody") for token in clues.tokens if token in by_token]
    for message_id in clues.message_ids:
        same = [one for one in mails if one.message_id == message_id]
        same.sort(key=lambda one: (one.direction != "out", one.inbox_id != inbox_id, one.thread_id))
        for one in same:
            found.append(Candidate(one.conversation_id, "anybody" if one.direction == "out" else "participants"))
    found += [Candidate(by_number[number], "customer") for number in clues.numbers if number in by_number]
    return list(dict.fromkeys(found))[:MOST_CANDIDATES]


def may_answer(candidate: Candidate, sender: str, people: People, verdicts: Mapping[str, str]) -> bool:
    """Whether this sender, whose address is folded, may be taken to answer the conversation."""
    if candidate.trust == "anybody":
        return True
    if not sender or verdicts.get("dmarc", "").lower() == "fail":
        return False
    return sender in (people.customer if candidate.trust == "customer" else people.everybody)
