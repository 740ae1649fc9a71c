"""Making sure that it is really the visitor, before a form changes how somebody signs in or lets somebody in for good.

What changes the visitor's own way in asks each time. All else asks once in some minutes: `confirmed` stands before it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Literal

from starlette.responses import Response

from deskhand.oauth import kept_form, pages
from deskhand.oauth.confirming import Confirming, NotConfirmed, Way, Who
from deskhand.web.pages import Asked, Handler

How = Way | Literal["recent"]
"""`recent`: not at all, as they have no password and have shown it within minutes."""
FIELD = "current"
"""The field with the password or the code."""
_STATUS = 403


async def how(asked: Asked) -> How:
    """How the visitor has to show that it is them, where it is asked each time."""
    confirming, who = _confirming(asked), _who(asked)
    way = await confirming.way(who)
    return "recent" if way != "password" and await confirming.is_confirmed(who) else way


async def confirm(asked: Asked, given: str) -> str | None:
    """The stored form of the visitor's password, if it is the one that was given; None for who has none.

    Raises NotConfirmed.
    """
    if await how(asked) == "recent":
        return None
    return await _confirming(asked).confirm(_who(asked), given)


def confirmed(title: str) -> Callable[[Handler], Handler]:
    """Have a handler called only once it is sure that it is the visitor; the title says what the form does."""

    def tie(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def answer(asked: Asked) -> Response:
            return await asked_first(asked, title) or await handler(asked)

        return answer

    return tie


async def asked_first(asked: Asked, title: str) -> Response | None:
    """The page that makes sure and then sends the same form once more; None where it is sure already."""
    confirming, who, wrong = _confirming(asked), _who(asked), ""
    if await confirming.is_confirmed(who):
        return None
    if asked.form.has(FIELD):
        try:
            await confirming.confirm(who, asked.form.raw(FIELD))
            return None
        except NotConfirmed as refused:
            wrong = str(refused)
    way, path, fields = await confirming.way(who), asked.request.url.path, asked.form.pairs(FIELD, "csrf")
    page = await asked.page(
        "account/first.html", _STATUS, title=title, how=way, wrong=wrong, to=path, fields=fields,
        provider=asked.web.provider,
    )  # fmt: skip
    if way == "provider":
        now, session = asked.web.clock.now(), asked.visitor.session_id
        kept_form.keep(page, asked.web.sealer, now, session, path, title, fields, secure=asked.web.secure)
    return page


def _confirming(asked: Asked) -> Confirming:
    web = asked.web
    return Confirming(web.database, web.clock, web.sealer, web.passwords, web.provider)


def _who(asked: Asked) -> Who:
    visitor = asked.visitor
    return Who(visitor.account_id, visitor.id, visitor.session_id, visitor.email, pages.host(asked.request))
