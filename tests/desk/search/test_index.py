"""Searching by text: what is found, the same on both databases and by both ways of looking, whatever was changed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db import migrate
from deskhand.db.engine import Database, Writer
from deskhand.db.postgresql import open_postgresql
from deskhand.db.sqlite import SqliteSession, open_sqlite
from deskhand.db.statements import P, Statement, command, value
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.search import index, matching
from deskhand.desk.search.index import Texts
from deskhand.desk.search.language import ANY, DEEPEST_NESTING, Phrase, Word
from deskhand.desk.search.matching import Asked, Column
from deskhand.desk.search.tables import LAST_THREAD, PART_BITS, conversation_search
from deskhand.desk.search.tokens import MOST_TOKENS, stored, wanted
from deskhand.schema import METADATA
from tests import postgresql

COLUMNS: tuple[Column, ...] = ("subject", "body", None)
ENOUGH = 130  # more rows than SQLite lets wait before it indexes them


@dataclass
class Model:
    """What a conversation is found by."""

    account_id: int
    subject: str = ""
    threads: list[str] = field(default_factory=list)

    def matches(self, value: Word | Phrase, column: Column) -> bool:
        """What the databases should say, the plain way."""
        if column == "subject" and isinstance(value, Phrase):
            pieces = [piece for word in value.text.split() if (piece := wanted(word))]
            return bool(pieces) and all(_holds(self.subject, piece) for piece in pieces)
        piece = wanted(value.text, value.prefix) if isinstance(value, Word) else wanted(value.text)
        if not piece:
            return column is None and isinstance(value, Word)
        texts = {
            "subject": [self.subject],
            "body": self.threads,
            None: [self.subject, *self.threads],
        }
        return any(_holds(text, piece) for text in texts[column])


def _holds(text: str, piece: str) -> bool:
    tokens, asked = stored(text).split(), piece.split()
    for start in range(len(tokens) - len(asked) + 1):
        here = tokens[start : start + len(asked)]
        if here == asked or (piece[-1] != " " and here[:-1] == asked[:-1] and here[-1].startswith(asked[-1])):
            return True
    return False


class Desk:
    """One database's conversations and what they are found by."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.models: dict[int, Model] = {}

    def add(self, id: int, account_id: int = 1, *, subject: str = "", threads: list[str]) -> None:
        columns = {column.name: _nothing(column) for column in conversation.c}
        row = columns | {"id": sa.literal(id), "account_id": sa.literal(account_id), "number": sa.literal(id)}
        new = command(sa.insert(conversation).values(row), keep=False)
        texts = Texts(account_id, id, subject, tuple(threads))

        def add(tx: Writer) -> None:
            tx.run(new)
            index.add_many(tx, [texts])

        self.database.write_now(add)
        self.models[id] = Model(account_id, subject, list(threads))

    def append(self, id: int, text: str) -> None:
        model = self.models[id]
        self.database.write_now(lambda tx: index.append(tx, model.account_id, id, text))
        model.threads.append(text)

    def set_subject(self, id: int, text: str) -> None:
        model = self.models[id]
        self.database.write_now(lambda tx: index.set_subject(tx, model.account_id, id, text))
        model.subject = text

    def forget(self, id: int) -> None:
        model = self.models[id]
        self.database.write_now(lambda tx: index.forget(tx, model.account_id, id))
        self.models[id] = Model(model.account_id)

    def replace(self, id: int, threads: list[str]) -> None:
        model = self.models[id]

        def again(tx: Writer) -> None:
            index.forget(tx, model.account_id, id)
            index.add(tx, model.account_id, id, model.subject, tuple(threads))

        self.database.write_now(again)
        model.threads = list(threads)

    def fill_up(self) -> None:
        """Add so many other conversations that all before are indexed on SQLite, too."""
        filler = [Texts(9, 9000 + number, "filler", "filler") for number in range(ENOUGH // 3 + 1)]
        self.database.write_now(lambda tx: index.add_many(tx, filler))

    def found(self, condition: sa.ColumnElement[bool], account_id: int = 1) -> list[int]:
        """The account's conversations that a condition is true for."""
        query = sa.select(conversation.c.id).where(conversation.c.account_id == P("account_id"), condition)
        statement = value(int, query.order_by(conversation.c.id), keep=False)
        return self.all(statement, account_id=account_id)

    def all(self, statement: Statement[int], **given: Any) -> list[int]:
        return self.database.read_now(lambda db: db.all(statement, **given))

    def search(self, text: str, column: Column = None, account_id: int = 1) -> list[int]:
        """By a value as people write it; both ways of looking must agree."""
        if text.startswith('"'):
            return self.look(Phrase(text[1:-1]), column, account_id)
        return self.look(Word(text.removesuffix("*"), prefix=text.endswith("*")), column, account_id)

    def look(self, value: Word | Phrase, column: Column, account_id: int = 1) -> list[int]:
        by_index = self.found(text_matches(value, column, account_id), account_id)
        assert self.found(text_contains(value, column, account_id), account_id) == by_index, (value, column)
        return by_index


def text_matches(value: Word | Phrase, column: Column, account_id: int) -> sa.ColumnElement[bool]:
    return condition(matching.text_matches, matching.asked(value, column, account_id))


def text_contains(value: Word | Phrase, column: Column, account_id: int) -> sa.ColumnElement[bool]:
    return condition(matching.text_contains, matching.asked(value, column, account_id))


def condition(form: Any, asked: Asked | bool) -> sa.ColumnElement[bool]:
    """The condition with the values in it."""
    if isinstance(asked, bool):
        return sa.true() if asked else sa.false()
    found: sa.ColumnElement[bool] = form(asked.shape, lambda name: sa.literal(asked.values[name]))
    return found


def _nothing(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    empty = "''" if isinstance(column.type, sa.Text) else "0"
    return sa.literal_column("NULL" if column.nullable else empty)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An address; empty tables are at it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('search') / 'search.sqlite'}"
    else:
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), f"search_{uuid.uuid4().hex}")
        url = migrate.sqlalchemy_url(url, Path())
    migrate.upgrade(url)
    return url


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """Empty tables."""
    if database_url.startswith("sqlite"):
        database = open_sqlite(Path(database_url.removeprefix("sqlite:///")))
    else:
        database = open_postgresql(database_url.replace("postgresql+psycopg:", "postgresql:"))
    nothing_left = [command(sa.delete(table), keep=False) for table in (conversation, conversation_search)]
    database.write_now(lambda tx: [tx.run(statement) for statement in nothing_left])
    yield Desk(database)
    if database.dialect == "sqlite":
        check = "INSERT INTO conversation_search_index (conversation_search_index) VALUES ('integrity-check')"
        database.lanes["write"].run_now(lambda session: _sqlite(session).connection.execute(check))
    database.close()


