"""HAL links."""

from __future__ import annotations

import msgspec


class Link(msgspec.Struct, frozen=True, gc=False):
    """Where a related resource is: an absolute URL."""

    href: str


Links = dict[str, Link]
