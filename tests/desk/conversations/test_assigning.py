"""New conversations that are given to users by themselves: whose turn it is, exactly once, told at the conversation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from deskhand.catalogue.inboxes import SetRouting
from deskhand.db.engine import Writer
from deskhand.desk.call import Actor, Policy
from deskhand.desk.conversations import assigning
from deskhand.desk.inboxes import routing
from deskhand.desk.inboxes.routing import Rotation, Setting, Turn, next_of
from deskhand.desk.users import changing
from deskhand.desk.users.changing import UserChange
from deskhand.outbox.jobs import NewJob, add_many, milliseconds
from tests.desk.conversations.builders import read, start
from tests.desk.conversations.passing import jobs_left
from tests.world import Desk


def rotation(method: Any, ids: list[int], owned: dict[int, int], out: tuple[int, ...] = ()) -> Rotation:
    setting = Setting("enabled", 9, method, msgspec.json.encode(ids).decode())
    turns = [Turn(id, owned.get(id, 0), "away" if id in out else None) for id in ids]
    return Rotation(setting, [*turns, Turn(99, 0, "not_in_rotation")])


@pytest.mark.parametrize(
    ("method", "last", "owned", "out", "expected"),
    [
        ("round_robin", None, {}, (), 7),
        ("round_robin", 7, {}, (), 5),
        ("round_robin", 6, {}, (), 7),  # the last in order: it begins again
        ("round_robin", 7, {}, (5,), 6),
        ("round_robin", 5, {}, (6, 7), 5),
        ("round_robin", 42, {7: 8}, (), 7),  # who got the last one is in rotation no longer
        ("round_robin", None, {}, (5, 6, 7), None),
        ("balanced", None, {7: 2, 5: 1, 6: 3}, (), 5),
        ("balanced", 7, {7: 1, 5: 1, 6: 1}, (), 5),  # those with equally many take turns
        ("balanced", 5, {7: 0, 5: 0, 6: 0}, (6,), 7),
    ],
)
def test_whose_turn_it_is(
    method: str, last: int | None, owned: dict[int, int], out: tuple[int, ...], expected: int | None
) -> None:
    assert next_of(rotation(method, [7, 5, 6], owned, out), last) == expected


def route(desk: Desk, inbox: int, *ids: int, **more: Any) -> None:
    body = {"state": "enabled", "assignmentLimit": 50, "assignmentMethod": "round_robin", "userIds": list(ids)} | more
    answer = desk.put(f"/v2/mailboxes/{inbox}/routing", body)
    assert answer.status_code == 204, answer.text


def owner(desk: Desk, id: int) -> int | None:
    return (read(desk, id).get("assignee") or {}).get("id")


def kept(desk: Desk, inbox: int, **more: Any) -> int:
    """A conversation that no job gives to anybody, so that a test can: imported ones are not new."""
    return start(desk, inbox, imported=True, **more)


def give(desk: Desk, *ids: int) -> list[int | None]:
    """Give conversations out as the job does, one after the other; who has them then."""
    for id in ids:
        desk.write(lambda tx, id=id: assigning.assign(tx, desk.account_id, id, desk.now))  # type: ignore[misc]
    return [owner(desk, id) for id in ids]


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


def items(desk: Desk, id: int) -> list[dict[str, Any]]:
    threads = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    return [one for one in threads if one["type"] == "lineitem"]


def test_a_new_conversation_is_given_to_somebody_by_itself_and_told(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ines, lea = (desk.add_user(name, inboxes=(inbox,)) for name in ("Ines", "Lea"))
    imported = kept(desk, inbox)
    route(desk, inbox, lea, ines)
    ids = [start(desk, inbox), start(desk, inbox)]
    eventually(lambda: all(owner(desk, id) for id in ids))
    assert {owner(desk, id) for id in ids} == {ines, lea}
    [told] = items(desk, ids[0])
    assert told["action"]["text"].startswith("Automatic assignment gave the conversation to ")
    assert told["createdBy"]["first"] == "Automatic assignment"
    assert owner(desk, imported) is None


def test_turns_go_round_and_nobody_gets_more_than_the_limit(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ids = [kept(desk, inbox) for _ in range(6)]
    ines, lea, ole = (desk.add_user(name, inboxes=(inbox,)) for name in ("Ines", "Lea", "Ole"))
    route(desk, inbox, ole, ines, lea, assignmentLimit=2)
    assert give(desk, *ids[:4]) == [ole, ines, lea, ole]
    assert desk.put(f"/v2/users/{ines}/status", {"status": "away"}).status_code == 204
    assert give(desk, *ids[4:]) == [lea, None]  # Ole and Lea have two each, and Ines is away
    assert desk.put(f"/v2/users/{ines}/status", {"status": "active"}).status_code == 204
    assert give(desk, ids[5]) == [ines]
    assert give(desk, ids[5]) == [ines] and len(items(desk, ids[5])) == 1  # twice does no harm
    route(desk, inbox, ole, ines, lea, assignmentMethod="balanced")
    more = [kept(desk, inbox) for _ in range(2)]
    closed = desk.patch(f"/v2/conversations/{ids[1]}", {"op": "replace", "path": "/status", "value": "closed"})
    assert closed.status_code == 204
    assert give(desk, *more)[0] == ines  # who has one, where the others have two


def test_what_does_not_wait_for_somebody_is_left_alone(desk: Desk) -> None:
    inbox, plain = desk.add_inbox(), desk.add_inbox()
    ines, lea = desk.add_user("Ines", inboxes=(inbox,)), desk.add_user("Lea", inboxes=(inbox, plain))
    route(desk, inbox, ines)
    mine, closed = kept(desk, inbox, assignTo=lea), kept(desk, inbox, status="closed")
    spam, elsewhere = kept(desk, inbox, status="spam"), kept(desk, plain)
    assert give(desk, mine, closed, spam, elsewhere) == [lea, None, None, None]
    desk.write(lambda tx: assigning.assign(tx, desk.account_id, 999_999_999, desk.now))
    route(desk, inbox, ines, state="disabled")
    assert give(desk, kept(desk, inbox)) == [None]


def test_many_at_once_are_given_out_evenly(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ids = [kept(desk, inbox) for _ in range(12)]
    people = [desk.add_user(inboxes=(inbox,)) for _ in range(3)]
    route(desk, inbox, *people)
    with ThreadPoolExecutor(4) as pool:
        found = [one for [one] in pool.map(lambda id: give(desk, id), ids)]
    assert {id: found.count(id) for id in people} == dict.fromkeys(people, 4)
    assert all(len(items(desk, id)) == 1 for id in ids)


def give_at_once(desk: Desk, ids: list[int]) -> list[int | None]:
    """Let jobs that are all due together give conversations out; who has them then."""
    now = desk.server.clock.now()
    new = [
        NewJob(
            account_id=desk.account_id, kind=assigning.ASSIGN_NEW, target=f"assigning:{desk.account_id}",
            payload=msgspec.json.encode(assigning.New(id)).decode(), due_at=milliseconds(now), created_at=desk.now,
        )
        for id in ids
    ]  # fmt: skip
    desk.write(lambda tx: add_many(tx, new))
    eventually(lambda: jobs_left(desk, assigning.ASSIGN_NEW) == 0)
    return [owner(desk, id) for id in ids]


def test_those_that_come_together_keep_to_the_limit_and_are_spread_evenly(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ids = [kept(desk, inbox) for _ in range(12)]
    busy, idle = (desk.add_user(inboxes=(inbox,)) for _ in range(2))
    more = [kept(desk, inbox, assignTo=busy) for _ in range(2)]
    assert len(more) == 2
    route(desk, inbox, busy, idle, assignmentMethod="balanced", assignmentLimit=5)
    found = give_at_once(desk, ids)
    assert [found.count(one) for one in (busy, idle, None)] == [3, 5, 4]


def test_nobody_is_given_any_who_can_t_answer_them(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ines, light = desk.add_user("Ines", inboxes=(inbox,)), desk.add_user("Light", inboxes=(inbox,))
    route(desk, inbox, light, ines)
    change = UserChange(first_name="Li", last_name="Ght", email="light@desk.example", role="light user")
    actor = Actor(desk.account_id, desk.user_id, "owner", None, Policy(0, 0, 0, "UTC", ""))
    desk.write(lambda tx: changing.change(tx, actor, light, change, desk.now))
    assert give(desk, kept(desk, inbox), kept(desk, inbox)) == [ines, ines]
    refused = desk.put(
        f"/v2/mailboxes/{inbox}/routing",
        {"state": "enabled", "assignmentLimit": 5, "assignmentMethod": "balanced", "userIds": [light]},
    )
    assert refused.status_code == 400


def test_one_that_comes_while_the_setting_is_saved_is_given_to_somebody(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ines = desk.add_user("Ines", inboxes=(inbox,))
    ids = [kept(desk, inbox) for _ in range(2)]
    route(desk, inbox, ines)
    actor = Actor(desk.account_id, desk.user_id, "owner", None, Policy(0, 0, 0, "UTC", ""))
    setting = SetRouting(state="enabled", assignment_limit=9, assignment_method="balanced", user_ids=[ines])
    asked = threading.Event()

    def save(tx: Writer) -> None:
        routing.set_routing(tx, actor, inbox, setting)
        asked.set()
        time.sleep(0.5)  # where another process can, it waits for this one by now

    with ThreadPoolExecutor(2) as pool:
        saving = pool.submit(desk.write, save)
        asked.wait(30)
        assert give(desk, ids[0]) == [ines]
        saving.result()
    assert give(desk, ids[1]) == [ines]


def test_the_first_of_two_inboxes_at_once_are_given_out_by_the_same(desk: Desk) -> None:
    inboxes = [desk.add_inbox() for _ in range(4)]
    ines = desk.add_user("Ines", inboxes=tuple(inboxes))
    ids = [kept(desk, inbox) for inbox in inboxes]
    for inbox in inboxes:
        route(desk, inbox, ines)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda id: give(desk, id), ids))
    assert len({items(desk, id)[0]["createdBy"]["id"] for id in ids}) == 1
