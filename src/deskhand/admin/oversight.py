"""What agents did and wait to do: the log, approvals, the kill switch, the budget, ways to remote desks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal, Protocol
from urllib.parse import parse_qs

import msgspec

from deskhand.admin.call import Asked, Calls, Given, Streamed
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import BadRequest, FieldError, invalid
from deskhand.catalogue.values import Id, NonEmpty, WireTime
from deskhand.db.engine import Reader
from deskhand.gateway import audit_listing, budget, connections
from deskhand.gateway.approvals import PAGE_SIZE
from deskhand.gateway.audit_export import Csv, JsonLines
from deskhand.gateway.audit_listing import Page, read_filters
from deskhand.gateway.held_calls import Outcome, Shown, State
from deskhand.gateway.policy import Told
from deskhand.gateway.stops import Scope, Stop
from deskhand.gateway.verifying import Result, Verification

CALLS = Calls("oversight")

# -- What would become of a call


Scalar = str | int | float | bool


class Question(Given, kw_only=True):
    """A call that is not made. `query` has a value or a list of values for each name; `path` may have it instead."""

    agent_id: Id
    method: NonEmpty
    path: NonEmpty
    query: dict[str, Scalar | list[Scalar]] | None = None
    body: Any = None


class Explanation(msgspec.Struct, frozen=True):
    """What would become of the call, by which rule, and what it would need to be allowed."""

    decision: Literal["allowed", "held", "refused"]
    reason: str
    rule: str
    message: str | None
    path: str | None
    needs: list[Told]
    would_need: dict[str, str] | None
    operation: str | None


@CALLS.add("POST", "/explain", body=Question, answers=Explanation)
async def explain_call(asked: Asked[NoQuery, Question]) -> Any:
    """Tell what would become of an agent's call, and why; nothing is done and nothing is logged."""
    given = asked.body
    await asked.parts.administration.agents.require(asked.account_id, given.agent_id)
    path, question, text = given.path.partition("?")
    if question and given.query is not None:
        raise invalid("path", "has a query string beside the query that is given", "ValidIdentifier", given.path)
    if given.query is None:
        query: dict[str, Any] = dict(parse_qs(text, keep_blank_values=True))
    else:
        query = {name: _wire(value) for name, value in given.query.items()}
    return await asked.parts.explain(asked.account_id, given.agent_id, given.method, path, query, given.body)


