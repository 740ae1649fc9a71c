"""What an agent names in what it writes: others as authors, customers and inboxes of elsewhere, and odd values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.isolation.sides import IN_MANY_YEARS
from tests.proof.bypass_world import BOTH, OF_THE_ACCOUNT, UNKNOWN, World, alike, everything_in
from tests.proof.writing import WHO, begun
from tests.world import unique

# -- Others' names


SPOKEN: list[tuple[str, str, str, Any]] = [
    ("a reply as somebody else", "POST", "/reply", {"text": "x", "customer": WHO, "user": 2}),
    ("an imported reply", "POST", "/reply", {"text": "x", "customer": WHO, "imported": True}),
    ("a reply of another time", "POST", "/reply",
     {"text": "x", "customer": WHO, "imported": True, "createdAt": "2020-01-01T00:00:00Z"}),
    ("a note as somebody else", "POST", "/notes", {"text": "x", "user": 2}),
    ("an imported note", "POST", "/notes", {"text": "x", "imported": True}),
    ("an imported chat", "POST", "/chats", {"text": "x", "customer": WHO, "imported": True}),
    ("an imported call", "POST", "/phones", {"text": "x", "customer": WHO, "imported": True}),
    ("a message of the customer", "POST", "/customer", {"text": "x", "customer": WHO}),
    ("an imported message of the customer", "POST", "/customer", {"text": "x", "customer": WHO, "imported": True}),
    ("a draft sent in its author's name", "PUT", "/threads/{draft}/schedule", IN_MANY_YEARS | {"sendAsCreator": True}),
    ("another author of the conversation", "PATCH", "", {"op": "replace", "path": "/createdBy", "value": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), [one[1:] for one in SPOKEN], ids=[one[0] for one in SPOKEN])
def test_no_agent_speaks_for_others_by(world: World, method: str, path: str, body: Any) -> None:
    conversation = world.begin()
    new = {"text": "by the owner", "customer": WHO, "draft": True}
    draft = world.desk.post(f"/v2/conversations/{conversation}/reply", new).headers["Resource-ID"]
    with world.watched(world.narrow) as attempt:
        answer = attempt.send(method, f"/v2/conversations/{conversation}{path.format(draft=draft)}", body)
        assert answer.status in (400, 403), answer.everything


# -- Customers that a body names


Reference = Callable[[Any], dict[str, Any]]
BY_ID: list[Reference] = [lambda side: {"id": side.customer}, lambda side: {"id": side.customer, "email": BOTH}]
BY_ADDRESS: list[Reference] = [
    lambda side: {"email": side.email}, lambda side: {"email": side.email.upper()},
    lambda side: {"email": f" {side.email} "}, lambda side: {"email": side.email, "firstName": "x"},
]  # fmt: skip


def naming(world: World, conversation: int, who: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """All calls by which somebody may be named."""
    added: list[tuple[str, str, Any]] = [
        ("POST", f"/v2/conversations/{conversation}/{kind}", {"text": unique("x"), "customer": who})
        for kind in ("reply", "chats", "phones", "customer")
    ]
    return [
        *added,
        ("POST", "/v2/conversations", begun(world, customer=who)),
        ("POST", "/v2/conversations", begun(world, threads=who)),
    ]


def test_a_customer_of_elsewhere_is_refused_by_id_like_nobody(world: World) -> None:
    conversation = world.begin()
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        for of in BY_ID:
            foreign, nobody = (naming(world, conversation, of(side)) for side in (world.foreign, world.nothing))
            for one, other in zip(foreign, nobody, strict=True):
                there, nowhere = attempt.send(*one), attempt.send(*other)
                assert there.status == 403, there.everything
                assert alike(there) == alike(nowhere)
        for op, path in (("replace", "/primaryCustomer.id"), ("add", "primaryCustomer.id"), ("replace", "/customer")):
            place = f"/v2/conversations/{conversation}"
            there, nowhere = (
                attempt.send("PATCH", place, {"op": op, "path": path, "value": side.customer})
                for side in (world.foreign, world.nothing)
            )
            assert there.status == 403, there.everything
            assert alike(there) == alike(nowhere)


def test_a_customer_of_elsewhere_is_not_made_ones_own_by_address(world: World) -> None:
    """That an address is taken shows, for addresses are unique; but it opens no door to whose it is."""
    conversation = world.begin()
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT | {"email"}) as attempt:
        for of in BY_ADDRESS:
            for call in naming(world, conversation, of(world.foreign)):
                assert attempt.send(*call).status == 403
        assert attempt.get(f"/v2/customers/{world.foreign.customer}").status == 403


def test_who_may_write_no_customers_is_refused_alike_for_addresses_of_elsewhere_and_of_nobody(world: World) -> None:
    scope = everything_in(world.own.inbox)
    scope["customers"]["level"] = "read"
    agent, conversation = world.standing("reads customers", resources=scope), world.begin()
    with world.watched(agent, may_see=frozenset({"email"})) as attempt:
        for of in BY_ADDRESS:
            foreign, nobody = (naming(world, conversation, of(side)) for side in (world.foreign, world.nothing))
            for one, other in zip(foreign, nobody, strict=True):
                there, nowhere = attempt.send(*one), attempt.send(*other)
                assert there.status == 403, there.everything
                assert alike(there) == alike(nowhere)


def test_an_address_that_is_somebodys_elsewhere_tells_nothing_of_them(world: World) -> None:
    """That it is taken shows, for addresses are unique; not by whom, where, or since when."""
    with world.watched(world.narrow, may_see=frozenset({"email"})) as attempt:
        path, value = f"/v2/customers/{world.own.customer}/emails", {"value": world.foreign.email}
        answer = attempt.send("POST", path, value)
        assert answer.status == 409
        assert str(world.foreign.customer) not in answer.text


# -- Inboxes and other values that a body names


MOVES: list[tuple[str, Callable[[int], Any]]] = [
    ("moved", lambda to: {"op": "move", "path": "/mailboxId", "value": to}),
    ("replaced", lambda to: {"op": "replace", "path": "/mailboxId", "value": to}),
    ("added", lambda to: {"op": "add", "path": "/mailboxId", "value": to}),
    ("without a slash", lambda to: {"op": "move", "path": "mailboxId", "value": to}),
    ("in capitals", lambda to: {"op": "move", "path": "/MAILBOXID", "value": to}),
    ("with a sign between", lambda to: {"op": "move", "path": "/mailbox.id", "value": to}),
    ("with a folded letter", lambda to: {"op": "move", "path": "/ma\u0131lboxId", "value": to}),
    ("by a text", lambda to: {"op": "move", "path": "/mailboxId", "value": str(to)}),
    ("by a text with zeros", lambda to: {"op": "move", "path": "/mailboxId", "value": f"000{to}"}),
    ("by a fraction", lambda to: {"op": "move", "path": "/mailboxId", "value": float(to)}),
    ("by a list", lambda to: {"op": "move", "path": "/mailboxId", "value": [to]}),
    ("by an object", lambda to: {"op": "move", "path": "/mailboxId", "value": {"id": to}}),
    ("by digits of another script", lambda to: {"op": "move", "path": "/mailboxId", "value": "\uff15\uff10\uff12"}),
    ("by a number without end", lambda to: {"op": "move", "path": "/mailboxId", "value": 10**400}),
    ("from somewhere", lambda to: {"op": "move", "from": "/mailboxId", "path": "/mailboxId", "value": to}),
    ("as a list", lambda to: [{"op": "move", "path": "/mailboxId", "value": to}]),
    ("as the last step", lambda to: [
        {"op": "replace", "path": "/subject", "value": "x"}, {"op": "move", "path": "/mailboxId", "value": to},
    ]),
    ("as a list in a list", lambda to: [[{"op": "move", "path": "/mailboxId", "value": to}]]),
]  # fmt: skip


@pytest.mark.parametrize("step", [step for _, step in MOVES], ids=[words for words, _ in MOVES])
def test_no_conversation_is_moved_elsewhere(world: World, step: Callable[[int], Any]) -> None:
    conversation = world.begin()
    with world.watched(world.narrow) as attempt:
        answers = [
            attempt.send("PATCH", f"/v2/conversations/{conversation}", step(side.inbox))
            for side in (world.foreign, world.nothing)
        ]
        assert answers[0].status in (400, 403), answers[0].everything
        assert alike(answers[0]) == alike(answers[1])


def test_a_step_that_is_refused_leaves_the_others_undone(world: World) -> None:
    conversation = world.begin()
    steps = [
        {"op": "replace", "path": "/subject", "value": "half done"},
        {"op": "replace", "path": "/primaryCustomer.id", "value": world.foreign.customer},
    ]
    with world.watched(world.narrow) as attempt:
        for order in (steps, steps[::-1]):
            assert attempt.send("PATCH", f"/v2/conversations/{conversation}", order).status == 403
    assert world.desk.get(f"/v2/conversations/{conversation}").json()["subject"] != "half done"


ODD_VALUES = [
    10**400,
    -1,
    0,
    2**63,
    1.5,
    1e308,
    True,
    [],
    {},
    None,
    "\ud7ff",
    "a" * 100_000,
    {"a": {"b": [1, {"c": 2}]}},
]


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda one: str(one)[:20])
def test_no_value_however_odd_is_more_than_a_bad_request(world: World, value: Any) -> None:
    conversation = world.begin()
    with world.watched(world.narrow, writes=True) as attempt:
        for path in ("/status", "/assignTo", "/mailboxId", "/primaryCustomer.id", "/draft", "/tags", "/"):
            answer = attempt.send(
                "PATCH", f"/v2/conversations/{conversation}", {"op": "replace", "path": path, "value": value}
            )
            assert answer.status in (204, 400, 403), answer.everything
        body = {"conversationIds": value} if isinstance(value, list) else {"conversationIds": [value]}
        answer = attempt.send("POST", f"/v2/workflows/{world.own.workflow}/run", body)
        assert answer.status in (400, 403), answer.everything


def test_nothing_unknown_is_created_by_id(world: World) -> None:
    with world.watched(world.narrow) as attempt:
        for method, path, body in (
            ("PUT", f"/v2/conversations/{UNKNOWN}", {"subject": "x"}),
            ("PATCH", f"/v2/conversations/{UNKNOWN}", {"op": "replace", "path": "/subject", "value": "x"}),
            ("PUT", f"/v2/mailboxes/{UNKNOWN}/routing", {}),
            ("POST", f"/v2/mailboxes/{UNKNOWN}/saved-replies", {"name": "x", "text": "x"}),
        ):
            assert attempt.send(method, path, body).status in (400, 403)
