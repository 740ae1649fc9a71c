"""What a mail says: the answer, the signature, how to rate it, and what was said before, as mail programs put it.

Pure. Whatever comes in is cleaned here, each piece for itself, so that none can reach into the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape

from deskhand.lib.html_text import looks_like_html, readable
from deskhand.mail.compose import document
from deskhand.mail.safe_html import literal, quotable, safe

QUOTED_MOST = 3
"""Earlier messages that are repeated, the newest ones."""
QUOTED_LENGTH = 8_000
"""Characters of an earlier message's HTML that are repeated."""

_QUOTE = "margin:0 0 0 0.8ex;border-left:1px solid #ccc;padding-left:1ex"
_SMALL = "font-size:12px;color:#6b7280"
_GAP = "<div><br></div>"
_CUT = "<p>[…]</p>"
_RATINGS = (("great", "Great"), ("okay", "Okay"), ("not_good", "Not good"))


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was said before, and by whom; `html` may be longer than what is repeated of it."""

    name: str
    email: str
    at: datetime
    html: str


@dataclass(frozen=True, slots=True)
class Body:
    """What a mail says, in both forms."""

    html: str
    text: str


def body(
    answer: str, *, signature: str = "", rating_url: str = "", earlier: Sequence[Said] = (), zone: tzinfo | None = None
) -> Body:
    """The two forms of a mail; `earlier` has the newest first, `rating_url` takes `?rating=`."""
    pieces = [safe(as_html(answer))]
    if signature:
        pieces.append(f"{_GAP}\n<div>{safe(as_html(signature))}</div>")
    if rating_url:
        pieces.append(_rating(rating_url))
    if earlier:
        pieces.append(f"{_GAP}\n{_history(earlier[:QUOTED_MOST], zone)}")
    html = "\n".join(pieces)
    return Body(document(html), readable(html))


def as_html(text: str) -> str:
    """A text without any tag has lines, which are to stay lines; a < that begins no tag is to stay too."""
    text = literal(text)
    return text if looks_like_html(text) else text.replace("\r\n", "\n").replace("\n", "<br>\n")


def _rating(url: str) -> str:
    links = " · ".join(f'<a href="{escape(url)}?rating={key}">{words}</a>' for key, words in _RATINGS)
    return f'{_GAP}\n<div style="{_SMALL}">How was this answer? {links}</div>'


def _history(earlier: Sequence[Said], zone: tzinfo | None) -> str:
    """The newest, in it the one before, and so on."""
    quoted = ""
    for one in reversed(earlier):
        quoted = f"{_GAP}\n{quoted}" if quoted else ""
        said = quotable(as_html(_beginning(one.html))) + (_CUT if len(one.html) > QUOTED_LENGTH else "")
        quoted = f'<div>{_attribution(one, zone)}</div>\n<blockquote style="{_QUOTE}">{said}\n{quoted}</blockquote>'
    return quoted


def _beginning(html: str) -> str:
    """What is repeated of an earlier message; not half a tag."""
    if len(html) <= QUOTED_LENGTH:
        return html
    html = html[:QUOTED_LENGTH]
    last = html.rfind("<")
    return html[:last] if last > html.rfind(">") else html


def _attribution(one: Said, zone: tzinfo | None) -> str:
    at = one.at.astimezone(zone) if zone else one.at
    # By hand: what strftime calls a day or a month depends on the machine.
    day = f"{_DAYS[at.weekday()]}, {at.day} {_MONTHS[at.month - 1]} {at.year} at {at.hour:02}:{at.minute:02}"
    who = f"{one.name} <{one.email}>" if one.name and one.email else one.name or one.email
    return f"On {day}, {escape(who)} wrote:"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