def _sqlite(session: object) -> SqliteSession:
    assert isinstance(session, SqliteSession)
    return session


def test_the_migrations_are_complete(database_url: str) -> None:
    assert migrate.differences(database_url, METADATA) == []


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize(
    ("text", "column", "ids"),
    [
        ("refund", None, [1, 2]),
        ("REFUND", "subject", [1]),
        ("refund", "body", [2]),
        ("refun*", "body", [2, 3]),
        ("refun", "body", []),
        ('"what a day"', None, [3]),
        ('"what day"', None, []),
        ('"day refunded"', "body", []),  # the end of one thread, the beginning of the next
        ('"tea coffee"', "subject", [4]),
        ('"tea coffee"', None, []),
        ('"coffee and tea"', None, [4]),
        ('"coffee milk"', "subject", []),
        ('"ORD-17 tea"', "subject", [4]),
        ('"17-ORD tea"', "subject", []),
        ("paul@buyer.example", "body", [2]),
        ("paul@buy*", "body", [2, 4]),
        ("buyer@paul", "body", []),
        ("索語", None, [3]),
        ("語", None, [3]),
        ("検索", "subject", []),
        ("größe", None, [2]),
        ("-", None, [1, 2, 3, 4]),
        ("-", "subject", []),
        ('"-"', None, []),
        ('""', "subject", []),
    ],
)
def test_a_value_finds(desk: Desk, text: str, column: Column, ids: list[int], indexed: bool) -> None:
    desk.add(1, subject="Refund please", threads=["Hello there"])
    desk.add(2, subject="Delivery", threads=["where is it", "a refund, GROSSE", "Paul <paul@buyer.example>"])
    desk.add(3, threads=["what a day", "refunded 全文検索語"])
    desk.add(4, subject="coffee and tea ORD-17", threads=["paul@buyers.example"])
    if indexed:
        desk.fill_up()
    assert desk.search(text, column) == ids


