"""How a command says that it can't do what was asked."""

from __future__ import annotations


class Refused(Exception):
    """The command was refused or failed; the text is the one line that people read."""

    def __init__(self, text: object) -> None:
        super().__init__(" ".join(str(text).split()))  # a driver's message may have several lines
