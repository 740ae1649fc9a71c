"""Every kept SQL statement does the same on both databases: the same rows come back, the same rows are left behind.

Two databases hold the same seeded rows. Parameters are made up from those rows by the names of parameters and columns.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

import deskhand.desk
import deskhand.gateway
import deskhand.mail
import deskhand.oauth
import deskhand.outbox
from deskhand.db.engine import Database, Duplicate, Session, Writer
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.portable import continue_ids
from deskhand.db.postgresql import open_postgresql
from deskhand.db.sqlite import open_sqlite
from deskhand.db.statements import REGISTERED, Statement, command
from deskhand.desk import access, handlers
from deskhand.desk.conversations import presence
from deskhand.desk.conversations.bulk import deleting, doing
from deskhand.desk.conversations.bulk.actions import SetStatus as SetState
from deskhand.desk.conversations.mail import received_queries
from deskhand.desk.conversations.threads.rating import rate
from deskhand.desk.conversations.writing import ThreadRow, add_thread
from deskhand.desk.for_agents import Authors
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.inboxes.mail_settings import MailChange
from deskhand.desk.users import sign_in_links
from deskhand.desk.webhooks import history
from deskhand.desk.workflows.actions import SetStatus
from deskhand.desk.workflows.conditions import Group, WaitingSince
from deskhand.gateway import agents, grants, keys, mcp_clients
from deskhand.gateway import tokens as agent_tokens
from deskhand.gateway.audit import By
from deskhand.lib.clock import to_wire
from deskhand.mail import imap_positions
from deskhand.oauth import second_factor, tokens
from deskhand.schema import METADATA
from tests import postgresql
from tests.desk.conversations.received import received
from tests.live import LiveServer
from tests.world import Desk, open_desk

EARLY, LATE = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"


def statements(*rooms: ModuleType) -> list[Statement[Any]]:
    """All that are kept, once every module of the rooms has been imported."""
    assert handlers.SLICES
    for room in rooms:
        for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
            import_module(module.name)
    return list(REGISTERED)


STATEMENTS = statements(deskhand.desk, deskhand.gateway, deskhand.mail, deskhand.oauth, deskhand.outbox)

SPECIAL: dict[str, tuple[Any, ...]] = {
    "size": (50, 1), "start": (0, 1), "most": (1, 5_000), "limit": (1,), "by": (1,), "n": (2,), "keep": (1, 0),
    "now": (LATE, EARLY, 10**15, 0), "since": (EARLY, 0), "until": (LATE, 10**9), "before": (LATE, 10**12),
    "begins": ("",), "beyond": ("\U0010ffff",), "deleting": ('{"type":"delete"}',),
    "after": (0,), "after_id": (0,), "through": (10**9,), "step": (10**9,),
    "inbox_id": (),  # a thread's mail goes out from an inbox that only its conversation knows
}  # fmt: skip
"""Parameters that are more than a column's value. A name may mean a time or a number: the statement's type decides."""

FINDS_NOTHING: dict[str, str] = {
    "SELECT thread.id \nFROM thread JOIN thread_mail": "merging: no seeded reply is held",
    "SELECT thread.conversation_id, thread.created_by_id AS user_": "leaving: no seeded reply is held",
    "SELECT thread.id, thread.created_by_id AS user_id, thread.bo": "staying: no seeded reply is held",
    "UPDATE conversation SET merged_into=": "merging: no seeded conversation was merged before",
}
"""Beginnings of statements that no seeded row can satisfy, and why."""


@dataclass(frozen=True)
class Seeded:
    """The same rows in two databases."""

    databases: tuple[Database, Database]
    rows: dict[str, list[dict[str, Any]]]

    def column(self, name: str) -> list[Any]:
        """Some values of all columns with this name."""
        found = [row[name] for rows in self.rows.values() for row in rows[:3] if row.get(name) is not None]
        return list(dict.fromkeys(found))[:12]


@pytest.fixture(scope="module")
def seeded(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    folder = tmp_path_factory.mktemp("statements")
    live = LiveServer(folder, worker="separate")  # so that events and jobs stay where they are
    try:
        for _ in range(2):  # the second account's rows must never come back for the first
            seed(open_desk(live))
    finally:
        live.stop()
    url = postgresql.create_database(postgresql_server, "statements")
    upgrade(sqlalchemy_url(url, folder))
    file = next(folder.glob("*.sqlite"))
    rows = copy(sqlalchemy_url("", file), sqlalchemy_url(url, file))
    both = open_sqlite(file), open_postgresql(url)
    both[1].write_now(go_on)
    yield Seeded(both, rows)
    for database in both:
        database.close()


def seed(desk: Desk) -> None:
    """Two of everything at least, through the API as far as it goes, so that orders show."""
    first, second = desk.add_inbox(), desk.add_inbox()
    seed_webhooks(desk, first)
    sealer = desk.server.app.gateway.sealer
    wanted = MailChange(imap="imaps://a:b@c", answer=True, answer_text="Hi", ratings=True)
    desk.write(lambda tx: mail_settings.change(tx, desk.account_id, first, wanted, sealer, desk.now))
    now = desk.server.clock.now()
    for one in (first, second):  # and one of them is looked at
        desk.write(lambda tx, one=one: imap_positions.begin(tx, desk.account_id, one, "INBOX", None, now))  # type: ignore[misc]
    assert desk.write(lambda tx: imap_positions.take(tx, desk.account_id, second, "INBOX", now, 7))
    ines, lea = (desk.add_user(name, inboxes=(first, second)) for name in ("Ines", "Lea"))
    desk.add_system_user("Sorter")
    team, _ = desk.add_team(members=(lea, ines)), desk.add_team("Nobody")
    furnish(desk, desk.add_inbox(default_assignee_id=ines), ines)
    seed_signing_in(desk, ines)
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}
    for inbox, owner, draft, tags in (
        (first, ines, False, ["vip", "Étude", "zebra"]), (second, team, True, ["Apple", "🚀", "vip"]),
        (first, None, False, ["\uffff", "_x"]), (second, lea, False, []),
    ):  # fmt: skip
        plan = desk.add_field(inbox, "Plan", "dropdown", ("Pro", "Free"))
        shown = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"][-1]
        customer = {"email": f"{'abc'[len(tags) - 1]}@buyer.example", "firstName": "Paul", "phone": "1"}
        body = {
            "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
            "assignTo": owner, "tags": tags, "fields": [{"id": plan, "value": str(shown["options"][0]["id"])}],
            "threads": [
                {"type": "customer", "text": "Where?", "customer": customer, "attachments": [file, file]},
                {"type": "reply", "text": "Here", "customer": customer, "draft": draft},
            ],
        }  # fmt: skip
        answer = desk.post("/v2/conversations", body)
        assert answer.status_code == 201
        seed_threads(desk, int(answer.headers["Resource-ID"]))
    seed_organizations(desk)
    seed_presence(desk, int(answer.headers["Resource-ID"]), lea, ines)
    seed_bulk(desk)
    seed_agents(desk)
    ids = {"account_id": desk.account_id, "application_id": desk.application_id, "user_id": ines}
    desk.write(lambda tx: tokens.issue(tx, **ids, now=desk.server.clock.now(), refreshable=True))


def seed_webhooks(desk: Desk, inbox: int) -> None:
    """Webhooks, and deliveries: some wait or are tried again, one was given up."""
    hook = {"url": "http://127.0.0.1:9/", "events": ["beacon.chat.created"], "secret": "x"}  # of what never happens
    for inboxes in ([], [inbox]):
        answer = desk.post("/v2/webhooks", hook | {"mailboxIds": inboxes})
        assert answer.status_code == 201
    id, now = int(answer.headers["Resource-ID"]), desk.server.clock.now()
    for values in ({"attempts": 0}, {"last_error": "refused"}, {"last_error": "refused", "state": "failed"}):
        desk.write(lambda tx: history.send_test(tx, desk.account_id, id, now))
        change_newest(desk, "job", **values)
    change_newest(desk, "webhook_delivery", state="discarded")


def seed_presence(desk: Desk, conversation_id: int, *people: int) -> None:
    """Some who have a conversation open, one after the other."""
    now = desk.server.clock.now()

    def come(tx: Writer) -> None:
        for number, user_id in enumerate(people):
            at = now + timedelta(seconds=number)
            presence.be(tx, desk.account_id, conversation_id, user_id, "looking", at)

    desk.write(come)


def seed_bulk(desk: Desk) -> None:
    """A change of many conversations that could not be made, and a deletion that is held back."""
    listed = desk.get("/v2/conversations", status="all").json()["_embedded"]["conversations"]

    def change(tx: Writer) -> None:
        who = access.actor(tx, desk.user_id)
        assert who is not None
        begun = doing.begin(tx, who, [1], SetState("closed"), desk.now)
        doing.go_on(tx, desk.account_id, begun.id, desk.now)
        deleting.delete_later(tx, who, [one["id"] for one in listed], desk.now)

    desk.write(change)


def seed_agents(desk: Desk) -> None:
    """Agents with keys, one of which expired, tokens and grants; one agent was deleted."""
    now, account_id = desk.server.clock.now(), desk.account_id
    held = grants.read_grants({"resources": {"conversations": {"level": "read"}}})

    def add(tx: Writer, name: str) -> None:
        made = agents.create(tx, account_id, name, Authors(), now)
        keys.add(tx, account_id, made.id, now - timedelta(days=2), to_wire(now - timedelta(days=1)))
        agent_tokens.issue(tx, account_id, made.id, now)
        grants.put(tx, account_id, made.id, held, By("user", desk.user_id), now)
        if name == "Gone":
            agents.delete(tx, account_id, made.id, Authors(), now)

    for name in ("Triage", "Gone", "Drafter"):
        desk.write(partial(add, name=name))
    change_newest(desk, "agent", connection_id=1)
    refresh = {"refresh_hash": f"refresh {account_id}", "refresh_until": LATE, "family": f"family {account_id}"}
    change_newest(desk, "agent_token", client_id=seed_programs(desk), **refresh)


def seed_programs(desk: Desk) -> str:
    """An MCP client that never got access, and one with a code for an agent; gives the latter's id."""
    now, account_id = desk.server.clock.now(), desk.account_id

    def add(tx: Writer) -> str:
        mcp_clients.register(tx, "Unused", ("https://a.example/",), now)
        made = mcp_clients.register(tx, "Ledger", ("https://a.example/",), now)
        assert made is not None
        agent = agents.living(tx, account_id)[-1]
        mcp_clients.issue_code(tx, account_id, agent.id, made.client_id, "https://a.example/", "x" * 43, now)
        return made.client_id

    return desk.write(add)


