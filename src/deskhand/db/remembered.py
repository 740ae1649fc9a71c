"""What changes rarely, such as inboxes and users, remembered in this process until a table changes that it came from.

Every statement tells which remembered table it writes (statements.py), so nothing that is changed here can be missed.
Processes that serve together tell one another (postgresql.py); what nobody told of is read anew after a few seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, TypeVar

from deskhand.db.statements import Compiled

R = TypeVar("R")

LASTS_S = 5.0
"""How long what another process changed without a word, such as the command line, may go on being shown."""
_MOST = 1_000


class Remembered:
    """Rows by the statement that gave them and its values."""

    def __init__(self) -> None:
        self._versions: Counter[str] = Counter()
        self._known: dict[tuple[str, tuple[Any, ...]], tuple[float, list[int], list[Any]]] = {}

    def rows(self, query: Compiled, values: tuple[Any, ...], ask: Callable[[], list[R]]) -> list[R]:
        """What a query gave a moment ago, or what `ask` gives now."""
        every, now, versions = self._known, monotonic(), self._versions_of(query)
        known = every.get((query.text, values))
        if known is not None and known[0] > now and known[1] == versions:
            return known[2].copy()
        found = ask()
        if len(every) >= _MOST:
            every.clear()
        # Under the versions from before it was read: what changed meanwhile is not taken for known.
        every[query.text, values] = now + LASTS_S, versions, found
        return found.copy()

    def forget(self, names: Iterable[str]) -> None:
        """Tables were changed, by the names that `Compiled.writes` gives them."""
        self._versions.update(names)

    def forget_all(self) -> None:
        """The whole database is another one now; what is being read of the one before is kept nowhere."""
        self._known = {}

    def _versions_of(self, query: Compiled) -> list[int]:
        return [self._versions[name] for name in query.reads]
