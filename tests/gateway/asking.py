"""Calls with needs of the test's choice, and what look-ups told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from deskhand.catalogue.needs import setting
from deskhand.catalogue.operation import Asked, Need, Of, Place, Resource
from deskhand.catalogue.operations import BY_NAME
from deskhand.gateway.limits import Limits
from deskhand.gateway.policy import OWN, Decision, Found, Granted, Grants, Rule, Setting, decide

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)  # a Monday
ORDERS, PRODUCTS, WHOLESALE = 501, 502, 503

IN_ORDERS, IN_PRODUCTS, NOWHERE = Of("conversation", 1), Of("conversation", 2), Of("conversation", 404)
ANNA, BEN, STRANGER = Of("customer", 11), Of("email", "ben@buyer.example"), Of("customer", 12)
FOUND: Mapping[Of, Found | None] = {
    IN_ORDERS: Found(frozenset((ORDERS,)), 1874),
    IN_PRODUCTS: Found(frozenset((PRODUCTS,)), 1875),
    NOWHERE: None,
    ANNA: Found(frozenset((ORDERS, PRODUCTS))),
    BEN: Found(frozenset((PRODUCTS,))),
    STRANGER: Found(frozenset()),
}
NAMED_ONLY = "add_customer_thread"
"""What no level grants: it is set by name, or comes with speaking for others."""


def needed(name: str, place: Place, **more: Any) -> Need:
    """What an operation says of itself, in a place."""
    return Need(OWN[name], BY_NAME[name].action, place, setting(name), **more)


def asked(name: str, *needs: Need, path: tuple[int, ...] = (9,), body: Any = None) -> Asked:
    """A call of an operation that needs this; without needs, what it says of itself in Orders."""
    chosen = needs or (needed(name, IN_ORDERS),)
    return Asked(replace(BY_NAME[name], needs=lambda _: chosen), path, "", None, body)


def holding(
    resources: Mapping[str, tuple[int, int | tuple[int, ...] | None]] | None = None,
    actions: Mapping[str, Setting | Rule] | None = None,
    limits: Limits | None = None,
    expires_at: str | None = None,
) -> Grants:
    """Grants: of each resource a level and its inboxes (None: all), of each action a setting or a rule."""
    granted = {
        Resource[name.upper()]: Granted(level, None if inboxes is None else frozenset(_tuple(inboxes)))
        for name, (level, inboxes) in (resources or {}).items()
    }
    rules = {name: one if isinstance(one, Rule) else Rule(one) for name, one in (actions or {}).items()}
    return Grants(7, granted, rules, limits or Limits(), expires_at)


def _tuple(inboxes: int | tuple[int, ...]) -> tuple[int, ...]:
    return (inboxes,) if isinstance(inboxes, int) else inboxes


def decided(grants: Grants, call: Asked, found: Mapping[Of, Found | None] = FOUND, now: datetime = NOW) -> Decision:
    """The decision about a call, at nine thirty on a Monday unless it says otherwise."""
    return decide(grants, call, found, now)
