"""Measures what the gateway adds to a call: CPU and waiting, by its doors and beside nginx and other MCP servers.

All ways lead to one desk. They take turns in short bursts, so that whatever else the machine does weighs on all of
them, and what a way adds is told burst by burst against the desk's own API.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import uvloop

from bench import gateway_parts as parts
from bench.gateway_clients import Answered
from bench.gateway_ways import AGENT, DIRECT, MCP, ORDER, SCOPED, UNSCOPED, Case, Way, World, failure, world
from bench.serve import BASE_URL, GATEWAY_URL

CASES: tuple[Case, ...] = ("read", "list", "note")
TOLD = {
    "read": "read one conversation with its threads",
    "list": "list 25 conversations",
    "note": "add a note",
}
CLIENTS = (1, 8)
ADDED_MS, TOOL_MS, DECISION_US, VERIFIED = 1.0, 2.0, 5.0, 50_000
SETTLED_S = 0.02
"""After a burst the gateway still writes down how the last calls ended."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured, and how long."""

    conversations: int
    rounds: int
    burst: int
    cases: Sequence[Case]
    peers: bool
    parts: bool
    folder: Path


@dataclass(slots=True)
class Measured:
    """A way's bursts in one case with so many clients: CPU per call in each, and how long every call took."""

    desk_ms: list[float] = field(default_factory=list)
    other_ms: list[float] = field(default_factory=list)
    waited_ms: list[float] = field(default_factory=list)

    @property
    def cpu_ms(self) -> list[float]:
        """Of all processes on the way."""
        return [desk + other for desk, other in zip(self.desk_ms, self.other_ms, strict=True)]

    def waited(self, share: float) -> float:
        """How long so large a share of the calls took at most, in milliseconds."""
        found = sorted(self.waited_ms)
        return found[min(len(found) - 1, int(len(found) * share))]


Table = dict[str, Measured]


# ---------------------------------------------------------------------------------------------------------------------
# Bursts


