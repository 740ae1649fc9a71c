"""Reports about conversations one by one, over time and by channel, and about what single users did in them.

The overall reports about conversations and happiness are in `reports.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from deskhand.catalogue.needs import every_inbox, need, places, threads_read
from deskhand.catalogue.operation import HS, Action, Asked, BareReport, Need, Operation, Report, Resource
from deskhand.catalogue.reports import (
    AskChannel,
    AskCompared,
    AskPlain,
    AskRatings,
    AskSeries,
    AskSpan,
    AskUserSeries,
    HappinessReport,
    RatingsReport,
)
from deskhand.catalogue.values import Id, Ids, PageNumber, Shape, WireTime

_PLANS = ((403, "the account's plan has no reports; Plus and Pro do"),)
Rows = Annotated[int, Meta(ge=1, le=50)]


# -- Asking


class AskDrilldown(AskSpan, kw_only=True):
    """A page of the conversations that a report is about."""

    page: PageNumber = 1
    rows: Rows = 25


class AskFieldsDrilldown(AskDrilldown, kw_only=True):
    """Only those with a tag, a saved reply, a workflow or a customer; of tags 1 stands for none."""

    field: Literal["tagid", "replyid", "workflowid", "customerid"]
    fieldid: Id


class AskUserDrilldown(AskSpan, kw_only=True):
    """A page of the conversations that a user worked on, or the members of a team."""

    user: Id
    page: PageNumber = 1
    rows: Rows = 10


class AskUserHappiness(AskCompared, kw_only=True):
    """Ratings of a user's replies, or of those of a team's members."""

    user: Id


class AskUserRatings(AskRatings, kw_only=True):
    """Ratings of a user's replies, or of those of a team's members."""

    user: Id


class AskUserChat(AskChannel, kw_only=True):
    """Chats of a user, or of the members of a team."""

    user: Id


class AskDocs(Shape, kw_only=True):
    """The span, what it is compared with, and which sites it is about."""

    start: WireTime
    end: WireTime
    previous_start: WireTime | None = None
    previous_end: WireTime | None = None
    sites: Ids | None = None


# -- Drilldowns


class DrilldownTag(Shape, kw_only=True):
    """A tag that a conversation carries."""

    id: int
    name: str
    color: str


class DrilldownItem(Shape, kw_only=True):
    """A conversation in a drilldown. `preview` is missing for agents that may not read threads."""

    id: int
    number: int
    type: str
    mailboxid: int
    attachments: bool
    subject: str
    status: str
    thread_count: int
    preview: str | UnsetType = UNSET
    customer_name: str
    customer_email: str
    customer_ids: list[int]
    modified_at: str
    assignedid: int | None
    tags: list[DrilldownTag]
    assigned_name: str


class DrilldownPage(Shape, kw_only=True):
    """One page of conversations, the newest first; `count` is of all pages together."""

    results: list[DrilldownItem]
    page: int
    pages: int
    count: int


class Drilldown(Shape, kw_only=True):
    """The conversations that a report counted."""

    conversations: DrilldownPage


# -- Over time


class BusyTime(Shape, kw_only=True):
    """How many conversations began in an hour of a weekday (Monday is 1), by the account's clocks."""

    day: int
    hour: int
    count: int


class ChannelVolume(Shape, kw_only=True):
    """How many conversations of each type began from a date on, until the next one in the list."""

    date: str
    chat: int
    email: int
    phone: int


class ChannelVolumes(Shape, kw_only=True):
    """Conversations of each type over time."""

    current: list[ChannelVolume]
    previous: list[ChannelVolume] | UnsetType = UNSET


class StartCount(Shape, kw_only=True):
    """How many there were from a moment on, until the next one in the list."""

    start: str
    count: int


class StartCounts(Shape, kw_only=True):
    """Numbers over time."""

    current: list[StartCount]
    previous: list[StartCount] | UnsetType = UNSET