def change_newest(desk: Desk, name: str, **values: Any) -> None:
    """Change the newest row of a table."""
    table = METADATA.tables[name]
    newest = sa.select(sa.func.max(table.c.id)).scalar_subquery()
    statement = command(table.update().where(table.c.id == newest).values(values), keep=False)
    desk.write(lambda tx: tx.run(statement))


def seed_organizations(desk: Desk) -> None:
    """Organizations with customers and properties, and a customer who left theirs though the domain fits."""
    for domain, label in (("one.example", "Gold"), ("two.example", "Silver")):
        options = [{"label": "Gold"}, {"label": "Silver"}]
        tier = {"type": "dropdown", "slug": f"tier{label}", "name": "Tier", "options": options}
        for path in ("/v2/customer-properties", "/v2/organizations/properties"):
            assert desk.post(path, tier).status_code == 201
        made = desk.post("/v2/organizations", {"name": label, "domains": [domain, f"www.{domain}"]})
        assert desk.put(f"/v2/organizations/{made.headers['Resource-ID']}/properties/tier{label}", {"value": label}).ok
        for name in ("stays", "leaves"):
            value = {"slug": f"tier{label}", "value": label}
            body = {"emails": [{"value": f"{name}@{domain}"}], "properties": [value]}
            customer = desk.post("/v2/customers", body).headers["Location"]
        assert desk.patch(customer, [{"op": "remove", "path": "/organizationId"}]).status_code == 204
    belongs = [{"op": "replace", "path": "/organizationId", "value": int(made.headers["Resource-ID"])}]
    for asked in desk.get("/v2/conversations", status="all").json()["_embedded"]["conversations"]:
        assert desk.patch(asked["_links"]["primaryCustomer"]["href"], belongs).status_code == 204


