"""Reports about what the staff did: how quickly they answered, what they resolved, and how much each of them did.

Times are seconds, averages null where there is nothing to make one of. Nobody measures how long a user works at a
conversation, so every `handle_time` is 0: clients with typed fields refuse null in a place that always has a number.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from deskhand.catalogue.needs import need, places
from deskhand.catalogue.operation import HS, Action, Asked, Need, Operation, Report, Resource
from deskhand.catalogue.reports import AskChannel, AskCompared, AskPlain, AskReport, AskSeries, AskUserSeries, FilterTag
from deskhand.catalogue.reports_conversations import AskDrilldown, Drilldown
from deskhand.catalogue.values import Id, PageNumber, Shape

_PLANS = ((403, "the account's plan has no reports; Plus and Pro do"),)

# -- Asking


class AskTimes(AskSeries, kw_only=True):
    """Times one by one, which may be told by the account's office hours."""

    office_hours: bool = False


class AskUserReport(AskReport, kw_only=True):
    """Of a user, or of the members of a team together."""

    user: Id


class AskUserHistory(AskUserReport, kw_only=True):
    """A page of the conversations that a user replied to, of one status or of all."""

    status: Literal["active", "pending", "closed"] | None = None
    page: PageNumber = 1
    sort_field: Literal["number", "repliesSent", "responseTime", "resolveTime"] = "number"
    sort_order: Literal["ASC", "DESC", "asc", "desc"] = "DESC"


class AskCompanyDrilldown(AskDrilldown, kw_only=True):
    """A page of the conversations behind a number, or behind one range of a histogram (`range_id`)."""

    range: (
        Literal["replies", "firstReplyResolved", "resolved", "responseTime", "firstResponseTime", "handleTime"] | None
    ) = None
    range_id: int | None = None


# -- Productivity


class ProductivityNumbers(Shape, kw_only=True):
    """What was done in one span. Resolved are conversations that were closed and have a reply."""

    start_date: str
    end_date: str
    total_conversations: int
    resolution_time: float | None
    replies_to_resolve: float | None
    response_time: float | None
    first_response_time: float | None
    resolved: int
    resolved_on_first_reply: int
    closed: int
    replies_sent: int
    handle_time: float
    percent_resolved_on_first_reply: float


class ProductivityDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    total_conversations: float
    response_time: float
    first_response_time: float
    resolved: float
    resolved_on_first_reply: float
    closed: float
    replies_sent: float
    handle_time: float
    replies_to_resolve: float
    resolution_time: float


class TimeRange(Shape, kw_only=True):
    """How many took so long, and their share of all.

    `id`: 1 below 15 minutes, 2 below 30, 3 below an hour, then 4 to 9 below 2, 3, 6, 12, 24 and 48 hours, 10 longer.
    """

    id: int
    count: int
    previous_count: int | UnsetType = UNSET
    percent: float
    previous_percent: float | UnsetType = UNSET


class Times(Shape, kw_only=True):
    """How many there were, and how many of them took how long."""

    count: int
    previous_count: int | UnsetType = UNSET
    ranges: list[TimeRange]


class RepliesRange(Shape, kw_only=True):
    """How many conversations took so many replies (5: or more), and how long these took on average."""

    id: int
    count: int
    previous_count: int | UnsetType = UNSET
    percent: float
    previous_percent: float | UnsetType = UNSET
    resolution_time: float | None


class RepliesToResolve(Shape, kw_only=True):
    """How many conversations were resolved, and how many of them with how many replies."""

    count: int
    previous_count: int | UnsetType = UNSET
    ranges: list[RepliesRange]


class ProductivityReport(Shape, kw_only=True):
    """How quickly customers were answered and conversations resolved."""

    filter_tags: list[FilterTag]
    current: ProductivityNumbers
    previous: ProductivityNumbers | UnsetType = UNSET
    deltas: ProductivityDeltas | UnsetType = UNSET
    response_time: Times
    handle_time: Times
    first_response_time: Times
    replies_to_resolve: RepliesToResolve


class DateTime(Shape, kw_only=True):
    """The average seconds from a date on, until the next one in the list; null without any."""

    date: str
    time: float | None


class TimesReport(Shape, kw_only=True):
    """Average times by day, week or month."""

    current: list[DateTime]
    previous: list[DateTime] | UnsetType = UNSET


