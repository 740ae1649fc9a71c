"""Reports: numbers about a span of time, side by side with an earlier one where that is asked for."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType, field

from deskhand.catalogue.needs import need, places, threads_read
from deskhand.catalogue.operation import HS, Action, Asked, Need, Operation, Place, Report, Resource
from deskhand.catalogue.values import Id, Ids, Names, PageNumber, Shape, WireTime

UNTAGGED = 1
"""The tag id that stands for no tag. Source: https://developer.helpscout.com/help-desk-api/reports/ (filterTags)."""
TYPES = ("email", "chat", "phone")
ViewBy = Literal["day", "week", "month"]
PLANS = ("plus", "pro")
"""The plans that see reports. Source: reports/conversations/reports-conversations-overall (note)."""
_PLANS = ((403, "the account's plan has no reports; Plus and Pro do"),)


class AskPlain(Shape, kw_only=True):
    """The span, and which conversations it is about."""

    start: WireTime
    end: WireTime
    mailboxes: Ids | None = None
    tags: Ids | None = None
    folders: Ids | None = None


class AskSpan(AskPlain, kw_only=True):
    """Conversations of all types, or of some."""

    types: Names | None = None


class AskCompared(AskSpan, kw_only=True):
    """An earlier span that it is compared with."""

    previous_start: WireTime | None = None
    previous_end: WireTime | None = None


class AskReport(AskCompared, kw_only=True):
    """Numbers that may be told by the account's office hours."""

    office_hours: bool = False


class AskSeries(AskCompared, kw_only=True):
    """Numbers one by one, of so many days each."""

    view_by: ViewBy = "day"


class AskChannel(AskPlain, kw_only=True):
    """A report about one type of conversations, and what it is compared with."""

    previous_start: WireTime | None = None
    previous_end: WireTime | None = None
    office_hours: bool = False


class AskUserSeries(AskSeries, kw_only=True):
    """Of a user, or of the members of a team together."""

    user: Id


class AskRatings(AskReport, kw_only=True):
    """Which ratings, in which order. `sort_field_ratings` is what the PHP client calls `sort_field`."""

    page: PageNumber = 1
    rating: Literal["great", "ok", "not-good", "all"] = "all"
    sort_field: Literal["number", "modifiedAt", "rating"] | None = None
    sort_field_ratings: Literal["number", "modifiedAt", "rating"] | None = None
    sort_order: Literal["ASC", "DESC", "asc", "desc"] = "DESC"


class FilterTag(Shape, kw_only=True):
    """A tag that the report can be narrowed to."""

    id: int
    name: str


class BusiestDay(Shape, kw_only=True):
    """The weekday on which most conversations began (Monday is 1), its busiest hour, and how many began in that."""

    day: int
    hour: int
    count: int


class ConversationNumbers(Shape, kw_only=True):
    """What happened in one span; `new_conversations` repeats `conversations_created`."""

    start_date: str
    end_date: str
    total_conversations: int
    conversations_created: int
    new_conversations: int
    customers: int
    conversations_per_day: int


class ConversationDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    new_conversations: float
    total_conversations: float
    customers: float
    conversations_created: float
    conversations_per_day: float


class TopItem(Shape, kw_only=True):
    """One of the most frequent tags, customers, saved replies or workflows, and its share of all conversations.

    `delta_percent` is a difference in points. `mailbox_id` is a saved reply's.
    """

    name: str | UnsetType = UNSET
    id: int
    mailbox_id: int | UnsetType = UNSET
    count: int
    previous_count: int | UnsetType = UNSET
    percent: float
    previous_percent: float | UnsetType = UNSET
    delta_percent: float | UnsetType = UNSET


class Top(Shape, kw_only=True):
    """How many conversations have any of a kind of thing, and the most frequent ones."""

    count: int
    top: list[TopItem]


