"""Where in a mail the history begins that mail programs repeat below an answer.

A mail is taken as lines, whether it is text or HTML. What is told apart are lines with a mark of quotation, the line
that says who wrote them (in the words of some thirty languages), blocks of From, Sent, To and Subject as Outlook and
Notes put them, and separators such as "Original Message".

History that stays costs a glance, and new text taken for history is lost. So only an answer has history; answers
between quotations stay with them; and where nothing else was written, or somebody says that answers stand below, all
stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from deskhand.mail.languages import (
    ADDED,
    ANSWER_PREFIX,
    ANSWERS,
    FORWARD_BEGINS,
    FORWARD_PREFIX,
    FORWARDED,
    LABELS,
    ORIGINAL,
    WITHIN,
    WITHIN_WORDS,
    WROTE,
)

Quoted = Literal["", "maybe", "surely"]
Mark = Literal["", "attribution", "rest", "rule"]


@dataclass(slots=True)
class Line:
    """A line of a mail. `quoted` maybe: it may as well be indented. `mark` is what the HTML says of it.

    Attribution: it says who wrote what follows; rest: from here on all is history; rule: it is drawn.
    """

    text: str
    quoted: Quoted = ""
    mark: Mark = ""
    picture: bool = False

    @property
    def blank(self) -> bool:
        """Whether nothing is to be seen."""
        return not self.text and not self.picture and self.mark != "rule"


_TAGS = r"\s*(?:\[[^\[\]]{0,40}\]\s*){0,5}"  # servers put [EXTERNAL] before a subject
_FORWARD_PREFIX = re.compile(rf"{_TAGS}{FORWARD_PREFIX}\s?[:：]", re.IGNORECASE)
_ANSWER_PREFIX = re.compile(rf"{_TAGS}{ANSWER_PREFIX}(?:\[\d{{1,4}}\])?\s?[:：]", re.IGNORECASE)


def is_answer(subject: str, follows: bool) -> bool:
    """Whether a mail answers another, by its subject and by whether its header names one that it `follows`.

    Those that were passed on name one as well.
    """
    return _FORWARD_PREFIX.match(subject) is None and (follows or _ANSWER_PREFIX.match(subject) is not None)


def of_text(text: str, *, answer: bool) -> tuple[str, str]:
    """What was written, and the history, of a mail in plain text."""
    rows = text.split("\n")
    if not answer or len(rows) > _MOST_LINES:
        return text.strip("\n"), ""
    start, end = history([_line(row) for row in rows])
    written = rows[:start] + ([""] if start < end and any(map(str.strip, rows[end:])) else []) + rows[end:]
    while written and not written[-1].strip():
        written.pop()
    while written and not written[0].strip():
        written.pop(0)
    return "\n".join(row.rstrip() for row in written), "\n".join(rows[start:end]).strip("\n")


def as_html(text: str) -> str:
    """Plain text as HTML that keeps its lines."""
    return escape(text, quote=False).replace("\n", "<br>\n").replace("  ", "&nbsp; ")


def history(lines: Sequence[Line]) -> tuple[int, int]:
    """From which line up to which the history of an answer reaches; both the same where it has none that may go."""
    nothing = (len(lines), len(lines))
    forward = next((at for at, one in enumerate(lines) if _FORWARDED.search(one.text[:200])), len(lines))
    rest = _rest(lines)
    start, end = _last_quotation(lines[:rest])
    if rest < len(lines):
        start, end = (start if _all_blank(lines[end:rest]) else rest), len(lines)
    if start >= min(end, forward):
        return nothing
    while start and (lines[start - 1].blank or _is_rule(lines[start - 1])):
        start -= 1
    written = [one for one in (*lines[:start], *lines[end:]) if not one.blank and not _is_rule(one)]
    return nothing if all(map(_is_added, written)) or _stands_within(written) else (start, end)


# ---------------------------------------------------------------------------------------------------------------------

_MOST_LINES = 100_000
_LONGEST_ATTRIBUTION = 400
_ROWS_OF_ATTRIBUTION = 4
_ROWS_OF_HEADER = 16
_ROWS_OF_SIGNATURE = 15
_ROWS_OF_INTRODUCTION = 50

_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_RULE = re.compile(r"[_=*-]{5,}")
_SIGNATURE = re.compile(r"(?:--|—|__)\s*")

_WROTE = re.compile(WROTE, re.IGNORECASE)
_DATED = re.compile(r"\d{1,4}[./-]\d{1,2}\b|\b\d{1,2}[:.h]\d{2}\b|\b(?:19|20)\d\d\b|\d[年월日]")
_ENDS_ATTRIBUTION = (":", "：", "---", "写道", "寫道", "*")

_SEPARATOR = re.compile(
    rf"[-_–—*=]{{2,20}}\s{{0,3}}(?:{ORIGINAL})\s{{0,3}}(?:von .{{0,100}})?[-_–—*=:]{{1,20}}", re.IGNORECASE
)
_FORWARDED = re.compile(
    rf"^[>\s]{{0,10}}(?:[-_–—*=]{{2,20}}\s{{0,3}}{FORWARDED}|{FORWARD_BEGINS}\s?[:：])", re.IGNORECASE
)
_ADDED = re.compile(rf"{ADDED}\b.{{0,60}}", re.IGNORECASE)
_WITHIN = re.compile(rf"{ANSWERS}.{{0,40}}{WITHIN}|{WITHIN}.{{0,40}}{ANSWERS}", re.IGNORECASE)
_LABEL = re.compile(r"\*{0,2}([^\W\d_][\w ]{0,24}?)\s?\*{0,2}\s?[:：]\*{0,2}(?!//)", re.UNICODE)


def _line(row: str) -> Line:
    quoted = row.startswith(">")
    text = row.lstrip("> ") if quoted else row
    return Line(_UNSEEN.sub("", text).replace("\xa0", " ").strip(), "surely" if quoted else "")


def _rest(lines: Sequence[Line]) -> int:
    """The first line from which on all is history because it says so, quoted or not; else the end."""
    for at, one in enumerate(lines):
        if one.mark == "rest":
            return at
        if one.quoted or not one.text:
            continue
        if _SEPARATOR.fullmatch(one.text[:200]) or _heads(lines, at):
            return at
        if one.text.endswith(_ENDS_ATTRIBUTION):
            begin = _attribution_before(lines, at + 1, certain=True)
            if begin is not None and not any(other.quoted for other in lines[at:]):
                return begin
    return len(lines)


def _last_quotation(lines: Sequence[Line]) -> tuple[int, int]:
    """The quotation that ends a mail, with who wrote it; nothing but a signature may follow."""
    nothing = (len(lines), len(lines))
    last = next((at for at in reversed(range(len(lines))) if lines[at].quoted), None)
    if last is None or not _ends_with(lines[last + 1 :]):
        return nothing
    first = last
    for at in reversed(range(last)):
        if lines[at].quoted:
            first = at
        elif not lines[at].blank:
            break
    begin = _attribution_before(lines, first, certain=False)
    if begin is not None:
        return begin, last + 1
    says_who = lines[first].mark == "attribution" or _attribution_within(lines, first) or _heads(lines, first)
    is_only_one = not any(one.quoted for one in lines[:first])
    if says_who or (is_only_one and lines[first].quoted == "surely" and not _is_introduced(lines, first)):
        return first, last + 1
    return nothing


def _is_introduced(lines: Sequence[Line], at: int) -> bool:
    """Whether the text above leads up to it: people put > before lists and commands, too."""
    before = next((one for one in reversed(lines[:at]) if not one.blank), None)
    return before is not None and before.text.endswith((":", "："))


def _is_added(line: Line) -> bool:
    """Whether a telephone put this below what was written."""
    return not line.picture and _ADDED.fullmatch(line.text) is not None


def _stands_within(written: Sequence[Line]) -> bool:
    """Whether it says that the answers stand in the history, as in "see my answers below in red"."""
    begun = (one.text[:500] for one in written[:_ROWS_OF_INTRODUCTION] if not one.quoted)
    return any(_WITHIN.search(text) for text in begun if _names_a_place(text.lower()))


def _names_a_place(text: str) -> bool:
    return any(word in text for word in WITHIN_WORDS)


def _ends_with(lines: Sequence[Line]) -> bool:
    """Whether this is nothing more than a signature."""
    seen = [one for one in lines if not one.blank and one.mark != "rule"]
    return not seen or (len(seen) <= _ROWS_OF_SIGNATURE and _SIGNATURE.fullmatch(seen[0].text) is not None)


def _attribution_before(lines: Sequence[Line], at: int, *, certain: bool) -> int | None:
    """The first line of those that say who wrote what follows at a place; programs break them into up to four."""
    joined = ""
    rows = blanks = 0
    for before in reversed(range(max(0, at - 2 * _ROWS_OF_ATTRIBUTION), at)):
        one = lines[before]
        if one.blank:
            blanks += 1
            if joined or blanks > 2:
                return None
            continue
        if one.quoted or one.mark == "rule":
            return None
        if one.mark == "attribution" and not certain:
            while before and lines[before - 1].mark == "attribution":
                before -= 1
            return before
        joined, rows = f"{one.text} {joined}".strip(), rows + 1
        if _says_who(joined, certain=certain):
            # "On Monday" may stand a line above "at 10:12, Ada wrote:".
            return _further_up(lines, before, joined)
        if rows == _ROWS_OF_ATTRIBUTION or len(joined) > _LONGEST_ATTRIBUTION:
            return None
    return None


_BEGINS = re.compile(r"[-\s]{0,8}(?:on|am|le|el|em|il|op|den|dnia|dne|le|в|στις|pada|vào|a)\b", re.IGNORECASE)


def _further_up(lines: Sequence[Line], at: int, joined: str) -> int:
    if _BEGINS.match(joined) or not at:
        return at
    above = lines[at - 1]
    is_part = not above.blank and not above.quoted and _BEGINS.match(above.text) and _DATED.search(above.text)
    return at - 1 if is_part and len(above.text) < _LONGEST_ATTRIBUTION / 2 else at


def _attribution_within(lines: Sequence[Line], first: int) -> bool:
    """Apple's programs put it into the quotation."""
    joined = ""
    for one in lines[first : first + _ROWS_OF_ATTRIBUTION]:
        joined = f"{joined} {one.text}".strip()
        if _says_who(joined, certain=False):
            return True
    return False


