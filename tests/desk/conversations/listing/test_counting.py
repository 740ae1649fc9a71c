"""Numbers of what searches find: up to a limit, remembered, and not counted more often than they are worth."""

from __future__ import annotations

import pytest

from deskhand.db.engine import Reader
from deskhand.desk.conversations.listing import counting
from deskhand.desk.conversations.listing.counting import AT_LEAST_S, REMEMBERED_S, Counted, Numbers
from deskhand.desk.conversations.listing.filters import Wanted
from deskhand.desk.conversations.listing.search import read as query
from tests.desk.conversations.builders import done, patch, start
from tests.world import Desk


class Time:
    """A clock that is set by hand; each count takes `cost` seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cost: float = 0.0) -> None:
        self.now, self.cost, self.counted = 1000.0, cost, 0
        plain = counting._number

        def number(db: Reader, wanted: Wanted) -> int:
            self.now += self.cost
            self.counted += 1
            return plain(db, wanted)

        monkeypatch.setattr(counting, "_number", number)

    def __call__(self) -> float:
        return self.now


def wanted(desk: Desk, text: str, inboxes: tuple[int, ...] | None = None) -> Wanted:
    asked = Wanted(desk.account_id, desk.user_id, inboxes, "all")
    if not text:
        return asked
    return Wanted(
        desk.account_id, desk.user_id, inboxes, "all", search=query(text, desk.account_id, desk.server.clock.now())
    )


def at_once(most: int = 100) -> Numbers:
    """Numbers for which no time passes."""
    return Numbers(lambda: 0.0, most)


def count(desk: Desk, numbers: Numbers, *searches: Wanted, mark: object = 1) -> Counted:
    asked = dict(enumerate(searches))
    return desk.server.app.database.read_now(lambda db: numbers.of(db, asked, mark), "slow")


def test_each_search_finds_as_many_as_its_list_has(desk: Desk) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox()
    for number in range(3):
        start(desk, inbox, subject=f"Lamp {number}", tags=["vip"] if number else [])
    far = start(desk, other, subject="Lamp far off")
    done(patch(desk, far, "/status", "closed"))
    texts = ("", "lamp", "-lamp", "tag:vip", "status:closed", "status:open -tag:vip", "tag:none")
    assert list(count(desk, at_once(), *(wanted(desk, one) for one in texts)).numbers.values()) == [4, 4, 0, 2, 1, 1, 0]
    narrow = count(desk, at_once(), *(wanted(desk, one, (inbox,)) for one in texts))
    assert narrow == Counted(dict(enumerate([3, 3, 0, 2, 0, 1, 0])), None)
    assert count(desk, at_once(), wanted(desk, "lamp", ())).numbers == {0: 0}


def test_no_more_are_counted_than_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST", 2)
    inbox = desk.add_inbox()
    for _ in range(3):
        start(desk, inbox, subject="Lamp", tags=["vip"])
    searches = [wanted(desk, one) for one in ("", "lamp", "tag:vip", "status:active")]
    assert set(count(desk, at_once(), *searches).numbers.values()) == {2}


def test_what_was_counted_is_told_until_something_changes_and_some_seconds_longer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, time = desk.add_inbox(), Time(monkeypatch)
    numbers, lamps = Numbers(time), wanted(desk, "subject:lamp")
    start(desk, inbox, subject="Lamp")
    assert count(desk, numbers, lamps) == Counted({0: 1}, None)
    start(desk, inbox, subject="Lamp")
    time.now += AT_LEAST_S - 2
    assert count(desk, numbers, lamps, mark=2) == Counted({0: 1}, 2.0), "it is said when to ask again"
    time.now += 2
    assert count(desk, numbers, lamps, mark=2) == Counted({0: 2}, None)
    time.now += REMEMBERED_S - 1
    assert count(desk, numbers, lamps, mark=2) == Counted({0: 2}, None) and time.counted == 2
    time.now += 1
    count(desk, numbers, lamps, mark=2)
    assert time.counted == 3, "time passes: what is asked for may be of the last hour"


def test_what_is_dear_is_counted_the_more_seldom_and_holds_up_no_more_than_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, time = desk.add_inbox(), Time(monkeypatch, cost=0.5)
    numbers, searches = Numbers(time), [wanted(desk, one) for one in ("lamp", "wick")]
    start(desk, inbox, subject="Lamp")
    assert count(desk, numbers, *searches) == Counted({0: 1}, 5.0), "the other one is left to the next call"
    assert count(desk, numbers, *searches) == Counted({0: 1, 1: 0}, None)
    time.now += 40
    assert count(desk, numbers, *searches, mark=2).numbers == {0: 1, 1: 0} and time.counted == 2
    time.now += 20
    count(desk, numbers, *searches, mark=2)
    assert time.counted == 3


def test_who_sees_other_inboxes_gets_other_numbers_and_what_is_long_ago_is_forgotten(desk: Desk) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox()
    start(desk, inbox)
    numbers = at_once(most=2)
    for inboxes, there in ((None, 1), ((other,), 0), ((inbox,), 1), ((inbox, other), 1)):
        assert count(desk, numbers, wanted(desk, "status:active", inboxes)).numbers == {0: there}
    assert len(numbers._known) == 2
