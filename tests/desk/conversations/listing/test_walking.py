"""Walking through pages by where the last one ended: the same as by skipping, and steady when the list changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deskhand.desk.conversations.listing import finding, newest, walking
from deskhand.desk.conversations.listing.walking import REMEMBERED_S, End, Walks
from tests.desk.conversations.builders import patch, start
from tests.live import LiveServer
from tests.world import Desk, open_desk

SORTS = (
    "createdAt", "customerEmail", "customerName", "mailboxid", "modifiedAt", "number", "score", "status", "subject",
    "waitingSince",
)  # fmt: skip
LIST = b"a list"


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def walks(clock: Clock) -> Walks:
    return Walks(most=3, now=clock)


def test_the_end_of_a_page_is_remembered_for_the_next_one_and_no_other(walks: Walks) -> None:
    walks.serve(LIST, 4, End("2026", 7), 900)
    step = walks.before(LIST, 5)
    assert step is not None and (step.end, step.total) == (End("2026", 7), 900)
    assert walks.before(LIST, 4) is None
    assert walks.before(LIST, 6) is None
    assert walks.before(b"another list", 5) is None


def test_it_is_forgotten_after_a_minute(walks: Walks, clock: Clock) -> None:
    walks.serve(LIST, 1, End("2026", 7), 900)
    clock.seconds = REMEMBERED_S - 0.1
    assert walks.before(LIST, 2) is not None
    clock.seconds = REMEMBERED_S
    assert walks.before(LIST, 2) is None


def test_two_different_ends_of_a_page_leave_none_to_be_trusted(walks: Walks, clock: Clock) -> None:
    walks.serve(LIST, 1, End("2026", 7), 900)
    walks.serve(LIST, 1, End("2026", 7), 901)
    step = walks.before(LIST, 2)
    assert step is not None and step.total == 901
    walks.serve(LIST, 1, End("2026", 8), 900)
    assert walks.before(LIST, 2) is None
    walks.serve(LIST, 1, End("2026", 8), 900)
    assert walks.before(LIST, 2) is None, "whoever read the first end may still ask for its next page"
    clock.seconds = REMEMBERED_S
    walks.serve(LIST, 1, End("2026", 8), 900)
    assert walks.before(LIST, 2) is not None


def test_a_total_is_told_for_a_minute_however_far_the_walk_goes(walks: Walks, clock: Clock) -> None:
    walks.serve(LIST, 1, End("a", 1), 900)
    clock.seconds = 40
    first = walks.before(LIST, 2)
    assert first is not None and walks.still_counts(first)
    walks.serve(LIST, 2, End("b", 2), first.total, first.counted_at)
    clock.seconds = 65
    second = walks.before(LIST, 3)
    assert second is not None and not walks.still_counts(second)
    assert not walks.still_counts(None)


def test_the_oldest_make_room(walks: Walks) -> None:
    for page in range(1, 5):
        walks.serve(LIST, page, End("a", page), 900)
    assert [page for page in range(1, 5) if walks.before(LIST, page + 1)] == [2, 3, 4]


# -- On the databases -------------------------------------------------------------------------------------------------

COUNT, SIZE = 27, 25
SUBJECTS = ("Zebra", "apple", "Äpfel", "Apple", "10 lamps", "_")


@pytest.fixture(scope="module")
def filled(server: LiveServer) -> Desk:
    """More than two pages, in which many share what they are sorted by. No test changes it."""
    desk = open_desk(server)
    inboxes = [desk.add_inbox(), desk.add_inbox()]
    for n in range(2 * COUNT):
        kind = "customer" if n % 3 else "note"
        start(
            desk, inboxes[n % 2], subject=SUBJECTS[n % 6], status=("active", "pending", "active", "closed")[n % 4],
            customer={"email": f"c{n % 5}@{desk.account_id}.example", "firstName": "Ann" if n % 2 else "Ben"},
            threads=[{"type": kind, "text": "tea", "createdAt": f"2026-01-{n % 4 + 1:02}T00:00:00Z"}],
            imported=True, createdAt=f"2026-01-{n % 4 + 1:02}T00:00:00Z",
        )  # fmt: skip
    return desk


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Walks:
    """Nothing is remembered yet."""
    walks = Walks()
    for module in (finding, newest, walking):
        monkeypatch.setattr(module, "WALKS", walks)
    return walks


def page(desk: Desk, number: int, **asked: object) -> tuple[list[int], int]:
    body = desk.get("/v2/conversations", **{"status": "all", "page": number} | asked).json()
    return [one["id"] for one in body["_embedded"]["conversations"]], body["page"]["totalElements"]


@pytest.mark.parametrize("query", [None, "body:tea", "NOT tag:none", 'subject:"apple" OR subject:zebra OR lamps'])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_walked_pages_are_those_that_skipping_gives(
    filled: Desk, fresh: Walks, sort: str, order: str, query: str | None
) -> None:
    asked = {"sortField": sort, "sortOrder": order, "status": "all"} | ({"query": query} if query else {})
    walked = [page(filled, number, **asked) for number in (1, 2, 3)]
    assert len(fresh._served) == len([ids for ids, _ in walked if len(ids) == SIZE]) > 0
    for number in (1, 2, 3):
        fresh._served.clear()
        assert page(filled, number, **asked) == walked[number - 1]


def test_only_the_first_page_is_skipped_to(filled: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def skipped(shape: object) -> None:
        raise AssertionError("skipped")

    expected = page(filled, 2)
    page(filled, 1)
    monkeypatch.setattr(finding, "_page", skipped)
    assert page(filled, 2) == expected
    assert filled.get("/v2/conversations", status="all", page=2, sortOrder="asc").status_code == 500


def test_another_user_or_another_list_does_not_go_on_where_this_one_ended(filled: Desk, fresh: Walks) -> None:
    other = filled.as_user(filled.add_user(role="admin"))
    page(filled, 1)
    before = set(fresh._served)
    page(other, 1)
    page(filled, 1, sortField="number")
    page(filled, 1, query="body:tea")
    page(filled, 1, query="body:te*")
    assert len(set(fresh._served) - before) == 4


def test_what_comes_and_goes_meanwhile_neither_repeats_nor_hides_the_rest(desk: Desk) -> None:
    inbox = desk.add_inbox()
    for query in ({}, {"query": "body:tea"}):
        ids = []
        for _ in range(2 * SIZE + 3):
            desk.server.clock.advance(timedelta(seconds=1))
            ids.append(start(desk, inbox, threads=[{"type": "note", "text": "tea"}]))
        ids.reverse()
        first, total = page(desk, 1, status="active", **query)
        assert (first, total) == (ids[:SIZE], len(ids))
        desk.server.clock.advance(timedelta(seconds=1))
        new = [start(desk, inbox, threads=[{"type": "note", "text": "tea"}]) for _ in range(2)]
        assert patch(desk, ids[3], "/status", "closed").status_code == 204
        assert desk.delete(f"/v2/conversations/{ids[SIZE + 1]}").status_code == 204
        second, total = page(desk, 2, status="active", **query)
        third, _ = page(desk, 3, status="active", **query)
        assert second + third == [id for id in ids[SIZE:] if id != ids[SIZE + 1]]
        if not query:
            assert total == len(ids) + len(new) - 2
        for id in (*ids, *new):
            desk.delete(f"/v2/conversations/{id}")


def test_a_new_walk_after_a_change_sees_what_is_there_now(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ids = []
    for _ in range(2 * SIZE + 3):
        desk.server.clock.advance(timedelta(seconds=1))
        ids.append(start(desk, inbox, threads=[{"type": "note", "text": "tea"}]))
    for query in ({}, {"query": "body:tea"}):
        page(desk, 1, **query), page(desk, 2, **query)
        desk.server.clock.advance(timedelta(seconds=1))
        ids.append(start(desk, inbox, threads=[{"type": "note", "text": "tea"}]))
        found = [page(desk, number, **query) for number in (1, 2, 3)]
        assert [id for page_ids, _ in found for id in page_ids] == ids[::-1]
        assert {total for _, total in found} == {len(ids)}
