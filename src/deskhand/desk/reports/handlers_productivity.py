"""Reports about what the staff did, as the API's operations."""

from __future__ import annotations

from deskhand.catalogue import reports_productivity as operations
from deskhand.catalogue.operation import NoBody
from deskhand.catalogue.reports import AskChannel, AskCompared, AskReport, AskUserSeries
from deskhand.catalogue.reports_conversations import Drilldown
from deskhand.catalogue.reports_productivity import (
    AskCompanyDrilldown,
    AskTimes,
    AskUserHistory,
    AskUserReport,
    CompanyReport,
    EmailReport,
    HistoryReport,
    ProductivityReport,
    RepliesReport,
    ResolvedReport,
    TimesReport,
    UserReport,
)
from deskhand.desk.call import Call, implements
from deskhand.desk.reports import company, emails, history, of_user, productivity
from deskhand.desk.reports.selecting import require_plan


@implements(operations.get_company_report, slow=lambda query: True)
def get_company_report(call: Call[AskCompared, NoBody]) -> CompanyReport:
    require_plan(call.actor)
    return company.report(call.tx, call.actor, call.query)


@implements(operations.get_company_drilldown, slow=lambda query: True)
def get_company_drilldown(call: Call[AskCompanyDrilldown, NoBody]) -> Drilldown:
    require_plan(call.actor)
    return company.listed(call.tx, call.actor, call.query)


@implements(operations.get_productivity_report, slow=lambda query: True)
def get_productivity_report(call: Call[AskReport, NoBody]) -> ProductivityReport:
    require_plan(call.actor)
    return productivity.report(call.tx, call.actor, call.query)


@implements(operations.get_first_response_times_report, slow=lambda query: True)
def get_first_response_times_report(call: Call[AskTimes, NoBody]) -> TimesReport:
    require_plan(call.actor)
    return productivity.response_times(call.tx, call.actor, call.query, first=True)


@implements(operations.get_response_times_report, slow=lambda query: True)
def get_response_times_report(call: Call[AskTimes, NoBody]) -> TimesReport:
    require_plan(call.actor)
    return productivity.response_times(call.tx, call.actor, call.query, first=False)


@implements(operations.get_resolution_times_report, slow=lambda query: True)
def get_resolution_times_report(call: Call[AskTimes, NoBody]) -> TimesReport:
    require_plan(call.actor)
    return productivity.resolution_times(call.tx, call.actor, call.query)


@implements(operations.get_replies_sent_report, slow=lambda query: True)
def get_replies_sent_report(call: Call[AskTimes, NoBody]) -> RepliesReport:
    require_plan(call.actor)
    return productivity.replies_sent(call.tx, call.actor, call.query)


@implements(operations.get_resolved_report, slow=lambda query: True)
def get_resolved_report(call: Call[AskTimes, NoBody]) -> ResolvedReport:
    require_plan(call.actor)
    return productivity.resolved(call.tx, call.actor, call.query)


@implements(operations.get_user_report, slow=lambda query: True)
def get_user_report(call: Call[AskUserReport, NoBody]) -> UserReport:
    require_plan(call.actor)
    return of_user.report(call.tx, call.actor, call.query)


@implements(operations.get_user_conversation_history, slow=lambda query: True)
def get_user_conversation_history(call: Call[AskUserHistory, NoBody]) -> HistoryReport:
    require_plan(call.actor)
    return history.report(call.tx, call.actor, call.query)


@implements(operations.get_user_replies_report, slow=lambda query: True)
def get_user_replies_report(call: Call[AskUserSeries, NoBody]) -> RepliesReport:
    require_plan(call.actor)
    return productivity.replies_sent(call.tx, call.actor, call.query)


@implements(operations.get_user_resolutions_report, slow=lambda query: True)
def get_user_resolutions_report(call: Call[AskUserSeries, NoBody]) -> ResolvedReport:
    require_plan(call.actor)
    return productivity.resolved(call.tx, call.actor, call.query)


@implements(operations.get_email_report, slow=lambda query: True)
def get_email_report(call: Call[AskChannel, NoBody]) -> EmailReport:
    require_plan(call.actor)
    return emails.report(call.tx, call.actor, call.query)
