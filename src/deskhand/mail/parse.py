"""From the bytes of a mail to what it says: never an error for bytes that anybody could call a mail, in bounded time.

Pure: nothing is read, asked or kept. The steps stand in files of their own: parts, charsets, people, cleaning, quoting,
automatic, bounces, verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from mimetypes import guess_extension

from deskhand.lib.html_text import readable, says_anything
from deskhand.mail.automatic import automatic, by_list, by_program
from deskhand.mail.bounces import bounce, is_report, reported
from deskhand.mail.charsets import clean, decode
from deskhand.mail.cleaning import LONGEST_HTML, cleaned, data_id, without_data
from deskhand.mail.headers import Address, one_line
from deskhand.mail.inbound import LARGEST
from deskhand.mail.incoming import Incoming, IncomingFile, Unreadable
from deskhand.mail.parts import Limits, Part, header, split
from deskhand.mail.people import UNSEEN, addresses, domains, line, message_ids, when
from deskhand.mail.quoting import as_html, is_answer, of_text
from deskhand.mail.verdicts import verdicts

MOST_FILES = 200
"""Files of a mail that are kept as such; the raw message has the others."""
LONGEST_TEXT = 1_000_000
"""Characters of a text that are shown; a longer one comes as a file as well."""
LONGEST_SUBJECT = 1_000
"""Characters of a subject that are kept."""

_LONGEST_BODY = 20_000_000
_MOST_DATA = 50
_LONGEST_NAME = 200
_LONGEST_LOOK = 100_000
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_UNFIT_FOR_NAMES = re.compile(rf'[\x00-\x1f\x7f<>:"|?*{UNSEEN}]')
_UNFIT_FOR_IDS = re.compile(r"[^A-Za-z0-9._@$+=-]")
_CONTENT_IDS = re.compile(r"\bcid:([A-Za-z0-9._@$+=-]{1,200})")
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_DELIVERED = ("delivered-to", "x-original-to", "x-forwarded-to", "envelope-to", "x-delivered-to", "x-envelope-to")
_ENDINGS = {
    "text/calendar": ".ics",
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "text/rfc822-headers": ".txt",
    "text/plain": ".txt",
    "text/html": ".html",
    "image/jpeg": ".jpg",
    "application/pgp-signature": ".asc",
    "application/pkcs7-signature": ".p7s",
    "application/octet-stream": ".bin",
}
_STEMS = {
    "text/calendar": "invitation",
    "application/ms-tnef": "winmail.dat",
    "application/vnd.ms-tnef": "winmail.dat",
    "message/delivery-status": "delivery-status",
    "message/disposition-notification": "receipt",
    "text/rfc822-headers": "headers",
    "application/pgp-signature": "signature",
    "application/pkcs7-signature": "smime",
}


def _go_on() -> None:
    """Nothing is to be done between two steps."""


def parse(
    raw: bytes,
    received_at: datetime,
    trusted: str | None = "",
    return_path: str | None = None,
    between: Callable[[], None] = _go_on,
) -> Incoming:
    """What a mail says. `trusted` is how the receiving server calls itself in its verdicts; None: no server gave any.

    `return_path` is the sender of the envelope, empty where it names none; None: the header alone may tell. Raises
    Unreadable, and nothing else. Where no address tells who sent it, `sender.email` is empty. `between` is called
    between the steps, so that a server can do something else meanwhile.
    """
    message, limits = _message(raw)
    between()
    if return_path is not None:
        message.fields.insert(0, ("return-path", f"<{return_path}>".encode(errors="replace")))
    found = _Found()
    _collect(message, found, limits)
    between()
    if any(one.mime_type in _ENCRYPTED for one in message.walk()):
        limits.tell("it may be encrypted")
    sender = _sender(message, limits)
    subject = line(message.first("subject"), LONGEST_SUBJECT)
    in_reply_to = message_ids(message.all("in-reply-to"))
    references = tuple(dict.fromkeys((*message_ids(message.all("references")), *reported(message))))
    date = when(message.first("date"), received_at)
    if message.has("date") and date is None:
        limits.tell("its date can't be true")
    answer = is_answer(subject, bool(in_reply_to or references)) and not is_report(message, sender, subject)
    between()
    said = _said(found, limits, answer=answer)
    between()
    return Incoming(
        message_id=_message_id(message, raw, limits),
        in_reply_to=in_reply_to,
        references=references,
        sender=sender,
        reply_to=addresses(message.all("reply-to")),
        to=addresses(message.all("to")),
        cc=addresses(message.all("cc")),
        delivered_to=tuple(one.email for one in addresses(value for name in _DELIVERED for value in message.all(name))),
        subject=subject,
        date=date,
        html=said.html,
        quoted=said.quoted,
        text=readable(said.html).replace("\xa0", " "),
        files=_files(found, said.html + said.quoted),
        automatic=automatic(message, sender, subject),
        by_program=by_program(message, sender, subject),
        by_list=by_list(message, sender, subject),
        bounce=bounce(message, sender, subject, lambda: said.plain),
        verdicts=_verdicts(message, trusted, limits),
        faults=tuple(limits.faults),
    )


def _message(raw: bytes) -> tuple[Part, Limits]:
    if len(raw) > LARGEST:
        raise Unreadable(f"it is larger than {LARGEST // 1024 // 1024} MB")
    limits = Limits()
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    message = split(raw, limits)
    if not message.fields:
        raise Unreadable("it has no header, so it is no mail" if raw.strip() else "it is empty")
    return message, limits


def _message_id(message: Part, raw: bytes, limits: Limits) -> str:
    """What the mail is called; one without a name of its own is called by its bytes, always the same."""
    found = message_ids(message.all("message-id"))
    if found:
        return found[0]
    bare = "".join(message.first("message-id").split()).strip("<>")
    if bare and _MESSAGE_ID.fullmatch(f"<{bare}>"):
        return f"<{bare}>"
    limits.tell("it has no Message-ID")
    return f"<{sha256(raw).hexdigest()}@mail.deskhand.invalid>"


def _sender(message: Part, limits: Limits) -> Address:
    for name in ("from", "sender", "reply-to", "return-path", "x-sender"):
        found = addresses(message.all(name))
        if found:
            if name != "from":
                limits.tell("it does not say who it is from")
            return found[0]
    limits.tell("it does not say who it is from")
    return Address("")


def _verdicts(message: Part, trusted: str | None, limits: Limits) -> dict[str, str]:
    """What the server says; a sender beside others is taken for forged, as the verdict may be that of another.

    So is one who is not in From, which alone is what DMARC proves.
    """
    found = verdicts(message, trusted)
    senders = domains(message.all("from"))
    if len(senders) > 1:
        limits.tell("it names several senders")
        found["dmarc"] = "fail"
    elif not senders and "dmarc" in found:
        found["dmarc"] = "fail"
    return found


# -- What is written, and what came along


@dataclass(slots=True)
class _Text:
    """A text that is to be read, HTML or not."""

    text: str
    is_html: bool
    _shows: bool | None = None

    @property
    def shows(self) -> bool:
        """Whether there is anything to be seen; looked at once, in however many forms of forms it lies."""
        if self._shows is None:
            self._shows = bool(self.text.strip())
            if self._shows and self.is_html and "<img" not in self.text.lower():
                self._shows = says_anything(self.text[:LONGEST_HTML])
        return self._shows


@dataclass(slots=True)
class _Found:
    """What is to be read, and what is a file."""

    texts: list[_Text] = field(default_factory=list)
    files: list[IncomingFile] = field(default_factory=list)

    @property
    def is_html(self) -> bool:
        return any(one.is_html for one in self.texts)

    @property
    def is_blank(self) -> bool:
        return not any(one.shows for one in self.texts)


@dataclass(frozen=True, slots=True)
class _Said:
    """The message and its history as HTML, and all of it as text where it came as text."""

    html: str
    quoted: str
    text: str | None = None

    @property
    def plain(self) -> str:
        """All of it as text."""
        return readable(f"{self.html}\n<br>\n{self.quoted}") if self.text is None else self.text


def _collect(part: Part, found: _Found, limits: Limits, *, whole: bool = True) -> None:
    """Go through the parts in their order. `whole`: the part stands for all that its mail or alternative says."""
    if part.mime_type == "multipart/alternative":
        _choose(part, found, limits)
    elif part.is_multipart:
        for number, one in enumerate(part.parts):
            _collect(
                one, found, limits, whole=number == 0 and part.mime_type in ("multipart/related", "multipart/report")
            )
    elif _is_text(part, whole):
        _collect_text(part, found, limits)
    elif len(found.files) < MOST_FILES:
        found.files.append(_file(part, len(found.files) + 1))
    else:
        limits.tell(f"only its first {MOST_FILES} files are shown")


def _is_text(part: Part, whole: bool) -> bool:
    if part.mime_type not in ("text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown"):
        return False
    return part.disposition != "attachment" and (whole or not part.name)


def _choose(part: Part, found: _Found, limits: Limits) -> None:
    """Of several forms of the same the last in HTML that shows anything, else the last that does; the files of all."""
    forms: list[_Found] = []
    for one in part.parts:
        form = _Found()
        _collect(one, form, limits)
        forms.append(form)
    showing = [form for form in forms if not form.is_blank] or [form for form in forms if form.texts]
    best = next((form for form in reversed(showing) if form.is_html), showing[-1] if showing else None)
    if best is not None:
        found.texts += best.texts
    for form in forms:
        found.files += form.files[: max(0, MOST_FILES - len(found.files))]


def _collect_text(part: Part, found: _Found, limits: Limits) -> None:
    data = part.data()
    is_html = part.mime_type == "text/html"
    text = decode(data[:_LONGEST_BODY], part.parameters.get("charset", ""))
    if is_html:
        text = _with_pictures_apart(text, found)
    most = min(limits.text, LONGEST_HTML if is_html else LONGEST_TEXT)
    if len(text) > most or len(data) > _LONGEST_BODY:
        limits.tell("it is very long; all of it is in a file")
        found.files.append(_file(part, len(found.files) + 1))
        text = text[:most]
    limits.text -= len(text)
    if not is_html and part.parameters.get("format", "").lower() == "flowed":
        text = _flowed(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
    found.texts.append(_Text(text, is_html))


def _with_pictures_apart(html: str, found: _Found) -> str:
    """The page without the pictures that stand in it as data; they become files like those that came with the mail."""
    first = len(found.files) + 1
    html, pictures = without_data(html, min(_MOST_DATA, MOST_FILES - len(found.files)), first)
    for number, (mime_type, data) in enumerate(pictures, first):
        name = f"picture-{number}{_ENDINGS.get(mime_type) or guess_extension(mime_type) or ''}"
        found.files.append(IncomingFile(name, mime_type, data, data_id(number)))
    return html


def _flowed(text: str, *, delete_space: bool) -> str:
    """Lines that end in a space go on in the next, if that is quoted as deep (RFC 3676)."""
    lines: list[str] = []
    pieces: list[str] = []
    open_at = -1  # how deep the line is quoted that goes on
    for row in text.split("\n"):
        content = row.lstrip(">")
        depth = len(row) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        if open_at == depth and content != "-- ":
            pieces.append(content[:-1] if flows and delete_space else content)
        else:
            if open_at >= 0:
                lines.append("".join(pieces))
            prefix = ">" * depth + " " if depth else " " if content.startswith(">") else ""
            pieces = [prefix, content[:-1] if flows and delete_space else content]
        open_at = depth if flows else -1
        if not flows:
            lines.append("".join(pieces))
    if open_at >= 0:
        lines.append("".join(pieces))
    return "\n".join(lines)


def _said(found: _Found, limits: Limits, *, answer: bool) -> _Said:
    texts = [one for one in found.texts if one.text.strip()]
    if not any(one.is_html for one in texts):
        plain = "\n\n".join(one.text.strip("\n") for one in texts)
        written, quoted = of_text(plain, answer=answer)
        return _Said(as_html(written), as_html(quoted), plain)
    html = "\n<br>\n".join(one.text if one.is_html else as_html(one.text.strip("\n")) for one in texts)
    names = {one.content_id.lower(): one.content_id for one in reversed(found.files) if one.content_id}
    written, quoted, as_made = cleaned(html, lambda link: names.get(_content_id(link).lower(), ""), answer=answer)
    if not as_made:
        limits.tell("its HTML is shown as text")
    return _Said(written, quoted)


def _files(found: _Found, html: str) -> tuple[IncomingFile, ...]:
    """The files; a content id stays with the first file that has it, if the body calls it so."""
    called = set(_CONTENT_IDS.findall(html))
    files = []
    for one in found.files:
        files.append(one if one.content_id in called else replace(one, content_id=""))
        called.discard(one.content_id)
    return tuple(files)


def _file(part: Part, number: int) -> IncomingFile:
    data = part.data()
    mime_type = part.mime_type
    if mime_type.startswith("multipart/"):
        mime_type = "application/octet-stream"
    return IncomingFile(_file_name(part, data, number), mime_type, data, _content_id(part.content_id()))


def _content_id(given: str) -> str:
    """What a picture is called here, without anything that HTML or an address would write otherwise."""
    return _UNFIT_FOR_IDS.sub("-", given.strip())[:200]


def _file_name(part: Part, data: bytes, number: int) -> str:
    """The last part of a path, without what no system takes; made up where there is none."""
    name = clean(part.name).replace("\\", "/").rpartition("/")[2]
    name = one_line(_UNFIT_FOR_NAMES.sub("", name)).strip(". ")
    if name:
        stem, dot, ending = name.rpartition(".")
        if len(name) > _LONGEST_NAME and dot and len(ending) < 20:
            return f"{stem[: _LONGEST_NAME - len(ending) - 1]}.{ending}"
        return name[:_LONGEST_NAME]
    if part.mime_type in ("message/rfc822", "message/global"):
        subject = line(header(data[:_LONGEST_LOOK].lstrip()).first("subject"), 100)
        stem = one_line(_UNFIT_FOR_NAMES.sub("", subject.replace("/", "-").replace("\\", "-"))).strip(". ")
        return f"{stem or 'message'}.eml"
    if part.mime_type in _STEMS:
        return _STEMS[part.mime_type] + _ENDINGS.get(part.mime_type, "")
    kind = part.mime_type.partition("/")[0]
    stem = kind if kind in ("image", "audio", "video", "text") else "attachment"
    return f"{stem}-{number}{_ENDINGS.get(part.mime_type) or guess_extension(part.mime_type) or '.bin'}"
