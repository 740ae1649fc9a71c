"""Reports that a mail did not arrive: as RFC 3464 has them, and in the words of qmail, Exim, Exchange and Postfix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from deskhand.mail.charsets import clean, decode
from deskhand.mail.headers import Address, one_line
from deskhand.mail.incoming import Bounce
from deskhand.mail.parts import Part, header
from deskhand.mail.people import email_in, message_ids
from deskhand.mail.quoting import is_answer

_LONGEST_REPORT = 100_000
_LONGEST_REASON = 500
_MOST_RECIPIENTS = 1_000

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.#-])([45])\d\d(?=[ \-])")
_SERVER = re.compile(
    r"(?:mailer-?daemon|postmaster|microsoftexchange[0-9a-f]*|mail-?delivery.*|mdaemon)", re.IGNORECASE
)
_FAILURE = re.compile(
    r"undeliver|undelivered|returned mail|failure notice|delivery (?:status notification|fail|has failed|problem)"
    r"|mail delivery"
    r"|could not be delivered|non remis|unzustellbar|nicht zugestellt|no se pudo entregar|mancato recapito|onbestelbaar"
    r"|delayed mail|delivery delayed|warning: (?:message|could not send)|returned to sender",
    re.IGNORECASE,
)  # fmt: skip
_DELAYED = re.compile(
    r"delayed|warning: (?:message|could not send)|still being retried|will be retried|not yet been delivered",
    re.IGNORECASE,
)
_COPY = re.compile(
    r"^\s*(?:-{2,}\s*(?:below this line|this is a copy|original message|returned message|undelivered message|copy of)"
    r"|return-path:|received:|message-id:)",
    re.IGNORECASE | re.MULTILINE,
)
_COPIED_ID = re.compile(r"^[ \t>]{0,4}message-id:[ \t]*(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)
# The line that names who could not be reached: `<a@b.example>: reason`, `a@b.example on Mon, 23 Nov`, `  a@b.example`.
_RECIPIENT = re.compile(
    r"^[ \t]{0,8}(?:<(\S{1,320}@\S{1,255})>|(\S{1,320}@[^\s:,;]{1,255}))(?::[ \t]*(.*)|[ \t]*| on .{0,80})$",
    re.MULTILINE,
)


def bounce(message: Part, sender: Address, subject: str, text: Callable[[], str]) -> Bounce | None:
    """What a report says of a mail that did not arrive; None for any other mail, and for receipts.

    `text` gives what the mail says, for the reports that only its words tell of.
    """
    reports = [
        one for one in message.walk() if one.mime_type in ("message/delivery-status", "message/global-delivery-status")
    ]
    if reports and (message.mime_type == "multipart/report" or _is_from_server(message, sender)):
        return _by_report(message, reports)
    if _is_receipt(message) or not is_report(message, sender, subject):
        return None
    return _by_words(message, subject, text()[:_LONGEST_REPORT])


def reported(message: Part) -> tuple[str, ...]:
    """The ids of the mail that a report or a receipt is about, whatever became of it."""
    if message.mime_type != "multipart/report":
        return ()
    receipts = [one for one in message.walk() if one.mime_type.endswith("/disposition-notification")]
    told = [header(one.data()[:_LONGEST_REPORT].lstrip()).first("original-message-id") for one in receipts]
    return message_ids([*told, _returned_id(message)])


def is_report(message: Part, sender: Address, subject: str) -> bool:
    """Whether a server tells what became of a mail; people answer or pass on such reports, with the same words."""
    if message.mime_type == "multipart/report":
        return True
    is_said = _FAILURE.search(subject[:500]) is not None and not is_answer(subject, follows=False)
    return is_said and _is_from_server(message, sender)


def _is_receipt(message: Part) -> bool:
    return any(one.mime_type.endswith(("/disposition-notification", "/feedback-report")) for one in message.walk())


def _is_from_server(message: Part, sender: Address) -> bool:
    name = message.first("from").strip(' "<')
    return (
        _SERVER.fullmatch(sender.email.partition("@")[0]) is not None
        or ("@" not in name and _SERVER.match(name) is not None)
        or message.first("return-path") == "<>"
        or message.has("x-failed-recipients")
    )


def _by_report(message: Part, reports: list[Part]) -> Bounce | None:
    """The first recipient that a server has given up, else the first that is still waiting."""
    found: Bounce | None = None
    for group in _groups(reports):
        action = group.get("action", "").partition("(")[0].strip().lower()
        status = _status(group.get("status", "")) or _status(group.get("diagnostic-code", ""))
        if not action and status:
            action = {"5": "failed", "4": "delayed"}.get(status[0], "delivered")
        if action not in ("failed", "delayed") or (found is not None and action == "delayed"):
            continue
        recipient = _recipient(group.get("original-recipient", "")) or _recipient(group.get("final-recipient", ""))
        if not recipient and not status:
            continue
        final = action == "failed"
        found = Bounce(
            final=final,
            recipient=recipient or _failed_recipient(message),
            status=status or ("5.0.0" if final else "4.0.0"),
            reason=_reason(group.get("diagnostic-code", "") or group.get("status", "")),
            message_id=_returned_id(message) or _first(message_ids([group.get("", "")])) or _answered_id(message),
        )
        if final:
            break
    return found


def _groups(reports: list[Part]) -> Iterator[dict[str, str]]:
    """What is said of each recipient; under the empty name what the message says of the mail itself."""
    count = 0
    for report in reports:
        raw = report.data()[:_LONGEST_REPORT].replace(b"\r\n", b"\n")
        original = ""
        for block in raw.split(b"\n\n"):
            if not block.strip():
                continue
            part = header(block.strip(b"\n") + b"\n")
            group = {name: part.text(value) for name, value in reversed(part.fields)}
            original = original or group.get("x-original-message-id", "") or group.get("original-envelope-id", "")
            if group.keys() & {"final-recipient", "original-recipient", "action"}:
                yield group | {"": original}
            count += 1
            if count > _MOST_RECIPIENTS:
                return


def _by_words(message: Part, subject: str, text: str) -> Bounce | None:
    copy = _COPY.search(text)
    said, copied = (text, "") if copy is None else (text[: copy.start()], text[copy.start() :])
    named = next(_RECIPIENT.finditer(said), None)
    recipient = _failed_recipient(message) or (email_in(named[1] or named[2] or "") if named else "")
    if not recipient:
        return None
    reason = _behind(said, named) if named else ""
    status = _status(reason) or _status(said)
    code = _REPLY_CODE.search(reason or said)
    delayed = _DELAYED.search(subject) is not None or (status or "5")[0] == "4" and _DELAYED.search(said) is not None
    kind = "4" if delayed else "5"
    return Bounce(
        final=not delayed,
        recipient=recipient,
        status=status or (f"{code[1]}.0.0" if code else f"{kind}.0.0"),
        reason=_reason(reason or said.strip().partition("\n\n")[0]),
        message_id=_returned_id(message) or _first(_COPIED_ID.findall(copied)) or _answered_id(message),
    )


def _behind(said: str, named: re.Match[str]) -> str:
    """What stands behind the recipient and in the lines below, up to an empty one."""
    below = said[named.end() :].removeprefix("\n").partition("\n\n")[0]
    return f"{named[3] or ''} {below}".strip()


def _status(text: str) -> str:
    found = _STATUS.search(text[:2_000])
    return f"{found[1]}.{int(found[2])}.{int(found[3])}" if found else ""


def _recipient(value: str) -> str:
    """An address as reports write it, `rfc822; a@b.example`."""
    return email_in(value.rpartition(";")[2][:1_000])


def _failed_recipient(message: Part) -> str:
    return email_in(message.first("x-failed-recipients")[:1_000])


def _reason(text: str) -> str:
    kind, semicolon, rest = text.partition(";")
    return one_line(clean(rest if semicolon and len(kind) < 20 and " " not in kind.strip() else text))[:_LONGEST_REASON]


def _returned_id(message: Part) -> str:
    """The id of the mail that a report returns, whole or only its header."""
    for one in message.walk():
        if one.mime_type in (
            "message/rfc822",
            "text/rfc822-headers",
            "message/rfc822-headers",
            "message/global",
            "message/global-headers",
        ):
            returned = header(one.data()[:_LONGEST_REPORT].lstrip())
            if found := message_ids([returned.first("message-id")]):
                return found[0]
            text = decode(one.data()[:_LONGEST_REPORT])
            if copied := _COPIED_ID.search(text):
                return copied[1]
    return ""


def _answered_id(message: Part) -> str:
    return _first(message_ids([*message.all("in-reply-to"), *message.all("references")]))


def _first(found: tuple[str, ...] | list[str]) -> str:
    return next(iter(found), "")
