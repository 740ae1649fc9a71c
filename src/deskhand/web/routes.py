"""The web pages there are so far: a conversation to read, where the API's `web` links lead, and a start page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import Problem
from deskhand.db.engine import Database, Reader, Unavailable
from deskhand.desk import access
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.mail import mailing
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.threads.thread_queries import ShownThread
from deskhand.desk.ratings.links import RatingLinks
from deskhand.lib.clock import Clock
from deskhand.lib.text import paragraphs
from deskhand.oauth import sessions
from deskhand.oauth.pages import sign_in_path
from deskhand.web import assets
from deskhand.web.rating import RatingPage

_HERE = Path(__file__).parent
_TEMPLATES = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined)
_TEMPLATES.globals["static"] = assets.static
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_LABELS = {"note": "note", "chat": "chat", "phone": "phone call"}


def routes(database: Database, clock: Clock, links: RatingLinks) -> list[Route]:
    """The pages as routes; `links` are those by which replies are rated."""

    async def show(request: Request) -> Response:
        signed_in = await sessions.current(request, database, clock)
        if signed_in is None:
            return RedirectResponse(sign_in_path(request.url.path), 303, _HEADERS)
        id = read_id(request.path_params["id"])
        try:
            return await database.read(lambda db: _conversation(db, signed_in.user_id, id or 0))
        except Problem as problem:
            return _notice(problem.status, problem.message)
        except Unavailable:
            return _notice(503, "Back in a moment")

    return [
        Route("/conversation/{id}", show),
        Route("/conversation/{id}/{number}", show),
        *RatingPage(database, clock, links).routes,
        assets.route(),
    ]


def start_page() -> Route:
    """What a desk shows at its root."""

    async def start(_: Request) -> Response:
        return _page("start.html")

    return Route("/", start)


def _conversation(db: Reader, user_id: int, id: int) -> Response:
    actor = access.actor(db, user_id)
    if actor is None:
        return _notice(403, "Access denied")
    row = queries.one(db, actor, id)
    if row.merged_into is not None:
        return RedirectResponse(f"/conversation/{row.merged_into}", 303, _HEADERS)
    threads = thread_queries.of_conversations(db, actor.account_id, [row.id])[row.id]
    undelivered = {one.thread_id: one.words for one in mailing.failures(db, actor.account_id, row.id)}
    shown = [_shown(one) | {"undelivered": undelivered.get(one.id)} for one in threads]
    return _page("conversation.html", row=row, threads=shown)


def _shown(row: ShownThread) -> dict[str, Any]:
    by_customer = row.created_by_type == "customer"
    first, last = (
        (row.author_customer_first, row.author_customer_last) if by_customer else (row.author_first, row.author_last)
    )
    labels = [_LABELS.get(row.type, ""), "" if row.state == "published" else row.state]
    return {
        "line_item": row.type == "lineitem",
        "text": row.action_text,
        "kind": row.type,
        "author": f"{first or ''} {last or ''}".strip() or row.author_customer_email or "Someone",
        "label": ", ".join(label for label in labels if label),
        "at": row.created_at,
        "paragraphs": paragraphs(row.body or ""),
    }


def _notice(status: int, title: str) -> HTMLResponse:
    return _page("notice.html", status, title=title, text="")


def _page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template(template).render(values), status, _HEADERS)
