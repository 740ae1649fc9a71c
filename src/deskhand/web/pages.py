"""How pages are declared and answered: who may see them, what a form must carry, how refusals look."""

from __future__ import annotations

import gzip
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from deskhand.catalogue import problems
from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import AccessDenied, FieldError, NotFound, Problem
from deskhand.db.engine import Conflict, Duplicate, LaneName, Reader, Unavailable, Writer
from deskhand.desk.call import Actor
from deskhand.gateway.audit import AuditUnavailable
from deskhand.lib.clock import to_wire
from deskhand.lib.sealing import SealingError
from deskhand.lib.signing_keys import KeyUnusable
from deskhand.oauth.pages import own_path, sign_in_path
from deskhand.web import frame, said, templates
from deskhand.web.forms import ExpiredForm, Form, read_form
from deskhand.web.parts import Web
from deskhand.web.said import Said, Undo
from deskhand.web.visiting import Visitor, visitor

log = logging.getLogger("deskhand.web")

T = TypeVar("T")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:{images}; "
    "media-src 'self'; frame-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY.format(images=""),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_PACKED_FROM = 1_400
_ABOUT = re.compile(r"(?:must|may|is|are|has|have)\b")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMES = {
    "at": "time", "until": "time", "scheduledFor": "time", "snoozedUntil": "time",
    "to": "recipient", "cc": "recipient of a copy", "bcc": "recipient of a hidden copy",
}  # fmt: skip
"""Fields that people know by other names than the API and forms."""
_TITLES = {
    400: "That can't be done",
    403: "This is not yours to see",
    404: "There is nothing here",
    409: "That has changed meanwhile",
    412: "That can't be done now",
    413: "That is too much",
    423: "Locked",
}
_REASONS = {
    403: "Your role or your inboxes don't reach this. An administrator of the account can change that.",
    404: "It was deleted or moved, or it never was.",
}
"""What is said where a problem says nothing else."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a page, or a form sent from one, by somebody who is signed in."""

    web: Web
    request: Request
    visitor: Visitor
    form: Form
    mark: str
    """What had happened when it was asked: see Live.mark."""

    @property
    def actor(self) -> Actor:
        """The visitor as the desk's verbs know them."""
        return self.visitor.actor

    @property
    def account_id(self) -> int:
        return self.visitor.account_id

    @property
    def now(self) -> str:
        """The time as it is stored."""
        return to_wire(self.web.clock.now())

    @property
    def path(self) -> str:
        """The path that was asked for, with its query: where a form may lead back to."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def id(self, name: str = "id") -> int:
        """An id of the path; raises NotFound for what is none."""
        found = read_id(str(self.request.path_params[name]))
        if found is None:
            raise NotFound
        return found

    def query(self, name: str) -> str:
        """A parameter of the query, empty where there is none."""
        return self.request.query_params.get(name, "").replace("\0", "").strip()

    async def read(self, work: Callable[[Reader], T], lane: LaneName = "fast") -> T:
        return await self.web.database.read(work, lane)

    async def write(self, work: Callable[[Writer], T]) -> T:
        return await self.web.database.write(work)

    async def page(self, template: str, status: int = 200, *, images: bool = False, **values: Any) -> Response:
        """A whole page, in the frame of all pages. `images`: it may load pictures from anywhere."""
        around = await self.read(lambda db: frame.load(db, self.visitor))
        heard = said.heard(self.request)
        shown = {"frame": around, "said": heard, "mark": self.mark, **values}
        content = templates.render(template, self.web, self.visitor, self.request, **shown)
        response = packed(self.request, content, status)
        if images:
            response.headers["Content-Security-Policy"] = POLICY.format(images=" https: http:")
        if heard is not None:
            said.forget(response, secure=self.web.secure)
        return response

    def piece(self, template: str, status: int = 200, **values: Any) -> Response:
        """A piece of a page, for scripts that put it in place."""
        return packed(self.request, templates.render(template, self.web, self.visitor, self.request, **values), status)

    def go(self, path: str, text: str = "", *, undo: Undo | None = None, fault: bool = False) -> Response:
        """On to a page of ours, which says a few words."""
        response = RedirectResponse(own_path(path), 303, HEADERS)
        if text:
            said.say(response, Said(text, fault, undo), secure=self.web.secure)
        return response

    def back(self, otherwise: str = "/", text: str = "", *, undo: Undo | None = None) -> Response:
        """Back to the page that the form's field `back` names."""
        return self.go(self.form.text("back") or otherwise, text, undo=undo)