class DateReplies(Shape, kw_only=True):
    """How many replies were sent from a date on, until the next one in the list."""

    date: str
    replies: int


class RepliesReport(Shape, kw_only=True):
    """Replies by day, week or month."""

    current: list[DateReplies]
    previous: list[DateReplies] | UnsetType = UNSET


class DateResolved(Shape, kw_only=True):
    """How many conversations were resolved from a date on, until the next one in the list."""

    date: str
    resolved: int


class ResolvedReport(Shape, kw_only=True):
    """Resolved conversations by day, week or month."""

    current: list[DateResolved]
    previous: list[DateResolved] | UnsetType = UNSET


# -- Company


class CompanyNumbers(Shape, kw_only=True):
    """What all users together did in one span; `total_users` are those who replied."""

    start_date: str
    end_date: str
    customers_helped: int
    closed: int
    total_replies: int
    total_users: int
    total_days: int
    replies_per_day_per_user: float
    replies_per_day: float
    resolved_per_day: float


class CompanyDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    customers_helped: float
    total_replies: float
    replies_per_day: float
    closed: float
    total_users: float
    replies_per_day_per_user: float


class CompanyUser(Shape, kw_only=True):
    """What one user did; their id is a text on the wire."""

    user: str
    name: str
    customers_helped: int
    replies: int
    happiness_score: float
    handle_time: float
    previous_customers_helped: int | UnsetType = UNSET
    previous_replies: int | UnsetType = UNSET
    previous_happiness_score: float | UnsetType = UNSET
    previous_handle_time: float | UnsetType = UNSET


class CompanyReport(Shape, kw_only=True):
    """What the staff did, together and one by one."""

    filter_tags: list[FilterTag]
    current: CompanyNumbers
    previous: CompanyNumbers | UnsetType = UNSET
    deltas: CompanyDeltas | UnsetType = UNSET
    users: list[CompanyUser]


# -- Users


class ReportedUser(Shape, kw_only=True):
    """Whom a report is about; a team has no photo. `total_customers_helped` is of the span."""

    id: int
    name: str
    has_photo: bool
    photo_url: str | None
    created_at: str
    total_customers_helped: int


class UserNumbers(Shape, kw_only=True):
    """What a user did in one span, or the members of a team together.

    `total_conversations` are those they replied to, `closed` those they closed, `conversations_created` those they
    began. `busiest_day` is the weekday with most of their replies (Monday is 1).
    """

    start_date: str
    end_date: str
    total_days: int
    resolved: int
    conversations_created: int
    closed: int
    total_replies: int
    resolved_on_first_reply: int
    percent_resolved_on_first_reply: float
    replies_to_resolve: float | None
    handle_time: float
    happiness_score: float
    response_time: float | None
    resolution_time: float | None
    replies_per_day: float
    customers_helped: int
    total_conversations: int
    conversations_per_day: float
    busiest_day: int | None


class UserDeltas(Shape, kw_only=True):
    """Changes against the previous span: the score's in points, the others in percent."""

    total_conversations: float
    customers_helped: float
    happiness_score: float
    replies_per_day: float
    resolved_on_first_reply: float
    handle_time: float
    conversations_per_day: float
    resolved: float
    replies_to_resolve: float
    total_replies: float
    closed: float
    response_time: float
    resolution_time: float
    conversations_created: float


class UserReport(Shape, kw_only=True):
    """What one user or team did."""

    filter_tags: list[FilterTag]
    user: ReportedUser
    current: UserNumbers
    previous: UserNumbers | UnsetType = UNSET
    deltas: UserDeltas | UnsetType = UNSET


class HistoryCustomer(Shape, kw_only=True):
    """Who wrote in a conversation."""

    id: int
    name: str


class HistoryItem(Shape, kw_only=True):
    """A conversation that a user replied to: how often, how quickly, and how long it took in all.

    `replies_sent` and `response_time` are of the user's replies in the span, the others of the whole conversation.
    """

    id: int
    number: int
    status: str
    customers: list[HistoryCustomer]
    avg_handle_time: float
    first_response_time: float | None
    replies_sent: int
    response_time: float | None
    resolve_time: float | None


class HistoryReport(Shape, kw_only=True):
    """One page of the conversations that a user replied to."""

    results: list[HistoryItem]
    page: int
    count: int
    pages: int


