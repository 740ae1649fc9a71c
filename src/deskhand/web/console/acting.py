"""Who did things to agents and their calls, by name."""

from __future__ import annotations

from collections.abc import Iterable

from deskhand.db.engine import Reader
from deskhand.desk.users import queries as users
from deskhand.gateway.audit import By
from deskhand.web.words import full_name

_OTHERS = {
    "admin_token": "a program with an administrator’s token",
    "agent": "an agent",
    "command_line": "somebody at the command line",
    "user": "somebody who has left",
}


def named(db: Reader, account_id: int, wanted: Iterable[By | None]) -> dict[By, str]:
    """Who did things, by name."""
    given = {one for one in wanted if one is not None}
    people = users.people(db, account_id, [one.id for one in given if one.type == "user" and one.id is not None])

    def name(by: By) -> str:
        found = people.get(by.id or 0) if by.type == "user" else None
        return _OTHERS[by.type] if found is None else full_name(found.first, found.last, found.email or "")

    return {one: name(one) for one in given}
