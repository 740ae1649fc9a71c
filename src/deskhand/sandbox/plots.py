"""How conversations go: which steps follow each other, for each way of arriving and each status at the end.

A step is a letter, with the status it leaves behind: `!` closed, `~` pending, `.` active. The letters are the keys of
`telling.STEPS`.
"""

from __future__ import annotations

from random import Random

from deskhand.sandbox.phrasing import pick

FRESH_DAYS, SETTLED_DAYS = 7, 18
"""Younger ones are mostly still being worked on; of the settled ones some customers come back."""


def _weighted(*choices: tuple[int, str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(steps.split()) for weight, steps in choices for _ in range(weight))


_EMAIL = {
    "closed": _weighted(
        (52, "O F!"),
        (9, "O @ F!"),
        (7, "O N F!"),
        (5, "O H F!"),
        (6, "O A I F!"),
        (7, "O F~ T L!"),
        (4, "O @ A I F!"),
        (4, "O A I F~ T L!"),
        (4, "O F! G S!"),
        (2, "O F! G S! T L!"),
        (3, "O X F!"),
        (1, "O @ X N F~ T L!"),
        (1, "O A I N F! G S~ T L!"),
        (2, "O L!"),
        (1, "O @ A X A I N F! G S! Z B~ T L!"),
    ),
    "pending": _weighted(
        (40, "O A"),
        (25, "O F~"),
        (10, "O @ A"),
        (10, "O N A"),
        (10, "O A I F~"),
        (5, "O F! G S~"),
    ),
    "active": _weighted(
        (40, "O"),
        (18, "O @"),
        (6, "O H"),
        (6, "O N"),
        (8, "O D"),
        (8, "O A I"),
        (4, "O A I D"),
        (5, "O X"),
        (5, "O F! G"),
        (4, "O F."),
    ),
    "pending, old": _weighted((55, "O F! Z B~"), (15, "O A I F! Z B~"), (15, "O A"), (10, "O F~"), (5, "O N A")),
    "active, old": _weighted(
        (45, "O F! Z"),
        (12, "O F~ T L! Z"),
        (10, "O A I F! Z"),
        (8, "O F! Z D"),
        (8, "O F! Z @"),
        (6, "O F! Z N"),
        (6, "O"),
        (5, "O @ X"),
    ),
}

_PHONE = {
    "closed": _weighted((50, "C!"), (20, "C~ F!"), (20, "C. N F!"), (10, "C~ T L!")),
    "pending": _weighted((70, "C~"), (30, "C. F~")),
    "active": _weighted((60, "C."), (20, "C. @"), (20, "C. N")),
    "pending, old": _weighted((1, "C! Z B~")),
    "active, old": _weighted((1, "C! Z"), (1, "C! Z N")),
}

_CHAT = {
    "closed": _weighted((75, "K L!"), (15, "K T L!"), (10, "K N L!")),
    "pending": _weighted((1, "K L~")),
    "active": _weighted((1, "K"), (1, "K @")),
    "pending, old": _weighted((1, "K L! Z B~")),
    "active, old": _weighted((1, "K L! Z")),
}

_OUTREACH = {
    "closed": _weighted((40, "M!"), (40, "M~ I F!"), (20, "M~ T L!")),
    "pending": _weighted((1, "M~")),
    "active": _weighted((1, "M~ I")),
    "pending, old": _weighted((1, "M~"), (1, "M! Z B~")),
    "active, old": _weighted((1, "M! Z")),
}

PLOTS = {"email": _EMAIL, "phone": _PHONE, "chat": _CHAT, "outreach": _OUTREACH}


def status(rng: Random, age_days: float) -> str:
    """The status a conversation of that age is meant to end in, as a key of the plots (or spam)."""
    draw = rng.random()
    if draw < 0.05:
        return "spam"
    if age_days >= SETTLED_DAYS:
        return "active, old" if draw < 0.22 else "pending, old" if draw < 0.37 else "closed"
    older = ", old" if age_days > FRESH_DAYS and rng.random() < 0.4 else ""
    return f"active{older}" if draw < 0.42 else f"pending{older}" if draw < 0.69 else "closed"


def arrival(rng: Random, language: str, *, staffed: bool) -> str:
    """Email, phone, chat, or outreach (the shop writes first); all but email only while somebody is there."""
    draw = rng.random()
    if not staffed or draw > 0.27:
        return "email"
    if draw < 0.11:
        return "chat"
    if draw < 0.19:
        return "phone" if language == "en" else "email"
    return "outreach"


def plot(rng: Random, arrival: str, status: str) -> tuple[str, ...]:
    """The steps of one conversation."""
    return pick(rng, PLOTS[arrival][status])