class CustomersHelped(Shape, kw_only=True):
    """How many customers got a reply from a date on, until the next one in the list."""

    date: str
    customers: int


class CustomersHelpedReport(Shape, kw_only=True):
    """Customers who got a reply, over time."""

    current: list[CustomersHelped]
    previous: list[CustomersHelped] | UnsetType = UNSET


# -- Chats and phone calls


class ChatVolume(Shape, kw_only=True):
    """How many chats began, how many were answered and how many were not."""

    chat_conversations: int
    completed_chats: int
    missed_chats: int
    chats_per_day: float


class ChatResponses(Shape, kw_only=True):
    """Average seconds until the first answer, and until the later ones; null without any."""

    wait_time: int | None
    response_time: int | None


class ChatResolutions(Shape, kw_only=True):
    """Averages of the chats that were answered: messages, and seconds from the first to the last one."""

    messages_per_chat: float | None
    duration: int | None


class ChatNumbers(Shape, kw_only=True):
    """The chats of one span."""

    start_date: str
    end_date: str
    volume: ChatVolume
    responses: ChatResponses
    resolutions: ChatResolutions


class ChatVolumeDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    chat_conversations: float
    completed_chats: float
    missed_chats: float
    chats_per_day: float


class ChatResponsesDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    wait_time: float
    response_time: float


class ChatResolutionsDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    messages_per_chat: float
    duration: float


class ChatDeltas(Shape, kw_only=True):
    """Changes against the previous span, in the same places as the numbers."""

    volume: ChatVolumeDeltas
    responses: ChatResponsesDeltas
    resolutions: ChatResolutionsDeltas


class ChatReport(Shape, kw_only=True):
    """How many chats there were, and how quickly they were answered."""

    current: ChatNumbers
    previous: ChatNumbers | UnsetType = UNSET
    deltas: ChatDeltas | UnsetType = UNSET


class UserChatNumbers(Shape, kw_only=True):
    """The chats that a user answered in one span; averages are null without any."""

    start_date: str
    end_date: str
    total_days: int
    new_conversations: int
    messages_per_chat: float | None
    response_time: int | None
    wait_time: int | None
    duration: int | None


class UserChatDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    new_conversations: float
    messages_per_chat: float
    response_time: float
    wait_time: float
    duration: float


class UserChatReport(Shape, kw_only=True):
    """A user's chats, or those of a team's members."""

    current: UserChatNumbers
    previous: UserChatNumbers | UnsetType = UNSET
    deltas: UserChatDeltas | UnsetType = UNSET


# -- Docs


class DocsNumbers(Shape, kw_only=True):
    """Visits of a documentation site; shares in percent."""

    start_date: str
    end_date: str
    visitors: int
    browse_action: float
    search_action: float
    found_an_answer_result: float
    sent_an_email_result: float
    failed_result: float
    docs_viewed_per_visit: float


class DocsDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    visitors: float
    browse_action: float
    search_action: float
    found_an_answer_result: float
    sent_an_email_result: float
    failed_result: float
    docs_viewed_per_visit: float


class DocsSearch(Shape, kw_only=True):
    """What was searched for; `id` is the text."""

    id: str
    count: int
    results: int


class DocsCount(Shape, kw_only=True):
    """An article or a category, and how often it was read."""

    id: str
    count: int


class DocsReport(Shape, kw_only=True):
    """What readers did on documentation sites. Deskhand has none, so every number is 0 and every list empty."""

    current: DocsNumbers
    previous: DocsNumbers | UnsetType = UNSET
    popular_searches: list[DocsSearch]
    failed_searches: list[DocsSearch]
    top_articles: list[DocsCount]
    top_categories: list[DocsCount]
    deltas: DocsDeltas | UnsetType = UNSET


# -- What is needed


def _numbers(asked: Asked) -> tuple[Need, ...]:
    query: AskPlain = asked.query
    return tuple(need(asked, place) for place in places(query.mailboxes, query.folders))


