"""Bytes as text, whatever charset they are said to be in: never an error, never a character that can't be stored."""

from __future__ import annotations

import codecs
import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, a2b_qp

_SUPERSETS = {
    # What is declared, and what programs mean by it: the same characters and more. Source: encoding.spec.whatwg.org.
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
_ALIASES = {
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "ks-c-5601-1987": "cp949",
    "windows-949": "cp949",
    "windows-31j": "cp932",
    "x-sjis": "cp932",
    "x-gbk": "gb18030",
    "x-big5": "big5hkscs",
    "x-euc-jp": "euc_jp",
    "x-mac-roman": "mac_roman",
    "x-macroman": "mac_roman",
    "windows-874": "cp874",
    "utf-8mb4": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
}
# Sequences of several bytes, or of ASCII, that would pass for UTF-8 by chance: what is declared goes first.
_DECLARED_FIRST = frozenset(
    {
        *("gb18030", "big5hkscs", "cp950", "cp932", "cp949", "euc_jp", "johab", "hz", "iso2022_kr"),
        *("iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_ext", "iso2022_jp_2004"),
        *("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"),
    }
)
_KNOWN = _DECLARED_FIRST | {
    *("utf-8", "koi8-r", "koi8-u", "mac-roman", "mac-latin2", "mac-cyrillic", "mac-greek", "mac-turkish", "ptcp154"),
    *("cp437", "cp737", "cp775", "cp850", "cp852", "cp855", "cp858", "cp860", "cp861", "cp862", "cp863", "cp864"),
    *("cp865", "cp866", "cp869", "cp874", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("cp1257", "cp1258", "hp-roman8", "kz1048", "viscii"),
    *(f"iso8859-{part}" for part in range(2, 17)),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9_.:+-]{0,39}")
# What no database or page takes: controls but tab and line break, surrogates, and what stands for no character.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_ENCODED_WORD = re.compile(r"=\?([^?=\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE64 = _LETTERS + b"\r\n\t "
_NOT_BASE64 = bytes(one for one in range(256) if one not in _LETTERS)
_MOST_PIECES = 1_000


def decode(data: bytes, declared: str = "") -> str:
    """Bytes as text that can be stored.

    What is declared is often wrong, and UTF-8 hardly ever is one by accident: it is tried first, except before charsets
    of several bytes; then what is declared, then the western one. UTF-7 is refused, it hides what is written.
    """
    charset = known(declared)
    order = (charset, "utf-8") if charset in _DECLARED_FIRST else ("utf-8", charset)
    for one in order:
        try:
            return clean(data.decode(one)) if one else _western(data, charset)
        except UnicodeError:
            continue
    return _western(data, charset)


def known(declared: str) -> str:
    """The name of a charset as it is used here; empty for what is none that we would use."""
    name = declared.strip().strip("\"'").lower().partition("*")[0]  # RFC 2231 lets a language follow
    if not _NAME.fullmatch(name):
        return ""
    try:
        found = codecs.lookup(_ALIASES.get(name, name)).name
    except LookupError:
        return ""
    found = _SUPERSETS.get(found, found)
    return found if found in _KNOWN else ""


def clean(text: str) -> str:
    """A text without what can't be stored or shown; line ends are all alike."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNFIT.sub("", text).removeprefix("\ufeff")


def words(value: str) -> str:
    """A header's text with its encoded words read (RFC 2047), also where they stand in the middle of a word."""
    if "=?" not in value:
        return value
    pieces: list[str] = []
    waiting: list[tuple[str, bytes]] = []  # neighbours, whose characters may be torn apart between them
    at = 0
    for found in _ENCODED_WORD.finditer(value):
        between = value[at : found.start()]
        if between.strip() or not waiting:
            pieces += [_joined(waiting), between]
            waiting = []
        waiting.append((found[1], _word_bytes(found[2], found[3])))
        at = found.end()
    return "".join([*pieces, _joined(waiting), value[at:]])


def from_base64(data: bytes) -> bytes:
    """Base64 as it is found: whatever is no letter of it is passed over, and its end may be missing.

    Pieces that were encoded each for itself are put together; a footer that a server has set below is not.
    """
    head, *more = data.split(b"=", _MOST_PIECES)
    return _piece(head) + b"".join(_piece(one) for one in more if one.strip() and not one.translate(None, _BASE64))


def from_quoted_printable(data: bytes) -> bytes:
    """Quoted-printable as it is found: what is not meant so stays as it is."""
    return a2b_qp(data)


def _piece(data: bytes) -> bytes:
    letters = data.translate(None, _NOT_BASE64)
    left = len(letters) % 4
    letters = letters[:-1] if left == 1 else letters + b"=" * (-left % 4)
    try:
        return a2b_base64(letters)
    except BinasciiError:
        return b""


def _western(data: bytes, charset: str) -> str:
    """What is broken in its own charset keeps what can be read; all else is taken for western."""
    if charset in _DECLARED_FIRST or (charset == "utf-8" and _mostly_utf8(data)):
        return clean(data.decode(charset, "replace"))
    try:
        return clean(data.decode("cp1252"))
    except UnicodeError:
        return clean(data.decode("latin-1"))


def _mostly_utf8(data: bytes) -> bool:
    """A text that was cut or has a stray byte, not one in another charset."""
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = sum(1 for one in text[:100_000] if one > "\x7f" and one != "\ufffd")
    return wrong <= max(1, right)


def _joined(encoded: list[tuple[str, bytes]]) -> str:
    """Neighbouring words as text; those in the same charset are read as one."""
    pieces: list[str] = []
    data, charset = b"", ""
    for name, one in encoded:
        if data and name.lower() != charset.lower():
            pieces.append(decode(data, charset))
            data = b""
        data, charset = data + one, name
    return "".join([*pieces, decode(data, charset) if data else ""])


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return from_base64(data) if encoding in "bB" else a2b_qp(data.replace(b"_", b"=20"), header=False)
