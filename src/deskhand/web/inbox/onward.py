"""Where sending leads, by the visitor's own choice: the next conversation of the list, back to the list, or nowhere."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from deskhand.oauth.pages import own_path
from deskhand.web.pages import Asked


def onward(asked: Asked, id: int) -> str:
    """The path after a reply in a conversation; the form's fields `next` and `list` have those that are at hand."""
    wanted = asked.visitor.preferences.after_send
    if wanted == "stay":
        return here(asked, id)
    back = asked.form.text("list") or here(asked, id)
    return asked.form.text("next") or back if wanted == "next" else back


def here(asked: Asked, id: int, **query: str) -> str:
    """The path of a conversation whose page a form was sent from: what stands beside it stays that of the same list."""
    given = query | origin(asked)
    return f"/conversation/{id}" + (f"?{urlencode(given, safe='/:')}" if given else "")


def origin(asked: Asked) -> dict[str, str]:
    """The field `from` of a form that leads back to where another was sent from: the list and the place in it."""
    came_from = asked.form.text("from") or _query(asked.request.headers.get("referer", "")).get("from", [""])[-1]
    return {"from": came_from} if came_from else {}


def came_from(asked: Asked) -> str:
    """The page that the form for a new conversation was opened from: back to it once that was sent."""
    try:
        found = urlsplit(asked.request.headers.get("referer", ""))
    except ValueError:
        return "/"
    if found.path.startswith("/new") or found.netloc != asked.request.headers.get("host", ""):
        return "/"
    return own_path(found.path + (f"?{found.query}" if found.query else ""))


def _query(address: str) -> dict[str, list[str]]:
    try:
        return parse_qs(urlsplit(address).query)
    except ValueError:
        return {}
