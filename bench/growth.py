"""Measures how the product's answers slow down as an account grows: 10,000, 100,000 and 1,000,000 conversations.

Each size has a server process of its own; one connection to each asks in turn, a few dozen requests at a time, so that
what else the machine does weighs on all sizes alike. Filled databases are kept in a folder from run to run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec
import uvloop

from bench import data, growth_data
from bench.run import Client, Server, say
from deskhand.db.database import open_database
from deskhand.lib.clock import to_wire
from tests import postgresql

SIZES = (10_000, 100_000, 1_000_000)
PAGE_SIZE, FAR = 25, 4_000
ROUNDS, BURST = 20, 25
SEARCHES = 200
WALKED = 40
"""So many pages at either end of a walk are compared."""


@dataclass
class Grown:
    """A size, its server, and the milliseconds that each case took."""

    count: int
    server: Server
    runner: asyncio.Runner
    took: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, case: str, requests: Sequence[bytes], *, measured: bool = True) -> None:
        """Send requests one after the other."""
        client = Client(self.runner, self.server, 1)  # the server closes connections that are idle for seconds
        try:
            [connection] = client.send(requests)
        finally:
            client.close()
        if measured:
            self.took.setdefault(case, []).extend(seconds * 1000 for seconds in connection.seconds)

    def get(self, path: str) -> bytes:
        return self.server.request("GET", path, data.OWNER)

    def median(self, case: str) -> float:
        return statistics.median(self.took[case])

    def p99(self, case: str) -> float:
        return sorted(self.took[case])[len(self.took[case]) * 99 // 100]


@contextlib.contextmanager
def servers(folder: Path, database: str, sizes: Sequence[int]) -> Iterator[list[Grown]]:
    """A server for each size on a copy of its filled database, and a connection to it."""
    with contextlib.ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="growth-", dir=folder)))
        server_url = stack.enter_context(postgresql.running()) if database == "postgresql" else ""
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        grown = []
        for count in sizes:
            own, url = temporary / str(count), ""
            told = data.told(f"{database} ({count:,})")
            if server_url:
                own.mkdir()
                name = data.fill_postgresql(server_url, folder, count, told, growth_data.Growing())
                url = postgresql.create_database(server_url, f"growth{count}", name)
            else:
                data.copy_sqlite(data.sqlite(folder, count, told, growth_data.Growing()), own)
            opened = open_database(url, own)
            tokens = data.issue_tokens(opened)
            opened.close()
            server = Server("product", own, url, tokens)
            stack.callback(server.stop)
            grown.append(Grown(count, server, runner))
        yield grown


# ---------------------------------------------------------------------------------------------------------------------
# What is asked


def in_turn(sizes: Sequence[Grown], case: str, requests: Callable[[Grown, int], bytes], rounds: int = ROUNDS) -> None:
    """The same case on all sizes, a burst each time; the first round only warms up."""
    for turn in range(rounds + 1):
        for grown in sizes:
            numbers = range(turn * BURST, (turn + 1) * BURST)
            grown.ask(case, [requests(grown, number) for number in numbers], measured=turn > 0)


def page(grown: Grown, number: int) -> bytes:
    return grown.get("/v2/conversations")


def conversation(grown: Grown, number: int) -> bytes:
    return grown.get(f"/v2/conversations/{_some(grown, number)}?embed=threads")


def reply(grown: Grown, number: int) -> bytes:
    id = _some(grown, number)
    body = {"customer": {"email": "growth@shop.example"}, "text": f"<p>Your order no. {number} left us today.</p>"}
    path = f"/v2/conversations/{id}/reply"
    return grown.server.request("POST", path, data.OWNER, msgspec.json.encode(body))


def _some(grown: Grown, number: int) -> int:
    """Another conversation each time, of any age."""
    return data.FIRST_CONVERSATION + random.Random(number).randrange(grown.count)


def asked_words(grown: Grown) -> dict[str, list[str]]:
    """Words by how common they are, none twice."""
    known, pick = growth_data.words(), random.Random(3)
    orders = [growth_data.order_number(pick.randrange(grown.count)) for _ in range(SEARCHES // 2)]
    return {
        "common": pick.sample(known[50:250], SEARCHES),
        "middle": pick.sample(known[400:4000], SEARCHES),
        "rare": orders + pick.sample(known[20_000:], SEARCHES - len(orders)),
    }


def search(sizes: Sequence[Grown]) -> None:
    """Every word once in all conversations, every second one among the active ones: page and total, newest first."""
    words = {grown.count: asked_words(grown) for grown in sizes}
    for first in range(0, SEARCHES, BURST):
        for kind in ("common", "middle", "rare"):
            for grown in sizes:
                asked = words[grown.count][kind][first : first + BURST]
                paths = [
                    f"/v2/conversations?query={quote(f'({word})')}&status={'active' if number % 2 else 'all'}"
                    for number, word in enumerate(asked)
                ]
                grown.ask(f"search, {kind} words", [grown.get(path) for path in paths])
    for grown in sizes:
        every = (grown.took[f"search, {kind} words"] for kind in ("common", "middle", "rare"))
        grown.took["search"] = [took for kind in every for took in kind]
        path = f"/v2/conversations?query={growth_data.words()[0]}&status=all"
        grown.ask("search, the commonest word", [grown.get(path)] * 5)


def walk(sizes: Sequence[Grown]) -> None:
    """From page 1 to page 4,000 or the last, one after the other; some at either end are compared."""
    for grown in sizes:
        last = min(FAR, grown.count // PAGE_SIZE)
        pages = [grown.get(f"/v2/conversations?status=all&page={number}") for number in range(1, last + 1)]
        # Where the first ones are asked is warm by then.
        grown.ask("walk", pages[:WALKED], measured=False)
        grown.ask("page 1", pages[:WALKED])
        for start in range(WALKED, last - WALKED, 500):
            grown.ask("walk", pages[start : min(start + 500, last - WALKED)])
        grown.ask(f"page {FAR:,}", pages[-WALKED:])


REPORTS = {
    "conversations": "",
    "productivity": "",
    "productivity, office hours": "officeHours=true",
    "productivity/response-time": "viewBy=week",
    "productivity/resolution-time": "viewBy=week",
    "company": "",
    "company/drilldown": "range=responseTime&rangeId=3",
    "user": f"user={data.OWNER}",
    "user/conversation-history": f"user={data.OWNER}&sortField=responseTime",
    "email": "",
}
"""Reports and what they are asked for beside the span; what stands behind a comma is only said."""


def report(sizes: Sequence[Grown]) -> None:
    """Reports over the last 90 days."""
    start, end = to_wire(data.NEWEST - timedelta(days=90)), to_wire(data.NEWEST)
    for name, more in REPORTS.items():
        path = f"/v2/reports/{name.partition(',')[0]}?start={start}&end={end}&{more}"
        for _ in range(5):
            for grown in sizes:
                grown.ask(f"report: {name}", [grown.get(path)])


# ---------------------------------------------------------------------------------------------------------------------
# What is told


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: a case, how its times come to one number, and what is asked of it."""

    case: str
    name: str
    number: Callable[[Grown], float]
    target: str
    met: Callable[[list[float]], bool] = lambda numbers: True


