"""Tools made by hand out of several operations, because models do better with them.

Each call they make goes through the relay like any other: checked and logged for itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import BadRequest, FieldError, shown
from deskhand.entrance.calling import Toolbox
from deskhand.entrance.compact import UNTRUSTED
from deskhand.entrance.results import Result, together
from deskhand.entrance.schemas import ID, Schema
from deskhand.entrance.tools import Arguments, could, described, unknown
from deskhand.gateway.agents import Agent
from deskhand.gateway.policy import Grants

RECENT = 10
"""Conversations that are shown of a customer."""
NEXT_MOST = 25
"""Conversations that wait, at most: one page of the desk's list."""

Run = Callable[[Toolbox, Agent, Arguments], Awaitable[Result]]


class Composed(msgspec.Struct, frozen=True):
    """A tool of several operations, `parts`: shown to whom all of them could be allowed."""

    name: str
    parts: tuple[str, ...]
    takes: Mapping[str, Schema]
    required: tuple[str, ...]
    written: msgspec.Raw
    run: Run


def listed(box: Toolbox, grants: Grants, now: datetime) -> list[msgspec.Raw]:
    """The composed tools that the grants could ever allow, as JSON."""
    return [tool.written for tool in BY_NAME.values() if _could(tool, box, grants, now)]


async def call(box: Toolbox, agent: Agent, tool: Composed, arguments: Arguments) -> Result:
    """Call a composed tool; arguments at fault are named."""
    given = {name: value for name, value in arguments.items() if value is not None}
    faults = [FieldError(name, "may not be empty", "NotEmpty") for name in tool.required if name not in given]
    faults += unknown(given, tool.takes)
    for name in tool.takes:
        if name in given and _number(given[name]) is None:
            faults.append(FieldError(name, "must be a whole number from 1", "Min", shown(given[name])))
    if faults:
        return await box.refuse(agent, "tool", tool.name, BadRequest(*faults))
    return await tool.run(box, agent, {name: _number(value) for name, value in given.items()})


# -- The tools


async def _read_conversation(box: Toolbox, agent: Agent, arguments: Arguments) -> Result:
    asked = {"conversation_id": arguments["conversation_id"], "embed": "threads"}
    parts = [await box.call(agent, "get_conversation", asked)]
    survivor = parts[0].content.get("moved_to")
    if survivor is not None and not parts[0].failed:
        parts.append(await box.call(agent, "get_conversation", asked | {"conversation_id": survivor}))
    found = parts[-1]
    if found.failed or "id" not in found.content:
        return found
    conversation = {name: value for name, value in found.content.items() if name not in ("threads", "preview")}
    threads = found.content.get("threads")  # their number, where there are none to show
    conversation["threads"] = threads[::-1] if isinstance(threads, list) else []
    return together(conversation, parts)


async def _read_customer(box: Toolbox, agent: Agent, arguments: Arguments) -> Result:
    customer = await box.call(agent, "get_customer", arguments)
    if customer.failed:
        return customer
    theirs = {
        "query": f"(customerIds:{arguments['customer_id']})", "status": "all", "sortField": "modifiedAt",
    }  # fmt: skip
    listed = await box.call(agent, "list_conversations", theirs)
    if listed.failed:
        return listed
    content = {
        **customer.content,
        "conversations": listed.content.get("conversations", [])[:RECENT],
        "conversations_total": listed.content.get("total"),
    }
    return together(content, [customer, listed])


async def _next_conversations(box: Toolbox, agent: Agent, arguments: Arguments) -> Result:
    asked: dict[str, Any] = {"status": "active", "sortField": "waitingSince", "sortOrder": "asc"}
    if "inbox_id" in arguments:
        asked["mailbox"] = arguments["inbox_id"]
    listed = await box.call(agent, "list_conversations", asked)
    if listed.failed:
        return listed
    found = listed.content.get("conversations", [])
    waiting = [one for one in found if "customerWaitingSince" in one and "snooze" not in one]
    content = {"conversations": waiting[: arguments.get("most", RECENT)], "active_total": listed.content.get("total")}
    return together(content, [listed])


async def _read_approval(box: Toolbox, agent: Agent, arguments: Arguments) -> Result:
    return await box.approval(agent, arguments["approval_id"])


def _made(
    name: str, run: Run, parts: tuple[str, ...], description: str, required: tuple[str, ...], **takes: Schema
) -> Composed:
    schema: Schema = {"type": "object", "properties": takes, "additionalProperties": False, "required": [*required]}
    hints = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}
    written = msgspec.Raw(msgspec.json.encode(described(name, description, schema, None, **hints)))
    return Composed(name, parts, takes, required, written, run)


_TOOLS = (
    _made(
        "read_conversation", _read_conversation, ("get_conversation", "list_threads"),
        "One conversation with all that was said in it, the oldest first: the best way to read one. What customers "
        f"wrote is marked `{UNTRUSTED}`. A merged conversation leads to the one it went into.",
        ("conversation_id",), conversation_id=ID,
    ),
    _made(
        "read_customer", _read_customer, ("get_customer", "list_conversations"),
        f"One customer with all ways to reach them and their {RECENT} conversations that changed last, in any status.",
        ("customer_id",), customer_id=ID,
    ),
    _made(
        "next_conversations", _next_conversations, ("list_conversations",),
        "The active conversations whose customers have waited longest for an answer, the longest first: where to go on "
        "working. Snoozed ones are left out. In all inboxes that this agent sees, or in one.",
        (), inbox_id=ID, most={**ID, "maximum": NEXT_MOST, "default": RECENT},
    ),
    _made(
        "read_approval", _read_approval, (),
        "What became of a call that waits for a person: `waiting`, `executed`, `failed`, `denied` with a reason, "
        "`expired`, or `returned` because the conversation changed meanwhile.",
        ("approval_id",), approval_id=ID,
    ),
)  # fmt: skip

BY_NAME: Mapping[str, Composed] = {tool.name: tool for tool in _TOOLS}


def _could(tool: Composed, box: Toolbox, grants: Grants, now: datetime) -> bool:
    if not tool.parts:  # of approvals: where calls are held
        return any(rule.setting == "hold" for rule in grants.actions.values())
    return all(box.knows(name) and could(grants, box.operation(name), now) for name in tool.parts)


def _number(value: Any) -> int | None:
    """A whole number from 1, which some clients write as a text."""
    return read_id(str(value)) if type(value) in (int, str) else None
