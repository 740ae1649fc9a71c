"""The phone report: as that about e-mail, of calls."""

from __future__ import annotations

from msgspec import UNSET

from deskhand.catalogue.reports import AskChannel
from deskhand.catalogue.reports_phone import PhoneDeltas, PhoneNumbers, PhoneReport, PhoneVolume, PhoneVolumeDeltas
from deskhand.catalogue.reports_productivity import EmailResolutionsDeltas, EmailResponses, EmailResponsesDeltas
from deskhand.db.engine import Reader
from deskhand.desk.call import Actor
from deskhand.desk.reports import productivity
from deskhand.desk.reports.emails import created, resolutions
from deskhand.desk.reports.numbers import changes
from deskhand.desk.reports.office import Office, office
from deskhand.desk.reports.selecting import Selection, Span, select, spans


def report(db: Reader, actor: Actor, query: AskChannel) -> PhoneReport:
    """The whole report; raises BadRequest for a span or a filter that makes no sense."""
    (span, earlier), selection = spans(query), select(actor, query, ("phone",))
    by = office(db, actor, query.office_hours)
    current = _numbers(db, selection, span, by)
    previous = _numbers(db, selection, earlier, by) if earlier else UNSET
    return PhoneReport(current=current, previous=previous, deltas=_deltas(current, previous) if previous else UNSET)


def _numbers(db: Reader, selection: Selection, span: Span, by: Office | None) -> PhoneNumbers:
    of = productivity.numbers(productivity.done(db, selection, span, by))
    calls = db.first(created(selection.filters), **selection.parameters(span))
    return PhoneNumbers(
        start_date=span.start,
        end_date=span.end,
        volume=PhoneVolume(phone_conversations=of.total_conversations, phones_created=calls),
        resolutions=resolutions(of),
        responses=EmailResponses(response_time=of.response_time, first_response_time=of.first_response_time),
    )


def _deltas(now: PhoneNumbers, before: PhoneNumbers) -> PhoneDeltas:
    return PhoneDeltas(
        volume=changes(PhoneVolumeDeltas, now.volume, before.volume),
        resolutions=changes(EmailResolutionsDeltas, now.resolutions, before.resolutions),
        responses=changes(EmailResponsesDeltas, now.responses, before.responses),
    )
