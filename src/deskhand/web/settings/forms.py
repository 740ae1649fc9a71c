"""What all settings share: forms that come back with what is wrong, and pages that ask before deleting."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from starlette.responses import Response

from deskhand.catalogue.parsing import parse_body
from deskhand.catalogue.problems import AccessDenied, AlreadyThere, BadRequest, Problem
from deskhand.db.engine import Writer
from deskhand.web.pages import Asked

T = TypeVar("T")
Wrong = dict[str, str]
"""What is wrong with a form that was sent, a sentence for each field; empty: nothing is."""
_CAPITAL = re.compile(r"(?<=[a-z])([A-Z])")
_NAMES = {
    "assignment_limit": "The number",
    "choices": "The choices",
    "color": "The colour",
    "default_status": "The status",
    "email": "The address",
    "lock_after_days": "The number of days",
    "members": "The members",
    "options": "The choices",
    "rate_limit": "The rate limit",
    "redirect_url": "The address",
    "rotation": "Who",
    "slug": "The name in the API",
    "tags": "The name",
    "timezone": "The time zone",
    "type": "The kind",
    "users": "Who sees it",
}
"""What fields are called in sentences about them, where that is not their own name."""


async def tried(asked: Asked, work: Callable[[Writer], T]) -> tuple[T | None, Wrong]:
    """Do what a form asks for, in one transaction; instead of raising it says which fields are at fault."""
    try:
        return await asked.write(work), {}
    except (BadRequest, AlreadyThere, AccessDenied) as problem:
        wrong = wrong_with(problem)
        if not wrong:
            raise
        return None, wrong


def wrong_with(problem: Problem) -> Wrong:
    """A problem's faults by the fields of a form, such as `first_name`; of several at a field the first counts."""
    found: Wrong = {}
    for error in problem.errors:
        field = _CAPITAL.sub(r"_\1", re.split(r"[.\[]", error.path)[0]).lower()
        if field and not field.endswith("_id"):
            name = _NAMES.get(field) or field.replace("_", " ").capitalize()
            found.setdefault(field, f"{name} {_sentence(error.message)}.")
        else:
            found.setdefault(field, f"{error.message[:1].upper()}{error.message[1:].removesuffix('.')}.")
    return found


def _sentence(message: str) -> str:
    """What is wrong as what follows a field's name: the API says just "not a well-formed URL"."""
    return f"{'is ' if message.startswith('not ') else ''}{message.removesuffix('.')}"


def shaped(shape: type[T], given: Mapping[str, Any]) -> T:
    """Values of a form in the shape in which the API takes them, checked in the same way; raises BadRequest."""
    return parse_body(shape, msgspec.json.encode(given))


async def ask_first(
    asked: Asked, title: str, words: Sequence[str], *, up: str, above: str, button: str, blocked: str = "", **more: Any
) -> Response:
    """The page that says what deleting something will do, and asks. `blocked` says why it can't be done."""
    return await asked.page(
        "settings/delete.html", title=title, words=words, up=up, above=above, button=button, blocked=blocked, **more
    )  # fmt: skip


def page_number(asked: Asked) -> int:
    """The page that the query asks for, counting from 1."""
    given = asked.query("page")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 7 and int(given) else 1
