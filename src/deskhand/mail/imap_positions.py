"""How far folders on mail servers have been read, what came of it, and which process looks at which one now.

A process that looks holds the position until `due_at`, and holds it on while it looks; when it dies, the next one goes
on from where it had come to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import P, columns, command, rows, value
from deskhand.lib.clock import to_wire
from deskhand.mail.tables import imap_position, received_mail
from deskhand.outbox.jobs import milliseconds

HELD_S = 15
"""How long a position is held without being held on: a reader that died is taken to be gone after this time."""
APART_S = 60
"""How far the clocks of processes may go wrong: a look due later than looks ever are is due now, the clock moved."""


class Position(msgspec.Struct, frozen=True):
    """How far a folder has been read; `reasons` is JSON: why messages were skipped, and how many for each reason."""

    account_id: int
    inbox_id: int
    folder: str
    uid_validity: int
    last_uid: int
    since: str | None
    on_server: int
    taken: int
    skipped: int
    reasons: str
    error: str
    checked_at: str

    def skipped_why(self) -> dict[str, int]:
        """Why messages were skipped, and how many for each reason."""
        found: dict[str, int] = msgspec.json.decode(self.reasons, type=dict[str, int])
        return found


class Due(msgspec.Struct, frozen=True):
    """When the next look at a folder is due, in milliseconds since 1970."""

    inbox_id: int
    folder: str
    due_at: int


_THIS = (
    imap_position.c.account_id == P("for_account"),
    imap_position.c.inbox_id == P("for_inbox"),
    imap_position.c.folder == P("in_folder"),
)
_MINE = (*_THIS, imap_position.c.reader == P("mark"))
_ONE = rows(Position, sa.select(*columns(imap_position, *Position.__struct_fields__)).where(*_THIS))
_ALL = rows(
    Position,
    sa.select(*columns(imap_position, *Position.__struct_fields__))
    .where(imap_position.c.account_id == P("account_id"))
    .order_by(imap_position.c.inbox_id, imap_position.c.folder),
)
# Of all accounts: the server looks for everybody.
_DUE = rows(Due, sa.select(*columns(imap_position, *Due.__struct_fields__)))
_BEGINNING = (*Position.__struct_fields__, "due_at", "reader")
_ADD = add_missing(imap_position, *_BEGINNING)
_REMOVE = command(
    sa.delete(imap_position).where(
        imap_position.c.account_id == P("account_id"), imap_position.c.inbox_id == P("inbox_id")
    )
)
_TAKE = rows(
    Position,
    sa.update(imap_position)
    .where(*_THIS, sa.or_(imap_position.c.due_at <= P("now_ms"), imap_position.c.due_at > P("late_ms")))
    .values(due_at=P("until_ms"), reader=P("mark"))
    .returning(*columns(imap_position, *Position.__struct_fields__)),
)
_MOVES = ("uid_validity", "last_uid", "on_server", "taken", "skipped", "reasons", "checked_at")
_HOLD = command(sa.update(imap_position).where(*_MINE).values(due_at=P("until_ms")))
_PROGRESS = command(sa.update(imap_position).where(*_MINE).values({name: P(name) for name in _MOVES}))
_WELL = command(
    sa.update(imap_position)
    .where(*_MINE)
    .values(
        due_at=P("until_ms"), reader=sa.literal_column("0"), on_server=P("on_server"), error=sa.literal_column("''"),
        checked_at=P("checked_at"),
    )
)  # fmt: skip
_BADLY = command(
    sa.update(imap_position).where(*_MINE).values(due_at=P("until_ms"), reader=sa.literal_column("0"), error=P("error"))
)
_AGAIN = command(
    sa.update(imap_position)
    .where(imap_position.c.account_id == P("account_id"), imap_position.c.inbox_id == P("inbox_id"))
    .values(uid_validity=sa.literal_column("0"), due_at=sa.literal_column("0"), reader=sa.literal_column("0"))
)
_FREE = command(
    sa.update(imap_position)
    .where(imap_position.c.reader != sa.literal_column("0"))
    .values(due_at=sa.literal_column("0"), reader=sa.literal_column("0"))
)
_OF_MESSAGE = (received_mail.c.account_id == P("for_account"), received_mail.c.id == P("id"))
_PLACE = value(str, sa.select(received_mail.c.place).where(*_OF_MESSAGE))
_PUT = command(sa.update(received_mail).where(*_OF_MESSAGE).values(place=P("place")))


def begin(tx: Writer, account_id: int, inbox_id: int, folder: str, since: datetime | None, now: datetime) -> None:
    """Begin to read a folder, where that has not begun: all that lies there, or only what arrived `since`."""
    position = Position(
        account_id=account_id, inbox_id=inbox_id, folder=folder, uid_validity=0, last_uid=0,
        since=None if since is None else to_wire(since), on_server=0, taken=0, skipped=0, reasons="{}", error="",
        checked_at=to_wire(now),
    )  # fmt: skip
    tx.run(_ADD, **msgspec.structs.asdict(position), due_at=0, reader=0)


def forget(tx: Writer, account_id: int, inbox_id: int) -> None:
    """Forget how far an inbox's folders have been read."""
    tx.run(_REMOVE, account_id=account_id, inbox_id=inbox_id)