def seed_threads(desk: Desk, id: int) -> None:
    """Let a conversation's first thread have come by mail, and its drafts go out in many years."""
    question, reply = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"][::-1]
    received(desk, id, question["id"], b"Subject: Refund")
    seed_received(desk, id, question["id"])
    if reply["state"] == "published":
        desk.write(lambda tx: rate(tx, desk.account_id, reply["id"], "great", "Quick", desk.now))
        draft = {"text": "Half a", "customer": {"id": reply["customer"]["id"]}, "draft": True}
        assert desk.post(f"/v2/conversations/{id}/reply", draft).status_code == 201
    else:
        plan = {"scheduledFor": LATE, "unscheduleOnCustomerReply": True}
        assert desk.put(f"/v2/conversations/{id}/threads/{reply['id']}/schedule", plan).status_code == 204


def seed_received(desk: Desk, id: int, thread_id: int) -> None:
    """Let a message have come to a conversation, which goes on in another one."""
    states = ("waiting", "failed", "taken", "skipped")
    message = received_queries.NewReceived(
        account_id=desk.account_id, inbox_id=1, way="imap", place=f"INBOX/1/{id}", sha256=f"file {id}", size=1,
        fingerprint=f"fingerprint {id}", message_id=f"<{thread_id}@buyer.example>", sender="a@buyer.example",
        recipients="[]", state=states[id % len(states) - 1], received_at=desk.now,
    )  # fmt: skip
    item = ThreadRow(
        account_id=desk.account_id, conversation_id=id, type="lineitem", created_by_id=1, created_at=desk.now,
        linked_conversation_id=id + 1,
    )  # fmt: skip

    def add(tx: Writer) -> None:
        tx.add(received_queries.ADD, message)
        add_thread(tx, item)

    desk.write(add)
    change_newest(desk, "received_mail", conversation_id=id, thread_id=thread_id, automatic=1, domain="buyer.example")
    loose = msgspec.structs.replace(
        message, fingerprint=f"loose {id}", sha256=f"loose file {id}", sender="a@loose.example", state="skipped"
    )
    desk.write(lambda tx: tx.add(received_queries.ADD, loose))


