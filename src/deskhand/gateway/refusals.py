"""Refusals besides the policy's own: of what can't be understood or asked, and of what turns out late. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from deskhand.catalogue.needs import SENDS_MAIL
from deskhand.catalogue.operation import Action, Need
from deskhand.catalogue.problems import Problem
from deskhand.gateway import policy
from deskhand.gateway.policy import Decision
from deskhand.gateway.upstream import UpstreamDown

UNKNOWN = policy.refusal("unknown_operation", "it is no operation of the desk")
OUTGOING = policy.refusal(
    "missing_grant",
    "it is on its way to a customer, and that takes the right to reply",
    missing={"action": SENDS_MAIL},
)
"""Of a change to a thread that goes out as it is then."""
_LEVELS = {Action.READ: "read", Action.WRITE: "write", Action.DELETE: "full"}


def unclean(problem: Problem) -> Decision:
    """Of a call that could not be read."""
    return policy.refusal("unclean", f"it could not be read: {problem}")


def unasked(down: UpstreamDown) -> Decision:
    """Of a call that could not be decided about, because the desk could not be asked where things lie."""
    return policy.refusal("upstream", f"the help desk could not be asked: {down}")


def foreign(needs: Sequence[Need]) -> Decision:
    """Of something that turned out to lie elsewhere: the same as if it had been known before."""
    first = needs[0]
    missing = {"resource": first.resource.key, "level": _LEVELS[first.action]}
    return policy.refusal("missing_grant", "it lies in an inbox that is not granted", missing=missing, elsewhere=True)
