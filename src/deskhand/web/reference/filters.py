"""Which operations a reader wants to see, by the page's query string; `reference.js` filters by the same rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deskhand.web.reference.entries import Entry

_LONGEST = 100


@dataclass(frozen=True)
class Filter:
    """What is looked for; "" means any. `q` are words that must all be found."""

    q: str = ""
    method: str = ""
    access: str = ""
    grant: str = ""
    group: str = ""

    @property
    def is_empty(self) -> bool:
        return self == Filter()

    @property
    def parameters(self) -> dict[str, str]:
        """The filter as the query string has it; people know what a grant must allow as permission."""
        return {
            "q": self.q,
            "method": self.method,
            "access": self.access,
            "permission": self.grant,
            "group": self.group,
        }

    def takes(self, entry: Entry) -> bool:
        """Whether the entry is among what is looked for."""
        wanted = (
            (entry.operation.method, self.method),
            (entry.access, self.access),
            (entry.grant, self.grant),
            (entry.group.key, self.group),
        )
        chosen = all(value in ("", has) for has, value in wanted)
        return chosen and all(word in entry.text for word in self.q.lower().split())


def read_filter(given: Mapping[str, str]) -> Filter:
    """The filter in a query string; parameters that are none of the filter's are left alone."""
    return Filter(*(given.get(name, "").strip()[:_LONGEST] for name in Filter().parameters))
