"""The indexes of full-text search, which SQLAlchemy can't describe: for the migration that makes `conversation_search`.

Both index every token with its account and the kind of text in front, as `17s.refund` (p: people, s: subject,
b: a thread's body). So neither another account's texts nor another kind's cost a search anything.
"""

from __future__ import annotations

from types import ModuleType

from alembic.operations import Operations

OWN_NAMES = "conversation_search_"
"""How the names of all that is made here begin; comparisons with the tables in the code leave them out."""

_KIND = "CASE {row}id & 4095 WHEN 0 THEN 'p.' WHEN 1 THEN 's.' ELSE 'b.' END"

# Writing to FTS5 costs much per transaction and little per row. So new rows wait in `_fresh`, which searches read too,
# and the trigger takes them over together. The index keeps no texts: to remove one it must be told what it was.
_SQLITE = (
    """CREATE VIRTUAL TABLE conversation_search_index USING fts5(
        text, content='', columnsize=0, tokenize="ascii tokenchars '.'"
    )""",
    "CREATE TABLE conversation_search_fresh (id INTEGER PRIMARY KEY)",
    """CREATE TRIGGER conversation_search_added AFTER INSERT ON conversation_search BEGIN
        INSERT INTO conversation_search_fresh VALUES (new.id);
    END""",
    """CREATE TRIGGER conversation_search_changed AFTER UPDATE ON conversation_search BEGIN
        INSERT INTO conversation_search_index (conversation_search_index, rowid, text)
            SELECT 'delete', old.id, {old_words}
            WHERE NOT EXISTS (SELECT 1 FROM conversation_search_fresh WHERE id = old.id);
        INSERT INTO conversation_search_fresh
            SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM conversation_search_fresh WHERE id = new.id);
    END""",
    """CREATE TRIGGER conversation_search_removed AFTER DELETE ON conversation_search BEGIN
        INSERT INTO conversation_search_index (conversation_search_index, rowid, text)
            SELECT 'delete', old.id, {old_words}
            WHERE NOT EXISTS (SELECT 1 FROM conversation_search_fresh WHERE id = old.id);
        DELETE FROM conversation_search_fresh WHERE id = old.id;
    END""",
    """CREATE TRIGGER conversation_search_settled AFTER INSERT ON conversation_search_fresh
    WHEN (SELECT count(*) FROM conversation_search_fresh) >= 128 BEGIN
        INSERT INTO conversation_search_index (rowid, text)
            SELECT fresh.id, {added_words}
            FROM conversation_search_fresh AS fresh CROSS JOIN conversation_search AS added ON added.id = fresh.id
            ORDER BY fresh.id;
        DELETE FROM conversation_search_fresh;
    END""",
)

# A function rather than the expression: its cost keeps the planner from evaluating it row by row. A short pending list
# makes adding cheap; the usual 4 MB would be read by every search.
_POSTGRESQL = (
    """CREATE FUNCTION conversation_search_words(text text, account_id bigint, id bigint) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 200 AS $$ BEGIN
        RETURN array_to_tsvector(string_to_array(substr({words}, 2), ' '));
    END $$""",
    """CREATE INDEX conversation_search_words ON conversation_search
    USING gin (conversation_search_words(text, account_id, id)) WITH (gin_pending_list_limit = 512)""",
)


def create(op: Operations | ModuleType) -> None:
    """Make the index over the table `conversation_search`, which must be there and empty."""
    connection = op.get_bind()
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(
            statement.format(words=_words(""), old_words=_words("old."), added_words=_words("added."))
        )


def drop(op: Operations | ModuleType) -> None:
    """Take away what `create` made; the table stays."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for name in ("added", "changed", "removed", "settled"):
            connection.exec_driver_sql(f"DROP TRIGGER conversation_search_{name}")
        connection.exec_driver_sql("DROP TABLE conversation_search_fresh")
        connection.exec_driver_sql("DROP TABLE conversation_search_index")
    else:
        connection.exec_driver_sql("DROP INDEX conversation_search_words")
        connection.exec_driver_sql("DROP FUNCTION conversation_search_words")


def _words(row: str) -> str:
    """A row's text with account and kind in front of each token."""
    return f"replace({row}text, ' ', ' ' || {row}account_id || {_KIND.format(row=row)})"
