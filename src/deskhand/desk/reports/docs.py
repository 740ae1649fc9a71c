"""The report on documentation sites, of which Deskhand has none: nobody visited, searched or read."""

from __future__ import annotations

from msgspec import UNSET

from deskhand.catalogue.reports_conversations import AskDocs, DocsDeltas, DocsNumbers, DocsReport
from deskhand.desk.reports.selecting import Span, spans

_NOTHING = dict.fromkeys(DocsDeltas.__struct_fields__, 0.0)


def report(query: AskDocs) -> DocsReport:
    """All zeros; raises BadRequest for a span that makes no sense."""
    span, earlier = spans(query)
    return DocsReport(
        current=_numbers(span),
        previous=_numbers(earlier) if earlier else UNSET,
        popular_searches=[],
        failed_searches=[],
        top_articles=[],
        top_categories=[],
        deltas=DocsDeltas(**_NOTHING) if earlier else UNSET,
    )


def _numbers(span: Span) -> DocsNumbers:
    return DocsNumbers(start_date=span.start, end_date=span.end, **_NOTHING | {"visitors": 0})  # type: ignore[arg-type]
