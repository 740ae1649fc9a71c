"""The report about agents: their calls and refusals, how held calls ended, what became of their drafts."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from deskhand.db.engine import Reader
from deskhand.desk.inboxes import queries as inboxes
from deskhand.gateway import agent_numbers, agents
from deskhand.gateway.agent_numbers import Numbers
from deskhand.lib.clock import to_wire
from deskhand.web import words
from deskhand.web.pages import Asked, Pages
from deskhand.web.reports.asking import PERIODS, Asking, asking
from deskhand.web.reports.charts import WIDTH
from deskhand.web.reports.pages import TABS, Tile

PAGES = Pages("administrator")
CALLS = (("allowed", "Allowed"), ("held", "Held"), ("refused", "Refused"))
ENDED = (
    ("waiting", "Waiting"), ("executed", "Sent"), ("denied", "Denied"), ("returned", "Returned"),
    ("expired", "Expired"), ("failed", "Failed"),
)  # fmt: skip
DRAFTS = (("unchanged", "Sent as it was"), ("edited", "Sent edited"), ("dropped", "Dropped"), ("open", "Open"))


class Piece(msgspec.Struct, frozen=True):
    """A part of an agent's bar, in the drawing's units."""

    x: float
    width: float


class Line(msgspec.Struct, frozen=True):
    """An agent with its numbers, its two bars, and where in the log its calls are."""

    id: int
    name: str
    numbers: Numbers
    before: int
    calls: list[Piece]
    drafts: list[Piece]
    log: str


@PAGES.get("/reports/agents")
async def show(asked: Asked) -> Response:
    """Each agent in the days that are asked for."""
    zone = asked.actor.policy.timezone
    want = asking(asked.request.query_params, asked.web.clock.now().astimezone(words.zone(zone)).date(), zone)
    since, until = _moment(want, 0), _moment(want, want.days)
    earlier = _moment(want, -want.days)
    await asked.web.audit.settle()

    def read(db: Reader) -> tuple[list[tuple[int, str]], dict[int, Numbers], dict[int, Numbers]]:
        if want.inbox_id is not None:
            inboxes.seen_by(db, asked.actor, want.inbox_id)
        now = agent_numbers.numbers(db, asked.account_id, since, until, want.inbox_id)
        then = agent_numbers.numbers(db, asked.account_id, earlier, since, want.inbox_id) if want.compare else {}
        living = {one.id: one.name for one in agents.living(db, asked.account_id)}
        gone = [agents.by_id(db, asked.account_id, id) for id in now if id not in living]
        named = living | {one.id: f"{one.name} (deleted)" for one in gone if one is not None}
        return sorted(named.items(), key=lambda one: one[1].casefold()), now, then

    named, now, then = await asked.read(read, "slow")
    found = lines(want, named, now, then)
    return await asked.page(
        "reports/agents.html", want=want, periods=PERIODS, tabs=TABS, tiles=_tiles(want, found), lines=found,
        ended=ENDED, drafts=DRAFTS, calls=CALLS, width=WIDTH,
    )  # fmt: skip


def lines(want: Asking, named: list[tuple[int, str]], now: dict[int, Numbers], then: dict[int, Numbers]) -> list[Line]:
    """The agents with their bars, each as long as its number is beside the largest."""
    most_calls = max((one.calls for one in now.values()), default=0)
    most_drafts = max((one.drafts for one in now.values()), default=0)
    found = []
    for id, name in named:
        mine = now.get(id, Numbers())
        found.append(
            Line(
                id,
                name,
                mine,
                then[id].calls if id in then else 0,
                _pieces([getattr(mine, kind) for kind, _ in CALLS], most_calls),
                _pieces([getattr(mine, kind) for kind, _ in DRAFTS], most_drafts),
                _log(want, id),
            )  # fmt: skip
        )
    return found


def _pieces(counts: list[int], most: int) -> list[Piece]:
    pieces, x = [], 0.0
    for count in counts:
        width = round(WIDTH * count / most, 1) if most else 0.0
        pieces.append(Piece(round(x, 1), width))
        x += width
    return pieces


def _tiles(want: Asking, found: list[Line]) -> list[Tile]:
    calls, refused = sum(one.numbers.calls for one in found), sum(one.numbers.refused for one in found)
    before = sum(one.before for one in found)
    sent = sum(one.numbers.unchanged + one.numbers.edited for one in found)
    as_it_was = sum(one.numbers.unchanged for one in found)
    change = f"{before:,} in the days before" if want.compare else ""
    return [
        Tile("Calls", f"{calls:,}", change),
        Tile("Refused", f"{refused:,}", _percent(refused, calls)),
        Tile("Held for a person", f"{sum(one.numbers.held for one in found):,}"),
        Tile("Drafts sent as they were", f"{as_it_was:,}", _percent(as_it_was, sent, "of those sent")),
    ]


def _percent(part: int, whole: int, of: str = "of all") -> str:
    return f"{part / whole * 100:.0f} % {of}" if whole else ""


def _moment(want: Asking, days: int) -> str:
    """The beginning of a day, counted from the first one asked for, as it is stored."""
    day = want.first + timedelta(days=days)
    return to_wire(datetime(day.year, day.month, day.day, tzinfo=words.zone(want.zone)))


def _log(want: Asking, agent_id: int) -> str:
    given = {"agent": agent_id, "since": want.first.isoformat(), "until": (want.last + timedelta(days=1)).isoformat()}
    if want.inbox_id is not None:
        given["inbox"] = want.inbox_id
    return f"/console/log?{urlencode(given)}"
