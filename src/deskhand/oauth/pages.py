"""How pages are made and sent: templates, the headers that guard them, refusals in plain words."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from deskhand.db.engine import Conflict, Duplicate, Unavailable
from deskhand.lib.secrets import new_token
from deskhand.oauth.parameters import Gone, TooLarge, TooSlow, fields, read_body

log = logging.getLogger("deskhand.oauth")

_HERE = Path(__file__).parent
STYLESHEET = (_HERE / "static" / "sign-in.css").read_bytes()
SIGN_IN_PATH = "/sign-in"
SIGN_OUT_PATH = "/sign-out"
CODE_PATH = "/sign-in/code"
FORGOT_PATH = "/sign-in/forgot"
CONFIRM_PATH = "/sign-in/confirm"
PROVIDER_PATH = "/sign-in/oidc"
ICON_PATH = "/static/deskhand.svg"
STYLESHEET_PATH = "/static/sign-in.css"
FORM_COOKIE = "deskhand_form"
"""Ties the forms of signing in to the browser they were sent to, before there is a session."""
_VERSION = hashlib.sha256(STYLESHEET).hexdigest()[:12]

_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
_TEMPLATES.globals.update(
    stylesheet=f"{STYLESHEET_PATH}?v={_VERSION}", sign_in_path=SIGN_IN_PATH, sign_out_path=SIGN_OUT_PATH,
    code_path=CODE_PATH, forgot_path=FORGOT_PATH, provider_path=PROVIDER_PATH, icon_path=ICON_PATH,
    confirm_path=CONFIRM_PATH,
)  # fmt: skip

_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
# A path of this site as a browser reads it: "//host" and "/\host" name another one, and control characters are dropped
# before it looks.
_OWN_PATH = re.compile(r"/(?!/)[!-\[\]-~]*")  # printable ASCII but for the backslash
_OWN_PATH_MOST = 8000

Handler = Callable[[Request], Awaitable[Response]]


class Refusal(Exception):
    """A request that a page answers with a few words instead: what is wrong and what to do, and where (`link`)."""

    def __init__(self, status: int, title: str, text: str, link: tuple[str, str] | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.link = link


class ExpiredForm(Refusal):
    """A form that does not carry the token of the page it should come from."""

    def __init__(self) -> None:
        super().__init__(
            403, "This form has expired", "Go back, load the page again and send it once more. Cookies must be allowed."
        )


def page(template: str, status: int = 200, *, form_targets: str = "'self'", **values: Any) -> HTMLResponse:
    """A page from a template; `form_targets` is where its forms may lead, redirects included."""
    content = _TEMPLATES.get_template(template).render(values)
    return HTMLResponse(content, status, _HEADERS | {"Content-Security-Policy": _POLICY + form_targets})


def redirect(url: str, status: int = 303) -> RedirectResponse:
    """A redirect that is never kept."""
    return RedirectResponse(url, status, _HEADERS)


def guarded(handler: Handler) -> Handler:
    """The handler, with refusals and a database that is away turned into pages."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Refusal as refusal:
            return page("notice.html", refusal.status, title=refusal.title, text=refusal.text, link=refusal.link)
        except (Unavailable, Conflict, Duplicate) as problem:
            log.warning("%s", problem)
            response = page("notice.html", 503, title="Back in a moment", text="Please try again shortly.", link=None)
            response.headers["Retry-After"] = "2"
            return response

    return answer


def form_token(request: Request) -> str:
    """What a form carries before there is a session: one token for all of a browser's tabs, if it is a proper one."""
    kept = request.cookies.get(FORM_COOKIE, "")
    return kept if re.fullmatch("[A-Za-z0-9]{32}", kept) else new_token()


def keep_token(response: Response, token: str, *, secure: bool) -> Response:
    """Have the browser keep the token that its form carries."""
    response.set_cookie(FORM_COOKIE, token, path="/sign-in", secure=secure, httponly=True, samesite="lax")
    return response


def host(request: Request) -> str:
    """The network address that a request came from."""
    return request.client.host if request.client else ""


def too_many(wait_s: int) -> str:
    """That something was tried too often, and how long to wait."""
    minutes = -(-wait_s // 60)
    return f"Too many attempts. Please wait {'a minute' if minutes == 1 else f'{minutes} minutes'} and try again."


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a sent form; raises Refusal."""
    try:
        return fields(await read_body(request.receive))
    except TooLarge:
        raise Refusal(413, "That is too much", "The form was larger than any of ours.") from None
    except TooSlow:
        raise Refusal(408, "That took too long", "The form did not arrive in time. Please try again.") from None
    except Gone:
        raise Refusal(400, "Not whole", "The connection was closed too early.") from None


def own_path(wanted: str | None) -> str:
    """Where to go next: a path of this site, or the start page for anything else."""
    if wanted and len(wanted) <= _OWN_PATH_MOST and _OWN_PATH.fullmatch(wanted):
        return wanted
    return "/"


def sign_in_path(wanted: str) -> str:
    """The sign-in page that leads on to a path of this site."""
    return SIGN_IN_PATH if wanted == "/" else f"{SIGN_IN_PATH}?{urlencode({'next': wanted})}"


async def stylesheet(_: Request) -> Response:
    """The pages' stylesheet; its address changes with its content."""
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(STYLESHEET, headers=headers, media_type="text/css")
