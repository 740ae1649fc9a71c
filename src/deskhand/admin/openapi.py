"""The administration in the OpenAPI description, derived from its calls."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from deskhand.admin import workflows
from deskhand.admin.call import Call
from deskhand.admin.routes import CALLS, PREFIX
from deskhand.catalogue.operation import NoBody
from deskhand.catalogue.values import schema_hook
from deskhand.gateway import grants
from deskhand.gateway.policy import LEVELS

_NAMED = "Admin{name}"  # other shapes of the API have such names too
_REF = f"#/components/schemas/{_NAMED}"
_ERROR = {"application/vnd.error+json": {"schema": {"$ref": "#/components/schemas/Error"}}}
_MODULE = re.compile(r"deskhand\.(?:\w+\.)*(\w+)\.(?=\w+\")")
_TAG = "administration"
_SECURITY = "administrator"
_ID = {"type": "integer", "format": "int64", "minimum": 1}


def add_to(document: dict[str, Any]) -> dict[str, Any]:
    """The description of the API, with the administration in it."""
    components = document["components"]
    return document | {
        "tags": [*document["tags"], {"name": _TAG, "description": "What people decide about agents, and see of them."}],
        "paths": document["paths"] | paths(),
        "components": components
        | {
            "schemas": components["schemas"] | schemas(),
            "securitySchemes": components["securitySchemes"] | {_SECURITY: _token()},
        },
    }


def paths() -> dict[str, Any]:
    """The calls by path and method."""
    by_type = _described()[0]
    found: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        found.setdefault(PREFIX + call.path, {})[call.method.lower()] = _operation(call, by_type)
    return found


def schemas() -> dict[str, Any]:
    """The shapes that the calls refer to."""
    components = _described()[1]
    return {_NAMED.format(name=name): schema for name, schema in components.items()} | {"AdminGrants": _grants()}


def _token() -> dict[str, Any]:
    description = "A token that begins with dh_admin_, from `deskhand admin-tokens create`."
    return {"type": "http", "scheme": "bearer", "description": description}


def _described() -> tuple[dict[Any, Any], dict[str, Any]]:
    """A schema for each type that a call takes or gives, and the components that these refer to."""
    types = {kind for call in CALLS for kind in (_body(call), call.answers) if _has_schema(kind)}
    ordered = sorted(types, key=str)
    made = msgspec.json.schema_components(ordered, schema_hook=schema_hook, ref_template=_REF)
    # Of shapes that have one name the module is told as well: `deskhand.gateway.budget.Shown` becomes `BudgetShown`.
    text = _MODULE.sub(lambda found: found[1].title(), msgspec.json.encode(made).decode())
    schemas, components = msgspec.json.decode(text)
    return dict(zip(ordered, schemas, strict=True)), components


def _body(call: Call) -> Any:
    """The shape of a call's body; some handlers read theirs themselves."""
    return workflows.WRITTEN.get(call.name, call.body)


def _has_schema(kind: Any) -> bool:
    return kind not in (None, NoBody, bytes)


def _operation(call: Call, by_type: dict[Any, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": call.name,
        "tags": [_TAG],
        "summary": call.summary,
        "security": [{_SECURITY: []}],
        "parameters": [*_path_parameters(call), *_query_parameters(call)],
        "responses": _responses(call, by_type),
    }
    if call.raw is not None:
        content = {call.raw.media_type: {"schema": {"type": "string", "format": "binary"}}}
        described["requestBody"] = {"required": True, "content": content}
    elif call.body is not NoBody:
        schema = {"$ref": _REF.format(name="Grants")} if call.name == "set_agent_grants" else by_type[_body(call)]
        described["requestBody"] = {
            "required": not call.optional_body,
            "content": {"application/json": {"schema": schema}},
        }
    return described


def _path_parameters(call: Call) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", call.path)
    return [{"name": name, "in": "path", "required": True, "schema": _ID} for name in names]


def _query_parameters(call: Call) -> list[dict[str, Any]]:
    found = []
    for field in msgspec.structs.fields(call.query):
        schema = msgspec.json.schema(field.type, schema_hook=schema_hook)
        found.append({"name": field.encode_name, "in": "query", "schema": _without_null(schema)})
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter can be left out, but never be null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        return dict(options[0])
    return {**schema, "enum": [one for one in schema["enum"] if one is not None]} if "enum" in schema else schema


def _responses(call: Call, by_type: dict[Any, Any]) -> dict[str, Any]:
    errors = [(401, "the token is missing, unknown or expired"), *call.errors]
    takes_json = call.body is not NoBody and call.raw is None
    if takes_json or msgspec.structs.fields(call.query):
        errors.append((400, "the body or a parameter is not valid; the errors name the fields"))
    if takes_json:
        errors += [(413, "the body is larger than 1 MB"), (415, "the body is not JSON")]
    if call.raw is not None:
        size = f"{call.raw.most // 1024**2} MB"
        errors += [(413, f"the body is larger than {size}"), (415, f"the body is not {call.raw.media_type}")]
    if "{" in call.path:
        errors.append((404, "there is no such thing"))
    found = {str(call.status): _success(call, by_type)}
    for status, text in errors:
        content = {"application/json": {"schema": {"type": "object"}}} if status == 401 else _ERROR
        found[str(status)] = {"description": text[0].upper() + text[1:] + ".", "content": content}
    return dict(sorted(found.items()))


def _success(call: Call, by_type: dict[Any, Any]) -> dict[str, Any]:
    if call.answers is None:
        return {"description": "Done; there is no body."}
    if call.answers is bytes:
        content = {kind: {"schema": {"type": "string"}} for kind in ("application/jsonl", "text/csv")}
        return {"description": "The export.", "content": content}
    return {"description": "Done.", "content": {"application/json": {"schema": by_type[call.answers]}}}


def _grants() -> dict[str, Any]:
    """Grants as they are sent; what is not in here is refused."""
    level = {
        "type": "object",
        "required": ["level"],
        "additionalProperties": False,
        "properties": {
            "level": {"enum": list(LEVELS)},
            "inboxes": {"oneOf": [{"const": "all"}, {"type": "array", "minItems": 1, "items": _ID}]},
        },
    }
    setting = {"enum": ["off", "allow", "draft", "hold"]}
    with_limits = {
        "type": "object",
        "required": ["setting"],
        "additionalProperties": False,
        "properties": {"setting": setting, "limits": {"type": "object"}},
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "resources": {
                "type": "object",
                "additionalProperties": False,
                "properties": {key: level for key in grants.RESOURCES},
            },
            "actions": {
                "type": "object",
                "additionalProperties": False,
                "properties": {name: {"oneOf": [setting, with_limits]} for name in sorted(grants.ACTIONS)},
            },
            "limits": {"type": "object"},
            "expires_at": {"type": ["string", "null"], "format": "date-time"},
            "version": {"type": "integer", "description": "The version that is replaced; any other answers 409."},
        },
    }
