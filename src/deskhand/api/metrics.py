"""Figures about calls and lanes, for Prometheus.

They are plain numbers, changed on the event loop and nowhere else, so that counting a call needs no lock. Where several
worker processes share one port, each writes its figures into a shared folder every other second; whichever is asked
answers with those of all, told apart by the label `worker` (a process id).
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from deskhand import __version__
from deskhand.db.engine import Lane, LaneName, Load
from deskhand.desk.checking.mail import Figures as MailFigures
from deskhand.lib.clock import from_wire
from deskhand.mail.inbound import WAYS, Way
from deskhand.outbox.jobs import Tally

BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNKNOWN = "unknown"
"""The operation of calls that were refused before it was known: no token, no units left, no such path."""
SHARE_EVERY_S = 2.0
GONE_AFTER_S = 10.0
"""A worker whose figures are older than this is no longer there."""
_CLASSES = ("2xx", "3xx", "4xx", "5xx")


class _Figures:
    """What is counted about one operation."""

    __slots__ = ("by_class", "seconds", "slots")

    def __init__(self) -> None:
        self.by_class = [0] * 10  # by the first digit of the status
        self.slots = [0] * (len(BOUNDS_S) + 1)  # calls by the first bound they did not exceed
        self.seconds = 0.0


class Snapshot(msgspec.Struct):
    """All figures of one process at one moment: calls by operation, and lanes."""

    statuses: dict[str, list[int]]
    durations: dict[str, tuple[list[int], float]]
    limited: int
    lanes: dict[str, Load]
    mail: dict[str, int] = {}


class Metrics:
    """The figures of one application."""

    def __init__(self, operations: Iterable[str], lanes: Mapping[LaneName, Lane]) -> None:
        self._unknown = _Figures()
        self._operations = {name: _Figures() for name in operations} | {UNKNOWN: self._unknown}
        self._lanes = lanes
        self._limited = 0
        self._mail: dict[str, int] = dict.fromkeys(WAYS, 0)
        self._folder: Path | None = None
        self._writing = threading.Lock()

    def called(self, operation: str | None, status: int, seconds: float) -> None:
        """Count a finished call; `operation` is None where it never became known."""
        figures = self._operations.get(operation, self._unknown)  # type: ignore[arg-type]
        figures.by_class[status // 100] += 1
        figures.slots[bisect_left(BOUNDS_S, seconds)] += 1
        figures.seconds += seconds
        if status == 429:
            self._limited += 1

    def mail_received(self, way: Way) -> None:
        """Count a message that was kept."""
        self._mail[way] += 1

    def share_in(self, folder: Path) -> None:
        """Put the figures of this worker process together with those of others that share the folder."""
        self._folder = folder
        threading.Thread(target=self._keep_writing, args=(folder,), name="deskhand-metrics", daemon=True).start()

    def text(self, jobs: Iterable[Tally] = (), mail: MailFigures | None = None) -> bytes:
        """The figures in Prometheus' text format, with those of jobs and of mail. Slow: call it from a thread."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Told(self._all()))
        registry.register(_Jobs(jobs))
        if mail is not None:
            registry.register(_Mail(mail))
        return generate_latest(registry)

    def snapshot(self) -> Snapshot:
        """This process's figures."""
        operations = self._operations.items()
        return Snapshot(
            statuses={name: list(figures.by_class) for name, figures in operations},
            durations={name: (list(figures.slots), figures.seconds) for name, figures in operations},
            limited=self._limited,
            lanes={name: lane.load for name, lane in self._lanes.items()},
            mail=dict(self._mail),
        )

    def _all(self) -> dict[str, Snapshot]:
        if self._folder is None:
            return {"": self.snapshot()}
        # Its own from the file too: were they newer than what others tell of it, its counters would seem to fall.
        self._write(self._folder)
        return _read(self._folder)

    def _keep_writing(self, folder: Path) -> None:
        while folder.is_dir():
            with suppress(OSError):  # the disk is full, or the folder was just removed
                self._write(folder)
            time.sleep(SHARE_EVERY_S)

    def _write(self, folder: Path) -> None:
        with self._writing:
            path = folder / f"{os.getpid()}.json"
            temporary = path.with_suffix(".new")
            temporary.write_bytes(msgspec.json.encode(self.snapshot()))
            temporary.replace(path)


def _read(folder: Path) -> dict[str, Snapshot]:
    found = {}
    for file in folder.glob("*.json"):
        try:
            if time.time() - file.stat().st_mtime < GONE_AFTER_S:
                found[file.stem] = msgspec.json.decode(file.read_bytes(), type=Snapshot)
        except FileNotFoundError:  # its worker's folder is being removed
            continue
    return found