def _grows(most: float) -> Callable[[list[float]], bool]:
    return lambda numbers: numbers[-1] <= numbers[0] * most


def _at_most(most: float) -> Callable[[list[float]], bool]:
    return lambda numbers: numbers[-1] <= most


def lines(sizes: Sequence[Grown]) -> Iterator[Line]:
    """What is told of what was measured."""
    for case, name in (("page", "page of 25"), ("conversation", "one conversation"), ("reply", "a reply")):
        yield Line(case, name, lambda grown, case=case: grown.median(case), "largest / smallest ≤ 1.3", _grows(1.3))
    yield Line("search", "search, p50", lambda grown: grown.median("search"), "")
    yield Line("search", "search, p99", lambda grown: grown.p99("search"), "≤ 50 ms", _at_most(50))
    for case in ("search, common words", "search, middle words", "search, rare words"):
        yield Line(case, f"{case}, p50", lambda grown, case=case: grown.median(case), "")
        yield Line(case, f"{case}, p99", lambda grown, case=case: grown.p99(case), "")
    yield Line("search", "search, the commonest word", lambda grown: grown.median("search, the commonest word"), "")
    yield Line("page 1", "walked: page 1", lambda grown: grown.median("page 1"), "")
    far = f"page {FAR:,}"
    far_off = [grown.median(far) / grown.median("page 1") for grown in sizes]
    yield Line(
        far, f"walked: {far}, or the last", lambda grown: grown.median(far), "≤ 3 × page 1", lambda _: far_off[-1] <= 3
    )
    for report in REPORTS:
        case = f"report: {report}"
        # At 100,000 conversations 100 ms, at a million a second: what counts is the largest size there is.
        most = 1000 if sizes[-1].count > 100_000 else 100
        target = f"≤ {most:,} ms"
        yield Line(case, f"{case}, 90 days", lambda grown, case=case: grown.median(case), target, _at_most(most))


def tell(sizes: Sequence[Grown], database: str) -> bool:
    """Print the table; whether all targets were met."""
    say(
        f"\n| {database}, ms | "
        + " | ".join(f"{grown.count:,}" for grown in sizes)
        + " | largest / smallest | target |"
    )
    say("|---|" + "---|" * (len(sizes) + 2))
    met = True
    for line in lines(sizes):
        if line.case in sizes[0].took:
            numbers = [line.number(grown) for grown in sizes]
            good = line.met(numbers)
            met &= good
            cells = [
                line.name,
                *(f"{number:,.2f}" for number in numbers),
                f"{numbers[-1] / numbers[0]:.2f}",
                line.target,
            ]
            say(f"| {' | '.join(cells)}{'' if good else ' **missed**'} |")
    return met


def run(database: str, counts: Sequence[int], folder: Path) -> bool:
    """Measure and print; whether all targets were met."""
    with servers(folder, database, counts) as sizes:
        in_turn(sizes, "page", page)
        in_turn(sizes, "conversation", conversation)
        search(sizes)
        walk(sizes)
        try:
            report(sizes)
        except RuntimeError as problem:
            say(f"no report: {str(problem)[:200]}")
        in_turn(sizes, "reply", reply)
        return tell(sizes, database)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--size", type=int, action="append", help="conversations; may be repeated, smallest first")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--data", type=Path, default=Path(tempfile.gettempdir(), "deskhand-bench"), help="keeps databases"
    )
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    sys.exit(0 if run(given.database, given.size or SIZES, given.data) else 1)


if __name__ == "__main__":
    main()
