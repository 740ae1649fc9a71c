"""A large invented account for measurements: the same rows each time, kept in a folder so that only one run waits.

100,000 conversations with about 300,000 threads in 50 inboxes; 40 users, one of whom sees a single inbox.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

import msgspec
import psycopg
import sqlalchemy as sa
from psycopg import sql

import deskhand.schema
from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.db.engine import Database, Session, Writer
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.sqlite import SqliteSession
from deskhand.desk import loading
from deskhand.desk.inboxes.folders import folder_id, home
from deskhand.desk.loading import Batch
from deskhand.desk.search.index import Texts
from deskhand.lib.clock import to_wire
from deskhand.lib.text import fold, plain, preview, sort_key
from deskhand.oauth import applications, tokens
from tests import postgresql

ACCOUNT = 1
OWNER, LIMITED = 2, 41
"""User ids: the account's owner, and the user who sees one inbox."""
LIMITED_INBOX = 501
INBOXES, USERS, CUSTOMERS, TAGS, FIELDS = 50, 40, 20_000, 30, 3
FIRST_CONVERSATION, FIRST_THREAD, FIRST_CUSTOMER, FIRST_INBOX = 3_100_000_001, 9_100_000_001, 88_001, 501
NEWEST = datetime(2026, 10, 1, 12, tzinfo=UTC)
"""When the newest conversation began; the others lie behind it, ten minutes apart."""
RATE_LIMIT = 1_000_000_000
"""High enough never to be reached, and not 0, so that counting is measured too."""
BATCH = 1000

Progress = Callable[[int], None]


class Rows(Protocol):
    """What a database is filled with."""

    name: str
    source: Path

    def before(self, batch: Batch, count: int) -> None:
        """Everything that conversations refer to."""
        ...

    def add(self, batch: Batch, position: int, count: int) -> None:
        """One conversation with its threads and what search finds it by."""
        ...


def quiet(done: int) -> None:
    """Tells nobody how far the filling is."""


def told(what: str) -> Progress:
    """Tells on stderr how far the filling is."""

    def tell(done: int) -> None:
        if done % 10_000 == 0:
            sys.stderr.write(f"filling {what}: {done:,} conversations\n")

    return tell


def conversation_ids(count: int, user: int) -> list[int]:
    """The conversations a user may see, in an order of no meaning that is always the same."""
    step = INBOXES if user == LIMITED else 1
    found = [FIRST_CONVERSATION + position for position in range(0, count, step)]
    random.Random(user).shuffle(found)
    return found


def customer_of(conversation_id: int) -> int:
    """The customer of a conversation."""
    return FIRST_CUSTOMER + (conversation_id - FIRST_CONVERSATION) * 7919 % CUSTOMERS


def issue_tokens(database: Database) -> dict[int, str]:
    """New access tokens of the owner and of the limited user, by user id."""
    now = datetime.now(UTC)

    def issue(tx: Writer) -> dict[int, str]:
        application_id = applications.register(
            tx, account_id=ACCOUNT, user_id=OWNER, name="Bench", client_id="bench", client_secret="bench",
            redirect_url="http://127.0.0.1:9/callback", now=to_wire(now),
        )  # fmt: skip
        return {
            user: tokens.issue(
                tx, account_id=ACCOUNT, application_id=application_id, user_id=user, now=now, refreshable=False
            ).access
            for user in (OWNER, LIMITED)
        }

    return database.write_now(issue)


# ---------------------------------------------------------------------------------------------------------------------
# Filled databases, kept from run to run


def sqlite(data: Path, count: int, progress: Progress = quiet, rows: Rows | None = None) -> Path:
    """A filled SQLite file; copy it before use."""
    rows = rows or Invented()
    kept = data / f"{_fingerprint(count, rows)}.sqlite"
    if not kept.exists():
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data) as folder:
            fill("", Path(folder), count, progress, rows)
            Path(folder, SQLITE_FILE).replace(kept)
    return kept


