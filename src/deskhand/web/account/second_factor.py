"""Switching the visitor's second factor on and off, and new recovery codes."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from deskhand.catalogue.problems import PreconditionFailed, Unavailable
from deskhand.db.engine import Reader, Writer
from deskhand.lib.sealing import SealingError
from deskhand.oauth import pages, second_factor, throttle, totp
from deskhand.oauth.confirming import NotConfirmed
from deskhand.web.account import security
from deskhand.web.account.confirming import confirm, how
from deskhand.web.pages import Asked, Pages

PAGES = Pages()
PATH = "/account/second-factor"
WRONG = "This code is not right. Enter the six digits that the app shows now."
OFF: dict[str, Any] = {
    "title": "Switch off the second factor?",
    "text": "Then no code is asked for when you sign in. Your app and your recovery codes stop working for Deskhand.",
    "button": "Switch off",
    "danger": True,
}
CODES: dict[str, Any] = {
    "title": "New recovery codes?",
    "text": "You get ten new ones, and those that you have stop working.",
    "button": "Make new codes",
    "danger": False,
}


@PAGES.post(f"{PATH}/begin")
async def begin(asked: Asked) -> Response:
    """Make a secret for the visitor's app."""

    def write(tx: Writer) -> None:
        second_factor.begin(tx, asked.web.sealer, asked.account_id, asked.visitor.id, asked.web.clock.now())

    try:
        await asked.write(write)
    except SealingError:
        raise Unavailable from None
    return asked.go(PATH)


@PAGES.get(PATH)
async def show(asked: Asked) -> Response:
    """The secret as a picture and as text, and where the app's first code is entered."""
    return await _enrol(asked)


@PAGES.post(PATH)
async def switch_on(asked: Asked) -> Response:
    """Switch it on if the app makes the right code; the recovery codes are shown this once."""
    now = asked.web.clock.now()
    attempt = throttle.Attempt(str(asked.visitor.id), pages.host(asked.request), now, throttle.CODE)

    def write(tx: Writer) -> tuple[str, ...] | None:
        who = asked.account_id, asked.visitor.id
        codes = second_factor.switch_on(tx, asked.web.sealer, *who, asked.form.text("code"), now)
        if codes is not None:
            attempt.succeed(tx)
        return codes

    try:
        await confirm(asked, asked.form.raw("current"))
        await asked.write(attempt.begin)
        codes = await asked.write(write)
    except NotConfirmed as refused:
        return await _enrol(asked, {"current": str(refused)}, 400)
    except throttle.TooMany as refused:
        return await _enrol(asked, {"code": pages.too_many(refused.retry_after_s)}, 429)
    except SealingError:
        raise Unavailable from None
    if codes is None:
        return await _enrol(asked, {"code": WRONG}, 400)
    return await asked.page("account/recovery-codes.html", codes=codes, fresh=True)


@PAGES.get(f"{PATH}/off")
async def ask_off(asked: Asked) -> Response:
    """Whether it shall be switched off."""
    return await _ask(asked, OFF)


@PAGES.post(f"{PATH}/off")
async def switch_off(asked: Asked) -> Response:
    """Switch it off, for whoever shows that it is them."""
    try:
        await confirm(asked, asked.form.raw("current"))
    except NotConfirmed as refused:
        return await _ask(asked, OFF, str(refused))
    await asked.write(lambda tx: second_factor.switch_off(tx, asked.account_id, asked.visitor.id, asked.now))
    return asked.go(security.PATH, "The second factor is off.")


@PAGES.get(f"{PATH}/recovery-codes")
async def ask_codes(asked: Asked) -> Response:
    """Whether there shall be new recovery codes."""
    return await _ask(asked, CODES)


@PAGES.post(f"{PATH}/recovery-codes")
async def renew_codes(asked: Asked) -> Response:
    """New recovery codes, for whoever shows that it is them; those before stop working."""
    try:
        await confirm(asked, asked.form.raw("current"))
    except NotConfirmed as refused:
        return await _ask(asked, CODES, str(refused))

    def write(tx: Writer) -> tuple[str, ...]:
        if not second_factor.is_on(tx, asked.account_id, asked.visitor.id):
            raise PreconditionFailed
        return second_factor.renew_codes(tx, asked.account_id, asked.visitor.id, asked.now)

    return await asked.page("account/recovery-codes.html", codes=await asked.write(write), fresh=False)


async def _ask(asked: Asked, question: dict[str, Any], wrong: str = "") -> Response:
    if not await asked.read(lambda db: second_factor.is_on(db, asked.account_id, asked.visitor.id)):
        return asked.go(security.PATH)
    return await asked.page(
        "account/confirm.html",
        400 if wrong else 200,
        how=await how(asked),
        provider=asked.web.provider,
        wrong=wrong,
        up=security.PATH,
        **question,
    )


async def _enrol(asked: Asked, wrong: dict[str, str] | None = None, status: int = 200) -> Response:
    def read(db: Reader) -> str | None:
        found = second_factor.factor(db, asked.account_id, asked.visitor.id)
        if found is None or found.on_since is not None:
            return None
        return second_factor.secret(asked.web.sealer, asked.account_id, asked.visitor.id, found)

    try:
        secret = await asked.read(read)
    except SealingError:
        raise Unavailable from None
    if secret is None:
        return asked.go(security.PATH)
    uri = totp.uri(secret, asked.visitor.email, "Deskhand")
    return await asked.page(
        "account/second-factor.html",
        status,
        secret=totp.grouped(secret),
        uri=uri,
        picture=_picture(uri),
        how=await how(asked),
        provider=asked.web.provider,
        wrong=wrong or {},
    )


def _picture(uri: str) -> Markup:
    """A QR code; black on white in every theme, or cameras don't see it."""
    import segno  # noqa: PLC0415 - it is large, and drawn is once for each person

    drawn = segno.make(uri, error="m").svg_inline(
        scale=1, border=4, omitsize=True, svgclass="qr", lineclass=None, dark="#000", light="#fff"
    )
    return Markup(drawn)
