"""How a text of the material becomes a mail: alternatives are drawn, slots filled, paragraphs marked up.

The notation: a line is a paragraph, `- ` starts a list item, `+ ` continues the paragraph above on a new line,
`[this|that]` is a choice, `{order}` a slot. Slots hold no `&`, `<` or `>`, so they fit bodies and subjects.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random
from typing import NamedTuple, TypeVar

PARAGRAPHS, DIVISIONS, BREAKS, PLAIN = range(4)
"""How mail programs write a body: `<p>`, `<div>` with empty ones between, bare `<br>`; PLAIN is for subjects."""

T = TypeVar("T")

_CHOICE = re.compile(r"\[([^\]]*)\]")
_OPTIONAL = re.compile(r" \[([^\]]*\|)\]")


class Scenario(NamedTuple):
    """One reason to write to the shop, with what each side says; `inbox` is 0 orders, 1 product help, 2 wholesale.

    Pools run in parallel: whoever opens with the second text is asked the second question (see `matching`). `sent` and
    `enclosed` are kinds of files that come with a `fix`, and with an `opening` or `info`.
    """

    key: str
    inbox: int
    tags: tuple[str, ...]
    subjects: tuple[str, ...]
    opening: tuple[str, ...]
    ask: tuple[str, ...]
    info: tuple[str, ...]
    fix: tuple[str, ...]
    notes: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    sent: str = ""
    enclosed: str = ""


class Chat(NamedTuple):
    """A chat: lines start with `C ` (customer) or `S ` (staff)."""

    inbox: int
    tags: tuple[str, ...]
    subject: str
    lines: tuple[str, ...]


class Tongue(NamedTuple):
    """Everything said in one language.

    `delighted` is thanks for a lamp that shines, `failed` says that advice did not help, `back` answers `again`;
    the last `bye` thanks in advance.
    """

    code: str
    tag: str
    months: tuple[str, ...]
    weekdays: tuple[str, ...]
    date: str
    money: str
    parts: tuple[str, ...]
    dear: str
    dear_nobody: str
    hello: tuple[str, ...]
    bye: tuple[str, ...]
    regards: tuple[str, ...]
    wrote: str
    phone_line: str
    thanks: tuple[str, ...]
    delighted: tuple[str, ...]
    grumble: tuple[str, ...]
    failed: tuple[str, ...]
    soothe: tuple[str, ...]
    nudge: tuple[str, ...]
    again: tuple[str, ...]
    back: tuple[str, ...]
    great: tuple[str, ...]
    okay: tuple[str, ...]
    not_good: tuple[str, ...]
    heads_up: Scenario
    scenarios: tuple[Scenario, ...]
    chats: tuple[Chat, ...]


def pick(rng: Random, pool: Sequence[T]) -> T:
    """One of the pool (several times faster than `rng.choice`)."""
    return pool[int(rng.random() * len(pool))]


def matching(pool: tuple[str, ...], chosen: int, of: int) -> tuple[str, ...]:
    """The texts that fit the opening `chosen` out of `of`; shorter pools repeat, longer ones offer a choice."""
    return pool[chosen::of] if len(pool) > chosen else (pool[chosen % len(pool)],) if pool else ()


def say(rng: Random, pool: Sequence[str], slots: Mapping[str, str], style: int = PARAGRAPHS) -> str:
    """One text of the pool, in words that differ from draw to draw."""
    random = rng.random
    parts = _parts(pool[int(random() * len(pool))], style)
    return "".join([part if isinstance(part, str) else part[int(random() * len(part))] for part in parts]).format_map(
        slots
    )


def paragraph(style: int, text: str) -> str:
    """One paragraph of ready HTML as that mail program would write it."""
    return _PARAGRAPH[style].format(text)


_PARAGRAPH = ("<p>{}</p>", "<div>{}</div><div><br></div>", "{}<br><br>", "{}")


@cache
def _parts(text: str, style: int) -> tuple[str | tuple[str, ...], ...]:
    tight = _OPTIONAL.sub(lambda found: f"[{_spaced(found[1])}]", text)
    pieces = _CHOICE.split(_marked_up(tight, style))
    return tuple(tuple(piece.split("|")) if at % 2 else piece for at, piece in enumerate(pieces) if piece)


def _spaced(choices: str) -> str:
    return "".join(f" {choice}|" for choice in choices.removesuffix("|").split("|"))


def _marked_up(text: str, style: int) -> str:
    if style == PLAIN:
        return text
    blocks: list[tuple[str, str]] = []
    for line in html.escape(text, quote=False).split("\n"):
        if line.startswith("+ "):
            kind, before = blocks.pop()
            blocks.append((kind, f"{before}<br>{line[2:]}"))
        elif line.startswith("- "):
            items = blocks.pop()[1] if blocks and blocks[-1][0] == "list" else ""
            blocks.append(("list", f"{items}<li>{line[2:]}</li>"))
        else:
            blocks.append(("text", line))
    write: dict[str, Callable[[str], str]] = {"list": "<ul>{}</ul>".format, "text": _PARAGRAPH[style].format}
    return "".join(write[kind](content) for kind, content in blocks)
