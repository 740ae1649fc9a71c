"""How many jobs a target may have under way."""

from __future__ import annotations

from deskhand.outbox.targets import FEW, MANY, QUICK_S, Targets


def fill(targets: Targets, target: str) -> int:
    began = 0
    while targets.room(target) > 0:
        targets.began(target)
        began += 1
    return began


def test_a_target_begins_with_few_and_is_busy_then():
    targets = Targets()
    assert fill(targets, "a") == FEW
    assert targets.busy() == ["a"]
    assert targets.room("b") == FEW


def test_a_quick_one_gets_more_and_more_up_to_many():
    targets = Targets()
    for _ in range(200):
        targets.began("a")
        targets.ended("a", well=True, seconds=0.01)
    assert fill(targets, "a") == MANY


def test_one_that_fails_or_is_slow_is_back_at_few():
    for well, seconds in ((False, 0.01), (True, 2 * QUICK_S)):
        targets = Targets()
        for _ in range(50):
            targets.began("a")
            targets.ended("a", well=True, seconds=0.01)
        targets.began("a")
        targets.ended("a", well=well, seconds=seconds)
        assert fill(targets, "a") == FEW


def test_nothing_is_kept_of_targets_without_jobs():
    targets = Targets()
    for number in range(5000):
        targets.began(str(number))
        targets.ended(str(number), well=True, seconds=0.01)
    assert targets.busy() == []
    assert len(targets._allowed) <= 1000
    assert not targets._running
