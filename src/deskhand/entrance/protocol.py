"""The Model Context Protocol over streamable HTTP, without its content: messages in, messages out, nothing remembered.

Three revisions are spoken. The current one is stateless: each request carries its revision, and headers repeat what it
is about. The two before it begin with a handshake; nothing has to be remembered of it.
Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from deskhand import __version__
from deskhand.catalogue.problems import Problem
from deskhand.gateway.clean import require_clean_json

CURRENT = "2026-07-28"
WITH_HANDSHAKE = ("2025-11-25", "2025-06-18")
SUPPORTED = (CURRENT, *WITH_HANDSHAKE)

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
_STATUS = {
    PARSE_ERROR: 400, INVALID_REQUEST: 400, METHOD_NOT_FOUND: 404, INVALID_PARAMS: 400, HEADER_MISMATCH: 400,
    UNSUPPORTED_VERSION: 400,
}  # fmt: skip
_VERSION, _METHOD, _NAME = "mcp-protocol-version", "mcp-method", "mcp-name"
_META_VERSION = "io.modelcontextprotocol/protocolVersion"
_META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Methods whose object the headers repeat, and the parameter that has it."""
SERVER = {"name": "deskhand", "title": "Deskhand", "version": __version__}

Id = int | str | None
Headers = Sequence[tuple[str, str]]


