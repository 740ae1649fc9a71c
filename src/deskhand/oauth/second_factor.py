"""A second factor beside the password: a code from an app, or one of ten recovery codes that replace a lost app."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.users import changing, security_notices
from deskhand.desk.users.queries import UserRow
from deskhand.lib.clock import to_wire
from deskhand.lib.sealing import Sealer
from deskhand.lib.secrets import digest
from deskhand.oauth import totp
from deskhand.oauth.tables import recovery_code, second_factor

RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_GROUPS, _GROUP = 4, 4  # 79 bits


class Factor(msgspec.Struct, frozen=True):
    """A user's app. Without `on_since` it was shown to the user and never proved to work."""

    sealed: str
    last_step: int
    on_since: str | None


class _NewFactor(msgspec.Struct, frozen=True):
    account_id: int
    user_id: int
    sealed: str
    last_step: int
    on_since: str | None
    created_at: str


class _NewCode(msgspec.Struct, frozen=True):
    account_id: int
    user_id: int
    code_hash: str


_ADD = Insert(second_factor, _NewFactor)
_ADD_CODE = Insert(recovery_code, _NewCode)
_MINE = (second_factor.c.account_id == P("account_id"), second_factor.c.user_id == P("user_id"))
_MY_CODES = (recovery_code.c.account_id == P("account_id"), recovery_code.c.user_id == P("user_id"))
_OF = rows(Factor, sa.select(*columns(second_factor, *Factor.__struct_fields__)).where(*_MINE))
_REMOVE = command(sa.delete(second_factor).where(*_MINE))
_REMOVE_CODES = command(sa.delete(recovery_code).where(*_MY_CODES))
_LEFT = value(int, sa.select(sa.func.count()).select_from(recovery_code).where(*_MY_CODES))
_USE_CODE = command(sa.delete(recovery_code).where(*_MY_CODES, recovery_code.c.code_hash == P("hash")))
# Of two transactions that give one code, the database lets one change the row.
_TAKE_STEP = command(
    sa.update(second_factor)
    .where(*_MINE, second_factor.c.last_step < P("step", sa.BigInteger))
    .values(last_step=P("step", sa.BigInteger))
)
_SWITCH_ON = command(
    sa.update(second_factor).where(*_MINE, second_factor.c.on_since.is_(None)).values(on_since=P("now"))
)


def is_on(db: Reader, account_id: int, user_id: int) -> bool:
    """Whether a user is asked for a code after the password."""
    found = db.one(_OF, account_id=account_id, user_id=user_id)
    return found is not None and found.on_since is not None


def factor(db: Reader, account_id: int, user_id: int) -> Factor | None:
    """A user's app, whether it was proved to work or not."""
    return db.one(_OF, account_id=account_id, user_id=user_id)


def codes_left(db: Reader, account_id: int, user_id: int) -> int:
    """How many recovery codes a user has left."""
    return db.first(_LEFT, account_id=account_id, user_id=user_id)


def begin(tx: Writer, sealer: Sealer, account_id: int, user_id: int, now: datetime) -> None:
    """Make a secret that the user's app shall get; one that is in use stays. Raises SealingError."""
    if is_on(tx, account_id, user_id):
        return
    sealed = sealer.seal(totp.new_secret(), _context(account_id, user_id))
    tx.run(_REMOVE, account_id=account_id, user_id=user_id)
    tx.add_many(_ADD, (_NewFactor(account_id, user_id, sealed, 0, None, to_wire(now)),))


def secret(sealer: Sealer, account_id: int, user_id: int, found: Factor) -> str:
    """What app and server share; raises SealingError."""
    return sealer.open(found.sealed, _context(account_id, user_id))


def switch_on(
    tx: Writer, sealer: Sealer, account_id: int, user_id: int, given: str, now: datetime
) -> tuple[str, ...] | None:
    """Ask for codes from now on, if the app makes the right one; gives the recovery codes. Raises SealingError."""
    if is_on(tx, account_id, user_id) or not _take(tx, sealer, account_id, user_id, given, now):
        return None
    tx.run(_SWITCH_ON, account_id=account_id, user_id=user_id, now=to_wire(now))
    security_notices.tell(tx, account_id, user_id, "factor_on", to_wire(now))
    return _new_codes(tx, account_id, user_id)


def renew_codes(tx: Writer, account_id: int, user_id: int, now: str) -> tuple[str, ...]:
    """New recovery codes in place of those before; they are known this once."""
    security_notices.tell(tx, account_id, user_id, "codes", now)
    return _new_codes(tx, account_id, user_id)


def _new_codes(tx: Writer, account_id: int, user_id: int) -> tuple[str, ...]:
    tx.run(_REMOVE_CODES, account_id=account_id, user_id=user_id)
    made = tuple(_new_code() for _ in range(RECOVERY_CODES))
    tx.add_many(_ADD_CODE, [_NewCode(account_id, user_id, _hash(user_id, one)) for one in made])
    return made


def check(tx: Writer, sealer: Sealer, account_id: int, user_id: int, given: str, now: datetime) -> bool:
    """Whether a code of the app or a recovery code is right; then it is used up. Raises SealingError."""
    plain = re.sub(r"[\s-]", "", given).lower()
    if len(plain) == totp.DIGITS:
        return is_on(tx, account_id, user_id) and _take(tx, sealer, account_id, user_id, plain, now)
    if len(plain) != _GROUPS * _GROUP or not use_recovery_code(tx, account_id, user_id, plain):
        return False
    left = codes_left(tx, account_id, user_id)
    security_notices.tell(tx, account_id, user_id, "code_used", to_wire(now), left=left)
    return True


def use_recovery_code(tx: Writer, account_id: int, user_id: int, given: str) -> bool:
    """Whether a recovery code is right; then it is used up."""
    return tx.run(_USE_CODE, account_id=account_id, user_id=user_id, hash=_hash(user_id, given)) == 1


def switch_off(tx: Writer, account_id: int, user_id: int, now: str, by: str = "") -> None:
    """Ask for no code any more, and forget app and recovery codes; `by` names whoever does it for somebody else."""
    if is_on(tx, account_id, user_id):
        security_notices.tell(tx, account_id, user_id, "factor_off", now, by=by)
    tx.run(_REMOVE, account_id=account_id, user_id=user_id)
    tx.run(_REMOVE_CODES, account_id=account_id, user_id=user_id)


def switch_off_for(tx: Writer, actor: Actor, user_id: int, now: str, by: str) -> UserRow:
    """As `switch_off`, by an administrator for somebody who has lost app and codes; only owners may for an owner.

    Raises AccessDenied and NotFound.
    """
    user = changing.user(tx, actor.account_id, user_id)
    changing.require_may_change(actor, user)
    switch_off(tx, actor.account_id, user_id, now, by)
    return user


def _take(tx: Writer, sealer: Sealer, account_id: int, user_id: int, given: str, now: datetime) -> bool:
    """Whether a code of the app is right and was not taken before."""
    found = tx.one(_OF, account_id=account_id, user_id=user_id)
    if found is None:
        return False
    shared = secret(sealer, account_id, user_id, found)
    step = totp.step_of(shared, re.sub(r"[\s-]", "", given), now.timestamp())
    return step is not None and tx.run(_TAKE_STEP, account_id=account_id, user_id=user_id, step=step) == 1


def _new_code() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def _hash(user_id: int, code: str) -> str:
    return digest(f"{user_id} {code.replace('-', '').lower()}")


def _context(account_id: int, user_id: int) -> str:
    return f"second factor of user {user_id} in account {account_id}"
