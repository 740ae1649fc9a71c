"""Writes that may come twice: by `Idempotency-Key`, and the same reply of an agent within a few minutes.

A row is written before a call is sent and gets the answer afterwards. So a call is never sent twice: where the answer
is missing, because the gateway was killed or the desk was cut off, repeats are refused until the row is too old.

| a call comes again | answer |
|---|---|
| with its key and the same arguments | the first one's answer, with `Idempotent-Replayed: true` |
| with its key and other arguments | 422 |
| with its key while the first is under way, or its outcome is unknown | 409 |
| as the same reply within five minutes, without a key or with another one | 409, with the first one's entry and id |

Who means to say the same again waits for five minutes or changes the text: a new key is no sign of that, for many
clients make one for each attempt. Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.operation import AnyOperation
from deskhand.catalogue.problems import BadRequest, FieldError, Problem, shown
from deskhand.db.engine import Conflict, Database, Unavailable, Writer
from deskhand.db.portable import add_missing, texts_in
from deskhand.db.statements import P, columns, command, rows
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Answer
from deskhand.gateway.tables import remembered_call
from deskhand.lib.clock import Clock, from_wire, to_wire

log = logging.getLogger("deskhand.gateway")

HEADER = "idempotency-key"
REPLAYED = ("Idempotent-Replayed", "true")
KEY_MOST = 255
KEPT_FOR = timedelta(hours=24)
"""How long answers are kept by key."""
SAME_WITHIN = timedelta(minutes=5)
"""How long an agent can't say the same again in the same place."""
UNDER_WAY_FOR = timedelta(minutes=2)
"""No call takes longer; after that time its outcome is unknown."""
BODY_MOST = 16 * 1024
"""Bytes of an answer's body that are kept; writes answer with no body or a short error."""
WRITES_THREADS = frozenset(
    {
        "reply_to_conversation", "add_note", "add_chat", "add_phone", "add_customer_thread", "create_conversation",
    }
)  # fmt: skip
"""What nobody means to do twice within minutes in just the same words."""
_KEPT_HEADERS = frozenset({"resource-id", "location", "web-location"})
_SWEPT_EVERY = timedelta(minutes=10)


class Repeated(Problem):
    """A call that came before and is not sent again; `audit_id` and `resource_id` are the first one's, if known."""

    def __init__(
        self, status: int, reason: str, message: str, audit_id: int | None = None, resource_id: int | None = None
    ) -> None:
        self.status, self.message = status, message
        super().__init__()
        self.reason = reason
        self.audit_id = audit_id
        self.resource_id = resource_id


class Turn(msgspec.Struct, frozen=True):
    """What a call that may be sent is remembered by. Without an end its outcome counts as unknown."""

    account_id: int
    agent_id: int
    keys: tuple[str, ...] = ()


class _Kept(msgspec.Struct, frozen=True):
    arguments_hash: str
    audit_number: int
    answer: str | None
    made_at: str


class _Answer(msgspec.Struct, frozen=True):
    """An answer as it is stored."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = ""
    body: str = ""


_MINE = (remembered_call.c.account_id == P("account_id"), remembered_call.c.agent_id == P("agent_id"))
_ONE = (*_MINE, remembered_call.c.key == P("key"))
_THESE = (*_MINE, texts_in(remembered_call.c.key, P("keys", sa.Text)))
_ADD = add_missing(remembered_call, "account_id", "agent_id", "key", "arguments_hash", "audit_number", "made_at")
_FIND = rows(_Kept, sa.select(*columns(remembered_call, *_Kept.__struct_fields__)).where(*_ONE).with_for_update())
_ANEW = command(
    sa.update(remembered_call)
    .where(*_ONE)
    .values(arguments_hash=P("hash"), audit_number=P("number"), answer=sa.null(), made_at=P("now"))
)
_END = command(sa.update(remembered_call).where(*_THESE).values(answer=P("answer_given"), audit_number=P("number")))
_DROP = command(sa.delete(remembered_call).where(*_THESE))
_SWEEP = command(sa.delete(remembered_call).where(remembered_call.c.made_at < P("before")))


def read_key(headers: Mapping[str, str]) -> str | None:
    """The `Idempotency-Key` of a request; raises BadRequest naming the header."""
    given = headers.get(HEADER)
    if given is None:
        return None
    if not 1 <= len(given) <= KEY_MOST or not all("!" <= one <= "~" for one in given):
        text = f"must have 1 to {KEY_MOST} visible ASCII characters"
        raise BadRequest(FieldError("Idempotency-Key", text, "Size", shown(given), "HEADER"))
    return given


class Remembering:
    """Remembers writes, so that none is sent twice by mistake."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._swept_at: datetime | None = None

    async def begin(
        self, agent: Agent, operation: AnyOperation, arguments_hash: str, key: str | None, *, waits: bool = False
    ) -> Turn | Answer:
        """Make sure that a call has not come before: a turn to send it, or the answer that it got then.

        One that `waits` for a person is remembered by its key alone: nothing is said by it yet. Raises Repeated. A call
        that nothing has to be remembered of gets a turn without keys, at no cost.
        """
        keys = _keys(operation, arguments_hash, key, waits=waits)
        if not keys:
            return Turn(agent.account_id, agent.id)
        now = self._clock.now()
        sweeps = self._swept_at is None or abs(now - self._swept_at) > _SWEPT_EVERY

        def claim(tx: Writer) -> Turn | Answer:
            if sweeps:
                tx.run(_SWEEP, before=to_wire(now - KEPT_FOR))
            return begin(tx, Turn(agent.account_id, agent.id, keys), arguments_hash, now)

        claimed = await self._database.write(claim)
        if sweeps:
            self._swept_at = now
        return claimed

    async def released(self, agent: Agent, operation: AnyOperation, arguments_hash: str) -> Turn:
        """A turn for a call that waited for a person, who lets it go now. Raises Repeated."""
        turn = await self.begin(agent, operation, arguments_hash, None)
        assert isinstance(turn, Turn)  # only a key is answered as before
        return turn

    async def ended(self, turn: Turn, answer: Answer, audit_number: int) -> None:
        """Keep the desk's answer. 429 and troubles of the desk (500 and more) are not kept, nor refused replies.

        Never an error: the call has been made. Where it can't be kept the outcome counts as unknown.
        """
        await self._write(turn, lambda tx: end(tx, turn, answer, audit_number))

    async def dropped(self, turn: Turn) -> None:
        """The call was not sent, so it may come again."""
        await self._write(turn, lambda tx: drop(tx, turn))

    async def _write(self, turn: Turn, work: Callable[[Writer], None]) -> None:
        if turn.keys:
            try:
                await self._database.write(work)
            except (Unavailable, Conflict) as problem:
                log.warning("how a call ended could not be remembered: %s", problem)


