"""What the receiving server found out about a mail's sender: SPF, DKIM and DMARC (RFC 8601, RFC 7208 section 9.1).

Anybody can write such a header. Those count that stand above the first Received line of a server that is not the
receiving one. The receiving server is the one that `trusted` names; without it, the one that wrote the topmost Received
line, and every server whose name ends in the same domain. Its Authentication-Results must bear its name, or one in the
same domain; Microsoft's bear none, and count where the receiving server is Microsoft's. A server that passes on headers
that bear its own name can't be told from one that wrote them: RFC 8601 section 5 has it remove them. Where senders
talk to our own listener no server stands between, `trusted` is None, and nobody is believed.
"""

from __future__ import annotations

import re

from deskhand.mail.parts import Part

_METHODS = frozenset({"spf", "dkim", "dmarc"})
_RESULTS = {
    **{one: one for one in ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy")},
    "hardfail": "fail",
    "error": "temperror",
    "unknown": "permerror",
    "bestguesspass": "none",
}
_BY = re.compile(r"\bby\s+([A-Za-z0-9.:_\[\]-]{1,255})")
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"\s*([a-z-]{1,20})\s*(?:/\s*\d+\s*)?=\s*([a-z]{1,20})", re.IGNORECASE)
_SPF = re.compile(r"\s*([A-Za-z]{4,10})\b")
_WITHOUT_NAME = frozenset({"outlook.com", "office365.us", "hotmail.com"})
# Names of countries below which others register: the domain has three parts there.
_SECOND_LEVEL = frozenset({"co", "com", "org", "net", "ac", "gov", "edu", "or", "ne", "go", "gv"})
_LONGEST = 10_000
_MOST_HEADERS = 50


def verdicts(message: Part, trusted: str | None = "") -> dict[str, str]:
    """spf, dkim and dmarc, each with its result such as pass, fail, softfail or none, where the server tells it."""
    found: dict[str, str] = {}
    if trusted is None:
        return found
    own = _domain(trusted)
    receiver = own or _receiver(message)
    for name, value in _of_receiver(message, own):
        text = message.text(value)[:_LONGEST]
        if name == "received-spf":
            said = _SPF.match(text)
            if said and receiver and said[1].lower() in _RESULTS:
                found.setdefault("spf", _RESULTS[said[1].lower()])
        else:
            for method, result in _results(_without_remarks(text), trusted, receiver).items():
                found.setdefault(method, result)
    return found


def _of_receiver(message: Part, own: str) -> list[tuple[str, bytes]]:
    """The headers with verdicts above the first Received line of another server; named ones before Received-SPF."""
    found: list[tuple[str, bytes]] = []
    for name, value in message.fields:
        if name == "received":
            by = _by(message.text(value)[:_LONGEST])
            own = own or by
            if by and by != own:
                break
        elif name in ("authentication-results", "received-spf") and len(found) < _MOST_HEADERS:
            found.append((name, value))
    return sorted(found, key=lambda one: one[0])


def _receiver(message: Part) -> str:
    return next(filter(None, (_by(text[:_LONGEST]) for text in message.all("received"))), "")


def _by(received: str) -> str:
    """The domain of the server that wrote a Received line; empty for one that names no host."""
    found = _BY.search(_without_remarks(received))
    return _domain(found[1]) if found else ""


def _domain(host: str) -> str:
    """The domain that a host belongs to; empty for addresses of machines and for names within a network."""
    parts = host.strip("[].").lower().split(".")
    if len(parts) < 2 or ":" in host or parts[-1].isdigit() or parts[-1] in ("local", "internal", "localdomain", "lan"):
        return ""
    three = len(parts) > 2 and len(parts[-1]) == 2 and parts[-2] in _SECOND_LEVEL
    return ".".join(parts[-3:] if three else parts[-2:])


def _results(text: str, trusted: str, own: str) -> dict[str, str]:
    """The results of one header if the receiving server wrote it; of several signatures one that holds is enough."""
    first, *others = text.split(";")
    found: dict[str, str] = {}
    name = (first.split() or [""])[0].lower()
    if "=" in name:
        if own not in _WITHOUT_NAME:
            return {}
        others = [first, *others]
    elif (trusted and name != trusted.strip().lower()) or (not trusted and (not own or _domain(name) != own)):
        return {}
    for one in others:
        said = _RESULT.match(one)
        if said is None or said[1].lower() not in _METHODS or said[2].lower() not in _RESULTS:
            continue
        method, result = said[1].lower(), _RESULTS[said[2].lower()]
        if method not in found or (method == "dkim" and result == "pass"):
            found[method] = result
    return found


def _without_remarks(text: str) -> str:
    """Comments may lie in each other; a few levels are honest."""
    for _ in range(3):
        text = _COMMENT.sub(" ", text)
    return text