class Bench:
    """Drives all ways in turns."""

    def __init__(self, there: World, runner: asyncio.Runner, options: Options) -> None:
        self._there = there
        self._runner = runner
        self._options = options
        self._asked = 0

    def compare(self) -> None:
        """Stop unless every way answers, and all of the API with the same bytes; the ways are warm then."""
        for case in self._options.cases:
            numbers = range(len(self._there.ids))[: 20 if self._options.rounds < 5 else 100]
            bodies = {}
            for way in self._there.ways:
                found = self._send(way, case, numbers, 1)
                bodies[way.name] = [one.body.replace(GATEWAY_URL.encode(), BASE_URL.encode()) for one in found]
                if way.door != "rest" and case != "note":
                    self._require_ids(way, case, numbers, found)
            for way in self._there.ways:
                if way.door == "rest" and bodies[way.name] != bodies[DIRECT]:
                    sys.exit(f"{case} by {way.name}: other bytes than the desk's API")

    def measure(self, case: Case, clients: int) -> Table:
        """All ways in one case, in rounds; each round begins with another way."""
        table: Table = {way.name: Measured() for way in self._there.ways}
        for turn in range(self._options.rounds):
            ways = self._there.ways[turn % len(table) :] + self._there.ways[: turn % len(table)]
            for way in ways:
                self._burst(way, case, clients, table[way.name])
        return table

    def _burst(self, way: Way, case: Case, clients: int, into: Measured) -> None:
        count = max(1, self._options.burst * 2 // 5) if way.slow else self._options.burst
        numbers = range(self._asked, self._asked + count)
        self._asked += count
        before = self._there.cpu_ms(way)
        found = self._send(way, case, numbers, clients)
        time.sleep(SETTLED_S)
        after = self._there.cpu_ms(way)
        into.desk_ms.append((after[0] - before[0]) / count)
        into.other_ms.append((after[1] - before[1]) / count)
        into.waited_ms += [one.seconds * 1000 for one in found]

    def _send(self, way: Way, case: Case, numbers: range, clients: int) -> list[Answered]:
        found = self._runner.run(way.caller.send(way.calls(case, numbers, self._there.ids), clients))
        wrong = next((words for one in found if (words := failure(way, one))), None)
        if wrong is not None or len(found) != len(numbers):
            sys.exit(f"{case} by {way.name}: {wrong or 'answers are missing'}")
        return found

    def _require_ids(self, way: Way, case: Case, numbers: Iterable[int], found: Sequence[Answered]) -> None:
        for number, one in zip(numbers, found, strict=True):
            result = msgspec.json.encode(msgspec.json.decode(one.body)["result"]["structuredContent"])
            if case == "read" and str(self._there.ids[number]).encode() not in result:
                sys.exit(f"{case} by {way.name}: another conversation")
            if case == "list" and sum(str(id).encode() in result for id in self._there.ids) != 25:
                sys.exit(f"{case} by {way.name}: not 25 conversations of the inbox")


def run(options: Options) -> bool:
    """Measure and report; gives whether every target is met."""
    met, load = True, os.getloadavg()[0]
    if options.parts:
        met = report_parts(options.rounds)
    with (
        world(options.folder, options.conversations, peers=options.peers) as there,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        bench = Bench(there, runner, options)
        bench.compare()
        for case in options.cases:
            tables = {clients: bench.measure(case, clients) for clients in CLIENTS}
            met = report(case, tables) and met
        for way in there.ways:
            runner.run(way.caller.close())
        for words in there.left_out:
            say(f"\nLeft out: {words}")
    say(f"\nLoad average when it began {load:.1f}, at the end {os.getloadavg()[0]:.1f} (this run is about 1 of it).")
    return met


# ---------------------------------------------------------------------------------------------------------------------
# The report


def report(case: Case, tables: dict[int, Table]) -> bool:
    """One table for each case; gives whether its targets are met."""
    say(f"\n### {TOLD[case].capitalize()}\n")
    say(
        "| by way of | CPU of a call, ms | of that the way's own processes | added to the desk's API, ms "
        "| times the desk's API | p50, p99 ms, 1 client | p50, p99 ms, 8 clients | at most |"
    )
    say("|---|---|---|---|---|---|---|---|")
    met = True
    for name in (one for one in ORDER if one in tables[CLIENTS[0]]):
        cells, missed = _row(name, tables)
        met = met and not missed
        say(f"| {' | '.join(cells)} |")
    return met


def _row(name: str, tables: dict[int, Table]) -> tuple[list[str], bool]:
    both = [tables[clients] for clients in CLIENTS]
    found = [table[name] for table in both]
    cpu = [statistics.median(one.cpu_ms) for one in found]
    own = [statistics.median(one.other_ms) for one in found]
    added = [statistics.median(differences(table, name)) for table in both]
    times = [statistics.median(ratios(table, name)) for table in both]
    target, missed = _target(name, cpu, added)
    cells = [
        name,
        _pair(cpu),
        _pair(own) if any(own) else "",
        "" if name == DIRECT else _pair(added),
        "" if name == DIRECT else _pair(times, ".2f"),
        *(f"{one.waited(0.5):.2f}, {one.waited(0.99):.2f}" for one in found),
        f"{target}{' **missed**' if missed else ''}",
    ]
    return cells, missed


def _target(name: str, cpu: Sequence[float], added: Sequence[float]) -> tuple[str, bool]:
    """What a way may cost at most, and whether it costs more, with one client or with several."""
    if name in (AGENT, SCOPED, UNSCOPED):
        return f"{ADDED_MS} added", max(added) > ADDED_MS
    if name == MCP:
        return f"{TOOL_MS}", max(cpu) > TOOL_MS
    return "", False


def _pair(values: Sequence[float], form: str = ".3f") -> str:
    return ", ".join(f"{one:{form}}" for one in values)


def differences(table: Table, name: str) -> list[float]:
    """What a way cost beyond the desk's API, burst beside burst."""
    return [ours - base for ours, base in zip(table[name].cpu_ms, table[DIRECT].cpu_ms, strict=True)]


def ratios(table: Table, name: str) -> list[float]:
    """How many times the desk's API a way cost, burst beside burst."""
    return [ours / base for ours, base in zip(table[name].cpu_ms, table[DIRECT].cpu_ms, strict=True)]


def report_parts(rounds: int) -> bool:
    """The single parts; gives whether their targets are met."""
    say("\n### Parts\n\n| part | measured | target |\n|---|---|---|")
    decided = parts.decisions(rounds * 100)
    for name, taken in decided.items():
        say(f"| decision: {name} | {taken:.1f} µs | |")
    middle = statistics.median(decided.values())
    met = middle <= DECISION_US
    say(f"| decision, p50 of these | {middle:.1f} µs | ≤ {DECISION_US:.0f} µs{_missed(not met)} |")
    for clients in CLIENTS:
        logged = parts.logging(rounds * 100, clients)
        say(
            f"| both audit records of a call, {clients} at a time | {logged.cpu_us:.0f} µs CPU; the first committed "
            f"within {logged.p50_ms:.2f} ms, p50 | |"
        )
    verified = parts.verifying(rounds * 1_250, 5)
    for name, rate in (("an export", verified.export), ("the database", verified.database)):
        missed = rate < VERIFIED
        met = met and not missed
        say(f"| records verified a second, in {name} | {rate:,.0f} | ≥ {VERIFIED:,}{_missed(missed)} |")
    return met


def _missed(missed: bool) -> str:
    return " **missed**" if missed else ""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=16, help="how often the ways take turns in a case")
    parser.add_argument("--burst", type=int, default=25, help="calls of a way in a turn; of a slow one two fifths")
    parser.add_argument("--case", choices=CASES, action="append", help="only this one")
    parser.add_argument("--no-peers", action="store_true", help="without fastmcp and mcp-proxy, which come from PyPI")
    parser.add_argument("--no-parts", action="store_true", help="only whole calls")
    parser.add_argument(
        "--data", type=Path, default=Path(tempfile.gettempdir(), "deskhand-bench"), help="keeps filled databases"
    )
    parser.add_argument("--quick", action="store_true", help="few calls, without what comes from PyPI: does it work?")
    given = parser.parse_args()
    options = Options(
        conversations=5000 if given.quick else given.conversations,
        rounds=2 if given.quick else given.rounds,
        burst=5 if given.quick else given.burst,
        cases=given.case or CASES,
        peers=not (given.quick or given.no_peers),
        parts=not given.no_parts,
        folder=given.data,
    )
    # A quick run is too short to judge by.
    sys.exit(0 if run(options) or given.quick else 1)


if __name__ == "__main__":
    main()