def copy_sqlite(filled: Path, folder: Path) -> None:
    """A copy of a filled file in a data folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(filled, folder / SQLITE_FILE)


def fill_postgresql(
    server_url: str, data: Path, count: int, progress: Progress = quiet, rows: Rows | None = None
) -> str:
    """A filled database on a PostgreSQL server, to be used as a template: its name.

    The server lives only as long as its run, so what is kept is each table's rows.
    """
    rows = rows or Invented()
    name = f"filled_{rows.name}{count}"
    url = postgresql.create_database(server_url, name)
    kept = data / f"{_fingerprint(count, rows)}.postgresql"
    if kept.exists():
        upgrade(sqlalchemy_url(url, Path()))
        _restore(url, kept)
    else:
        fill(url, data, count, progress, rows)
        _save(url, kept)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return name


def fill(url: str, folder: Path, count: int, progress: Progress = quiet, rows: Rows | None = None) -> None:
    """Make the tables and put everything in."""
    rows = rows or Invented()
    upgrade(sqlalchemy_url(url, folder / SQLITE_FILE))
    database = open_database(url, folder)
    try:
        people = Batch()
        rows.before(people, count)
        database.write_now(people.load)
        if database.dialect == "sqlite":
            database.lanes["write"].run_now(_hurry)
        with ThreadPoolExecutor(1) as loader:  # the next rows are made while the last ones are put in
            loaded: Future[None] | None = None
            for start in range(0, count, BATCH):
                batch = Batch()
                for position in range(start, min(start + BATCH, count)):
                    rows.add(batch, position, count)
                if loaded is not None:
                    loaded.result()
                loaded = loader.submit(database.write_now, batch.load)
                progress(min(start + BATCH, count))
            if loaded is not None:
                loaded.result()
        database.write_now(loading.finish)
    finally:
        database.close()


def _hurry(session: Session) -> None:
    """Nothing is lost with a file that is made anew: let it be written in large pieces, and by the system."""
    assert isinstance(session, SqliteSession)
    session.connection.executescript(
        "PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 50000; PRAGMA cache_size = -400000;"
    )


def _fingerprint(count: int, rows: Rows) -> str:
    """Another name whenever other rows or tables would come out."""
    seen = hashlib.sha256()
    package = Path(deskhand.schema.__file__).parent
    migrations, search = package / "db/migrations", package / "desk/search"
    for file in (
        Path(__file__), rows.source, package / "desk/loading.py", migrations / "search_tables.py",
        *sorted((migrations / "versions").glob("*.py")), search / "index.py",
        search / "tables.py", search / "tokens.py",
    ):  # fmt: skip
        seen.update(file.read_bytes())
    return f"{rows.name}{count}-{seen.hexdigest()[:12]}"


def _save(url: str, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=kept.parent))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in _tables(connection):
            statement = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
            with (folder / table).open("wb") as file, cursor.copy(statement) as copy:
                for piece in copy:
                    file.write(piece)
    if kept.exists():  # another run was faster
        shutil.rmtree(folder)
    else:
        folder.rename(kept)


def _restore(url: str, kept: Path) -> None:
    """Put saved rows in; indexes are built afterwards, which is several times faster."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        indexes = cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        ).fetchall()
        for name, _ in indexes:
            cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        for table in _tables(connection):
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
            with (kept / table).open("rb") as file, cursor.copy(statement) as copy:
                while piece := file.read(1 << 20):
                    copy.write(piece)
        for _, definition in indexes:
            cursor.execute(definition)
        for table, column in cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE column_default LIKE 'nextval(%'"
            " OR is_identity = 'YES'"
        ).fetchall():
            cursor.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {} HAVING max({}) > 0").format(
                    sql.Literal(table), sql.Literal(column), sql.Identifier(column), sql.Identifier(table),
                    sql.Identifier(column),
                )
            )  # fmt: skip


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    return [name for (name,) in found]


# ---------------------------------------------------------------------------------------------------------------------
# The rows

