"""What a workflow would have done to the newest conversations of its inbox, and why; nothing is changed."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, unknown_id
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, rows, value
from deskhand.desk.conversations import queries as conversations
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.workflows import acting, actions, cases, conditions, evaluating, naming, queries, verbs
from deskhand.desk.workflows.actions import Reply
from deskhand.desk.workflows.evaluating import PATTERNS_S, Case, Matcher
from deskhand.desk.workflows.naming import Named
from deskhand.desk.workflows.tables import workflow_run
from deskhand.desk.workflows.verbs import NewWorkflow
from deskhand.lib.clock import to_wire

MOST = 1_000
"""Conversations that one dry run looks at."""
ALL_PATTERNS_S = 10.0
"""How long regular expressions may take in one dry run; after that they count as too slow."""
_AT_ONCE = 50


class Saw(msgspec.Struct, frozen=True):
    """A condition that decided, by its place, in words; what it saw, and whether it held."""

    place: str
    condition: str
    saw: str
    held: bool


class Tried(msgspec.Struct, frozen=True):
    """A conversation: whether the workflow would run on it, why, and what it would do.

    Where it matches, `because` has the first condition of each group that holds; else all of the first group that does
    not. `ran`: it ran there before, and does not again.
    """

    conversation_id: int
    number: int
    subject: str
    matches: bool
    ran: bool
    would_run: bool
    because: list[Saw]
    actions: list[str]


class DryRun(msgspec.Struct, frozen=True):
    """What came of it, the newest conversation first; `would_run` counts those that it would run on."""

    looked_at: int
    matches: int
    would_run: int
    conversations: list[Tried]


class _Newest(msgspec.Struct, frozen=True):
    id: int
    created_at: str


def _newest(status: str) -> sa.Select[tuple[int, str]]:
    """Of one status, because the inbox's index has the status before the time."""
    found = (
        sa.select(conversation.c.id, conversation.c.created_at)
        .where(
            conversation.c.account_id == P("account_id"),
            conversation.c.inbox_id == P("inbox_id"),
            conversation.c.status == sa.literal_column(f"'{status}'"),
            conversation.c.merged_into.is_(None),
            conversation.c.state == sa.literal_column("'published'"),
        )
        .order_by(conversation.c.created_at.desc(), conversation.c.id.desc())
        .limit(P("most", sa.Integer))
        .subquery(status)
    )
    return sa.select(found.c.id, found.c.created_at)


_OF_ANY = sa.union_all(*map(_newest, ("active", "pending", "closed", "spam"))).subquery("newest")
_NEWEST = rows(
    _Newest,
    sa.select(_OF_ANY.c.id, _OF_ANY.c.created_at)
    .order_by(_OF_ANY.c.created_at.desc(), _OF_ANY.c.id.desc())
    .limit(P("most", sa.Integer)),
)
_RAN = value(
    int,
    sa.select(workflow_run.c.conversation_id).where(
        workflow_run.c.account_id == P("account_id"),
        workflow_run.c.workflow_id == P("workflow_id"),
        workflow_run.c.user_id.is_(None),
        ids_in(workflow_run.c.conversation_id, P("ids", sa.Text)),
    ),
)


def of(db: Reader, wanted: NewWorkflow, most: int, now: datetime, workflow_id: int | None = None) -> DryRun:
    """Try a workflow on the newest conversations of its inbox; raises BadRequest for one that could not be added.

    With its id, where it ran before counts. A manual one matches whatever there is.
    """
    if inboxes.by_id(db, wanted.account_id, wanted.inbox_id) is None:
        raise unknown_id("inbox_id", wanted.inbox_id, "inbox")
    verbs.require_sound(db, wanted)
    every = list(conditions.every(wanted.conditions))
    named = naming.named_by(db, wanted.account_id, (wanted.inbox_id,), wanted.actions, every)
    found = db.all(_NEWEST, account_id=wanted.account_id, inbox_id=wanted.inbox_id, most=most)
    tried: list[Tried] = []
    left_s = ALL_PATTERNS_S
    for start in range(0, len(found), _AT_ONCE):
        ids = [one.id for one in found[start : start + _AT_ONCE]]
        ran: set[int] = set()
        if workflow_id is not None:
            given = {"account_id": wanted.account_id, "workflow_id": workflow_id}
            ran = set(db.all(_RAN, **given, ids=json.dumps(ids)))
        read = cases.read(db, wanted.account_id, ids, cases.wanted(every))
        for case in (read[id] for id in ids if id in read):
            matcher = Matcher(min(PATTERNS_S, left_s))
            left_s -= matcher.left_s
            tried.append(_try(db, wanted, case, named, now, matcher, ran=case.id in ran))
            left_s += max(0.0, matcher.left_s)
    return DryRun(len(tried), sum(one.matches for one in tried), sum(one.would_run for one in tried), tried)


def of_existing(db: Reader, account_id: int, id: int, most: int, now: datetime) -> DryRun:
    """Try a workflow that is there; raises NotFound, and BadRequest for one that could not run any more."""
    row = queries.by_id(db, account_id, id)
    if row is None:
        raise NotFound
    does, groups = actions.from_json(row.actions), conditions.from_json(row.conditions)
    if does is None or groups is None:
        raise BadRequest(FieldError("workflowId", "the workflow makes no sense", "ValidIdentifier", id, "URI"))
    wanted = NewWorkflow(
        account_id=account_id,
        inbox_id=row.inbox_id,
        name=row.name,
        actions=does,
        type=row.type,
        conditions=groups,
        created_at=row.created_at,
    )
    return of(db, wanted, most, now, id)


def _try(
    db: Reader, wanted: NewWorkflow, case: Case, named: Named, now: datetime, matcher: Matcher, *, ran: bool
) -> Tried:
    matches = wanted.type == "manual" or evaluating.holds(wanted.conditions, case, now, matcher)
    would_run = matches and not ran
    return Tried(
        conversation_id=case.id,
        number=case.number,
        subject=case.subject,
        matches=matches,
        ran=ran,
        would_run=would_run,
        because=_because(wanted, case, named, now, matcher),
        actions=_in_words(db, wanted, case, named, now) if would_run else [],
    )


def _because(wanted: NewWorkflow, case: Case, named: Named, now: datetime, matcher: Matcher) -> list[Saw]:
    """What decided: in each group the first condition that holds; or, where one has none that does, all of its own."""
    words = partial(conditions.in_words, name=named.name)
    decided = []
    for number, group in enumerate(wanted.conditions):
        looks = [evaluating.look(one, case, now, matcher) for one in group.any]
        found = [
            Saw(f"conditions[{number}].any[{place}]", words(one.condition), one.saw, one.holds)
            for place, one in enumerate(looks)
        ]
        held = [one for one in found if one.held]
        if not held:
            return found
        decided.append(held[0])
    return decided


def _in_words(db: Reader, wanted: NewWorkflow, case: Case, named: Named, now: datetime) -> list[str]:
    """What would be done, as the line item would say it."""
    silent = ""
    if wanted.type == "automatic" and any(isinstance(one, Reply) for one in wanted.actions):
        head = conversations.head(db, on_behalf_of(wanted.account_id, 0), case.id)
        silent = acting.why_silent(db, head, to_wire(now))
    return [acting.told(one, named, silent if isinstance(one, Reply) else "") for one in wanted.actions]
