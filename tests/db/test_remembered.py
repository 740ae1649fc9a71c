"""What is remembered is asked for once, and anew as soon as anybody has changed it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

import deskhand.db.remembered
from deskhand.db.database import open_database
from deskhand.db.engine import Database, Writer
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.postgresql import Ear, open_postgresql
from deskhand.db.statements import Insert, P, command, rows
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.conversations.timing import remembered
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.inboxes.tables import inbox
from tests import postgresql
from tests.world import Desk, unique

RENAME = command(sa.update(inbox).where(inbox.c.account_id == P("account")).values(name=P("new")), keep=False)


@pytest.fixture(autouse=True)
def for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deskhand.db.remembered, "LASTS_S", 3600.0)


def names(desk: Desk, database: Database | None = None) -> list[str]:
    found = (database or desk.server.app.database).read_now(lambda db: inboxes.all_of(db, desk.account_id), "slow")
    return [one.name for one in found]


def asked(database: Database, work: Callable[[], object]) -> int:
    """How many statements something takes in the lane of slow reads, which nobody else uses here."""

    def ran() -> int:
        return sum(session.ran for session in database.lanes["slow"].sessions)

    before = ran()
    work()
    return ran() - before


def test_what_is_known_is_asked_for_once_until_it_changes(desk: Desk) -> None:
    database = desk.server.app.database
    desk.add_inbox("Sales")
    assert names(desk) == ["Sales"]
    assert asked(database, lambda: names(desk)) == 0
    desk.add_inbox("Help")
    assert names(desk) == ["Sales", "Help"]
    desk.write(lambda tx: tx.run(RENAME, account=desk.account_id, new="Both"))
    assert names(desk) == ["Both", "Both"]
    desk.write(lambda tx: remembered.remember(tx, desk.account_id, desk.user_id, "tomorrow"))  # of another table
    assert asked(database, lambda: names(desk)) == 0


def test_what_did_not_change_anything_forgets_nothing(desk: Desk) -> None:
    database = desk.server.app.database
    desk.add_inbox("Sales")
    assert names(desk) == ["Sales"]
    desk.write(lambda tx: tx.run(RENAME, account=0, new="None of ours"))

    def give_up(tx: Writer) -> None:
        tx.run(RENAME, account=desk.account_id, new="Never")
        raise ValueError

    with pytest.raises(ValueError):
        desk.write(give_up)
    assert asked(database, lambda: names(desk)) == 0
    assert names(desk) == ["Sales"]


def test_a_list_that_was_given_out_can_be_changed_without_harm(desk: Desk) -> None:
    desk.add_inbox("Sales")
    desk.server.app.database.read_now(lambda db: inboxes.all_of(db, desk.account_id).clear(), "slow")
    assert names(desk) == ["Sales"]


def test_a_transaction_sees_what_it_has_done_itself(desk: Desk) -> None:
    desk.add_inbox("Sales")
    assert names(desk) == ["Sales"]

    def rename(tx: Writer) -> list[InboxRow]:
        tx.run(RENAME, account=desk.account_id, new="Other")
        return inboxes.all_of(tx, desk.account_id)

    assert [one.name for one in desk.write(rename)] == ["Other"]


def test_what_nobody_told_of_is_read_anew_after_a_while(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command line changes things."""
    desk.add_inbox("Sales")
    settings = desk.server.app.settings
    other = open_database(settings.database_url, settings.data_dir)
    try:
        assert names(desk) == ["Sales"]
        other.write_now(lambda tx: tx.run(RENAME, account=desk.account_id, new="Help"))
        assert names(desk) == ["Sales"]
        later = time.monotonic() + 3601
        monkeypatch.setattr("deskhand.db.remembered.monotonic", lambda: later)
        assert names(desk) == ["Help"]
    finally:
        other.close()


def test_another_process_hears_of_a_change(postgresql_server: str, tmp_path) -> None:
    url = postgresql.create_database(postgresql_server, unique("remembered"))
    upgrade(sqlalchemy_url(url, tmp_path))
    here, there = open_postgresql(url, frozenset({"anything"})), open_postgresql(url)
    row = InboxRow(
        1, 1, "Sales", "a@b.example", "sales", None, "active", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
    )

    def heard(name: str) -> bool:
        """Whether it is seen there; it is changed again and again, as the first may be before anybody listens."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            here.write_now(lambda tx: tx.run(RENAME, account=1, new=name))
            time.sleep(0.1)
            if [one.name for one in there.read_now(lambda db: inboxes.all_of(db, 1))] == [name]:
                return True
        return False

    try:
        here.write_now(lambda tx: tx.add_many(Insert(inbox, InboxRow), [row]))
        assert [one.name for one in there.read_now(lambda db: inboxes.all_of(db, 1))] == ["Sales"]
        with Ear(url, there):
            assert heard("Help")
    finally:
        here.close()
        there.close()


def test_only_what_changes_rarely_can_be_remembered(desk: Desk) -> None:
    every = rows(InboxRow, sa.select(*(inbox.c[name] for name in InboxRow.__struct_fields__)).where(
        sa.exists().where(conversation.c.inbox_id == inbox.c.id)
    ), keep=False)  # fmt: skip
    with pytest.raises(TypeError, match="not all are remembered"):
        desk.server.app.database.read_now(lambda db: db.known(every), "slow")