def seed_signing_in(desk: Desk, user: int) -> None:
    """Somebody who was sent a link and has begun to set up a second factor."""

    def add(tx: Writer) -> None:
        sign_in_links.issue(tx, desk.account_id, user, "reset", desk.now)
        second_factor.begin(tx, desk.server.app.gateway.sealer, desk.account_id, user, desk.server.clock.now())

    desk.write(add)
    change_newest(desk, "sign_in_link", token_hash=f"token of {user}")


def furnish(desk: Desk, inbox: int, user: int) -> None:
    """What belongs to an inbox and to a user beside conversations."""
    for name in ("Wick", "Triage"):
        desk.add_system_user(name)
        desk.add_workflow(inbox, SetStatus("closed"), name=name)
        when = [Group([WaitingSince("more_than", 2, "days")])]
        desk.add_workflow(inbox, SetStatus("closed"), name=name, type="automatic", conditions=when)
        reply = {"name": name, "text": "<p>Hello</p>", "chatText": "Hi"}
        assert desk.post(f"/v2/mailboxes/{inbox}/saved-replies", reply).status_code == 201
    for path, body in (
        (f"/v2/mailboxes/{inbox}/routing", {
            "state": "enabled", "assignmentLimit": 5, "assignmentMethod": "balanced", "userIds": [desk.user_id],
        }),
        (f"/v2/users/{user}/status", {"status": "away", "customStatus": {"text": "Lunch"}}),
        (f"/v2/users/{user}/conversation-reassignment", {"enabled": True, "awayDuration": {"hours": 1, "minutes": 2}}),
    ):  # fmt: skip
        assert desk.put(path, body).status_code == 204


