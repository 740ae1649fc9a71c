"""Which users an OpenID provider's people are: remembered by issuer and subject, found by e-mail the first time."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, rows
from deskhand.desk.users.tables import account, staff
from deskhand.oauth.oidc import Identity
from deskhand.oauth.tables import provider_identity


class Known(msgspec.Struct, frozen=True):
    """A user who may sign in as somebody, and of which account."""

    account_id: int
    user_id: int
    account_name: str


class _NewIdentity(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    user_id: int
    issuer: str
    subject: str
    created_at: str


_ADD = Insert(provider_identity, _NewIdentity)
_ACTIVE = (staff.c.type == sa.literal_column("'user'"), staff.c.state == sa.literal_column("'active'"))
_USER = (staff.c.account_id, staff.c.id.label("user_id"), account.c.name.label("account_name"))
_IS_LINKED = sa.and_(provider_identity.c.user_id == staff.c.id, provider_identity.c.account_id == staff.c.account_id)
# Of all accounts: somebody may work in several.
_LINKED = rows(
    Known,
    sa.select(*_USER)
    .join(account, account.c.id == staff.c.account_id)
    .join(provider_identity, _IS_LINKED)
    .where(provider_identity.c.issuer == P("issuer"), provider_identity.c.subject == P("subject"), *_ACTIVE)
    .order_by(staff.c.id),
)
# Who is somebody else to the provider already stays that: an address may get another owner.
_BY_EMAIL = rows(
    Known,
    sa.select(*_USER)
    .join(account, account.c.id == staff.c.account_id)
    .where(
        staff.c.email == P("email"),
        *_ACTIVE,
        sa.not_(sa.exists().where(_IS_LINKED, provider_identity.c.issuer == P("issuer"))),
    )
    .order_by(staff.c.id)
    .limit(sa.literal_column("20")),
)


def users_of(tx: Writer, who: Identity, now: str) -> list[Known]:
    """The active users that somebody is, one for each account; linked by a verified e-mail address the first time."""
    linked = tx.all(_LINKED, issuer=who.issuer, subject=who.subject)
    accounts = {one.account_id for one in linked}
    by_email = tx.all(_BY_EMAIL, email=who.email, issuer=who.issuer) if who.email else []
    found = [one for one in by_email if one.account_id not in accounts]
    tx.add_many(
        _ADD,
        [
            _NewIdentity(
                account_id=one.account_id, user_id=one.user_id, issuer=who.issuer, subject=who.subject, created_at=now
            )
            for one in found
        ],
    )
    return [*linked, *found]
