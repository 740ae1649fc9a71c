"""Changes of what the desk does by itself and sends elsewhere, told in the log: one sentence, whoever made them where.

It is written in the transaction that makes the change, as its last act, and never has a secret in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from deskhand.db.engine import Writer
from deskhand.gateway.administering.who import Who
from deskhand.gateway.audit import Audit
from deskhand.gateway.sentences import NAME_MOST, one_line


class Told(Protocol):
    """What was done to which thing, as the desk tells it (`desk.call.Change`)."""

    @property
    def did(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def particulars(self) -> Mapping[str, str | int | list[str]]: ...
    @property
    def said(self) -> str: ...


def log(
    audit: Audit, tx: Writer, who: Who, told: Told, *, application: str = "",
) -> None:  # fmt: skip
    """Log that somebody did something to a thing of a kind and name, and through which application if by none of ours.

    `who.words` are a name or what stands for one.
    """
    sentence, particulars = f"{one_line(who.words)} {told.did} the {told.kind} {_quoted(told.name)}", told.particulars
    if application:
        sentence += f" through the application {_quoted(application)}"
        particulars = {**particulars, "application": one_line(application, NAME_MOST)}
    audit.admin(tx, who.account_id, who.by, f"{sentence}: {told.said}" if told.said else sentence, particulars)


def _quoted(name: str) -> str:
    return f"'{one_line(name, NAME_MOST)}'"