def spoil(connection: sa.Connection) -> None:
    """Faults in the second account, for statements that look for faults."""
    tables = METADATA.tables
    counter, carried = tables["counter"], tables["conversation_tag"]
    connection.execute(counter.update().where(counter.c.account_id == 2).values(n=counter.c.n + 1))
    connection.execute(carried.insert().values(account_id=2, conversation_id=5, tag_id=5))


def fill(connection: sa.Connection) -> None:
    """A made-up row in each table that has none."""
    for table in METADATA.sorted_tables:
        if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0:
            connection.execute(table.insert().values({column.name: made_up(column) for column in table.c}))
    connection.execute(METADATA.tables["staff"].update().values(password_hash="some hash"))
    mail = METADATA.tables["thread_mail"]
    connection.execute(
        mail.update().where(mail.c.direction == "out", mail.c.thread_id % 2 == 0).values(state="failed", error="x")
    )
    connection.execute(mail.update().where(mail.c.direction == "out").values(reply_token="token"))
    connection.execute(mail.update().where(mail.c.thread_id == newest_reply(mail)).values(state="sent", error=""))
    job = METADATA.tables["job"]
    oldest_job = sa.select(sa.func.min(job.c.id)).where(job.c.state == "waiting").scalar_subquery()
    connection.execute(job.update().where(job.c.id == oldest_job).values(state="failed"))
    conversations = METADATA.tables["conversation"]
    oldest = sa.select(sa.func.min(conversations.c.id)).scalar_subquery()
    sender = sa.select(conversations.c.customer_email).where(conversations.c.id == oldest).scalar_subquery()
    connection.execute(METADATA.tables["automatic_answer"].update().values(day=EARLY[:10], address=sender))
    connection.execute(conversations.update().where(conversations.c.id == oldest).values(source_type="email"))
    newest_job = sa.select(sa.func.max(job.c.id)).where(job.c.state == "waiting").scalar_subquery()
    connection.execute(job.update().where(job.c.id == newest_job).values(claim=7))  # somebody is at it
    deliveries = METADATA.tables["webhook_delivery"]
    given_up = sa.select(sa.func.min(deliveries.c.id)).where(deliveries.c.state == "discarded").scalar_subquery()
    connection.execute(METADATA.tables["webhook_attempt"].update().values(delivery_id=given_up))
    connection.execute(METADATA.tables["workflow_run"].update().values(user_id=None))  # it ran by itself
    connection.execute(METADATA.tables["routing"].update().values(assigner_id=2))
    connection.execute(METADATA.tables["unsent"].update().values(ready=None))  # nobody has sent it
    connection.execute(METADATA.tables["agent_draft"].update().values(sent_at=None, dropped_at=None))
    connection.execute(METADATA.tables["approval"].update().values(call='{"words":"reply"}'))
    captured, threads = METADATA.tables["captured_mail"], METADATA.tables["thread"]
    connection.execute(threads.update().where(threads.c.type == "message").values(saved_reply_id=7001))
    audited = METADATA.tables["audit_record"]
    whole = {column.name: sa.func.coalesce(column, made_up(column)) for column in audited.c if column.nullable}
    connection.execute(audited.update().values(whole))  # as if agents had done it
    oldest_thread = sa.select(sa.func.min(threads.c.id)).scalar_subquery()
    planned = {"scheduled_for": LATE, "scheduled_by": 1}
    connection.execute(threads.update().where(threads.c.id == oldest_thread).values(planned))
    factor = METADATA.tables["second_factor"]
    first = sa.select(sa.func.min(factor.c.user_id)).scalar_subquery()
    connection.execute(factor.update().where(factor.c.user_id == first).values(on_since=EARLY))
    connection.execute(captured.update().values(thread_id=sa.select(sa.func.min(threads.c.id)).scalar_subquery()))