class _Told(Collector):
    """Snapshots of workers as Prometheus' families; a single nameless worker gets no label of its own."""

    def __init__(self, workers: dict[str, Snapshot]) -> None:
        self._workers = sorted(workers.items())
        self._label = () if "" in workers else ("worker",)

    def collect(self) -> Iterable[Metric]:
        yield InfoMetricFamily("deskhand_build", "The version that runs.", {"version": __version__})
        yield self._calls()
        yield self._durations()
        yield self._limited()
        yield self._received()
        yield from self._lanes()

    def _calls(self) -> Metric:
        calls = CounterMetricFamily(
            "deskhand_calls", "Finished API calls.", labels=(*self._label, "operation", "status")
        )
        for worker, snapshot in self._each():
            for operation, counts in snapshot.statuses.items():
                for name in _CLASSES:
                    calls.add_metric((*worker, operation, name), counts[int(name[0])])
        return calls

    def _durations(self) -> Metric:
        durations = HistogramMetricFamily(
            "deskhand_call_seconds", "How long API calls took.", labels=(*self._label, "operation")
        )
        for worker, snapshot in self._each():
            for operation, (slots, seconds) in snapshot.durations.items():
                durations.add_metric((*worker, operation), _buckets(slots), seconds)
        return durations

    def _limited(self) -> Metric:
        limited = CounterMetricFamily("deskhand_rate_limited_calls", "API calls refused with 429.", labels=self._label)
        for worker, snapshot in self._each():
            limited.add_metric(worker, snapshot.limited)
        return limited

    def _received(self) -> Metric:
        received = CounterMetricFamily(
            "deskhand_mail_received", "Messages that came and were kept.", labels=(*self._label, "way")
        )
        for worker, snapshot in self._each():
            for way, count in snapshot.mail.items():
                received.add_metric((*worker, way), count)
        return received

    def _lanes(self) -> Iterator[Metric]:
        labels = (*self._label, "lane")
        for position, (name, words) in enumerate(
            (
                ("waiting", "Calls that wait for a thread of the database lane."),
                ("busy", "Threads of the database lane at work."),
                ("threads", "Threads that the database lane may have."),
            )
        ):
            family = GaugeMetricFamily(f"deskhand_lane_{name}", words, labels=labels)
            for worker, snapshot in self._each():
                for lane, load in snapshot.lanes.items():
                    family.add_metric((*worker, lane), load[position])
            yield family

    def _each(self) -> Iterator[tuple[tuple[str, ...], Snapshot]]:
        for worker, snapshot in self._workers:
            yield ((worker,) if self._label else ()), snapshot


class _Jobs(Collector):
    """The jobs in the database; they are all processes' together."""

    def __init__(self, tally: Iterable[Tally]) -> None:
        self._tally = tally

    def collect(self) -> Iterable[Metric]:
        count = GaugeMetricFamily(
            "deskhand_jobs", "Jobs that wait to be done or gave up (state failed).", labels=("kind", "state")
        )
        late = GaugeMetricFamily(
            "deskhand_jobs_late_seconds", "How long the first waiting job of a kind has been due.", labels=("kind",)
        )
        for row in self._tally:
            count.add_metric((row.kind, row.state), row.n)
            if row.state == "waiting":
                late.add_metric((row.kind,), max(0.0, time.time() - row.first_due_at / 1000))
        return (count, late)


class _Mail(Collector):
    """Mail that came, as the database has it; it is all processes' together."""

    def __init__(self, figures: MailFigures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        messages = GaugeMetricFamily(
            "deskhand_mail_messages", "Messages that wait to be read, or could not be.", labels=("state",)
        )
        age = GaugeMetricFamily(
            "deskhand_imap_last_look_age_seconds",
            "How long ago a mailbox could last be looked at.", labels=("inbox",),
        )  # fmt: skip
        failing = GaugeMetricFamily(
            "deskhand_imap_failing", "Whether the last look at a mailbox failed.", labels=("inbox",)
        )
        messages.add_metric(("waiting",), self._figures.waiting)
        messages.add_metric(("failed",), self._figures.failed)
        for one in self._figures.folders:
            age.add_metric((str(one.inbox_id),), max(0.0, time.time() - from_wire(one.checked_at).timestamp()))
            failing.add_metric((str(one.inbox_id),), float(bool(one.error)))
        return (messages, age, failing)


def _buckets(slots: list[int]) -> list[tuple[str, float]]:
    """Prometheus counts in each bucket also what is in the smaller ones."""
    total, buckets = 0, []
    for bound, count in zip((*BOUNDS_S, float("inf")), slots, strict=True):
        total += count
        buckets.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
    return buckets