def _conversations(asked: Asked) -> tuple[Need, ...]:
    """Drilldowns show conversations as their list does."""
    query: AskPlain = asked.query
    listed = (
        Need(Resource.CONVERSATIONS, Action.READ, place, "list_conversations")
        for place in places(query.mailboxes, query.folders)
    )
    return (*_numbers(asked), *listed)


def _ratings(asked: Asked) -> tuple[Need, ...]:
    """Ratings one by one show what customers wrote, as their threads do."""
    query: AskPlain = asked.query
    return _numbers(asked) + threads_read(*places(query.mailboxes, query.folders))


# -- Operations

_REPORTS, _PAGES = "/v2/reports/", HS + "reports/"

get_channel_volumes_report = Operation(
    name="get_channel_volumes_report", method="GET", path=_REPORTS + "conversations/volume-by-channel",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskSeries, returns=Report(ChannelVolumes),
    phrase="read the report of volumes by channel",
    summary="How many conversations began by day, week or month, by their type: chat, email, phone.",
    errors=_PLANS, source=_PAGES + "conversations/reports-conversations-volume-by-channel",
)  # fmt: skip

get_busy_times_report = Operation(
    name="get_busy_times_report", method="GET", path=_REPORTS + "conversations/busy-times",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskCompared, returns=BareReport(BusyTime),
    phrase="read the report of busy times",
    summary="How many conversations began in each hour of each weekday; hours without any are left out. The earlier "
    "span is looked at for mistakes only: there is no place for it in the answer.",
    errors=_PLANS, source=_PAGES + "conversations/reports-conversations-busy-times",
)  # fmt: skip

get_conversations_drilldown = Operation(
    name="get_conversations_drilldown", method="GET", path=_REPORTS + "conversations/drilldown",
    resource=Resource.REPORTS, action=Action.READ, needs=_conversations, query=AskDrilldown, returns=Report(Drilldown),
    phrase="read the conversations that the conversations report counts",
    summary="The conversations in which something happened in the span, the newest first.",
    errors=_PLANS, source=_PAGES + "conversations/reports-conversations-drilldown",
)  # fmt: skip

get_conversation_fields_drilldown = Operation(
    name="get_conversation_fields_drilldown", method="GET", path=_REPORTS + "conversations/fields-drilldown",
    resource=Resource.REPORTS, action=Action.READ, needs=_conversations, query=AskFieldsDrilldown,
    returns=Report(Drilldown),
    phrase="read the conversations that the conversations report counts under a tag, saved reply, workflow or customer",
    summary="The conversations that the conversations report counts under one of its most frequent tags, saved "
    "replies, workflows or customers, the newest first.",
    errors=_PLANS, source=_PAGES + "conversations/reports-conversations-fields-drilldown",
)  # fmt: skip

get_new_conversations_report = Operation(
    name="get_new_conversations_report", method="GET", path=_REPORTS + "conversations/new",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskSeries, returns=Report(StartCounts),
    phrase="read the report of new conversations",
    summary="How many conversations began by day, week or month.",
    errors=_PLANS, source=_PAGES + "conversations/reports-conversations-new",
)  # fmt: skip

get_new_conversations_drilldown = Operation(
    name="get_new_conversations_drilldown", method="GET", path=_REPORTS + "conversations/new-drilldown",
    resource=Resource.REPORTS, action=Action.READ, needs=_conversations, query=AskDrilldown, returns=Report(Drilldown),
    phrase="read the conversations that the report of new conversations counts",
    summary="The conversations that began in the span, the newest first.",
    errors=_PLANS, source=_PAGES + "conversations/reports-conversations-new-drilldown",
)  # fmt: skip

get_received_messages_report = Operation(
    name="get_received_messages_report", method="GET", path=_REPORTS + "conversations/received-messages",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskSeries, returns=Report(StartCounts),
    phrase="read the report of received messages",
    summary="How many messages customers sent by day, week or month.",
    errors=_PLANS, source=_PAGES + "conversations/reports-conversations-received-messages",
)  # fmt: skip