def newest_reply(mail: sa.Table) -> sa.ScalarSelect[int]:
    """The last thread that went out by mail."""
    return sa.select(sa.func.max(mail.c.thread_id)).where(mail.c.direction == "out").scalar_subquery()


def made_up(column: sa.Column[Any]) -> Any:
    if isinstance(column.type, sa.Integer):
        return 2 if column.name == "user_id" else 1
    return "2099-01-01T00:00:00Z" if column.name.endswith("at") else column.name


def copy(source: str, target: str) -> dict[str, list[dict[str, Any]]]:
    """Put the rows of one database into the other; gives them."""
    rows: dict[str, list[dict[str, Any]]] = {}
    engines = (sa.create_engine(url, poolclass=sa.NullPool) for url in (source, target))
    with next(engines).begin() as reading, next(engines).begin() as writing:
        spoil(reading)
        fill(reading)
        for table in METADATA.sorted_tables:
            found = reading.execute(table.select().order_by(*table.primary_key)).mappings()
            rows[table.name] = [dict(row) for row in found]
            writing.execute(table.insert(), rows[table.name])
    return rows


def go_on(tx: Writer) -> None:
    """Let generated ids go on behind the copied ones."""
    for table in METADATA.sorted_tables:
        if "id" in table.c and table.c.id.autoincrement is not False:
            continue_ids(tx, table.name)


# -- The test


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: " ".join(text_of(statement).split())[:60])
def test_a_statement_does_the_same_on_both_databases(seeded: Seeded, statement: Statement[Any]) -> None:
    text = text_of(statement)
    names = {dialect: set(statement.on(dialect).names) - set(statement.on(dialect).constants) for dialect in DIALECTS}
    assert names["sqlite"] == names["postgresql"]
    outcomes = []
    for given in ways(seeded, statement):
        for emptied in (False, True) if "VALUES" in text else (False,):
            one, other = (outcome(database, statement, given, emptied) for database in seeded.databases)
            assert one == other, given
            outcomes.append(one)
    assert outcomes
    if not any(text.startswith(beginning) for beginning in FINDS_NOTHING):
        assert any(found for found, _ in outcomes), "none of the seeded rows was found or touched"


DIALECTS: tuple[Any, ...] = ("sqlite", "postgresql")


def text_of(statement: Statement[Any]) -> str:
    return statement.on("sqlite").text


def outcome(database: Database, statement: Statement[Any], given: dict[str, Any], emptied: bool) -> tuple[Any, Any]:
    """What a statement finds or how many rows it touches, and what it leaves in the table that it writes.

    `emptied` clears that table first, so that a seeded row can be inserted again.
    """

    def work(session: Session) -> tuple[Any, Any]:
        if emptied:
            session._execute(f"DELETE FROM {main_table(text_of(statement))}", ())
        return carried_out(session, statement, given)

    found: tuple[Any, Any] = database.lanes["write"].run_now(in_transaction(work))
    return found


def in_transaction(work: Callable[[Session], Any]) -> Callable[[Session], Any]:
    """Work whose changes are taken back."""

    def run(session: Session) -> Any:
        session.begin()
        try:
            return work(session)
        finally:
            session.rollback()

    return run


def carried_out(session: Session, statement: Statement[Any], given: dict[str, Any]) -> tuple[Any, Any]:
    text, table = text_of(statement), written(statement)
    before = ids_of(session, table)
    try:
        if text.startswith("SELECT"):
            found = [msgspec.to_builtins(row) for row in session.all(statement, **given)]
            return (found if "ORDER BY" in text else sorted(found, key=repr)), None
        if "RETURNING" in text and not text.startswith("INSERT"):
            return sorted(session.all(statement, **given), key=repr), contents(session, table, before)
        if "RETURNING" in text:
            return len(session.all(statement, **given)), contents(session, table, before)
        return session.run(statement, **given), contents(session, table, before)
    except Duplicate:
        return 0, "Duplicate"


def written(statement: Statement[Any]) -> sa.Table | None:
    """The table that a statement changes."""
    found = re.search(r"^(?:WITH .*\) ?\n? ?)?(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", text_of(statement), re.DOTALL)
    return METADATA.tables[found[1]] if found else None


