"""Rows go to the driver as tuples: what each insert writes, in which order."""

from __future__ import annotations

import sys

import msgspec
import pytest
import sqlalchemy as sa

import deskhand.app  # noqa: F401 - loads every room
from deskhand.db.statements import Dialect, Insert

INSERTS = {
    f"{module}.{name}": found
    for module, loaded in sorted(sys.modules.items())
    if module.startswith("deskhand.")
    for name, found in vars(loaded).items()
    if isinstance(found, Insert)
}


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_values_go_in_the_order_of_the_fields(dialect: Dialect) -> None:
    assert len(INSERTS) > 50
    for name, insert in INSERTS.items():
        fields = insert.shape.__struct_fields__
        assert insert.many.on(dialect).names == fields, name
        assert insert.one is None or insert.one.on(dialect).names == fields, name


def test_fields_in_another_order_than_the_columns_are_refused() -> None:
    class Row(msgspec.Struct):
        b: int
        a: int

    table = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer), sa.Column("b", sa.Integer))
    with pytest.raises(TypeError, match="in the order of t's columns"):
        Insert(table, Row)


def test_a_field_that_is_no_column_is_refused() -> None:
    class Row(msgspec.Struct):
        a: int
        c: int

    with pytest.raises(TypeError, match="in the order of t's columns"):
        Insert(sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer)), Row)
