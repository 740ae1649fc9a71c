"""Reports, as the API's operations. They read much, so they have the slow lane."""

from __future__ import annotations

from deskhand.catalogue import reports as operations
from deskhand.catalogue.operation import NoBody
from deskhand.catalogue.reports import AskRatings, AskReport, ConversationsReport, HappinessReport, RatingsReport
from deskhand.desk.call import Call, implements
from deskhand.desk.reports import conversations, happiness, ratings
from deskhand.desk.reports.selecting import require_plan


@implements(operations.get_conversations_report, slow=lambda query: True)
def get_conversations_report(call: Call[AskReport, NoBody]) -> ConversationsReport:
    require_plan(call.actor)
    return conversations.report(call.tx, call.actor, call.query)


@implements(operations.get_happiness_report, slow=lambda query: True)
def get_happiness_report(call: Call[AskReport, NoBody]) -> HappinessReport:
    require_plan(call.actor)
    return happiness.report(call.tx, call.actor, call.query)


@implements(operations.get_happiness_ratings_report, slow=lambda query: True)
def get_happiness_ratings_report(call: Call[AskRatings, NoBody]) -> RatingsReport:
    require_plan(call.actor)
    return ratings.report(call.tx, call.actor, call.query)