get_docs_report = Operation(
    name="get_docs_report", method="GET", path=_REPORTS + "docs",
    resource=Resource.REPORTS, action=Action.READ, needs=every_inbox, query=AskDocs, returns=Report(DocsReport),
    phrase="read the report of documentation sites",
    summary="What readers did on documentation sites. Deskhand has no such sites: numbers are 0 and lists are empty.",
    errors=_PLANS, source=_PAGES + "docs/reports-docs-overall",
)  # fmt: skip

get_company_customers_helped_report = Operation(
    name="get_company_customers_helped_report", method="GET", path=_REPORTS + "company/customers-helped",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskSeries,
    returns=Report(CustomersHelpedReport),
    phrase="read the report of customers helped",
    summary="How many different customers got a reply by day, week or month.",
    errors=_PLANS, source=_PAGES + "company/reports-company-customers-helped",
)  # fmt: skip

get_user_customers_helped_report = Operation(
    name="get_user_customers_helped_report", method="GET", path=_REPORTS + "user/customers-helped",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskUserSeries,
    returns=Report(CustomersHelpedReport),
    phrase="read the report of customers whom a user helped",
    summary="How many different customers got a reply of a user, or of a team's members, by day, week or month.",
    errors=_PLANS, source=_PAGES + "user/reports-user-customers-helped",
)  # fmt: skip

get_user_drilldown = Operation(
    name="get_user_drilldown", method="GET", path=_REPORTS + "user/drilldown",
    resource=Resource.REPORTS, action=Action.READ, needs=_conversations, query=AskUserDrilldown,
    returns=Report(Drilldown),
    phrase="read the conversations that the report on a user counts",
    summary="The conversations that a user worked on in the span, or the members of a team, the newest first.",
    errors=_PLANS, source=_PAGES + "user/reports-user-drilldown",
)  # fmt: skip

get_user_happiness_report = Operation(
    name="get_user_happiness_report", method="GET", path=_REPORTS + "user/happiness",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskUserHappiness,
    returns=Report(HappinessReport),
    phrase="read the happiness report of a user",
    summary="How customers rated the replies of a user, or of a team's members, in numbers and shares.",
    errors=_PLANS, source=_PAGES + "user/reports-user-happiness",
)  # fmt: skip

get_user_ratings_report = Operation(
    name="get_user_ratings_report", method="GET", path=_REPORTS + "user/ratings",
    resource=Resource.REPORTS, action=Action.READ, needs=_ratings, query=AskUserRatings, returns=Report(RatingsReport),
    phrase="read the ratings of a user",
    summary="The ratings of a user's replies, or of those of a team's members, one by one.",
    errors=_PLANS, source=_PAGES + "user/reports-user-ratings",
)  # fmt: skip

get_user_chat_report = Operation(
    name="get_user_chat_report", method="GET", path=_REPORTS + "user/chat",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskUserChat, returns=Report(UserChatReport),
    phrase="read the chat report of a user",
    summary="How many chats a user answered, or the members of a team, and how quickly.",
    errors=_PLANS, source=_PAGES + "user/reports-user-chat",
)  # fmt: skip

get_chat_report = Operation(
    name="get_chat_report", method="GET", path=_REPORTS + "chat",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskChannel, returns=Report(ChatReport),
    phrase="read the chat report",
    summary="How many chats began, were answered and were missed, and how quickly they were answered.",
    errors=_PLANS, source=_PAGES + "chat",
)  # fmt: skip

OPERATIONS = (
    get_channel_volumes_report, get_busy_times_report, get_conversations_drilldown, get_conversation_fields_drilldown,
    get_new_conversations_report, get_new_conversations_drilldown, get_received_messages_report, get_docs_report,
    get_company_customers_helped_report, get_user_customers_helped_report, get_user_drilldown,
    get_user_happiness_report, get_user_ratings_report, get_user_chat_report, get_chat_report,
)  # fmt: skip
