"""The catalogue's operations as tests walk them, and their paths with what of a side they take."""

from __future__ import annotations

import re

import pytest

from deskhand.catalogue.operation import Action, AnyOperation, ListOf, NoBody
from deskhand.catalogue.operations import OPERATIONS
from tests.contract.isolation.cases import CASES
from tests.contract.isolation.sides import Side

USING_UP = {"send_scheduled_thread"}
"""Operations that work but once on what a side has, without deleting it."""

PLACES = {
    "conversation_id", "attachment_id", "user_id", "team_id", "tag_id", "inbox_id", "folder_id", "customer_id",
    "workflow_id", "saved_reply_id", "system_user_id", "thread_id", "organization_id", "webhook_id", "slug",
    "rating_id",
}  # fmt: skip
"""Parameters of paths that are named after what of a side they take."""

NO_FILTERS = {"page", "embed", "status", "sortField", "sortOrder", "modifiedSince", "createdSince", "cursor", "sort"}
"""Parameters that name nothing of anybody's."""

with_path = pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.parameters], ids=lambda operation: operation.name
)
with_part = pytest.mark.parametrize(
    "operation",
    # Properties are the whole account's.
    [one for one in OPERATIONS if len(one.parameters) > 1 and "slug" not in one.parameters],
    ids=lambda operation: operation.name,
)
with_body = pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.body is not NoBody], ids=lambda operation: operation.name
)
with_ids = pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, case in CASES.items() for number in range(len(case.ids))]
)
each_list = pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if isinstance(one.returns, ListOf)], ids=lambda operation: operation.name
)


def changes(request: pytest.FixtureRequest) -> bool:
    """Whether a test may leave its side so changed that others could not use it; bodies of `CASES` change little."""
    operation = request.node.callspec.params.get("operation")
    return operation is None or operation.action is Action.DELETE or operation.name in USING_UP


def filled(operation: AnyOperation, *sides: Side) -> str:
    """An operation's path, each parameter of the side in its place."""
    pieces, values = operation.path.split("/"), iter(sides)
    for position, piece in enumerate(pieces):
        if piece == "{entry_id}":
            pieces[position] = str(next(values).entries[pieces[position - 1]])
        elif piece.startswith("{"):
            assert piece[1:-1] in PLACES
            pieces[position] = str(getattr(next(values), piece[1:-1].removesuffix("_id")))
    return "/".join(pieces)


def all_of(operation: AnyOperation, side: Side) -> str:
    """An operation's path with ids of one side alone."""
    return filled(operation, *[side] * len(operation.parameters))


def everything_of(side: Side, method: str = "") -> list[str]:
    """All that is seen of a side, to notice a change; nothing after a call that can't have made one.

    How long ago something was, in words, changes by itself.
    """
    if method == "GET":
        return []
    paths = (
        f"/v2/conversations/{side.conversation}?embed=threads", "/v2/customers", "/v2/tags",
        f"/v2/mailboxes/{side.inbox}/folders",
    )  # fmt: skip
    return [re.sub(r'"friendly":"[^"]*"', "", side.desk.get(path).text) for path in paths]


def nothing(side: Side) -> None:
    """The body of an operation that takes none."""