# What a row has where nothing is said: a column that is added one day needs no change here.
_EMPTY = {
    table.name: {
        column.name: None if column.nullable else 0 if isinstance(column.type, sa.Integer) else "" for column in table.c
    }
    for table in deskhand.schema.METADATA.tables.values()
}
_SYLLABLES = (
    "ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "xo", "zu", "bra", "cle", "dri",
)  # fmt: skip
_FIRST = (
    "Ada", "Ben", "Chi", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "Kai", "Lea", "Milo", "Nia", "Otto",
    "Pia", "Quin", "Rosa", "Sven", "Tess",
)  # fmt: skip
_LAST = (
    "Abel", "Birch", "Cole", "Dune", "Ekman", "Frost", "Glenn", "Holm", "Ibsen", "Jonas", "Klee", "Lund", "Moss",
    "Nord", "Olsen", "Pratt",
)  # fmt: skip
_STATUSES = ("active",) * 6 + ("pending",) * 2 + ("closed",) * 11 + ("spam",)


def add_row(batch: Batch, table: str, **row: Any) -> None:
    """A row; what is not said is empty."""
    batch.add(table, **_EMPTY[table] | row)


def add_people(batch: Batch, count: int) -> None:
    """The account for so many conversations: users, inboxes, custom fields and tags."""
    began = to_wire(NEWEST - timedelta(minutes=10 * (count + 1)))
    add_row(
        batch, "account", id=ACCOUNT, name="Bench", plan="plus", timezone="UTC", rate_limit=RATE_LIMIT,
        lock_after_days=0, thread_editing=0, next_number=1001 + count, created_at=began,
        office_hours=as_json([(540, 1020)] * 5 + [None, None]),
    )  # fmt: skip
    for user in range(OWNER, OWNER + USERS):
        role = "owner" if user == OWNER else "admin" if user < OWNER + 4 else "user"
        add_row(
            batch, "staff", id=user, account_id=ACCOUNT, type="user", first_name=_FIRST[user % 20],
            last_name=_LAST[user % 16], email=f"user{user}@bench.example", role=role, state="active",
            timezone="UTC", job_title="", phone="", alternate_emails="[]", mention=f"user{user}",
            photo_url=f"https://bench.example/{user}.png" if user % 2 else None, created_at=began, updated_at=began,
        )  # fmt: skip
        if role == "user":
            for inbox in (LIMITED_INBOX,) if user == LIMITED else range(FIRST_INBOX, FIRST_INBOX + INBOXES):
                add_row(batch, "inbox_access", account_id=ACCOUNT, user_id=user, inbox_id=inbox)
    for inbox in range(FIRST_INBOX, FIRST_INBOX + INBOXES):
        add_row(
            batch, "inbox", id=inbox, account_id=ACCOUNT, name=f"Inbox {inbox}", email=f"inbox{inbox}@bench.example",
            slug=f"{inbox:016x}", default_status="active", created_at=began, updated_at=began,
        )  # fmt: skip
        for position, name in enumerate(("Order", "Colour", "Country"), 1):
            add_row(
                batch, "custom_field", id=field_id(inbox, position), account_id=ACCOUNT, inbox_id=inbox, name=name,
                type="singleline", required=0, position=position,
            )  # fmt: skip
    for tag in range(301, 301 + TAGS):
        add_row(
            batch, "tag", id=tag, account_id=ACCOUNT, name=f"tag {tag}", folded=f"tag {tag}", slug=f"tag-{tag}",
            color="#A5B2BD", created_at=began, updated_at=began,
        )  # fmt: skip


