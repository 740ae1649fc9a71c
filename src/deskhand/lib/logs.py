"""Log lines on stderr: JSON for machines or text for people, never with what is nobody's business.

Bodies, tokens and passwords are not logged by whoever writes a line. Against slips, each line is also scrubbed of what
looks like a credential and of the rows that PostgreSQL quotes in its errors.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_QUIET = ("uvicorn", "alembic", "asyncio", "psycopg", "sqlalchemy")

_SIGNS = ("bearer", "basic", "://", "password", "secret", "token")
_CREDENTIAL = re.compile(
    r"(\bbearer\s+|\bbasic\s+|(?:password|secret|token)[\"']?\s*[=:]\s*[\"']?)[^\s\"'@&,;)}]+"
    r"|(://[^\s:/@]*:)[^\s/@]+(?=@)",
    re.IGNORECASE,
)
_CHAIN_MOST = 5
_MESSAGE_MOST = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def set_up(format: str, level: str, stream: TextIO | None = None) -> None:
    """Send all log lines to `stream` (stderr when left out), as `json` or `text`; third parties only warn."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("deskhand").setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


class JsonLines(logging.Formatter):
    """One JSON object a line: ts, level, logger, message, the line's own fields, and `exception` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "ts": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrubbed(record.getMessage()),
        }
        line |= _own_fields(record)
        if thrown := _exception(record):
            line["exception"] = thrown
        return msgspec.json.encode(line, enc_hook=str).decode()


class TextLines(logging.Formatter):
    """One line for people; the lines of an exception follow, indented."""

    def format(self, record: logging.LogRecord) -> str:
        own = "".join(f"  {name}={value}" for name, value in _own_fields(record).items())
        # Whoever chooses a path must not be able to write lines of their own into the log.
        message = _CONTROL.sub(_escaped, scrubbed(record.getMessage()) + own)
        line = f"{_moment(record)} {record.levelname.lower():<7} {record.name}: {message}"
        if thrown := _exception(record):
            line += "\n    " + thrown.replace("\n", "\n    ")
        return line


def scrubbed(text: str) -> str:
    """The text without credentials and without rows quoted by PostgreSQL."""
    if "DETAIL: " in text:  # "Failing row contains (…)", to the end of the message
        text = text.partition("DETAIL: ")[0].rstrip()
    lower = text.lower()
    # The words first: looking for them takes a fiftieth of what the expression takes.
    return _CREDENTIAL.sub(r"\1\2…", text) if any(sign in lower for sign in _SIGNS) else text


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _own_fields(record: logging.LogRecord) -> dict[str, Any]:
    return {
        name: scrubbed(value) if isinstance(value, str) else value
        for name, value in vars(record).items()
        if name not in _STANDARD and value is not None
    }


def _exception(record: logging.LogRecord) -> str:
    """Where an exception came from, then what caused it; of each message the first line, as later ones quote data."""
    error = record.exc_info[1] if record.exc_info else None
    parts: list[str] = []
    while error is not None and len(parts) < _CHAIN_MOST:
        frames = "".join(traceback.format_tb(error.__traceback__))
        words = str(error).partition("\n")[0][:_MESSAGE_MOST]
        parts.append(scrubbed(f"{frames}{type(error).__qualname__}: {words}"))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\ncaused by\n".join(parts)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
