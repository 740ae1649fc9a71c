"""Tools for models, derived from the catalogue: what each takes, whom it is shown to, and what a call of it means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.needs import SENDS_MAIL, every_inbox, setting
from deskhand.catalogue.notes import NOTES
from deskhand.catalogue.operation import SLUG, Action, AnyOperation, NoBody, NoQuery
from deskhand.catalogue.operations import BY_NAME
from deskhand.catalogue.problems import BadRequest, FieldError, FieldSource, shown
from deskhand.entrance import schemas
from deskhand.entrance.schemas import WHOLE_BODY, Schema
from deskhand.gateway.calls import Request
from deskhand.gateway.limits import THREADS
from deskhand.gateway.policy import LEVELS, OWN, Grants
from deskhand.lib.clock import from_wire

Arguments = Mapping[str, Any]

_BY_GRANTS = {
    "hold": "A person decides on each call before it is carried out: what comes back at once is `approval_id`.",
    "draft": "Replies of this agent are kept as drafts, which a person may send.",
}
_REACH_OUT = frozenset(
    (
        "reply_to_conversation", "create_conversation", "update_conversation", "schedule_thread",
        "send_scheduled_thread", "run_workflow", "create_webhook", "update_webhook",
    )
)  # fmt: skip
"""Operations by which something may leave the desk, above all mail to customers."""
ALSO: Mapping[str, str] = {
    "schedule_thread": SENDS_MAIL, "send_scheduled_thread": SENDS_MAIL, "run_workflow": "update_conversation",
    "get_rating": "list_threads", "get_happiness_ratings_report": "list_threads",
    "get_user_ratings_report": "list_threads",
    "get_company_drilldown": "list_conversations", "get_conversations_drilldown": "list_conversations",
    "get_conversation_fields_drilldown": "list_conversations", "get_new_conversations_drilldown": "list_conversations",
    "get_user_drilldown": "list_conversations", "get_user_conversation_history": "list_conversations",
    "list_organization_customers": "list_customers", "list_organization_conversations": "list_conversations",
}  # fmt: skip
"""Operations of which each call needs what a call of another one does."""
_FAULTS_MOST = 20
_NAME_MOST = 100


class Tool(msgspec.Struct, frozen=True):
    """An operation as a tool; `described` is how lists show it."""

    operation: AnyOperation
    described: Mapping[str, Any]
    written: msgspec.Raw
    arguments: frozenset[str]
    query: tuple[str, ...]
    fields: tuple[str, ...]
    """The body's fields that are arguments of their own."""

    @property
    def name(self) -> str:
        return self.operation.name


def derived(operations: Iterable[AnyOperation]) -> tuple[Tool, ...]:
    """A tool for each operation, in the catalogue's order."""
    return tuple(_tool(operation) for operation in operations)


def listed(tools: Iterable[Tool], grants: Grants, now: datetime) -> list[msgspec.Raw]:
    """The tools that the grants could ever allow, as JSON."""
    return [_written(tool, grants) for tool in tools if could(grants, tool.operation, now)]


def could(grants: Grants, operation: AnyOperation, now: datetime) -> bool:
    """Whether there is any call of an operation that the grants may let pass; calls are decided one by one."""
    if grants.expires_at is not None and now >= from_wire(grants.expires_at):
        return False
    if not _could(grants, operation):
        return False
    also = ALSO.get(operation.name)
    if also is None:
        return True
    if also == SENDS_MAIL and (rule := grants.actions.get(also)) is not None and rule.setting == "draft":
        return False  # what is kept as a draft is not sent
    return _could(grants, BY_NAME[also]) and _meet(grants, operation.name, also)


def _could(grants: Grants, operation: AnyOperation) -> bool:
    granted = grants.resources.get(OWN[operation.name])
    if granted is None or granted.inboxes == frozenset():
        return False
    if granted.inboxes is not None and operation.action > Action.READ and concerns_all_inboxes(operation):
        return False
    rule = grants.actions.get(setting(operation.name))
    if rule is not None:
        return rule.setting != "off"
    if operation.name == THREADS["customer"] and not grants.limits.speak_for_others:
        return False
    return granted.level >= operation.action


def _meet(grants: Grants, one: str, other: str) -> bool:
    """Whether there is an inbox in which both are granted what they are about, which they have by now."""
    inboxes, others = (grants.resources[OWN[name]].inboxes for name in (one, other))
    return inboxes is None or others is None or not inboxes.isdisjoint(others)


def concerns_all_inboxes(operation: AnyOperation) -> bool:
    """Whether every call of an operation needs all inboxes: reading is narrowed to the granted ones, writing is not."""
    return operation.needs is every_inbox or operation.name == "create_customer"