class ConversationsReport(Shape, kw_only=True):
    """How much there was to do; hours are the account's, null where no conversation began."""

    filter_tags: list[FilterTag]
    busiest_day: BusiestDay | None
    busy_time_start: int | None
    busy_time_end: int | None
    current: ConversationNumbers
    previous: ConversationNumbers | UnsetType = UNSET
    deltas: ConversationDeltas | UnsetType = UNSET
    tags: Top
    customers: Top
    replies: Top
    workflows: Top


class HappinessNumbers(Shape, kw_only=True):
    """The ratings of one span: shares in percent of all ratings, and the score from -100 to 100."""

    great: float
    okay: float
    not_good: float
    great_count: int
    okay_count: int
    not_good_count: int
    ratings_count: int
    total_customers: int
    total_customers_with_ratings: int
    ratings_percent: float
    happiness_score: float


class HappinessDeltas(Shape, kw_only=True):
    """Changes against the previous span: shares and score in points, counts in percent."""

    great: float
    okay: float
    not_good: float
    great_count: float
    okay_count: float
    not_good_count: float
    happiness_score: float


class HappinessReport(Shape, kw_only=True):
    """How content customers were."""

    filter_tags: list[FilterTag]
    current: HappinessNumbers
    previous: HappinessNumbers | UnsetType = UNSET
    deltas: HappinessDeltas | UnsetType = UNSET


class Facets(Shape, kw_only=True):
    """Always empty."""


class RatingResult(Shape, kw_only=True):
    """A rating in a report; `id` and `number` are its conversation's, `rating_id` is 1 great, 2 okay, 3 not good."""

    number: int
    thread_id: int = field(name="threadid")
    thread_created_at: str
    id: int
    type: str
    rating_id: int
    rating_customer_id: int
    rating_comments: str
    rating_created_at: str
    rating_customer_name: str
    rating_user_id: int
    rating_user_name: str


class RatingsReport(Shape, kw_only=True):
    """One page of the ratings of a span."""

    facets: Facets
    results: list[RatingResult]
    page: int
    count: int
    pages: int


def _where(asked: Asked) -> tuple[Place, ...]:
    query: AskReport = asked.query
    return places(query.mailboxes, query.folders)


def _numbers(asked: Asked) -> tuple[Need, ...]:
    return tuple(need(asked, place) for place in _where(asked))


def _ratings(asked: Asked) -> tuple[Need, ...]:
    """Ratings one by one show what customers wrote, as their threads do."""
    return _numbers(asked) + threads_read(*_where(asked))


get_conversations_report = Operation(
    name="get_conversations_report", method="GET", path="/v2/reports/conversations",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers,
    query=AskReport, returns=Report(ConversationsReport),
    phrase="read the conversations report",
    summary="How many conversations there were and began, the busiest time, the most frequent tags, customers, saved "
    "replies and workflows; compared with an earlier span when one is given.",
    errors=_PLANS, source=HS + "reports/conversations/reports-conversations-overall",
)  # fmt: skip

get_happiness_report = Operation(
    name="get_happiness_report", method="GET", path="/v2/reports/happiness",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskReport, returns=Report(HappinessReport),
    phrase="read the happiness report",
    summary="How customers rated replies, in numbers and shares; compared with an earlier span when one is given.",
    errors=_PLANS, source=HS + "reports/happiness/reports-happiness-overall",
)  # fmt: skip

get_happiness_ratings_report = Operation(
    name="get_happiness_ratings_report", method="GET", path="/v2/reports/happiness/ratings",
    resource=Resource.REPORTS, action=Action.READ, needs=_ratings, query=AskRatings, returns=Report(RatingsReport),
    phrase="read the ratings of the happiness report",
    summary="The ratings of a span one by one, each with its customer, the user who was rated and the conversation.",
    errors=_PLANS, source=HS + "reports/happiness/reports-happiness-ratings",
)  # fmt: skip

OPERATIONS = (get_conversations_report, get_happiness_report, get_happiness_ratings_report)
