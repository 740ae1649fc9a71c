"""`deskhand audit …`: names, options and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from deskhand.cli.options import Account, Json, group, module, settings

audit = group("audit", "Read what agents did and what became of it, export it, and verify that nobody changed it.")

Agent = Annotated[str | None, typer.Option(help="Only of this agent, by id or name.")]
OperationName = Annotated[str | None, typer.Option(help="Only of this operation, as reply_to_conversation.")]
Decided = Annotated[str | None, typer.Option(help="Only what was allowed, held or refused.")]
InboxId = Annotated[int | None, typer.Option(help="Only in this inbox, by id.", min=1)]
ResourceName = Annotated[str | None, typer.Option(help="Only about this resource, as conversations.")]
ConversationId = Annotated[int | None, typer.Option(help="Only about this conversation, by id.", min=1)]
Since = Annotated[str | None, typer.Option(help="Only since, as 2026-11-30T09:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="Only before.")]
Words = Annotated[str | None, typer.Option("--text", help="Only sentences with this in them.")]


@audit.command("list")
def audit_list(
    agent: Agent = None,
    operation: OperationName = None,
    decision: Decided = None,
    inbox: InboxId = None,
    resource: ResourceName = None,
    conversation: ConversationId = None,
    since: Since = None,
    until: Until = None,
    text: Words = None,
    cursor: Annotated[str | None, typer.Option(help="Go on where a page ended.")] = None,
    limit: Annotated[int | None, typer.Option(help="How many.", min=1, max=500, show_default="50")] = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Calls of agents and changes of their administration, the newest first."""
    query = _given(
        agent=agent, operation=operation, decision=decision, inbox=inbox, resource=resource, conversation=conversation,
        since=since, until=until, text=text, cursor=cursor, limit=limit,
    )  # fmt: skip
    module("auditing").show(settings(), query, account, json=json)


@audit.command("follow")
def audit_follow(
    agent: Agent = None,
    operation: OperationName = None,
    decision: Decided = None,
    inbox: InboxId = None,
    last: Annotated[int, typer.Option(help="Begin with so many of before.", min=0, max=500)] = 10,
    account: Account = None,
    json: Json = False,
) -> None:
    """Show each entry as it comes, until interrupted."""
    query = _given(agent=agent, operation=operation, decision=decision, inbox=inbox)
    module("auditing").follow(settings(), query, account, last=last, json=json)


@audit.command("export")
def audit_export(
    format: Annotated[str, typer.Option(help="jsonl, to be verified anywhere, or csv, to be read.")] = "jsonl",
    output: Annotated[Path | None, typer.Option(help="The file to write.", show_default="stdout")] = None,
    agent: Agent = None,
    since: Since = None,
    until: Until = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Write the whole chain as JSON lines, closed by a signed checkpoint, or its entries as CSV."""
    if format not in ("jsonl", "csv"):
        raise typer.BadParameter("must be jsonl or csv", param_hint="--format")
    query = _given(agent=agent, since=since, until=until)
    module("auditing").export(settings(), format, query, account, output, json=json)


@audit.command("verify")
def audit_verify(
    file: Annotated[Path | None, typer.Argument(help="An export.", show_default="the database")] = None,
    key: Annotated[
        list[str] | None, typer.Option(help='A public key that may have signed, as from "audit key"; may be repeated.')
    ] = None,
    head: Annotated[str | None, typer.Option(help="NUMBER:HASH of a record that must be there.")] = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Find out whether a record was edited, removed, added or moved; ends with 1 if so."""
    module("auditing").verify(settings(), file, key or [], head, account, json=json)


@audit.command("retain")
def audit_retain(
    days: Annotated[int, typer.Option(help="Keep records of so many days.", min=1, max=36_500)],
    account: Account = None,
    json: Json = False,
) -> None:
    """Remove older records; a signed checkpoint stays in their place."""
    module("auditing").retain(settings(), days, account, json=json)


@audit.command("key")
def audit_key(json: Json = False) -> None:
    """Show the public key that checkpoints are signed with."""
    module("auditing").key(settings(), json=json)


def _given(**options: Any) -> dict[str, str]:
    return {name: str(value) for name, value in options.items() if value is not None}
