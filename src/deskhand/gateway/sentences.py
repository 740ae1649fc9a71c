"""Audit entries in plain English, made of the operation's phrase, names and what was decided. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deskhand.catalogue.operation import SLUG, AnyOperation
from deskhand.gateway.policy import Outcome

NAME_MOST = 100
"""Characters of a name that a sentence shows."""
_TEXT_MOST = 2_000
_NAMED = 3
"""Inboxes that a sentence names; of more it says how many."""

_JOINERS = "\u200c\u200d"  # invisible, but scripts and emoji need them
_PLACEHOLDER = re.compile(r"(?:\b(?P<article>the) )?(?P<kind>[\w-]+) \{(?P<name>\w+)\}")
_SPACES = re.compile(r" {2,}")


def one_line(text: str, most: int = _TEXT_MOST) -> str:
    """A text that others gave as it may stand in a sentence: no line breaks, nothing that a terminal would obey."""
    if not text.isprintable():
        text = "".join(one if one.isprintable() or one in _JOINERS else " " for one in text)
    if "  " in text or text[:1] == " " or text[-1:] == " ":
        text = _SPACES.sub(" ", text).strip()
    return text if len(text) <= most else text[: most - 1] + "…"


def phrase(
    operation: AnyOperation,
    path: Sequence[int] = (),
    slug: str = "",
    *,
    number: int | None = None,
    inbox: str | None = None,
) -> str:
    """What an operation does, with the ids of its path: `reply to conversation #1874`.

    `number` is how people call the conversation, `inbox` the name of the inbox; without them the ids are shown.
    """
    names = [name for name in operation.parameters if f"{{{name}}}" != SLUG]
    values: dict[str, str] = {name: str(id) for name, id in zip(names, path, strict=False)}
    if slug:
        values["slug"] = one_line(slug, NAME_MOST)
    if number is not None:
        values["conversation_id"] = f"#{number}"
    if inbox and "inbox_id" in values:
        values["inbox_id"] = _without_kind(one_line(inbox, NAME_MOST))

    def put(found: re.Match[str]) -> str:
        article, kind, given = found["article"], found["kind"], values.get(found["name"])
        if given is not None:
            return f"{article} {kind} {given}" if article else f"{kind} {given}"
        return f"{article} {kind}" if article else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"

    return _PLACEHOLDER.sub(put, operation.phrase)


def sentence(
    agent: str, does: str, outcome: Outcome, why: str = "",
    *, inboxes: Sequence[str] = (), draft: bool = False, again: bool = False,
) -> str:  # fmt: skip
    """One entry as a sentence. `does` is a phrase, `why` the rule that refused or holds, `inboxes` names of them.

    `again`: it came before and was not sent once more.
    """
    verb = {"allowed": "was allowed to", "held": "asks to", "refused": "was refused to"}[outcome]
    named = [name for name in (one_line(each, NAME_MOST) for each in inboxes) if name]
    said = any(does.endswith(f" inbox {_without_kind(name)}") for name in named)
    place = "" if not named or said else f" in {_listed(named)}"
    as_draft = ", as a draft" if draft and outcome != "refused" else ""
    because = f": {why.rstrip('.')}" if why and outcome == "refused" else ""
    if again:
        because = ": it came before, so the first answer was given again"
    return one_line(f"{one_line(agent, NAME_MOST)} {verb} {does}{place}{as_draft}{because}")


def unknown(agent: str, method: str, path: str) -> str:
    """The sentence about a call that is no operation of the desk."""
    return one_line(
        f"{one_line(agent, NAME_MOST)} was refused to call {one_line(method, 20)} {one_line(path, NAME_MOST)}:"
        " it is no operation of the desk"
    )


def failed_sign_in(agent: str | None, why: str, left_out: int = 0) -> str:
    """The sentence about a credential that was refused."""
    who = one_line(agent, NAME_MOST) if agent else "an agent"
    more = f" ({left_out:,} more since the entry before are not logged one by one)" if left_out else ""
    return one_line(f"Somebody failed to sign in as {who}: {why.rstrip('.')}{more}")


def _without_kind(inbox: str) -> str:
    """An inbox's name as it may stand behind that word; one whose name is not known is called `inbox 501`."""
    return inbox.removeprefix("inbox ")


def _listed(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        rest = len(names) - _NAMED + 1
        return f"{', '.join(names[: _NAMED - 1])} and {rest} other inboxes"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
