"""The e-mail report: how much of it there was, and how it was answered."""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa
from msgspec import UNSET

from deskhand.catalogue.reports import AskChannel
from deskhand.catalogue.reports_productivity import (
    EmailDeltas,
    EmailNumbers,
    EmailReport,
    EmailResolutions,
    EmailResolutionsDeltas,
    EmailResponses,
    EmailResponsesDeltas,
    EmailVolume,
    EmailVolumeDeltas,
    ProductivityNumbers,
)
from deskhand.db.engine import Reader
from deskhand.db.statements import Statement, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.reports import names, productivity
from deskhand.desk.reports.numbers import changes
from deskhand.desk.reports.office import Office, office
from deskhand.desk.reports.selecting import Filters, Selection, Span, began, conditions, received, select, spans, within


def report(db: Reader, actor: Actor, query: AskChannel) -> EmailReport:
    """The whole report; raises BadRequest for a span or a filter that makes no sense."""
    (span, earlier), selection = spans(query), select(actor, query, ("email",))
    by = office(db, actor, query.office_hours)
    current = _numbers(db, selection, span, by)
    previous = _numbers(db, selection, earlier, by) if earlier else UNSET
    return EmailReport(
        filter_tags=names.tags(db, actor),
        current=current,
        previous=previous,
        deltas=_deltas(current, previous) if previous else UNSET,
    )


def _numbers(db: Reader, selection: Selection, span: Span, by: Office | None) -> EmailNumbers:
    of = productivity.numbers(productivity.done(db, selection, span, by))
    mails, messages = (
        db.first(statement(selection.filters), **selection.parameters(span)) for statement in (created, _received)
    )
    return EmailNumbers(
        start_date=span.start,
        end_date=span.end,
        volume=EmailVolume(
            email_conversations=of.total_conversations,
            emails_created=mails,
            replies_sent=of.replies_sent,
            messages_received=messages,
        ),
        resolutions=resolutions(of),
        responses=EmailResponses(response_time=of.response_time, first_response_time=of.first_response_time),
    )


def resolutions(of: ProductivityNumbers) -> EmailResolutions:
    """What was resolved, as the reports about one type of conversations tell it."""
    return EmailResolutions(
        resolved=of.resolved,
        resolved_on_first_reply=of.resolved_on_first_reply,
        percent_resolved_on_first_reply=of.resolved_on_first_reply / of.resolved if of.resolved else 0.0,
        resolution_time=of.resolution_time,
        replies_to_resolve=of.replies_to_resolve,
        handle_time=of.handle_time,
        closed=of.closed,
    )


def _deltas(now: EmailNumbers, before: EmailNumbers) -> EmailDeltas:
    return EmailDeltas(
        volume=changes(EmailVolumeDeltas, now.volume, before.volume),
        resolutions=changes(EmailResolutionsDeltas, now.resolutions, before.resolutions),
        responses=changes(EmailResponsesDeltas, now.responses, before.responses),
    )


@lru_cache(maxsize=64)
def created(filters: Filters) -> Statement[int]:
    """How many conversations began."""
    counted = sa.select(sa.func.count()).select_from(conversation).where(*began(), *conditions(filters))
    return value(int, counted, keep=False)


@lru_cache(maxsize=64)
def _received(filters: Filters) -> Statement[int]:
    """Published messages of customers."""
    t = thread.c
    counted = (
        sa.select(sa.func.count())
        .select_from(thread.join(conversation, conversation.c.id == t.conversation_id))
        .where(
            within(t.created_at),
            *received(),
            *conditions(filters),
        )
    )
    return value(int, counted, keep=False)