class ProtocolError(Exception):
    """A message that is answered with an error of the protocol."""

    def __init__(self, code: int, message: str, id: Id = None, *, data: Any = None, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.id = id
        self.data = data
        self.status = _STATUS.get(code, 200) if status is None else status


class Unclean(ProtocolError):
    """A body that is no JSON, or not to be read in one way only."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(PARSE_ERROR, str(problem))
        self.problem = problem


class Message(msgspec.Struct, frozen=True):
    """A request, or without an id something that is not answered. `current`: as of the current revision."""

    method: str
    params: Mapping[str, Any]
    id: Id
    current: bool

    @property
    def meta(self) -> Mapping[str, Any]:
        """What comes along beside the parameters."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}


def read(headers: Headers, body: bytes) -> Message | None:
    """The message of a request, None for one that is accepted and means nothing; raises ProtocolError."""
    content = _json(body)
    if not isinstance(content, dict) or content.get("jsonrpc") != "2.0":
        raise ProtocolError(INVALID_REQUEST, "The body must be a single JSON-RPC 2.0 message, not a batch")
    named = {name: [value for other, value in headers if other == name] for name in (_VERSION, _METHOD, _NAME)}
    version = named[_VERSION][0] if named[_VERSION] else None
    id, method, params = content.get("id"), content.get("method"), content.get("params")
    if "id" in content and (isinstance(id, bool) or not isinstance(id, int | str)):
        raise ProtocolError(INVALID_REQUEST, "The id must be a text or a whole number")
    meta = params.get("_meta") if isinstance(params, dict) else None
    current = version == CURRENT or (isinstance(meta, dict) and _META_VERSION in meta)
    if method is None and "id" in content and ("result" in content or "error" in content) and not current:
        return None  # an answer, but nothing was asked
    if not isinstance(method, str):
        raise ProtocolError(INVALID_REQUEST, "The message must have a method", id)
    if params is not None and not isinstance(params, dict):
        raise ProtocolError(INVALID_PARAMS, "The parameters must be an object", id)
    if "id" in content and current:
        _require_envelope(method, params or {}, meta, named, id)
    elif version is not None and version not in SUPPORTED and method != "initialize":
        raise _unsupported(version, id)
    return Message(method, params or {}, id, current) if "id" in content else None


def headers_of(content: Mapping[str, Any], version: str) -> dict[str, str]:
    """The headers that repeat what a message is about; `version` is what a handshake settled, if there was one."""
    params = content.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    own = meta.get(_META_VERSION) if isinstance(meta, dict) else None
    if not isinstance(own, str):
        return {_VERSION: version} if version and content.get("method") != "initialize" else {}
    method = str(content.get("method"))
    headers = {_VERSION: _encoded(own), _METHOD: _encoded(method)}
    name = params.get(_NAMED[method]) if isinstance(params, dict) and method in _NAMED else None
    return headers if name is None else headers | {_NAME: _encoded(name)}


def success(message: Message, result: dict[str, Any]) -> bytes:
    """The answer to a request."""
    if message.current:
        meta = {**result.get("_meta", {}), "io.modelcontextprotocol/serverInfo": SERVER}
        result = {"resultType": "complete", **result, "_meta": meta}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": message.id, "result": result})


def failure(error: ProtocolError) -> bytes:
    """The answer to what is an error of the protocol."""
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        content["data"] = error.data
    return msgspec.json.encode({"jsonrpc": "2.0", "id": error.id, "error": content})


def negotiated(message: Message) -> str:
    """The revision that a handshake settles on: the client's, or the newest that has handshakes."""
    wanted = message.params.get("protocolVersion")
    if not isinstance(wanted, str):
        raise ProtocolError(INVALID_PARAMS, "protocolVersion must be given", message.id)
    return wanted if wanted in WITH_HANDSHAKE else WITH_HANDSHAKE[0]


def unknown_method(message: Message) -> ProtocolError:
    """The error for a method that there is not; before the current revision it came with status 200."""
    words = f"Method not found: {message.method[:100]}"
    return ProtocolError(METHOD_NOT_FOUND, words, message.id, status=None if message.current else 200)


def invalid_params(message: Message, words: str) -> ProtocolError:
    """The error for parameters that make no sense."""
    return ProtocolError(INVALID_PARAMS, words, message.id, status=None if message.current else 200)


def _json(body: bytes) -> Any:
    try:
        require_clean_json(body)
        return msgspec.json.decode(body)
    except Problem as problem:
        raise Unclean(problem) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProtocolError(PARSE_ERROR, "The body is no JSON") from None


def _require_envelope(
    method: str, params: Mapping[str, Any], meta: Any, named: Mapping[str, list[str]], id: Id
) -> None:
    """What each request of the current revision carries, and its headers have to repeat."""
    missing = [key for key in (_META_VERSION, _META_CAPABILITIES) if not isinstance(meta, dict) or key not in meta]
    if missing:
        raise ProtocolError(INVALID_PARAMS, f"params._meta must have {' and '.join(missing)}", id)
    wanted = {_VERSION: meta[_META_VERSION], _METHOD: method}
    if method in _NAMED and params.get(_NAMED[method]) is not None:
        wanted[_NAME] = params[_NAMED[method]]
    for header, value in wanted.items():
        given = [_decoded(one) if header == _NAME else one for one in named[header]]
        if given != [value]:
            raise ProtocolError(HEADER_MISMATCH, f"Header mismatch: {header} must be what the message says", id)
    if meta[_META_VERSION] != CURRENT:
        raise _unsupported(meta[_META_VERSION], id)


def _unsupported(version: str, id: Id) -> ProtocolError:
    data = {"supported": list(SUPPORTED), "requested": version[:100]}
    return ProtocolError(UNSUPPORTED_VERSION, "Unsupported protocol version", id, data=data)


def _encoded(value: Any) -> str:
    text = str(value)
    plain = text.isascii() and text.isprintable() and text == text.strip() and not text.startswith("=?base64?")
    return text if plain else f"=?base64?{base64.b64encode(text.encode('utf-8', 'replace')).decode()}?="


def _decoded(value: str) -> str | None:
    """A header's value, which is in base64 where it has other characters than headers may have."""
    if not (value.startswith("=?base64?") and value.endswith("?=")):
        return value
    try:
        return base64.b64decode(value[9:-2], validate=True).decode()
    except (binascii.Error, ValueError):
        return None
