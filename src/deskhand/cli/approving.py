"""`deskhand approvals`: deciding about calls that wait for a person."""

from __future__ import annotations

import asyncio
from typing import get_args

import msgspec
import typer

from deskhand.cli.administering import as_shown, given_text, show, table
from deskhand.cli.serviced import served
from deskhand.gateway.approvals import PAGE_SIZE
from deskhand.gateway.held_calls import Outcome, Shown, State
from deskhand.gateway.sentences import one_line
from deskhand.settings import Settings

ALL = "all"


def listed(settings: Settings, account: int | None, state: str, cursor: int | None, *, json: bool) -> None:
    """Show calls that wait, or those of another state."""
    if state not in (*get_args(State), ALL):
        raise typer.BadParameter(f"must be one of {', '.join((*get_args(State), ALL))}", param_hint="--state")
    chosen: State | None = None if state == ALL else state  # type: ignore[assignment]

    async def read() -> list[Shown]:
        async with served(settings, account) as here:
            return await here.gateway.approvals.listed(here.who.account_id, chosen, cursor)

    found = asyncio.run(read())
    following = found[-1].id if len(found) == PAGE_SIZE else None
    rows = [(one.id, one.state, one.created_at, one.until, one.agent.name, one.call) for one in found]
    nothing = "Nothing waits." if state == "waiting" else "There is nothing."
    heads = ("ID", "STATE", "SINCE", "UNTIL", "AGENT", "ASKS TO")
    more = "" if following is None else f"\nOlder ones: --cursor {following}"
    show({"approvals": found, "next": following}, lambda: table(heads, rows, nothing) + more, json=json)


def show_one(settings: Settings, account: int | None, id: int, *, json: bool) -> None:
    """Show a call that waits, or did."""

    async def read() -> Shown:
        async with served(settings, account) as here:
            return await here.gateway.approvals.one(here.who.account_id, id)

    found = asyncio.run(read())
    show(found, lambda: _words(found), json=json)


def approve(settings: Settings, account: int | None, id: int, text: str | None, *, json: bool) -> None:
    """Carry out a call that waits."""
    edited = None if text is None else given_text(text)

    async def decide() -> Outcome:
        async with served(settings, account) as here:
            return await here.gateway.approvals.approve(
                here.who.account_id, id, here.who.by, here.who.words, edited
            )  # fmt: skip

    outcome = asyncio.run(decide())
    made = "" if outcome.resource_id is None else f"; it made {outcome.resource_id}"
    show(
        outcome, lambda: f"Approval {id} is {outcome.state}: the help desk answered {outcome.status}{made}.", json=json
    )


def deny(settings: Settings, account: int | None, id: int, reason: str, *, json: bool) -> None:
    """Refuse a call that waits."""

    async def decide() -> None:
        async with served(settings, account) as here:
            await here.gateway.approvals.deny(here.who.account_id, id, here.who.by, here.who.words, reason)

    asyncio.run(decide())
    show(Outcome("denied", None, None), lambda: f"Approval {id} is denied.", json=json)


def _words(one: Shown) -> str:
    lines = [
        f"{one.agent.name} asks to {one.call}.",
        f"  state      {one.state}" + ("" if one.reason is None else f": {one_line(one.reason)}"),
        f"  since      {one.created_at}, until {one.until}",
        f"  arguments  {as_shown(msgspec.json.encode(one.arguments).decode())}",
    ]
    if one.edited_text is not None:
        lines.append(f"  sent text  {as_shown(one.edited_text)}")
    if one.decided_by is not None:
        lines.append(f"  decided    {one.decided_at} by {one.decided_by.type} {one.decided_by.id or ''}".rstrip())
    if one.status is not None:
        lines.append(f"  answered   {one.status}")
    return "\n".join(lines)