def _says_who(text: str, *, certain: bool) -> bool:
    if len(text) > _LONGEST_ATTRIBUTION or not text.endswith(_ENDS_ATTRIBUTION):
        return False
    dated, addressed = _DATED.search(text) is not None, "@" in text
    if certain:
        return dated and addressed and _WROTE.search(text) is not None
    return (dated and addressed and "<" in text) or ((dated or addressed) and _WROTE.search(text) is not None)


def _heads(lines: Sequence[Line], at: int) -> bool:
    """Whether a block such as From, Sent, To, Subject begins here."""
    if _label(lines[at].text) not in ("from", "date"):
        return False
    found: set[str] = set()
    addressed, others = False, 0
    for one in lines[at : at + _ROWS_OF_HEADER]:
        if not one.text:
            if len(found) >= 3:
                break
            continue
        label = _label(one.text)
        if label in found and label != "cc":
            break
        if not label:
            others += 1
            if others > 3:
                break
        else:
            found.add(label)
            addressed = addressed or (label == "from" and "@" in one.text)
    return "from" in found and len(found) >= 3 and ("subject" in found or addressed)


def _label(text: str) -> str:
    found = _LABEL.match(text[:60])
    return LABELS.get(found[1].replace(" ", "").lower(), "") if found else ""


def _all_blank(lines: Sequence[Line]) -> bool:
    return all(one.blank or _is_rule(one) for one in lines)


def _is_rule(line: Line) -> bool:
    return line.mark == "rule" or _RULE.fullmatch(line.text) is not None