def test_conditions_combine(desk: Desk) -> None:
    desk.add(1, subject="coffee", threads=["tea"])
    desk.add(2, subject="coffee", threads=["milk"])
    desk.add(3, subject="water", threads=["tea", "milk"])

    def has(text: str, column: Column = None) -> sa.ColumnElement[bool]:
        return text_matches(Word(text), column, 1)

    def reads(text: str) -> sa.ColumnElement[bool]:
        return text_contains(Word(text), None, 1)

    assert desk.found(sa.and_(has("coffee"), has("tea"))) == [1]
    assert desk.found(sa.or_(has("coffee", "subject"), has("milk", "body"))) == [1, 2, 3]
    assert desk.found(sa.not_(has("tea"))) == [2]
    assert desk.found(sa.and_(sa.not_(sa.or_(has("milk"), has("cocoa"))), has("tea"))) == [1]
    assert desk.found(sa.not_(sa.and_(reads("tea"), sa.not_(reads("milk"))))) == [2, 3]
    assert desk.found(text_matches(ANY, "subject", 1)) == [1, 2, 3]


def test_the_deepest_query_is_within_the_databases_limits(desk: Desk) -> None:
    desk.add(1, threads=["tea"])
    for either in (text_matches(Word("tea"), None, 1), text_contains(Word("tea"), None, 1)):
        deep = either
        for depth in range(DEEPEST_NESTING):
            nested = sa.not_(deep) if depth % 2 else deep
            deep = (sa.or_ if depth % 2 else sa.and_)(nested, conversation.c.subject != str(depth))
        assert desk.found(deep) == [1]
        assert desk.found(sa.and_(*[either] * 200)) == [1]


def test_values_of_one_shape_share_a_statement(desk: Desk) -> None:
    desk.add(1, subject="coffee and tea", threads=[])
    desk.add(2, subject="tea", threads=["hot coffee"])
    others = conversation.alias()
    for form in (matching.text_matches, matching.text_contains):
        first, second = (matching.asked(Phrase(text), "subject", 1) for text in ("tea coffee", "AND tea"))
        assert isinstance(first, Asked) and isinstance(second, Asked) and first.shape == second.shape
        found = form(first.shape, lambda name: P(name, sa.Text), others.c.id)
        statement = value(int, sa.select(others.c.id).where(others.c.account_id == P("account_id"), found), keep=False)
        assert desk.all(statement, account_id=1, **first.values) == [1]
        assert desk.all(statement, account_id=1, **second.values) == [1]
        assert not statement.on(desk.database.dialect).constants


HOSTILE = [
    *('a" OR "b', "a* NOT b", "NEAR(a b)", "^a", "{subject} : a", "subject : a", "a + b", "- a", "AND", "a''b", "'a'"),
    *("a & b", "a | !b", "a <-> b", "a:*", "a:A", "\\", "a\\'b", "%a_", "(a", "a\nb", "1s.a", "?1 :p %s %(a)s $1", "·"),
]


def test_what_people_type_is_never_syntax(desk: Desk) -> None:
    desk.add(1, subject="b a", threads=["a", "near a b not a b"])
    desk.add(2, subject="1s a", threads=["a b"])
    desk.fill_up()
    for text in HOSTILE:
        for column in COLUMNS:
            values: tuple[Word | Phrase, ...] = (Word(text), Word(text, prefix=True), Phrase(text))
            for asked in values:
                expected = [id for id in (1, 2) if desk.models[id].matches(asked, column)]
                assert desk.look(asked, column) == expected, (asked, column)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_was_changed_both_databases_find_what_is_there(desk: Desk, seed: int) -> None:
    invent = random.Random(seed)
    words = ["tea", "Teapot", "teA", "a", "café", "検索", "全文検索語", "語", "환불", "ไทย", "x@y.example", "o'clock"]
    words += ["ORD-17", "17", "!", "-", "Größe", "a" * 70]

    def text(most: int) -> str:
        return " ".join(invent.choices(words, k=invent.randint(0, most)))

    for number in range(120):
        known = [id for id, model in desk.models.items() if model.threads or model.subject]
        action = invent.randrange(8) if known else 0
        id = invent.choice(known) if known else 0
        if action < 3:
            threads = [text(6) for _ in range(invent.randint(0, 3))]
            account_id = invent.choice([1, 1, 17])
            desk.add(number + 1, account_id, subject=text(4), threads=threads)
        elif action < 5:
            desk.append(id, text(6))
        elif action == 5:
            desk.set_subject(id, text(4))
        elif action == 6:
            desk.replace(id, [text(5) for _ in range(3)])
        elif invent.random() < 0.5:
            desk.forget(id)

    for _ in range(150):
        word = Word(invent.choice(words), invent.random() < 0.4)
        asked = word if invent.random() < 0.5 else Phrase(text(3))
        column, account_id = invent.choice(COLUMNS), invent.choice([1, 17])
        mine = {id: model for id, model in desk.models.items() if model.account_id == account_id}
        expected = [id for id in sorted(mine) if mine[id].matches(asked, column)]
        assert desk.look(asked, column, account_id) == expected, (asked, column)


