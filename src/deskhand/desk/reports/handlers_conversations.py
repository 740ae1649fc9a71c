"""Reports about conversations over time and one by one, and about chats, as the API's operations."""

from __future__ import annotations

from deskhand.catalogue import reports_conversations as operations
from deskhand.catalogue import reports_phone
from deskhand.catalogue.operation import NoBody
from deskhand.catalogue.reports import (
    AskChannel,
    AskCompared,
    AskSeries,
    AskUserSeries,
    HappinessReport,
    RatingsReport,
)
from deskhand.catalogue.reports_conversations import (
    AskDocs,
    AskDrilldown,
    AskFieldsDrilldown,
    AskUserChat,
    AskUserDrilldown,
    AskUserHappiness,
    AskUserRatings,
    ChannelVolumes,
    ChatReport,
    CustomersHelpedReport,
    DocsReport,
    Drilldown,
    StartCounts,
    UserChatReport,
)
from deskhand.desk.call import All, Call, implements
from deskhand.desk.reports import busy_times, chats, docs, happiness, listed, over_time, phones, ratings
from deskhand.desk.reports.people import workers
from deskhand.desk.reports.selecting import require_plan


@implements(operations.get_channel_volumes_report, slow=lambda query: True)
def get_channel_volumes_report(call: Call[AskSeries, NoBody]) -> ChannelVolumes:
    require_plan(call.actor)
    return over_time.volumes(call.tx, call.actor, call.query)


@implements(operations.get_busy_times_report, slow=lambda query: True)
def get_busy_times_report(call: Call[AskCompared, NoBody]) -> All[operations.BusyTime]:
    require_plan(call.actor)
    return All(busy_times.report(call.tx, call.actor, call.query))


@implements(operations.get_conversations_drilldown, slow=lambda query: True)
def get_conversations_drilldown(call: Call[AskDrilldown, NoBody]) -> Drilldown:
    require_plan(call.actor)
    return listed.with_activity(call.tx, call.actor, call.query)


@implements(operations.get_conversation_fields_drilldown, slow=lambda query: True)
def get_conversation_fields_drilldown(call: Call[AskFieldsDrilldown, NoBody]) -> Drilldown:
    require_plan(call.actor)
    return listed.with_field(call.tx, call.actor, call.query)


@implements(operations.get_new_conversations_report, slow=lambda query: True)
def get_new_conversations_report(call: Call[AskSeries, NoBody]) -> StartCounts:
    require_plan(call.actor)
    return over_time.new_conversations(call.tx, call.actor, call.query)


@implements(operations.get_new_conversations_drilldown, slow=lambda query: True)
def get_new_conversations_drilldown(call: Call[AskDrilldown, NoBody]) -> Drilldown:
    require_plan(call.actor)
    return listed.new(call.tx, call.actor, call.query)


@implements(operations.get_received_messages_report, slow=lambda query: True)
def get_received_messages_report(call: Call[AskSeries, NoBody]) -> StartCounts:
    require_plan(call.actor)
    return over_time.received_messages(call.tx, call.actor, call.query)


@implements(operations.get_docs_report)
def get_docs_report(call: Call[AskDocs, NoBody]) -> DocsReport:
    require_plan(call.actor)
    return docs.report(call.query)


@implements(operations.get_company_customers_helped_report, slow=lambda query: True)
def get_company_customers_helped_report(call: Call[AskSeries, NoBody]) -> CustomersHelpedReport:
    require_plan(call.actor)
    return over_time.customers_helped(call.tx, call.actor, call.query)


@implements(operations.get_user_customers_helped_report, slow=lambda query: True)
def get_user_customers_helped_report(call: Call[AskUserSeries, NoBody]) -> CustomersHelpedReport:
    require_plan(call.actor)
    of = workers(call.tx, call.actor, call.query.user)
    return over_time.customers_helped(call.tx, call.actor, call.query, of)


@implements(operations.get_user_drilldown, slow=lambda query: True)
def get_user_drilldown(call: Call[AskUserDrilldown, NoBody]) -> Drilldown:
    require_plan(call.actor)
    return listed.of_user(call.tx, call.actor, call.query)


@implements(operations.get_user_happiness_report, slow=lambda query: True)
def get_user_happiness_report(call: Call[AskUserHappiness, NoBody]) -> HappinessReport:
    require_plan(call.actor)
    return happiness.report(call.tx, call.actor, call.query, workers(call.tx, call.actor, call.query.user))


@implements(operations.get_user_ratings_report, slow=lambda query: True)
def get_user_ratings_report(call: Call[AskUserRatings, NoBody]) -> RatingsReport:
    require_plan(call.actor)
    return ratings.report(call.tx, call.actor, call.query, workers(call.tx, call.actor, call.query.user))


@implements(operations.get_user_chat_report, slow=lambda query: True)
def get_user_chat_report(call: Call[AskUserChat, NoBody]) -> UserChatReport:
    require_plan(call.actor)
    return chats.of_user(call.tx, call.actor, call.query, workers(call.tx, call.actor, call.query.user))


@implements(operations.get_chat_report, slow=lambda query: True)
def get_chat_report(call: Call[AskChannel, NoBody]) -> ChatReport:
    require_plan(call.actor)
    return chats.report(call.tx, call.actor, call.query)


@implements(reports_phone.get_phone_report, slow=lambda query: True)
def get_phone_report(call: Call[AskChannel, NoBody]) -> reports_phone.PhoneReport:
    require_plan(call.actor)
    return phones.report(call.tx, call.actor, call.query)