def add_customers(batch: Batch, count: int) -> None:
    """So many customers with an e-mail address each."""
    began = to_wire(NEWEST - timedelta(days=900))
    for number, id in enumerate(range(FIRST_CUSTOMER, FIRST_CUSTOMER + count), 1):
        first, last = name_of(id)
        add_row(
            batch, "customer", id=id, account_id=ACCOUNT, first_name=first, last_name=last, first_folded=fold(first),
            last_folded=fold(last), organization_folded="", email=email_of(id), created_at=began, updated_at=began,
            photo_url=f"https://bench.example/c{id}.png" if id % 5 == 0 else None,
        )  # fmt: skip
        add_row(
            batch, "customer_entry", id=90_000 + number, account_id=ACCOUNT, customer_id=id, kind="email",
            type="work", value=email_of(id), folded=email_of(id),
        )  # fmt: skip


def name_of(customer: int) -> tuple[str, str]:
    """A customer's first and last name."""
    return _FIRST[customer % 20], _LAST[customer // 20 % 16]


def email_of(customer: int) -> str:
    """A customer's address."""
    return f"customer{customer}@shop.example"


def field_id(inbox: int, position: int) -> int:
    """The id of an inbox's custom field."""
    return 11 + (inbox - FIRST_INBOX) * FIELDS + position - 1


class Invented:
    """Makes conversations one after the other."""

    name = ""
    source = Path(__file__)

    def __init__(self) -> None:
        self.random = random.Random(42)
        self.thread_id = FIRST_THREAD
        self.attachment_id = 640_001
        words = ["".join(self.random.choices(_SYLLABLES, k=self.random.randint(1, 4))) for _ in range(6000)]
        weights = list(accumulate(1 / (rank + 10) for rank in range(len(words))))
        self.sentences = [
            " ".join(self.random.choices(words, cum_weights=weights, k=self.random.randint(5, 18))).capitalize() + "."
            for _ in range(20_000)
        ]

    def before(self, batch: Batch, count: int) -> None:
        """Everything that conversations refer to."""
        add_people(batch, count)
        add_customers(batch, CUSTOMERS)

    def add(self, batch: Batch, position: int, count: int) -> None:
        """One conversation with its threads and what search finds it by."""
        pick = self.random
        id, customer, inbox = FIRST_CONVERSATION + position, 0, FIRST_INBOX + position % INBOXES
        customer = customer_of(id)
        began = NEWEST - timedelta(minutes=10 * (count - position))
        status = pick.choice(_STATUSES)
        assignee = pick.randrange(OWNER, OWNER + USERS - 1) if pick.random() < 0.6 else None
        threads = list(self._threads(id, customer, assignee, began))
        shown = [thread for thread in threads if thread["type"] != "lineitem"]
        last = shown[-1]
        closed = status == "closed"
        snoozed = status in ("active", "pending") and position % 90 == 0
        kind = home(state="published", status=status, assigned=assignee is not None, snoozed=snoozed)
        subject = pick.choice(self.sentences)[:60]
        fields = [
            {"id": field_id(inbox, 1), "name": "Order", "value": str(position), "text": str(position)},
            {"id": field_id(inbox, 2), "name": "Colour", "value": "green", "text": "green"},
        ][: position % 3]
        tags = sorted(pick.sample(range(301, 301 + TAGS), k=position % 4))
        add_row(
            batch, "conversation", id=id, account_id=ACCOUNT, number=1001 + position, inbox_id=inbox,
            folder_id=folder_id(inbox, kind), type="email", status=status, state="published", subject=subject,
            subject_key=sort_key(subject),
            preview=preview(last["body"]), threads=len(shown), capped_threads=len(shown), customer_id=customer,
            customer_email=email_of(customer), customer_name=sort_key(" ".join(name_of(customer))),
            assignee_id=assignee, created_by_type="customer", created_by_id=customer,
            source_type="email", source_via="customer",
            created_at=to_wire(began), modified_at=last["created_at"], user_updated_at=last["created_at"],
            closed_at=last["created_at"] if closed else None, closed_by=(assignee or OWNER) if closed else None,
            waiting_since=last["created_at"] if last["type"] == "customer" and not closed else None,
            latest_reply_from="customer" if last["type"] == "customer" else "user",
            cc=last["cc"], bcc="[]", tags=as_json([tag_of(tag) for tag in tags]), custom_fields=as_json(fields),
            attachments=int(any(thread["attachments"] for thread in threads)),
            snoozed_by=OWNER if snoozed else None, snoozed_until="2099-01-01T00:00:00Z" if snoozed else None,
            unsnooze_on_reply=1 if snoozed else None,
        )  # fmt: skip
        for field in fields:
            add_row(
                batch, "conversation_field", account_id=ACCOUNT, conversation_id=id, field_id=field["id"],
                value=field["value"],
            )  # fmt: skip
        for thread in threads:
            add_row(batch, "thread", **thread)
            if thread["attachments"]:
                self._attach(batch, thread)
        body = tuple(plain(thread["body"]) for thread in shown)
        batch.add_texts(Texts(ACCOUNT, id, subject, body))

    def _threads(self, id: int, customer: int, assignee: int | None, began: datetime) -> Iterator[dict[str, Any]]:
        pick = self.random
        for number in range(pick.choice((1, 2, 2, 3, 3, 3, 4, 4, 5))):
            by_customer = number % 2 == 0
            kind = "customer" if by_customer else "message" if number != 3 else "note"
            author = customer if by_customer else assignee or pick.randrange(OWNER, OWNER + USERS)
            paragraphs = [" ".join(pick.choices(self.sentences, k=pick.randint(1, 4))) for _ in range(2)]
            yield {
                "id": self.thread_id, "account_id": ACCOUNT, "conversation_id": id, "type": kind,
                "status": "active" if number == 0 else "nochange", "state": "published",
                "action_type": "default", "action_text": "", "associated": "{}",
                "body": "<p>" + "</p><p>".join(paragraphs) + "</p>",
                "source_type": "email", "source_via": "customer" if by_customer else "user",
                "customer_id": customer, "created_by_type": "customer" if by_customer else "user",
                "created_by_id": author, "assigned_to": assignee, "saved_reply_id": 0,
                "recipients": "[]" if by_customer else as_json([email_of(customer)]),
                "cc": '["copy@shop.example"]' if id % 20 == 0 else "[]", "bcc": "[]",
                "created_at": to_wire(began + timedelta(hours=3 * number)),
                "opened_at": to_wire(began + timedelta(hours=3 * number + 1)) if kind == "message" else None,
                "on_publish": "{}", "imported": 0, "attachments": int(number == 0 and id % 20 == 1),
            }  # fmt: skip
            self.thread_id += 1
        if assignee is not None and id % 3 == 0:
            name = " ".join((_FIRST[assignee % 20], _LAST[assignee % 16]))
            yield {
                "id": self.thread_id, "account_id": ACCOUNT, "conversation_id": id, "type": "lineitem",
                "status": "nochange", "state": "published", "action_type": "default",
                "action_text": f"{name} assigned to self", "associated": "{}", "source_type": "web",
                "source_via": "user", "created_by_type": "user", "created_by_id": assignee, "assigned_to": assignee,
                "saved_reply_id": 0, "recipients": "[]", "cc": "[]", "bcc": "[]",
                "created_at": to_wire(began + timedelta(hours=1)), "on_publish": "{}", "imported": 0, "attachments": 0,
            }  # fmt: skip
            self.thread_id += 1

    def _attach(self, batch: Batch, thread: dict[str, Any]) -> None:
        add_row(
            batch, "attachment", id=self.attachment_id, account_id=ACCOUNT, conversation_id=thread["conversation_id"],
            thread_id=thread["id"], filename="photo.png", mime_type="image/png", size=48_213, width=640, height=480,
            state="valid", sha256="0" * 64, content_id=None,
        )  # fmt: skip
        self.attachment_id += 1


def tag_of(id: int) -> dict[str, Any]:
    """A tag as conversations keep it."""
    return {"id": id, "color": "#A5B2BD", "tag": f"tag {id}"}


def as_json(value: Any) -> str:
    """As JSON columns keep it."""
    return msgspec.json.encode(value).decode()
