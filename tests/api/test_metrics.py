"""What is counted about calls, as Prometheus reads it."""

from __future__ import annotations

import json
import os
import time
import timeit
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deskhand import __version__
from deskhand.api.metrics import GONE_AFTER_S, Metrics
from deskhand.db.database import open_database

Labels = dict[str, str]


@pytest.fixture
def metrics(tmp_path: Path) -> Iterator[Metrics]:
    database = open_database("", tmp_path / "none")
    yield Metrics(["get_me", "list_tags"], database.lanes)
    database.close()


def read(metrics: Metrics, name: str, **labels: str) -> float:
    """One figure."""
    (found,) = [
        sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    ]
    return float(found)


def test_calls_are_counted_by_operation_and_class_of_status(metrics: Metrics):
    for status in (200, 204, 404, 503):
        metrics.called("get_me", status, 0.01)
    metrics.called(None, 401, 0.001)
    metrics.called("no_such_operation", 404, 0.001)
    assert read(metrics, "deskhand_calls_total", operation="get_me", status="2xx") == 2
    assert read(metrics, "deskhand_calls_total", operation="get_me", status="4xx") == 1
    assert read(metrics, "deskhand_calls_total", operation="get_me", status="5xx") == 1
    assert read(metrics, "deskhand_calls_total", operation="unknown", status="4xx") == 2
    assert read(metrics, "deskhand_calls_total", operation="list_tags", status="2xx") == 0


def test_durations_fall_into_buckets_that_hold_the_smaller_ones(metrics: Metrics):
    for seconds in (0.0005, 0.001, 0.003, 0.2, 60):
        metrics.called("get_me", 200, seconds)
    buckets = {
        le: read(metrics, "deskhand_call_seconds_bucket", operation="get_me", le=le)
        for le in ("0.001", "0.005", "0.25", "10.0", "+Inf")
    }
    assert buckets == {"0.001": 2, "0.005": 3, "0.25": 4, "10.0": 4, "+Inf": 5}
    assert read(metrics, "deskhand_call_seconds_count", operation="get_me") == 5
    assert read(metrics, "deskhand_call_seconds_sum", operation="get_me") == pytest.approx(60.2045)


def test_refusals_for_lack_of_units_have_a_number_of_their_own(metrics: Metrics):
    metrics.called(None, 429, 0.001)
    metrics.called("get_me", 400, 0.001)
    assert read(metrics, "deskhand_rate_limited_calls_total") == 1


def test_lanes_and_the_version_are_shown(metrics: Metrics):
    assert read(metrics, "deskhand_build_info", version=__version__) == 1
    assert read(metrics, "deskhand_lane_threads", lane="slow") == 2
    assert read(metrics, "deskhand_lane_busy", lane="write") == 0
    assert read(metrics, "deskhand_lane_waiting", lane="fast") == 0


def test_a_worker_answers_for_all_that_share_its_folder(metrics: Metrics, tmp_path: Path):
    folder = tmp_path / "figures"
    folder.mkdir()
    metrics.called("get_me", 200, 0.01)
    own = str(os.getpid())
    metrics.share_in(folder)
    wait_for(folder / f"{own}.json")
    (folder / "77.json").write_bytes((folder / f"{own}.json").read_bytes())
    (folder / "88.json").write_bytes((folder / f"{own}.json").read_bytes())
    long_ago = time.time() - GONE_AFTER_S - 1
    os.utime(folder / "88.json", (long_ago, long_ago))
    os.utime(folder / "77.json", (long_ago + 3600, long_ago + 3600))  # as young as it was, however long this takes
    metrics.called("get_me", 200, 0.01)
    assert read(metrics, "deskhand_calls_total", worker=own, operation="get_me", status="2xx") == 2
    assert read(metrics, "deskhand_calls_total", worker="77", operation="get_me", status="2xx") == 1
    assert 'worker="88"' not in metrics.text().decode()
    assert json.loads((folder / "77.json").read_bytes())["limited"] == 0


def test_counting_a_call_takes_less_than_five_microseconds(metrics: Metrics):
    count = 10_000
    called = timeit.Timer(lambda: metrics.called("get_me", 200, 0.003), timer=time.thread_time)
    assert any(called.timeit(count) / count < 5e-6 for _ in range(50))


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
