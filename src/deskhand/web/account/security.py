"""How the visitor signs in, and where they are signed in."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import AlreadyThere, NotFound, PreconditionFailed
from deskhand.db.engine import Reader, Writer
from deskhand.oauth import own_password, passwords, second_factor, sessions
from deskhand.oauth.confirming import NotConfirmed
from deskhand.oauth.sessions import Session
from deskhand.web import words
from deskhand.web.account import browsers
from deskhand.web.account.confirming import confirm
from deskhand.web.pages import Asked, Pages

PAGES = Pages()
PATH = "/account/security"
DIFFERENT = "The two passwords differ. Enter the same one twice."


class Place(msgspec.Struct, frozen=True):
    """Where the visitor is signed in."""

    id: int
    browser: str
    phone: bool
    address: str
    seen_at: str
    since: str
    here: bool


class Security(msgspec.Struct, frozen=True):
    """What the page shows. `factor_since` None: no second factor is asked for."""

    has_password: bool
    factor_since: str | None
    codes_left: int
    places: list[Place]


@PAGES.get(PATH)
async def show(asked: Asked) -> Response:
    """Password, second factor and sessions."""
    return await _page(asked)


@PAGES.post(f"{PATH}/password")
async def change_password(asked: Asked) -> Response:
    """Choose another password; sessions elsewhere end."""
    chosen = asked.form.raw("password")
    fault = passwords.fault(chosen, asked.visitor.email)
    if not fault and asked.form.raw("again") != chosen:
        return await _page(asked, {"again": DIFFERENT})
    if fault:
        return await _page(asked, {"password": fault})
    try:
        before = await confirm(asked, asked.form.raw("current"))
    except NotConfirmed as refused:
        return await _page(asked, {"current": str(refused)})
    if before is None:  # who has none is sent a link instead: it proves that the address is theirs
        raise PreconditionFailed
    after = await asked.web.passwords.hash(chosen)

    def write(tx: Writer) -> bool:
        kept = asked.visitor.session_id
        return own_password.change(
            tx, asked.account_id, asked.visitor.id, before, after, kept=kept, now=asked.now
        )  # fmt: skip

    if not await asked.write(write):
        raise AlreadyThere
    return asked.go(PATH, "Your password is changed. You are signed out everywhere else.")


@PAGES.post(f"{PATH}/sessions/others/end")
async def end_others(asked: Asked) -> Response:
    """Sign out everywhere but here."""
    ended = await asked.write(
        lambda tx: sessions.end_others(tx, asked.account_id, asked.visitor.id, asked.visitor.session_id)
    )
    return asked.go(PATH, f"Signed out in {words.counted(ended, 'other place')}.")


@PAGES.post(f"{PATH}/sessions/{{id}}/end")
async def end_one(asked: Asked) -> Response:
    """Sign out in one other place."""
    id = asked.id()
    if not await asked.write(lambda tx: sessions.end_one(tx, asked.account_id, asked.visitor.id, id)):
        raise NotFound
    return asked.go(PATH, "Signed out there.")


async def _page(asked: Asked, wrong: dict[str, str] | None = None) -> Response:
    def read(db: Reader) -> Security:
        who = asked.account_id, asked.visitor.id
        found = second_factor.factor(db, *who)
        return Security(
            own_password.stored(db, *who) is not None,
            None if found is None else found.on_since,
            second_factor.codes_left(db, *who),
            [_place(one, asked.visitor.session_id) for one in sessions.of_user(db, *who, asked.now)],
        )

    return await asked.page(
        "account/security.html",
        400 if wrong else 200,
        security=await asked.read(read),
        wrong=wrong or {},
        least=passwords.LEAST,
    )


def _place(row: Session, current: int) -> Place:
    return Place(
        row.id,
        browsers.described(row.user_agent),
        browsers.is_phone(row.user_agent),
        row.address or "",
        row.seen_at or row.created_at,
        row.created_at,
        row.id == current,
    )