def ids_of(session: Session, table: sa.Table | None) -> set[Any]:
    if table is None or "id" not in table.c:
        return set()
    return {row[0] for row in fetched(session, f"SELECT id FROM {table.name}")}


def contents(session: Session, table: sa.Table | None, before: set[Any]) -> list[Any]:
    """A table's rows; ids that were generated just now are left out, for they differ."""
    assert table is not None
    names = [column.name for column in table.c]
    quoted = ", ".join(f'"{name}"' for name in names)
    rows = [dict(zip(names, row, strict=True)) for row in fetched(session, f"SELECT {quoted} FROM {table.name}")]
    generated = "id" in table.c and table.c.id.autoincrement is not False
    for row in rows:
        if generated and row["id"] not in before:
            row["id"] = "new"
    return sorted(rows, key=repr)


def fetched(session: Session, text: str) -> list[Any]:
    return session._fetch_text(text, ())


# -- Parameters


@dataclass(frozen=True)
class Parameter:
    """What a statement's text tells of a parameter: its type, the column it stands beside, whether it is a list."""

    name: str
    kind: type
    column: str
    listed: bool


_BESIDE = re.compile(r'(\w+)"? (?:=|!=|<|>|<=|>=|LIKE|BETWEEN|IN \(SELECT value FROM json_each\() ?\(?$')


def parameters_of(statement: Statement[Any]) -> list[Parameter]:
    sqlite, postgres = (statement.on(dialect) for dialect in DIALECTS)
    kinds = dict(zip(postgres.names, (piece[:12] for piece in postgres.text.split("%s")[1:]), strict=False))
    found: dict[str, Parameter] = {}
    for name, before in zip(sqlite.names, sqlite.text.split("?"), strict=False):
        if name not in sqlite.constants and (name not in found or found[name].column == name):
            beside = _BESIDE.search(before)
            kind = int if re.match("::(BIG|SMALL)?INT", kinds[name]) else str
            listed = before.endswith("json_each(")
            found[name] = Parameter(name, kind, beside[1] if beside else name.removeprefix("for_"), listed)
    return list(found.values())


def ways(seeded: Seeded, statement: Statement[Any]) -> Iterator[dict[str, Any]]:
    """Values for a statement's parameters: those of each seeded row, then each other plausible value in turn."""
    found = parameters_of(statement)
    every = {one.name: candidates(seeded, one) for one in found}
    rows = seeded.rows.get(main_table(text_of(statement)), [])
    for number, row in enumerate(rows[:5] or [{}]):
        base = {one.name: value_in(row, one, every[one.name]) for one in found}
        yield base
        for name, values in every.items():
            if "VALUES" not in text_of(statement) and (number == 0 or name in SPECIAL):
                yield from (base | {name: value} for value in values)


def main_table(text: str) -> str:
    """The table a statement is about: the one it changes, or the first that it reads."""
    for pattern in (r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", r"SELECT (\w+)\.", r".*?FROM (\w+)"):
        found = re.match(pattern, text, re.DOTALL)
        if found and found[1] in METADATA.tables:
            return found[1]
    return ""


def candidates(seeded: Seeded, one: Parameter) -> list[Any]:
    if one.listed:
        values = [value for value in seeded.column(one.column) if isinstance(value, int) == (one.column != "folded")]
        return [json.dumps(values), "[]"]
    if one.name in ("first", "last"):  # the span of one conversation's rows in the search index
        least = min(row["id"] for row in seeded.rows["conversation_search"])
        return [least if one.name == "first" else least | 4095]
    known = [*SPECIAL.get(one.name, ()), *seeded.column(one.column), *seeded.column(one.name)]
    return [value for value in known if isinstance(value, one.kind)] or [1 if one.kind is int else one.name]


def value_in(row: dict[str, Any], one: Parameter, possible: list[Any]) -> Any:
    """A parameter's value when a statement is about this row."""
    if one.column not in row:
        return possible[0]
    return json.dumps([row[one.column]]) if one.listed else row[one.column]
