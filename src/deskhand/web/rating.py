"""The page where a customer rates a reply, by the link in its mail and without signing in.

Programs that look through mails follow their links, so only the form on the page stores anything.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Conflict, Database, Duplicate, Unavailable
from deskhand.desk.conversations.threads import rating
from deskhand.desk.conversations.threads.rating import COMMENTS_MOST, Closed, Opinion, Rateable
from deskhand.desk.ratings.links import PATH, RatingLinks
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.sealing import SealingError
from deskhand.oauth.parameters import Gone, TooLarge, TooSlow, fields, read_body
from deskhand.oauth.throttle import network
from deskhand.web import assets, drawing

MOST_A_MINUTE = 60
"""Answers, and links that are wrong, from one network address in a minute."""
LABELS: dict[str, str] = {"great": "Great", "okay": "Okay", "not_good": "Not good"}

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_TEMPLATES.globals.update(static=assets.static, icon=drawing.icon)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",  # the address of the page is all that it takes to rate
}
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class _Refused(Exception):
    """A request that is answered with a few words."""

    def __init__(self, status: int, title: str, text: str = "") -> None:
        super().__init__(title)
        self.status, self.title, self.text = status, title, text


class RatingPage:
    """The page, for reading and for sending its form."""

    def __init__(self, database: Database, clock: Clock, links: RatingLinks) -> None:
        self._database = database
        self._clock = clock
        self._links = links
        self._throttle = Throttle(MOST_A_MINUTE)

    @property
    def routes(self) -> list[Route]:
        """Where the page is."""
        place = PATH + "/{id}/{signature}"
        return [Route(place, self._show), Route(place, self._take, methods=["POST"])]

    async def _show(self, request: Request) -> Response:
        try:
            _, found = await self._asked(request)
            return self._page(found, request.query_params.get("rating"))
        except _Refused as refused:
            return _notice(refused)

    async def _take(self, request: Request) -> Response:
        try:
            self._count(request)
            account_id, found = await self._asked(request)
            given = await _form(request)
            opinion, comments = given.get("rating", ""), _text(given.get("comments", ""))
            if opinion not in LABELS:
                return self._page(found, None, comments, fault="Please choose one of the three.", status=400)
            if len(comments) > COMMENTS_MOST:
                fault = f"Please write at most {COMMENTS_MOST:,} characters; these are {len(comments):,}."
                return self._page(found, opinion, comments, fault=fault, status=400)
            now = to_wire(self._clock.now())
            await self._database.write(
                lambda tx: rating.rate_by_link(tx, account_id, found.thread_id, cast(Opinion, opinion), comments, now)
            )
        except Closed:
            return self._page(found, None, status=409)
        except NotFound:
            return _notice(_unknown())
        except (Unavailable, Conflict, Duplicate):
            return _notice(_later())
        except _Refused as refused:
            return _notice(refused)
        return RedirectResponse(request.path_params["signature"], 303, _HEADERS)  # the same page, now to be read

    async def _asked(self, request: Request) -> tuple[int, Rateable]:
        """The account and the reply that the link is about; raises _Refused."""
        id = read_id(request.path_params["id"])
        try:
            account_id = None if id is None else self._links.account_of(id, request.path_params["signature"])
        except SealingError:
            raise _later() from None
        if id is None or account_id is None:
            self._count(request)
            raise _unknown()
        try:
            found = await self._database.read(lambda db: rating.rateable(db, account_id, id))
        except Unavailable:
            raise _later() from None
        if found is None:
            raise _unknown()
        return account_id, found

    def _count(self, request: Request) -> None:
        host = request.client.host if request.client else ""
        if not self._throttle.admits(network(host)):
            raise _Refused(429, "Too many at once", "Please wait a minute and try again.")

    def _page(
        self, found: Rateable, chosen: str | None, words: str | None = None, *, fault: str = "", status: int = 200
    ) -> HTMLResponse:
        """`chosen` and `words` are what was asked for just now, in place of what is stored."""
        values: dict[str, Any] = {
            "found": found,
            "open": found.is_open(to_wire(self._clock.now())),
            "labels": LABELS,
            "given": LABELS.get(found.rating or ""),
            "chosen": chosen if chosen in LABELS else found.rating,
            "comments": found.comments if words is None else words,
            "most": COMMENTS_MOST,
            "fault": fault,
        }
        return _answer("rating.html", status, **values)


class Throttle:
    """Counts by network address and minute, in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def admits(self, who: str) -> bool:
        """Count one; whether that is not too many."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        self._counts[who] += 1
        return self._counts[who] <= self._most


async def _form(request: Request) -> dict[str, str]:
    try:
        return fields(await read_body(request.receive))
    except TooLarge:
        raise _Refused(413, "That is too much", f"Please write at most {COMMENTS_MOST:,} characters.") from None
    except (TooSlow, Gone):
        raise _Refused(408, "That took too long", "Please try again.") from None


def _text(given: str) -> str:
    return _CONTROLS.sub("", given.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _unknown() -> _Refused:
    return _Refused(404, "This link does not work", "Please open the link in the e-mail once more, as a whole.")


def _later() -> _Refused:
    return _Refused(503, "Back in a moment", "Please try again soon.")


def _notice(refused: _Refused) -> HTMLResponse:
    return _answer("rating-notice.html", refused.status, title=refused.title, text=refused.text)


def _answer(template: str, status: int, **values: Any) -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template(template).render(values), status, _HEADERS)
