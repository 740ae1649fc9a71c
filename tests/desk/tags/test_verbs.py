"""Making tags by naming them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest
from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows
from deskhand.desk.tags.queries import TagRow
from deskhand.desk.tags.verbs import named, slug
from deskhand.outbox.tables import event
from tests.world import Desk


class Told(msgspec.Struct, frozen=True):
    name: str
    subject_id: int
    actor_type: str
    actor_id: int


TOLD = rows(
    Told,
    sa.select(event.c.name, event.c.subject_id, event.c.actor_type, event.c.actor_id)
    .where(event.c.account_id == P("account_id"))
    .order_by(event.c.id),
    keep=False,
)


def make(desk: Desk, *names: str, **more: int) -> list[TagRow]:
    return desk.write(lambda tx: named(tx, desk.account_id, names, desk.now, **more))


def told(desk: Desk) -> list[Told]:
    def work(db: Reader) -> list[Told]:
        return db.all(TOLD, account_id=desk.account_id)

    return desk.server.app.database.read_now(work)


def test_tags_come_in_the_order_given_and_each_once(desk: Desk) -> None:
    (urgent,) = make(desk, "urgent")
    found = make(desk, " Zebra ", "URGENT", "apple", "zebra")
    assert [row.name for row in found] == ["Zebra", "urgent", "apple"]
    assert found[1] == urgent
    assert make(desk, "apple", "zebra", "urgent") == [found[2], found[0], found[1]]


def test_one_tag_is_one_whatever_its_case_and_composition(desk: Desk) -> None:
    first, second = make(desk, "Café")[0], make(desk, "CAFE\N{COMBINING ACUTE ACCENT}")[0]
    assert first == second


def test_no_names_make_no_tags(desk: Desk) -> None:
    assert make(desk) == []


def test_only_new_tags_are_told(desk: Desk) -> None:
    (urgent,) = make(desk, "urgent", actor_id=desk.user_id)
    _, late = make(desk, "Urgent", "late")
    assert told(desk) == [
        Told("tag.created", urgent.id, "user", desk.user_id),
        Told("tag.created", late.id, "system_user", 0),
    ]


def test_names_at_fault_are_named(desk: Desk) -> None:
    expands = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 100
    with pytest.raises(BadRequest) as problem:
        make(desk, "fine", " ", "x" * 101, "y" * 100, expands)
    assert [(error.path, error.anchor) for error in problem.value.errors] == [
        ("tags[1]", "NotEmpty"),
        ("tags[2]", "Size"),
        ("tags[4]", "Size"),
    ]
    assert desk.get("/v2/tags").json()["page"]["totalElements"] == 0


def test_known_tags_take_one_statement(desk: Desk) -> None:
    names = tuple(f"tag {n}" for n in range(20))
    make(desk, *names)

    def work(tx: Any) -> int:
        before = tx.ran
        named(tx, desk.account_id, names, desk.now)
        return int(tx.ran - before)

    assert desk.write(work) == 1


def test_writers_at_the_same_time_make_each_tag_once(desk: Desk) -> None:
    names = [f"tag {n}" for n in range(12)]
    orders = [names[n:] + names[:n] for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda order: make(desk, *order), orders))
    assert [[row.name for row in rows] for rows in found] == orders
    assert len({row.id for rows in found for row in rows}) == 12
    assert len(told(desk)) == 12


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Feature request!", "feature-request"),
        ("a_b  c", "a-b-c"),
        ("Größe", "grösse"),
        ("請求", "請求"),
        ("!?", "tag"),
    ],
)
def test_slugs_fit_into_urls(name: str, expected: str) -> None:
    assert slug(name) == expected