def _wire(value: Scalar | list[Scalar]) -> Any:
    """A parameter as it stands in a query string."""
    if isinstance(value, list):
        return [_wire(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else value


# -- The log


class Filtered(Given, kw_only=True):
    """Which entries of the log; what is not given does not matter."""

    agent: Id | None = None
    operation: str | None = None
    decision: Literal["allowed", "held", "refused"] | None = None
    inbox: Id | None = None
    resource: str | None = None
    conversation: Id | None = None
    since: WireTime | None = None
    until: WireTime | None = None
    text: str | None = None
    type: Literal["decision", "admin"] | None = None


class ListAudit(Filtered, kw_only=True):
    """A page of the log."""

    cursor: str | None = None
    limit: int | None = None


class ExportAudit(Filtered, kw_only=True):
    """An export of the log; filters are for tables only, since the raw records are one whole."""

    format: Literal["jsonl", "csv"] = "jsonl"


@CALLS.add("GET", "/audit", query=ListAudit, answers=Page)
async def list_audit(asked: Asked[ListAudit, NoBody]) -> Page:
    """List what agents did and what was done to them, the newest first."""
    filters, cursor, limit = read_filters(_texts(asked.query))
    await asked.parts.audit.settle()
    return await asked.parts.database.read(
        lambda db: audit_listing.entries(db, asked.account_id, filters, cursor, limit), "slow"
    )


@CALLS.add("GET", "/audit/export", query=ExportAudit, answers=bytes)
async def export_audit(asked: Asked[ExportAudit, NoBody]) -> Streamed:
    """Export the log: as JSON lines the raw records, to be verified anywhere; as CSV its entries, for people."""
    given = _texts(asked.query)
    kind = given.pop("format")
    filters, _, _ = read_filters(given)
    await asked.parts.audit.settle()
    if kind == "csv":
        return Streamed(Csv.media_type, "audit.csv", _pieces(asked, Csv(asked.account_id, filters)))
    if given:
        raise BadRequest(FieldError(min(given), "is for the format csv", "ValidIdentifier", source="QUERY"))
    key = asked.parts.signing_key
    await asyncio.to_thread(lambda: key.public)  # the export ends with a signature: better none than half of one
    lines = JsonLines(asked.account_id, key, asked.parts.clock.now())
    return Streamed(JsonLines.media_type, "audit.jsonl", _pieces(asked, lines))


@CALLS.add("GET", "/audit/verify", answers=Result)
async def verify_audit(asked: Asked[NoQuery, NoBody]) -> Result:
    """Verify that no record of the log was changed, removed or moved."""
    await asked.parts.audit.settle()
    verification = Verification(asked.account_id, {asked.parts.signing_key.public})
    while (result := await asked.parts.database.read(verification.page, "slow")) is None:
        pass
    return result


class _Export(Protocol):
    def piece(self, db: Reader) -> bytes: ...


async def _pieces(asked: Asked[Any, Any], export: _Export) -> AsyncIterator[bytes]:
    while piece := await asked.parts.database.read(export.piece, "slow"):
        yield piece


def _texts(query: Given) -> dict[str, str]:
    return {name: str(value) for name, value in msgspec.structs.asdict(query).items() if value is not None}


# -- Approvals


class ListApprovals(Given, kw_only=True):
    """Approvals in a state; `cursor` goes on where a page ended."""

    state: State | None = None
    cursor: Id | None = None


class Approvals(msgspec.Struct, frozen=True):
    """A page of approvals, the newest first, and where the next one begins."""

    approvals: list[Shown]
    next: int | None


class Approve(Given, kw_only=True):
    """With another text, perhaps."""

    edited_text: str | None = None


class Deny(Given, kw_only=True):
    """With a reason that the agent is told."""

    reason: str


DECIDED = ((409, "it is decided already, or the conversation changed since"),)


@CALLS.add("GET", "/approvals", query=ListApprovals, answers=Approvals)
async def list_approvals(asked: Asked[ListApprovals, NoBody]) -> Approvals:
    """List calls that wait for a person or did."""
    query = asked.query
    found = await asked.parts.approvals.listed(asked.account_id, query.state, query.cursor)
    return Approvals(found, found[-1].id if len(found) == PAGE_SIZE else None)


@CALLS.add("GET", "/approvals/{approval_id}", answers=Shown)
async def get_approval(asked: Asked[NoQuery, NoBody]) -> Shown:
    """Show a call that waits for a person or did."""
    return await asked.parts.approvals.one(asked.account_id, asked.id)


@CALLS.add(
    "POST",
    "/approvals/{approval_id}/approve",
    body=Approve,
    optional_body=True,
    answers=Outcome,
    errors=(*DECIDED, (502, "the help desk can't be asked at the moment; it goes on waiting")),
)
async def approve(asked: Asked[NoQuery, Approve]) -> Outcome:
    """Let a call go that waits, perhaps with another text: it is carried out once, now."""
    who = asked.who
    return await asked.parts.approvals.approve(who.account_id, asked.id, who.by, who.words, asked.body.edited_text)


@CALLS.add("POST", "/approvals/{approval_id}/deny", body=Deny, answers=Outcome, errors=DECIDED)
async def deny(asked: Asked[NoQuery, Deny]) -> Outcome:
    """Refuse a call that waits, with a reason that the agent is told."""
    who = asked.who
    await asked.parts.approvals.deny(who.account_id, asked.id, who.by, who.words, asked.body.reason)
    return Outcome("denied", None, None)


# -- The kill switch and the budget


class NewStop(Given, kw_only=True):
    """What is to be stopped; `id` is an agent's or, for `inbox_writes`, an inbox's."""

    scope: Scope
    id: Id | None = None


class Stops(msgspec.Struct, frozen=True):
    """All that is stopped."""

    stops: list[Stop]


class Budgets(msgspec.Struct, frozen=True):
    """How this minute stands at each desk that agents used."""

    desks: list[budget.Shown]


@CALLS.add("GET", "/kill-switch", answers=Stops)
async def list_stops(asked: Asked[NoQuery, NoBody]) -> Stops:
    """List what is stopped."""
    return Stops(await asked.parts.administration.stops.listed(asked.account_id))


@CALLS.add("POST", "/kill-switch", body=NewStop, answers=Stop, status=201)
async def stop(asked: Asked[NoQuery, NewStop]) -> Stop:
    """Stop one agent, an inbox's writes, all writes or all agents, within a second; people are never stopped."""
    return await asked.parts.administration.stops.add(asked.who, asked.body.scope, asked.body.id)


@CALLS.add("DELETE", "/kill-switch")
async def lift_stops(asked: Asked[NoQuery, NoBody]) -> None:
    """Lift every stop."""
    await asked.parts.administration.stops.lift_all(asked.who)


@CALLS.add("DELETE", "/kill-switch/{stop_id}")
async def lift_stop(asked: Asked[NoQuery, NoBody]) -> None:
    """Lift one stop."""
    await asked.parts.administration.stops.lift(asked.who, asked.id)


@CALLS.add("GET", "/budget", answers=Budgets)
async def get_budget(asked: Asked[NoQuery, NoBody]) -> Budgets:
    """Show how the account's units of this minute are shared, as far as the answering process knows."""
    return Budgets(asked.parts.budget.shown(asked.account_id))


# -- Ways to remote desks


class Connections(msgspec.Struct, frozen=True):
    """All connections of the account."""

    connections: list[connections.Shown]


class MadeConnection(msgspec.Struct, frozen=True):
    """A new connection."""

    id: int


@CALLS.add("GET", "/connections", answers=Connections)
async def list_connections(asked: Asked[NoQuery, NoBody]) -> Connections:
    """List the ways to remote desks, without their secrets."""
    return Connections(await asked.parts.connections.listed(asked.account_id))


@CALLS.add("POST", "/connections", body=dict[str, Any], answers=MadeConnection, status=201)
async def create_connection(asked: Asked[NoQuery, dict[str, Any]]) -> MadeConnection:
    """Make a way to a remote desk, after it was tried by one call; its secrets are kept encrypted."""
    given = connections.read_given(asked.body)
    also = asked.parts.administration.logs_connection(asked.who, "added")
    return MadeConnection((await asked.parts.connections.make(asked.account_id, given, also)).id)


@CALLS.add("PUT", "/connections/{connection_id}", body=dict[str, Any])
async def renew_connection(asked: Asked[NoQuery, dict[str, Any]]) -> None:
    """Give a connection new credentials for the same desk, after they were tried."""
    given = connections.read_given(asked.body)
    also = asked.parts.administration.logs_connection(asked.who, "renewed")
    await asked.parts.connections.sign_in_again(asked.account_id, asked.id, given, also)


@CALLS.add("DELETE", "/connections/{connection_id}", errors=((409, "agents use it"),))
async def delete_connection(asked: Asked[NoQuery, NoBody]) -> None:
    """Remove a way to a remote desk that no agent uses."""
    also = asked.parts.administration.logs_connection(asked.who, "removed")
    await asked.parts.connections.remove(asked.account_id, asked.id, also)
