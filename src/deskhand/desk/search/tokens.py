"""Words as the search index knows them, made here so that every database finds the same.

A token is a run of letters and digits, folded: `Größe` and `GROSSE` are one, `Café` and `cafe` too. Scripts written
without spaces are cut into overlapping pairs of characters and the last one, so that any piece of a text is found.
"""

from __future__ import annotations

import re
import unicodedata

from deskhand.lib.text import fold

LONGEST_TOKEN = 64
MOST_TOKENS = 10_000
"""Of one text. With the next limit it keeps a text below PostgreSQL's largest tsvector, 1 MB, whatever is in it."""

MOST_CHARACTERS = 200_000
"""Of one text; the rest is not searched."""

# Thai to Tibetan and Myanmar, Hangul, Khmer, kana and ideographs, without their punctuation.
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e80-\u0ece\u1000-\u1049\u1050-\u109f\u1100-\u11ff\u1780-\u17d3\u3005-\u3007"
    "\u3041-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97c\uac00-\ud7fb\uf900-\ufaff\U00020000-\U0003fffd"
)
_PAIRED = re.compile(f"[{_UNSPACED}]")
# Indic vowel signs are no letters to Python, but belong to their word.
_TOKEN = re.compile(rf"[{_UNSPACED}]+|(?:[^\W_{_UNSPACED}]|[\u0900-\u0963\u0966-\u0dff])+")
_ASCII_TOKEN = re.compile(r"[a-z0-9]+")
# Accents of Latin, Greek and Cyrillic, Hebrew and Arabic points, and what is invisible inside a word.
_DROPPED = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u00ad\u034f\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]"
)


def stored(text: str) -> str:
    """What the index keeps of a text: its tokens, each after one space; empty when it has none."""
    text = text[:MOST_CHARACTERS]
    found: list[str] = []
    if text.isascii():
        found = _runs(text)
    else:
        for run in _runs(text):
            if _PAIRED.match(run):
                found += _pairs(run)
                found.append(run[-1])
            else:
                found.append(run)
            if len(found) >= MOST_TOKENS:
                break
    return "".join([f" {token[:LONGEST_TOKEN]}" for token in found[:MOST_TOKENS]])[:MOST_CHARACTERS]


def wanted(text: str, prefix: bool = False) -> str:
    """What a stored text and a space must contain to match: the tokens with a space on either side.

    Without the last space, the last token may go on: because `prefix` asks for it, or as it is the single character
    with which pairs begin. Empty when there are no tokens.
    """
    runs = _runs(text[:MOST_CHARACTERS])
    found: list[str] = []
    for number, run in enumerate(runs, 1):
        if not _PAIRED.match(run):
            found.append(run[:LONGEST_TOKEN])
            continue
        found += _pairs(run)
        if number < len(runs):
            found.append(run[-1])
        elif len(run) == 1:
            found.append(run)
            prefix = True
    if not found:
        return ""
    return " " + " ".join(found[:MOST_TOKENS]) + ("" if prefix else " ")


def is_paired(character: str) -> bool:
    """Whether it belongs to a script that is written without spaces."""
    return _PAIRED.match(character) is not None


def _runs(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    decomposed = _DROPPED.sub("", unicodedata.normalize("NFKD", fold(text)))
    return _TOKEN.findall(unicodedata.normalize("NFC", decomposed))


def _pairs(run: str) -> list[str]:
    return [first + second for first, second in zip(run, run[1:], strict=False)]