Handler = Callable[[Asked], Awaitable[Response]]
Who = Literal["user", "administrator"]


@dataclass(frozen=True, slots=True)
class _Declared:
    path: str
    method: str
    handler: Handler
    who: Who


@dataclass(slots=True)
class Pages:
    """Pages and forms that belong together, in the order in which they are looked for."""

    who: Who = "user"
    declared: list[_Declared] = field(default_factory=list)

    def get(self, path: str) -> Callable[[Handler], Handler]:
        """Declare what is shown at a path."""
        return self._add(path, "GET")

    def post(self, path: str) -> Callable[[Handler], Handler]:
        """Declare what a form does that is sent to a path. Its token has been checked by then."""
        return self._add(path, "POST")

    def _add(self, path: str, method: str) -> Callable[[Handler], Handler]:
        def tie(handler: Handler) -> Handler:
            self.declared.append(_Declared(path, method, handler, self.who))
            return handler

        return tie

    def routes(self, web: Web) -> list[Route]:
        """The pages as routes."""
        return [Route(one.path, _endpoint(web, one), methods=[one.method]) for one in self.declared]


def _endpoint(web: Web, declared: _Declared) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            who = await visitor(request, web.database, web.clock)
            if who is None:
                return _sign_in(request)
            return await _answer(web, declared, request, who)
        except (Unavailable, Conflict, Duplicate) as problem:
            log.warning("%s", problem)
            return notice(request, 503, "Back in a moment", "Please try again shortly.", retry_after_s=2)
        except (AuditUnavailable, KeyUnusable, SealingError) as problem:
            log.error("%s", problem)
            return notice(request, 503, "Nothing was done", "The server can't do this now; its log says why.")

    return answer


async def _answer(web: Web, declared: _Declared, request: Request, who: Visitor) -> Response:
    asked = Asked(web, request, who, Form(), web.live.mark())
    try:
        if declared.method == "POST":
            asked = replace(asked, form=await read_form(request, who.csrf))
        if declared.who == "administrator" and not who.administers:
            raise AccessDenied
        return await declared.handler(asked)
    except ExpiredForm:
        return await refusal(asked, 403, "This form has expired", ["Load the page again and send it once more."])
    except Problem as problem:
        return await refusal(asked, problem.status, *worded(problem))
    finally:
        await asked.form.close()


def worded(problem: Problem) -> tuple[str, list[str]]:
    """A problem as people read it: a heading, and what is wrong with which field."""
    if isinstance(problem, problems.Unavailable):
        return "Back in a moment", ["Please try again shortly."]
    texts = [_sentence(error) for error in problem.errors]
    title = _TITLES.get(problem.status, "That can't be done")
    if not texts and problem.message not in (type(problem).message, ""):
        texts = [problem.message]
    if not texts and problem.status in _REASONS:
        texts = [_REASONS[problem.status]]
    return title, texts


def _sentence(error: FieldError) -> str:
    """What is wrong with a field; ids in a path are no fields that people know."""
    name = "" if error.path.endswith("Id") else _name(error.path)
    if not name:
        return f"{error.message[:1].upper()}{error.message[1:]}."
    if _ABOUT.match(error.message):
        return f"The {name} {error.message}."
    return f"{name[:1].upper()}{name[1:]}: {error.message}."


def _name(path: str) -> str:
    """How people call a field that the API calls `threads[0].scheduledFor`."""
    last = path.rpartition(".")[2].partition("[")[0]
    return _NAMES.get(last) or _HUMP.sub(" ", last).replace("_", " ").lower()


async def refusal(asked: Asked, status: int, title: str, texts: Sequence[str] = ()) -> Response:
    """A page that says what could not be done; whoever sent the form by a script shows its `alert`."""
    return await asked.page("refusal.html", status, title=title, texts=list(texts))


def notice(request: Request, status: int, title: str, text: str, *, retry_after_s: int = 0) -> Response:
    """A page for whom nothing is known of: it has no frame."""
    response = packed(request, templates.bare("notice.html", title=title, text=text), status)
    if retry_after_s:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def packed(request: Request, content: str, status: int = 200) -> HTMLResponse:
    """HTML with the headers that guard it, compressed where that pays."""
    body = content.encode()
    headers = dict(HEADERS)
    if len(body) >= _PACKED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 4, mtime=0)
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return HTMLResponse(body, status, headers)


def _sign_in(request: Request) -> Response:
    """To the sign-in page, and from there on to what was asked for; a form that was sent is lost, so not to it."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(sign_in_path(wanted if request.method == "GET" else "/"), 303, HEADERS)
