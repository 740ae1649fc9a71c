"""What a browser calls itself, in words that people know. Pure; a guess, as all readings of User-Agent are."""

from __future__ import annotations

import re

_PROGRAMS = (  # the first that fits: nearly all call themselves Chrome or Safari as well
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"OPR/|Opera")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/")),
    ("Vivaldi", re.compile(r"Vivaldi/")),
    ("Firefox", re.compile(r"Firefox/|FxiOS/")),
    ("Chrome", re.compile(r"Chrome/|CriOS/|Chromium/")),
    ("Safari", re.compile(r"Version/[\d.]+ .*Safari/")),
)
_SYSTEMS = (
    ("iPhone", re.compile(r"iPhone|iPod")),
    ("iPad", re.compile(r"iPad")),
    ("Android", re.compile(r"Android")),
    ("ChromeOS", re.compile(r"CrOS")),
    ("Windows", re.compile(r"Windows")),
    ("Mac", re.compile(r"Macintosh|Mac OS X")),
    ("Linux", re.compile(r"Linux|X11")),
)
PHONES = ("iPhone", "Android")


def described(user_agent: str | None) -> str:
    """A browser and what it runs on: `Firefox on Windows`."""
    program, system = _first(_PROGRAMS, user_agent or ""), _first(_SYSTEMS, user_agent or "")
    if program and system:
        return f"{program} on {system}"
    return program or (f"A browser on {system}" if system else "An unknown browser")


def is_phone(user_agent: str | None) -> bool:
    """Whether it runs on a phone, as far as can be told."""
    return _first(_SYSTEMS, user_agent or "") in PHONES


def _first(known: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str:
    return next((name for name, pattern in known if pattern.search(text)), "")