# -- E-mail


class EmailVolume(Shape, kw_only=True):
    """How much there was to do: conversations with any activity, those that began, and messages both ways."""

    email_conversations: int
    emails_created: int
    replies_sent: int
    messages_received: int


class EmailResolutions(Shape, kw_only=True):
    """What was resolved; the share on the first reply is a fraction here, from 0 to 1."""

    resolved: int
    resolved_on_first_reply: int
    percent_resolved_on_first_reply: float
    resolution_time: float | None
    replies_to_resolve: float | None
    handle_time: float
    closed: int


class EmailResponses(Shape, kw_only=True):
    """How long customers waited."""

    response_time: float | None
    first_response_time: float | None


class EmailNumbers(Shape, kw_only=True):
    """The e-mail conversations of one span."""

    start_date: str
    end_date: str
    volume: EmailVolume
    resolutions: EmailResolutions
    responses: EmailResponses


class EmailVolumeDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    email_conversations: float
    emails_created: float
    replies_sent: float
    messages_received: float


class EmailResolutionsDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    resolved: float
    resolved_on_first_reply: float
    resolution_time: float
    replies_to_resolve: float
    handle_time: float
    closed: float


class EmailResponsesDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    response_time: float
    first_response_time: float


class EmailDeltas(Shape, kw_only=True):
    """Changes against the previous span, in the same places as the numbers."""

    volume: EmailVolumeDeltas
    resolutions: EmailResolutionsDeltas
    responses: EmailResponsesDeltas


class EmailReport(Shape, kw_only=True):
    """How much e-mail there was, and how it was answered."""

    filter_tags: list[FilterTag]
    current: EmailNumbers
    previous: EmailNumbers | UnsetType = UNSET
    deltas: EmailDeltas | UnsetType = UNSET


# -- What is needed


def _numbers(asked: Asked) -> tuple[Need, ...]:
    query: AskPlain = asked.query
    return tuple(need(asked, place) for place in places(query.mailboxes, query.folders))


def _conversations(asked: Asked) -> tuple[Need, ...]:
    """Conversations one by one are shown as their list does."""
    query: AskPlain = asked.query
    listed = (
        Need(Resource.CONVERSATIONS, Action.READ, place, "list_conversations")
        for place in places(query.mailboxes, query.folders)
    )
    return (*_numbers(asked), *listed)


# -- Operations

_REPORTS, _PAGES = "/v2/reports/", HS + "reports/"

get_company_report = Operation(
    name="get_company_report", method="GET", path=_REPORTS + "company",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskCompared, returns=Report(CompanyReport),
    phrase="read the company report",
    summary="How many customers the staff helped, how many replies they sent and what they closed, together and for "
    "each user who replied; compared with an earlier span when one is given. Handle times are not measured: always 0.",
    errors=_PLANS, source=_PAGES + "company/reports-company-overall",
)  # fmt: skip

get_company_drilldown = Operation(
    name="get_company_drilldown", method="GET", path=_REPORTS + "company/drilldown",
    resource=Resource.REPORTS, action=Action.READ, needs=_conversations, query=AskCompanyDrilldown,
    returns=Report(Drilldown),
    phrase="read the conversations that the company and productivity reports count",
    summary="The conversations that got a reply in the span, or with `range` those behind a number of the productivity "
    "report, and with `rangeId` behind one range of its histogram; the newest first.",
    errors=_PLANS, source=_PAGES + "company/reports-company-drilldown",
)  # fmt: skip

get_productivity_report = Operation(
    name="get_productivity_report", method="GET", path=_REPORTS + "productivity",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskReport, returns=Report(ProductivityReport),
    phrase="read the productivity report",
    summary="How quickly customers were answered and conversations resolved, on average and by ranges; with office "
    "hours, only the time in which the office was open counts. Handle times are not measured: always 0.",
    errors=_PLANS, source=_PAGES + "productivity/reports-productivity-overall",
)  # fmt: skip

get_first_response_times_report = Operation(
    name="get_first_response_times_report", method="GET", path=_REPORTS + "productivity/first-response-time",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskTimes, returns=Report(TimesReport),
    phrase="read the report of first response times",
    summary="How long customers waited for the first reply, on average by day, week or month of that reply.",
    errors=_PLANS, source=_PAGES + "productivity/reports-productivity-first-response-time",
)  # fmt: skip