def one(db: Reader, account_id: int, inbox_id: int, folder: str) -> Position | None:
    """How far a folder has been read."""
    return db.one(_ONE, for_account=account_id, for_inbox=inbox_id, in_folder=folder)


def of_account(db: Reader, account_id: int) -> list[Position]:
    """How far an account's folders have been read."""
    return db.all(_ALL, account_id=account_id)


def look_again(tx: Writer, account_id: int, inbox_id: int) -> bool:
    """Have an inbox's folders read anew; what is here already is known again. False where none is read."""
    return bool(tx.run(_AGAIN, account_id=account_id, inbox_id=inbox_id))


# -- Whoever looks


def not_due(db: Reader, now: datetime, every_s: float) -> set[tuple[int, str]]:
    """Inboxes and folders that need no look yet, where one is due every so often, or that somebody is looking at."""
    soon, late = _ms(now, 0), _ms(now, _latest(every_s))
    return {(one.inbox_id, one.folder) for one in db.all(_DUE) if soon < one.due_at <= late}


class Held:
    """A position that this process holds. Every change says whether it still does."""

    def __init__(self, position: Position, mark: int) -> None:
        self.position = position
        self._given = {
            "for_account": position.account_id, "for_inbox": position.inbox_id, "in_folder": position.folder,
        }  # fmt: skip
        self._mark = mark

    def hold_on(self, tx: Writer, now: datetime) -> bool:
        """Hold it for longer."""
        return bool(tx.run(_HOLD, **self._given, mark=self._mark, until_ms=_ms(now, HELD_S)))

    def progress(self, tx: Writer, position: Position) -> bool:
        """Write down how far it has come."""
        there = {name: getattr(position, name) for name in _MOVES}
        return bool(tx.run(_PROGRESS, **self._given, mark=self._mark, **there))

    def well(self, tx: Writer, on_server: int, now: datetime, again_s: float) -> None:
        """The look ended well."""
        there = {"on_server": on_server, "checked_at": to_wire(now)}
        tx.run(_WELL, **self._given, mark=self._mark, until_ms=_ms(now, again_s), **there)

    def badly(self, tx: Writer, error: str, now: datetime, again_s: float) -> None:
        """The look failed."""
        tx.run(_BADLY, **self._given, mark=self._mark, until_ms=_ms(now, again_s), error=error)

    def is_from_here(self, tx: Writer, id: int, place: str) -> bool:
        """Whether a message that is known came from this very place; if from another, it is noted where it lies now."""
        account_id = self.position.account_id
        if tx.one(_PLACE, for_account=account_id, id=id) == place:
            return True
        tx.run(_PUT, for_account=account_id, id=id, place=place)
        return False


def take(
    tx: Writer, account_id: int, inbox_id: int, folder: str, now: datetime, mark: int, every_s: float = HELD_S
) -> Held | None:
    """Hold a position that is due; None where another process was quicker."""
    found = tx.one(
        _TAKE, for_account=account_id, for_inbox=inbox_id, in_folder=folder, now_ms=_ms(now, 0),
        late_ms=_ms(now, _latest(every_s)), until_ms=_ms(now, HELD_S), mark=mark,
    )  # fmt: skip
    return None if found is None else Held(found, mark)


def free(tx: Writer) -> None:
    """Take positions from readers that are gone: where there is only one process, all that it finds are."""
    tx.run(_FREE)


def counted(reasons: Mapping[str, int], more: Counter[str]) -> str:
    """Reasons and how many for each, as they are kept."""
    return msgspec.json.encode(dict(sorted((Counter(reasons) + more).items()))).decode()


def _latest(every_s: float) -> float:
    """Later than this no look is due, and nothing is held for longer."""
    return max(every_s, HELD_S) + APART_S


def _ms(now: datetime, later_s: float) -> int:
    return milliseconds(now) + round(later_s * 1000)
