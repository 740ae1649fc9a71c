"""The OpenAPI 3.1 description of the API, derived from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from deskhand import __version__
from deskhand.api.openapi_links import links
from deskhand.catalogue.links import Link
from deskhand.catalogue.operation import AnyOperation, BareList, Created, ListOf, NoBody, NoContent, One, Report
from deskhand.catalogue.values import Ids, Names, schema_hook

_REF = "#/components/schemas/{name}"
_LINKS = {"type": "object", "additionalProperties": {"$ref": _REF.format(name="Link")}}
_PAGE = {
    "type": "object",
    "required": ["size", "totalElements", "totalPages", "number"],
    "properties": {name: {"type": "integer"} for name in ("size", "totalElements", "totalPages", "number")},
}
_ERROR = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "logRef": {"type": "string", "description": "Quote it when asking about this error."},
        "message": {"type": "string"},
        "_embedded": {
            "type": "object",
            "properties": {"errors": {"type": "array", "items": {"$ref": _REF.format(name="FieldError")}}},
        },
        "_links": _LINKS,
    },
}
_FIELD_ERROR = {
    "type": "object",
    "required": ["path", "message", "source"],
    "properties": {
        "path": {"type": "string", "description": "The field, such as threads[0].text."},
        "message": {"type": "string"},
        "rejectedValue": {"description": "The value that was refused, where there was one."},
        "source": {"enum": ["JSON", "QUERY", "URI"]},
        "_links": _LINKS,
    },
}
_WRITE_ERRORS = (
    (400, "the body or a parameter is not valid; the errors name the fields"),
    (413, "the body is larger than 25 MB"),
    (415, "the body is not JSON"),
)
_READ_ERRORS = ((400, "a parameter is not valid; the errors name it"),)
_ALWAYS = (
    (401, "the token is missing, unknown or expired"),
    (403, "the token's user may not do this here"),
    (429, "the account's units of this minute are used up; Retry-After tells how long to wait"),
)


def openapi(operations: Sequence[AnyOperation], base_url: str) -> dict[str, Any]:
    """The description of these operations as served at `base_url`."""
    types = {kind for operation in operations for kind in _types(operation)} | {Link}
    ordered = sorted(types, key=str)
    schemas, components = msgspec.json.schema_components(ordered, schema_hook=schema_hook, ref_template=_REF)
    by_type = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, by_type)
        leads_to = links(operation, operations)
        if leads_to:
            described["responses"][str(operation.returns.status)]["links"] = leads_to
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Deskhand Mailbox API",
            "version": __version__,
            "description": "A help desk that speaks the Help Scout Mailbox API 2.0.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_url}],
        "security": [{"oauth": []}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.resource.value for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": _ERROR, "FieldError": _FIELD_ERROR},
            "securitySchemes": {"oauth": _security(base_url)},
        },
    }


def _types(operation: AnyOperation) -> list[Any]:
    found = [] if operation.body is NoBody else [operation.body]
    if isinstance(operation.returns, One | ListOf | BareList | Report):
        found.append(operation.returns.shape)
    return found


def _operation(operation: AnyOperation, schemas: dict[Any, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.resource.value],
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
        "responses": _responses(operation, schemas),
        "externalDocs": {"url": operation.source},
        "x-cost": operation.cost,
        "x-access": operation.action.name.lower(),
        "x-since": operation.since,
    }
    if operation.emits:
        described["x-events"] = list(operation.emits)
    if operation.body is not NoBody:
        content = {"application/json": {"schema": schemas[operation.body]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _path_parameters(operation: AnyOperation) -> list[dict[str, Any]]:
    number = {"type": "integer", "format": "int64", "minimum": 1}
    text = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "schema": text if name == "slug" else number}
        for name in operation.parameters
    ]


def _query_parameters(operation: AnyOperation) -> list[dict[str, Any]]:
    found = []
    for field in msgspec.structs.fields(operation.query):
        schema, components = msgspec.json.schema_components([field.type], schema_hook=schema_hook, ref_template=_REF)
        assert not components, f"{operation.name}: a query parameter can't be an object"
        described: dict[str, Any] = {"name": field.encode_name, "in": "query", "schema": _without_null(schema[0])}
        if field.default not in (None, msgspec.NODEFAULT, msgspec.UNSET):
            described["schema"] = {**described["schema"], "default": field.default}
        if any(kind in str(field.type) for kind in (Ids.__name__, Names.__name__)):
            described["description"] = "Several are joined by commas."
        found.append(described)
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter can be left out, but never be null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        return dict(options[0])
    if "enum" in schema:
        return {**schema, "enum": [value for value in schema["enum"] if value is not None]}
    return schema


def _responses(operation: AnyOperation, schemas: dict[Any, Any]) -> dict[str, Any]:
    errors = _READ_ERRORS if operation.body is NoBody else _WRITE_ERRORS
    responses: dict[str, Any] = {str(operation.returns.status): _success(operation, schemas)}
    unknown = ((404, "there is no such resource"),) if operation.parameters else ()
    for status, text in (*errors, *_ALWAYS, *unknown, *operation.errors):
        described: dict[str, Any] = {"description": text[0].upper() + text[1:] + "."}
        if status >= 400:
            media_type = "application/json" if status in (401, 429) else "application/vnd.error+json"
            schema = {"type": "object"} if status in (401, 429) else {"$ref": _REF.format(name="Error")}
            described["content"] = {media_type: {"schema": schema}}
        responses[str(status)] = described
    return dict(sorted(responses.items()))


def _success(operation: AnyOperation, schemas: dict[Any, Any]) -> dict[str, Any]:
    match operation.returns:
        case One(shape, raw) as returns:
            content = {returns.media_type: {"schema": schemas[shape]}}
            if raw:
                content[raw] = {"schema": {"type": "string"}}
            return {"description": "The resource.", "content": content}
        case ListOf(key, shape, _, paged) as returns:
            embedded = {"type": "object", "properties": {key: {"type": "array", "items": schemas[shape]}}}
            properties = {"_embedded": {**embedded, "required": [key]}, "_links": _list_links()}
            if paged:
                properties["page"] = _PAGE
            schema = {"type": "object", "required": list(properties), "properties": properties}
            return {"description": "A page of the list.", "content": {returns.media_type: {"schema": schema}}}
        case BareList(shape) as returns:
            content = {returns.media_type: {"schema": {"type": "array", "items": schemas[shape]}}}
            return {"description": "The whole list.", "content": content}
        case Report(shape) as returns:
            return {"description": "The numbers.", "content": {returns.media_type: {"schema": schemas[shape]}}}
        case Created():
            headers = {
                "Resource-ID": {"description": "The new id.", "schema": {"type": "integer", "format": "int64"}},
                "Location": {"description": "Where it is.", "schema": {"type": "string", "format": "uri"}},
            }
            return {"description": "Created; there is no body.", "headers": headers}
        case NoContent():
            return {"description": "Done; there is no body."}
    raise TypeError(operation.returns)


def _list_links() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": {"type": "object", "properties": {"href": {"type": "string"}}}}


def _security(base_url: str) -> dict[str, Any]:
    token = f"{base_url}/v2/oauth2/token"
    authorize = f"{base_url}/authentication/authorizeClientApplication"
    return {
        "type": "oauth2",
        "flows": {
            "clientCredentials": {"tokenUrl": token, "scopes": {}},
            "authorizationCode": {"authorizationUrl": authorize, "tokenUrl": token, "refreshUrl": token, "scopes": {}},
        },
    }