get_response_times_report = Operation(
    name="get_response_times_report", method="GET", path=_REPORTS + "productivity/response-time",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskTimes, returns=Report(TimesReport),
    phrase="read the report of response times",
    summary="How long customers waited for replies, on average by day, week or month of the reply.",
    errors=_PLANS, source=_PAGES + "productivity/reports-productivity-respose-time",
)  # fmt: skip

get_resolution_times_report = Operation(
    name="get_resolution_times_report", method="GET", path=_REPORTS + "productivity/resolution-time",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskTimes, returns=Report(TimesReport),
    phrase="read the report of resolution times",
    summary="How long it took from the beginning of a conversation until it was resolved, on average by day, week or "
    "month in which that was.",
    errors=_PLANS, source=_PAGES + "productivity/reports-productivity-resolution-time",
)  # fmt: skip

get_replies_sent_report = Operation(
    name="get_replies_sent_report", method="GET", path=_REPORTS + "productivity/replies-sent",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskTimes, returns=Report(RepliesReport),
    phrase="read the report of replies sent",
    summary="How many replies were sent by day, week or month; office hours change nothing about that.",
    errors=_PLANS, source=_PAGES + "productivity/reports-productivity-replies-sent",
)  # fmt: skip

get_resolved_report = Operation(
    name="get_resolved_report", method="GET", path=_REPORTS + "productivity/resolved",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskTimes, returns=Report(ResolvedReport),
    phrase="read the report of resolved conversations",
    summary="How many conversations were resolved by day, week or month; office hours change nothing about that.",
    errors=_PLANS, source=_PAGES + "productivity/reports-productivity-resolved",
)  # fmt: skip

get_user_report = Operation(
    name="get_user_report", method="GET", path=_REPORTS + "user",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskUserReport, returns=Report(UserReport),
    phrase="read the report of a user or team",
    summary="What a user did, or the members of a team together: replies, customers helped, conversations closed and "
    "resolved, times, ratings; compared with an earlier span when one is given.",
    errors=_PLANS, source=_PAGES + "user/reports-user-overall",
)  # fmt: skip

get_user_conversation_history = Operation(
    name="get_user_conversation_history", method="GET", path=_REPORTS + "user/conversation-history",
    resource=Resource.REPORTS, action=Action.READ, needs=_conversations, query=AskUserHistory,
    returns=Report(HistoryReport),
    phrase="read the conversations that a user or team replied to",
    summary="The conversations that a user or the members of a team replied to in the span, with how often, how "
    "quickly, and how long it took until they were resolved.",
    errors=_PLANS, source=_PAGES + "user/reports-user-conversation-history",
)  # fmt: skip

get_user_replies_report = Operation(
    name="get_user_replies_report", method="GET", path=_REPORTS + "user/replies",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskUserSeries, returns=Report(RepliesReport),
    phrase="read the report of a user's or team's replies",
    summary="How many replies a user or the members of a team sent, by day, week or month.",
    errors=_PLANS, source=_PAGES + "user/reports-user-replies",
)  # fmt: skip

get_user_resolutions_report = Operation(
    name="get_user_resolutions_report", method="GET", path=_REPORTS + "user/resolutions",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskUserSeries, returns=Report(ResolvedReport),
    phrase="read the report of what a user or team resolved",
    summary="How many conversations a user or the members of a team resolved, by day, week or month.",
    errors=_PLANS, source=_PAGES + "user/reports-user-resolutions",
)  # fmt: skip

get_email_report = Operation(
    name="get_email_report", method="GET", path=_REPORTS + "email",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskChannel, returns=Report(EmailReport),
    phrase="read the e-mail report",
    summary="How many e-mail conversations and messages there were, how quickly customers were answered and "
    "conversations resolved. The share resolved on the first reply is a fraction here, from 0 to 1.",
    errors=_PLANS, source=HS + "reports/email/reports-email",
)  # fmt: skip

OPERATIONS = (
    get_company_report, get_company_drilldown, get_productivity_report, get_first_response_times_report,
    get_response_times_report, get_resolution_times_report, get_replies_sent_report, get_resolved_report,
    get_user_report, get_user_conversation_history, get_user_replies_report, get_user_resolutions_report,
    get_email_report,
)  # fmt: skip
