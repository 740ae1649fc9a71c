"""`deskhand agents explain`: what would become of a call, by the code that decides about calls."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs

import msgspec

from deskhand.cli.administering import given_text, named, read_json, show, table
from deskhand.cli.serviced import served
from deskhand.settings import Settings


def explain(
    settings: Settings, account: int | None, agent: str, method: str, path: str, body: str | None, *, json: bool
) -> None:
    """Tell what would become of a call."""
    path, _, query = path.partition("?")
    content = None if body is None else read_json(given_text(body), "the body")

    async def ask() -> dict[str, Any]:
        async with served(settings, account) as here:
            id = await here.gateway.database.read(lambda db: named(db, here.who.account_id, agent))
            asked = parse_qs(query, keep_blank_values=True)
            return await here.gateway.explain(here.who.account_id, id, method.upper(), path, asked, content)

    told = asyncio.run(ask())
    show(told, lambda: _words(told), json=json)


def _words(told: dict[str, Any]) -> str:
    lines = [f"{told['decision']}: {told['rule']}"]
    if told["would_need"]:
        lines.append(f"It would need {msgspec.json.encode(told['would_need']).decode()}.")
    rows = [(one["resource"], one["action"], one["inbox"], one["outcome"], one["rule"]) for one in told["needs"]]
    if rows:
        lines.append(table(("NEEDS", "ACTION", "INBOX", "OUTCOME", "BECAUSE"), rows, ""))
    return "\n".join(lines)