@pytest.mark.parametrize("indexed", [False, True])
def test_another_account_finds_and_changes_nothing(desk: Desk, indexed: bool) -> None:
    desk.add(1, 1, subject="tea", threads=["cup"])
    desk.add(2, 2, subject="tea", threads=["cup"])
    desk.add(3, 12, subject="tea", threads=["cup"])
    if indexed:
        desk.fill_up()

    def meddle(tx: Writer) -> None:
        index.set_subject(tx, 2, 1, "milk")
        index.append(tx, 2, 1, "milk")
        index.forget(tx, 2, 1)

    desk.database.write_now(meddle)
    for account_id, id in ((1, 1), (2, 2), (12, 3)):
        assert desk.search("tea", None, account_id) == [id]
        assert desk.search("cup", "body", account_id) == [id]
        assert desk.search("milk", None, account_id) == []
    # Even without the list's own condition, only the account's words are looked at.
    everywhere = value(int, sa.select(conversation.c.id).where(text_matches(Word("t", True), None, 1)), keep=False)
    assert desk.all(everywhere, account_id=1) == [1]


def test_a_change_that_failed_leaves_the_index_as_it_was(desk: Desk) -> None:
    desk.add(1, subject="tea", threads=["cup"])
    desk.fill_up()

    def fail(tx: Writer) -> None:
        index.set_subject(tx, 1, 1, "milk")
        index.forget(tx, 1, 1)
        index.add_many(tx, [Texts(1, 100 + number, "cocoa", "cup") for number in range(ENOUGH)])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        desk.database.write_now(fail)
    assert desk.search("tea") == desk.search("cup") == [1]
    assert desk.search("cocoa") == []


def test_a_forgotten_or_unknown_conversation_stays_so(desk: Desk) -> None:
    desk.add(1, subject="tea", threads=["cup"])
    desk.forget(1)
    desk.forget(1)
    desk.append(1, "late")
    desk.set_subject(1, "late")
    assert desk.search("tea") == desk.search("cup") == desk.search("late") == []


def test_no_text_is_too_much_for_a_database(desk: Desk) -> None:
    letters = [chr(code) for code in range(0x10428, 0x10450)]  # four bytes each
    longest = " ".join("".join(random.Random(n).choices(letters, k=64)) for n in range(5000))
    short = " ".join(f"{number:x}" for number in range(MOST_TOKENS + 1))
    desk.add(1, 2**31 - 1, subject=longest, threads=[longest, short, "xyz " * 10**6])
    desk.append(1, longest)
    desk.fill_up()
    assert desk.search(longest[:64], "subject", 2**31 - 1) == [1]
    assert desk.search("270f", "body", 2**31 - 1) == [1]
    assert desk.search("2710", "body", 2**31 - 1) == []
    assert desk.search("xy*", "body", 2**31 - 1) == [1]
    assert desk.look(Phrase("e f " * 2048), "subject") == []
    assert desk.look(Phrase(" ".join(f"{number:x}" for number in range(1500))), "body", 2**31 - 1) == [1]
    assert desk.look(Phrase(" ".join(f"{number:x}" for number in range(1500))), "subject", 2**31 - 1) == []


def test_a_conversation_has_room_for_thousands_of_threads_and_no_more(desk: Desk) -> None:
    desk.add(1, threads=[f"w{number}" for number in range(LAST_THREAD + 9)])
    desk.add(2, threads=["other"])
    desk.append(1, "late")
    desk.append(2, "late")
    assert desk.search(f"w{LAST_THREAD - 2}") == [1]
    assert desk.search(f"w{LAST_THREAD - 1}") == []
    assert desk.search("late") == [2]
    assert LAST_THREAD < 2**PART_BITS