def begin(tx: Writer, turn: Turn, arguments_hash: str, now: datetime) -> Turn | Answer:
    """As `Remembering.begin`, in a transaction of the caller's."""
    for key in turn.keys:
        kept = _claim(tx, turn, key, arguments_hash, now)
        if kept is None:
            continue
        if key.startswith("same:"):
            raise _said(kept)
        if kept.arguments_hash != arguments_hash:
            text = "This Idempotency-Key was used before with another call; use a new key for a new call"
            raise Repeated(422, "idempotency_key_reused", text, kept.audit_number or None)
        if kept.answer is None:
            raise _unanswered(kept, now)
        return _stored(kept.answer)
    return turn


def end(tx: Writer, turn: Turn, answer: Answer, audit_number: int) -> None:
    """As `Remembering.ended`, in a transaction of the caller's."""
    done = answer.status < 400
    by_key = done or (answer.status < 500 and answer.status != 429)
    kept = [key for key in turn.keys if (done if key.startswith("same:") else by_key)]
    who = {"account_id": turn.account_id, "agent_id": turn.agent_id}
    if kept:
        tx.run(_END, **who, keys=_json(kept), answer_given=_in_store(answer), number=audit_number)
    if len(kept) < len(turn.keys):
        tx.run(_DROP, **who, keys=_json([key for key in turn.keys if key not in kept]))


def drop(tx: Writer, turn: Turn) -> None:
    """As `Remembering.dropped`, in a transaction of the caller's."""
    tx.run(_DROP, account_id=turn.account_id, agent_id=turn.agent_id, keys=_json(turn.keys))


def _keys(operation: AnyOperation, arguments_hash: str, key: str | None, *, waits: bool) -> tuple[str, ...]:
    if operation.method == "GET":
        return ()
    by_key = () if key is None else (f"key:{key}",)
    return by_key if waits or operation.name not in WRITES_THREADS else (*by_key, f"same:{arguments_hash}")


def _claim(tx: Writer, turn: Turn, key: str, arguments_hash: str, now: datetime) -> _Kept | None:
    """Write a key down; what is kept under it where somebody was first, and it is not too old to count."""
    one = {"account_id": turn.account_id, "agent_id": turn.agent_id, "key": key}
    if tx.run(_ADD, **one, arguments_hash=arguments_hash, audit_number=0, made_at=to_wire(now)):
        return None
    kept = tx.one(_FIND, **one)
    if kept is None:  # it was dropped at this moment
        return _claim(tx, turn, key, arguments_hash, now)
    if now - from_wire(kept.made_at) < (SAME_WITHIN if key.startswith("same:") else KEPT_FOR):
        return kept
    tx.run(_ANEW, **one, hash=arguments_hash, number=0, now=to_wire(now))
    return None


def _said(kept: _Kept) -> Repeated:
    again = to_wire(from_wire(kept.made_at) + SAME_WITHIN)
    became = "" if kept.answer else " and what became of that isn't known (yet)"
    text = (
        f"Just the same was written here at {kept.made_at}{became}, so this was not sent; "
        f"to say it again on purpose, wait until {again} or change the text"
    )
    made = resource_id(_stored(kept.answer)) if kept.answer else None
    return Repeated(409, "duplicate", text, kept.audit_number or None, made)


def _unanswered(kept: _Kept, now: datetime) -> Repeated:
    if now - from_wire(kept.made_at) < UNDER_WAY_FOR:
        return Repeated(409, "under_way", "The first call with this Idempotency-Key is still under way")
    text = (
        f"A call with this Idempotency-Key began at {kept.made_at} and its outcome is unknown, so it is not sent "
        "again; look whether it was done, and if not use a new key"
    )
    return Repeated(409, "outcome_unknown", text)


def resource_id(answer: Answer) -> int | None:
    """The id of what a call made."""
    found = next((value for name, value in answer.headers if name.lower() == "resource-id"), "")
    return int(found) if found.isascii() and found.isdigit() and len(found) < 20 else None


def _stored(text: str) -> Answer:
    kept = msgspec.json.decode(text, type=_Answer)
    return Answer(kept.status, kept.body.encode(), kept.media_type, (*kept.headers, REPLAYED))


def _in_store(answer: Answer) -> str:
    headers = tuple((name, value) for name, value in answer.headers if name.lower() in _KEPT_HEADERS)
    small = len(answer.body) <= BODY_MOST
    body = answer.body.decode(errors="replace") if small else ""
    return msgspec.json.encode(_Answer(answer.status, headers, answer.media_type if body else "", body)).decode()


def _json(keys: object) -> str:
    return msgspec.json.encode(keys).decode()
