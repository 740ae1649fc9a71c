"""From the answer to a call to what a model gets: structured content, the same as text, and whether it failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.operation import Resource
from deskhand.entrance.compact import compact
from deskhand.gateway.calls import Answer

CREATED = "created"
HELD = "Not done yet: a person decides first. Ask for the outcome with read_approval."
_SAID = ("reason", "missing", "path", "audit_id", "resource_id")
"""What an error says to programs, beside its message."""


class Result(msgspec.Struct, frozen=True):
    """What a tool gives; `audit_ids` are the log's entries about it."""

    content: dict[str, Any]
    failed: bool = False
    decision: str = ""
    audit_ids: tuple[str, ...] = ()


def result(answer: Answer, resource: Resource | None = None) -> Result:
    """The result that an answer makes; `resource` is what was asked about."""
    headers = {name.lower(): value for name, value in answer.headers}
    failed = answer.status >= 400
    content = _error(answer, headers) if failed else _success(answer, headers, resource)
    audit_id = headers.get("deskhand-audit-id")
    return Result(content, failed, headers.get("deskhand-decision", ""), (audit_id,) if audit_id else ())


def together(content: dict[str, Any], parts: Sequence[Result]) -> Result:
    """One result out of several calls that all went well."""
    audit_ids = tuple(id for part in parts for id in part.audit_ids)
    return Result(content, False, parts[-1].decision if parts else "", audit_ids)


def _success(answer: Answer, headers: dict[str, str], resource: Resource | None) -> dict[str, Any]:
    if answer.status == 201:
        given = headers.get("resource-id", "")
        return {"status": CREATED, "id": int(given) if read_id(given) else given}
    if answer.status in (301, 302, 307, 308):
        moved = read_id(urlsplit(headers.get("location", "")).path.rpartition("/")[2])
        return {"status": "moved", "moved_to": moved}
    if not answer.body:
        return {"status": "accepted" if answer.status == 202 else "done"}
    content = _decoded(answer)
    if isinstance(content, dict) and content.get("state") == "held" and answer.status == 202:
        return content | {"message": HELD}
    try:
        return compact(content, resource)
    except RecursionError:
        return {}  # deeper than anything that a desk has to tell


def _error(answer: Answer, headers: dict[str, str]) -> dict[str, Any]:
    """An error in a few words: which, why, what is missing, which fields are at fault."""
    given = _decoded(answer)
    content = given if isinstance(given, dict) else {}
    found: dict[str, Any] = {"status": answer.status}
    found |= {name: content[name] for name in _SAID if content.get(name) is not None}
    found["message"] = content.get("message") or content.get("error_description") or "The call failed"
    embedded = content.get("_embedded")
    errors = embedded.get("errors") if isinstance(embedded, dict) else None
    if isinstance(errors, list) and errors:
        named = [one for one in errors if isinstance(one, dict)]
        found["errors"] = [{"path": one.get("path"), "message": one.get("message")} for one in named]
    wait = headers.get("retry-after", "")
    return found | ({"retry_after_s": int(wait)} if read_id(wait) else {})


def _decoded(answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}  # a remote desk may say something else than JSON
