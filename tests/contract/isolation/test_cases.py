"""Every operation has a case, and every field that takes an id is tried: a new one of either fails here first."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import inspect

from deskhand.catalogue import values
from deskhand.catalogue.operation import AnyOperation
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from tests.contract.isolation.cases import CASES
from tests.contract.isolation.walking import PLACES, with_body


def test_every_operation_has_a_case() -> None:
    assert set(CASES) == set(BY_NAME)
    assert {name for operation in OPERATIONS for name in operation.parameters} == PLACES | {"entry_id"}


@with_body
def test_every_field_that_takes_an_id_is_tried(operation: AnyOperation) -> None:
    case = CASES[operation.name]
    assert case.body is not None
    assert set(ids_in(inspect.type_info(operation.body))) <= {place for place, _ in case.ids}


def ids_in(kind: inspect.Type, place: str = "") -> Iterator[str]:
    """The places of a body that take an id: whole numbers from 1 or 2 to the largest there can be."""
    match kind:
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from ids_in(field.type, f"{place}.{field.encode_name}" if place else field.encode_name)
        case inspect.UnionType(types=types):
            for one in types:
                yield from ids_in(one, place)
        case inspect.ListType(item_type=item):
            yield from ids_in(item, f"{place}[0]")
        case inspect.IntType(ge=1 | 2, le=values.LARGEST_ID):
            yield place