def request(tool: Tool, arguments: Arguments, idempotency_key: Any = None) -> Request:
    """The call that a tool's arguments mean; raises BadRequest naming the arguments at fault."""
    faults = unknown(arguments, tool.arguments)
    operation = tool.operation
    path = operation.path
    for name in operation.parameters:
        path = path.replace(f"{{{name}}}", _path_part(name, arguments.get(name), faults))
    query = []
    for name in tool.query:
        text = _query_text(name, arguments.get(name), faults)
        if text is not None:
            query.append((name, text))
    body = b""
    if operation.body is not NoBody:
        if not tool.fields and WHOLE_BODY not in arguments:
            faults.append(_fault(WHOLE_BODY, "may not be empty", "NotEmpty", None))
        body = _body(tool, arguments)
    if idempotency_key is not None and not isinstance(idempotency_key, str):
        faults.append(_fault("_meta.idempotencyKey", "must be a string", "Size", None))
    if faults:
        raise BadRequest(*faults)
    headers = {"content-type": "application/json"} if body else {}
    if idempotency_key is not None:
        headers["idempotency-key"] = idempotency_key
    return Request(operation.method, path, urlencode(query, quote_via=quote), headers, body)


def unknown(arguments: Arguments, known: Collection[str]) -> list[FieldError]:
    """The arguments that a tool does not have, as faults; of very many the first, and of long names the beginning."""
    names = islice((name for name in arguments if name not in known), _FAULTS_MOST)
    return [_fault(name[:_NAME_MOST], "is not an argument of this tool", "Unknown", None) for name in names]


def left_as_draft(tool: Tool, arguments: Arguments, grants: Grants) -> bool:
    """Whether a reply was not sent: because the agent wanted it so, or because its replies never are."""
    if tool.name != SENDS_MAIL:
        return False
    rule = grants.actions.get(SENDS_MAIL)
    return arguments.get("draft") is True or (rule is not None and rule.setting == "draft")


def described(name: str, description: str, takes: Schema, gives: Schema | None, **hints: bool) -> dict[str, Any]:
    """A tool as lists show it."""
    found = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "description": description,
        "inputSchema": takes,
        "annotations": hints,
    }
    return found if gives is None else found | {"outputSchema": gives}


def _tool(operation: AnyOperation) -> Tool:
    takes = schemas.taken(operation)
    shown = described(
        operation.name,
        _description(operation),
        takes,
        schemas.given(operation),
        readOnlyHint=operation.method == "GET",
        destructiveHint=operation.action is Action.DELETE or operation.method in ("PUT", "DELETE"),
        idempotentHint=operation.method in ("GET", "PUT", "DELETE"),
        openWorldHint=operation.name in _REACH_OUT,
    )
    written = msgspec.Raw(msgspec.json.encode(shown))
    query = tuple(field.encode_name for field in msgspec.structs.fields(operation.query))
    fields = schemas.body_fields(operation)
    return Tool(operation, shown, written, frozenset(takes["properties"]), query, fields)


def _description(operation: AnyOperation) -> str:
    """What it does, what it needs, what else is worth knowing."""
    level = LEVELS[operation.action]
    more = [_after_first_sentence(kind) for kind in (operation.query, operation.body) if kind not in (NoQuery, NoBody)]
    sentences = [
        operation.summary,
        f"Needs {level} access to {OWN[operation.name].value}.",
        *NOTES.get(operation.name, ()),
        *more,
    ]
    return " ".join(filter(None, sentences))


def _after_first_sentence(shape: Any) -> str:
    """What a shape's description says beyond what it is."""
    words = shape.__doc__ if isinstance(shape, type) else None
    return " ".join((words or "").split()).partition(". ")[2]


def _written(tool: Tool, grants: Grants) -> msgspec.Raw:
    rule = grants.actions.get(setting(tool.name))
    words = None if rule is None else _BY_GRANTS.get(rule.setting)
    if words is None:
        return tool.written
    description = f"{tool.described['description']} {words}"
    return msgspec.Raw(msgspec.json.encode({**tool.described, "description": description}))


def _path_part(name: str, value: Any, faults: list[FieldError]) -> str:
    if value is None or value == "":
        faults.append(_fault(name, "may not be empty", "NotEmpty", None, "URI"))
        return ""
    if f"{{{name}}}" == SLUG:
        if isinstance(value, str):
            return quote(value, safe="")
        faults.append(_fault(name, "must be a string", "Size", value, "URI"))
        return ""
    text = str(value) if type(value) in (int, str) else ""
    if read_id(text) is None:
        faults.append(_fault(name, "must be an id, a whole number from 1", "ValidIdentifier", value, "URI"))
    return text


def _query_text(name: str, value: Any, faults: list[FieldError]) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list() if all(type(one) in (int, str) for one in value):
            return ",".join(map(str, value))
    faults.append(_fault(name, "must be a text, a number or a list of them", "Size", None, "QUERY"))
    return None


def _body(tool: Tool, arguments: Arguments) -> bytes:
    if not tool.fields:
        return msgspec.json.encode(arguments.get(WHOLE_BODY))
    return msgspec.json.encode({name: arguments[name] for name in tool.fields if name in arguments})


def _fault(path: str, message: str, anchor: str, rejected: Any, source: FieldSource = "JSON") -> FieldError:
    return FieldError(path, message, anchor, msgspec.UNSET if rejected is None else shown(rejected), source)
