"""Names that people give to agents, tokens and connections: short, and nothing in them that can't be seen."""

from __future__ import annotations

import unicodedata

from deskhand.catalogue.problems import BadRequest, empty, invalid

NAME_MOST = 80
_JOINERS = "\u200c\u200d"  # of invisible characters those that scripts and emoji need
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def usable(given: str) -> str:
    """A name without spaces around it; raises BadRequest for one that is empty, too long or can't be seen whole."""
    name = given.strip()
    if not name:
        raise BadRequest(empty("name"))
    if len(name) > NAME_MOST:
        raise too_long(given)
    joined = name.strip(_JOINERS)  # at an end there is nothing to join
    if len(joined) < len(name) or any(unicodedata.category(one) in _UNSEEN and one not in _JOINERS for one in joined):
        raise invalid("name", "may not contain control characters", "Size", given)
    return name


def too_long(given: str) -> BadRequest:
    """How a name is refused that has more characters than it may."""
    return invalid("name", f"must have at most {NAME_MOST} characters", "Size", given)
