"""What an agent that is narrowed to some inboxes gets of a remote desk, which knows nothing of that.

`HOW` says it of every operation, and docs/remote-desks.md repeats it. Pure: requests and decoded answers in and out.
What comes back is checked again however it was asked for; what does not tell its inbox counts as foreign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from deskhand.catalogue import reports, reports_conversations, reports_phone, reports_productivity
from deskhand.catalogue.operation import AnyOperation, ListOf, Report, Resource
from deskhand.catalogue.operations import BY_NAME
from deskhand.catalogue.reports_conversations import Drilldown
from deskhand.gateway.policy import Grants
from deskhand.gateway.upstream import Foreign, UpstreamDown

Json = dict[str, Any]


class How(Enum):
    """How an operation's answer is kept to an agent's inboxes."""

    NARROWED = "the request names the granted inboxes"
    COUNTED = "all pages are read, filtered and counted anew"
    GATHERED = "asked for each granted inbox, put together and counted anew"
    CHECKED = "the answer tells its inbox, which is checked again"
    CONFIRMED = "its conversation is looked up again afterwards"
    LOOKED_UP = "decided by what it names; the answer tells nothing of other inboxes"
    OPEN = "belongs to no inbox"
    REFUSED = "refused: neither narrowing nor counting anew would be honest"


def _each(how: How, names: str) -> dict[str, How]:
    return dict.fromkeys(names.split(), how)


_ENTRIES = ("email", "phone", "chat", "social_profile", "website")

REPORTS = tuple(
    one.name for one in reports.OPERATIONS + reports_conversations.OPERATIONS + reports_productivity.OPERATIONS
    + reports_phone.OPERATIONS if one is not reports_conversations.get_docs_report
)  # fmt: skip
"""All that can be asked about some inboxes by `mailboxes`."""

HOW: Mapping[str, How] = {
    **_each(
        How.NARROWED,
        "list_conversations " + " ".join(REPORTS),
    ),
    **_each(How.COUNTED, "list_inboxes list_workflows list_webhooks"),
    **_each(How.GATHERED, "list_customers"),
    **_each(How.CHECKED, "get_conversation get_conversation_v3 get_inbox get_rating get_workflow get_webhook"),
    **_each(
        How.CONFIRMED,
        "list_threads list_threads_v3 get_original_source get_attachment get_attachment_data",
    ),
    **_each(
        How.LOOKED_UP,
        "create_conversation update_conversation delete_conversation set_conversation_tags set_conversation_fields "
        "snooze_conversation unsnooze_conversation reply_to_conversation add_note add_chat add_phone "
        "add_customer_thread update_thread schedule_thread send_scheduled_thread unschedule_thread add_attachment "
        "delete_attachment create_customer get_customer overwrite_customer update_customer delete_customer "
        "get_customer_address create_customer_address update_customer_address delete_customer_address "
        "create_customer_property delete_customer_property update_customer_properties list_inbox_fields "
        "list_inbox_folders get_inbox_folder get_inbox_routing set_inbox_routing list_saved_replies "
        "create_saved_reply get_saved_reply update_saved_reply delete_saved_reply update_workflow run_workflow "
        "create_webhook update_webhook delete_webhook",
    ),
    **_each(
        How.LOOKED_UP,
        " ".join(
            f"list_customer_{one}s add_customer_{one} get_customer_{one} update_customer_{one} delete_customer_{one}"
            for one in _ENTRIES
        ),
    ),
    **_each(
        How.OPEN,
        "list_customer_properties list_organizations create_organization get_organization update_organization "
        "delete_organization list_organization_properties create_organization_property get_organization_property "
        "update_organization_property delete_organization_property set_organization_value delete_organization_value "
        "list_users create_user get_me get_user delete_user list_user_statuses get_user_status set_user_status "
        "get_user_reassignment set_user_reassignment list_system_users get_system_user list_teams get_team "
        "list_team_members update_team_members list_tags get_tag get_docs_report",
    ),
    **_each(How.REFUSED, "list_customers_v3 list_organization_customers list_organization_conversations"),
}

_INSTEAD = {
    "list_customers_v3": "GET /v2/customers can",
    "list_organization_customers": "GET /v2/customers can",
    "list_organization_conversations": "GET /v2/conversations can, one customer at a time",
}


def how(operation: AnyOperation, inboxes: Set[int] | None) -> How:
    """How a call's answer is kept to these inboxes (None: all); what is not in the table is refused."""
    return How.OPEN if inboxes is None else HOW.get(operation.name, How.REFUSED)


def refusal(operation: AnyOperation, inboxes: Set[int] | None) -> str | None:
    """Why a call can't be answered over a remote desk for an agent narrowed to these inboxes; None: it can."""
    if how(operation, inboxes) is not How.REFUSED:
        return None
    instead = _INSTEAD.get(operation.name)
    words = f"a remote help desk can't {operation.phrase.split(' {')[0]} for some inboxes only"
    return f"{words}; {instead}" if instead else words


def limit(grants: Grants, *resources: Resource) -> frozenset[int] | None:
    """The inboxes that an agent is limited to in any of some resources, of all where none is named; None: in none."""
    granted = [grants.resources[one] for one in resources or tuple(grants.resources) if one in grants.resources]
    limited = [one.inboxes for one in granted if one.inboxes is not None]
    return frozenset().union(*limited) if limited else None


# -- Requests

_FILTER = {
    "list_conversations": "mailbox",
    **dict.fromkeys(REPORTS, "mailboxes"),
}


def narrowed(operation: AnyOperation, query: str, inboxes: Set[int]) -> str:
    """A query whose filter by inbox names granted ones only: those that it named, or all; raises Foreign."""
    name = _FILTER[operation.name]
    given = [int(one) for one in _value(query, name).split(",") if one.strip()]
    kept = sorted(set(given) & inboxes if given else inboxes)
    if not kept:
        raise Foreign
    return with_parameters(query, {name: ",".join(map(str, kept))})


def with_parameters(query: str, given: Mapping[str, str]) -> str:
    """A query with these parameters instead of those of the same names."""
    kept = [(name, text) for name, text in parse_qsl(query, keep_blank_values=True) if name not in given]
    return urlencode([*kept, *given.items()], quote_via=quote, safe=",")


def page_of(query: str) -> int:
    """The number of the page that is asked for."""
    text = _value(query, "page")
    return int(text) if text.isascii() and text.isdigit() else 1


def named_inbox(query: str, name: str) -> int | None:
    """The one inbox that a query's filter names."""
    text = _value(query, name)
    return int(text) if text.isascii() and text.isdigit() else None


def _value(query: str, name: str) -> str:
    return dict(parse_qsl(query, keep_blank_values=True)).get(name, "")


# -- Lists


def items_of(content: Any, key: str) -> list[Json]:
    """A list's items; raises UpstreamDown where the answer is no list. A desk may leave an empty list out."""
    embedded = content.get("_embedded", {}) if isinstance(content, dict) else None
    items = embedded.get(key, []) if isinstance(embedded, dict) else None
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise UpstreamDown("its answer is not the list that was expected")
    return items


def pages_of(content: Any) -> tuple[int, int, int]:
    """A list's page size, number of items in all and of pages; raises UpstreamDown where it has no page object."""
    page = content.get("page") if isinstance(content, dict) else None
    given = [page.get(name) for name in ("size", "totalElements", "totalPages")] if isinstance(page, dict) else []
    numbers = [one for one in given if isinstance(one, int) and one >= 0]
    if len(numbers) != 3:
        raise UpstreamDown("its answer is a list without page numbers")
    return numbers[0], numbers[1], numbers[2]


def counted(items: Sequence[Json], key: str, size: int, url: str, query: str) -> Json:
    """The asked page of items that are all there."""
    number = page_of(query)
    return listed(items[(number - 1) * size : number * size], len(items), key, size, url, query)


def listed(items: Sequence[Json], total: int, key: str, size: int, url: str, query: str) -> Json:
    """A page of a list, with links that lead on by the agent's own query.

    Source: https://developer.helpscout.com/mailbox-api/overview/pagination
    """
    number, pages = page_of(query), -(-total // size) if size else 0
    kept = urlencode([one for one in parse_qsl(query, keep_blank_values=True) if one[0] != "page"])
    begins = f"{url}?{kept}&page=" if kept else f"{url}?page="
    links: Json = {"self": {"href": f"{begins}{number}"}}
    if number < pages:
        links["next"] = {"href": f"{begins}{number + 1}"}
    if number > 1:
        links["previous"] = {"href": f"{begins}{max(1, min(number - 1, pages))}"}
    links["first"] = {"href": f"{begins}1"}
    links["last"] = {"href": f"{begins}{max(pages, 1)}"}
    links["page"] = {"href": f"{url}?{kept}{{&page}}" if kept else f"{url}{{?page}}", "templated": True}
    page = {"size": size, "totalElements": total, "totalPages": pages, "number": number}
    return {"_embedded": {key: list(items)}, "_links": links, "page": page}


def checked_conversations(content: Any, inboxes: Set[int], url: str, query: str) -> Json:
    """A page of conversations without foreign ones, should the desk have given any all the same."""
    found = items_of(content, "conversations")
    size, total, _ = pages_of(content)
    kept = [one for one in found if lies_in(one, inboxes)]
    return listed(kept, max(len(kept), total - (len(found) - len(kept))), "conversations", size, url, query)


def kept_of(operation: AnyOperation, items: Iterable[Json], inboxes: Set[int]) -> list[Json]:
    """Those of all inboxes, workflows or webhooks that an agent may see."""
    return [one for one in items if _IS_KEPT[operation.name](one, inboxes)]


def gathered(lists: Iterable[Iterable[Json]], query: str) -> list[Json]:
    """Customers of several inboxes, each once, in the order that the query asks for."""
    found = {one["id"]: one for items in lists for one in items if type(one.get("id")) is int}
    field = _SORTED_BY.get(_value(query, "sortField"), "createdAt")
    return sorted(
        found.values(), key=lambda one: (_sort_text(one, field), one["id"]), reverse=_value(query, "sortOrder") != "asc"
    )


_SORTED_BY = {"firstName": "firstName", "lastName": "lastName", "modifiedAt": "updatedAt"}


def _sort_text(one: Json, field: str) -> str:
    text = one.get(field)
    return text.casefold() if isinstance(text, str) else ""


# -- Single things


def lies_in(one: Any, inboxes: Set[int]) -> bool:
    """Whether a conversation, workflow or rating says that it lies in one of these inboxes."""
    inbox = one.get("mailboxId") if isinstance(one, dict) else None
    return type(inbox) is int and inbox in inboxes


def tells_only_of(one: Any, inboxes: Set[int]) -> bool:
    """Whether a webhook tells of nothing outside these inboxes: its own are these, and narrow all of its events.

    Source: https://developer.helpscout.com/mailbox-api/endpoints/webhooks/create (mailboxIds)
    """
    named, events = (one.get("mailboxIds"), one.get("events")) if isinstance(one, dict) else (None, None)
    if not isinstance(named, list) or not isinstance(events, list):
        return False
    narrowing = all(isinstance(event, str) and event.startswith("convo.") for event in events)
    return bool(named) and narrowing and all(type(id) is int and id in inboxes for id in named)


def _is_one_of(one: Any, inboxes: Set[int]) -> bool:
    return isinstance(one, dict) and type(one.get("id")) is int and one["id"] in inboxes


_IS_KEPT: Mapping[str, Callable[[Any, Set[int]], bool]] = {
    "get_conversation": lies_in,
    "get_conversation_v3": lies_in,
    "get_rating": lies_in,
    "get_workflow": lies_in,
    "list_workflows": lies_in,
    "get_inbox": _is_one_of,
    "list_inboxes": _is_one_of,
    "get_webhook": tells_only_of,
    "list_webhooks": tells_only_of,
}


def may_be_outgoing(thread: Json) -> bool:
    """Whether a thread is a reply that may go out as it is: which of those that were sent have left, is not told."""
    if thread.get("type") in ("note", "customer", "phone", "chat", "lineitem"):
        return False
    return thread.get("state") != "draft" or bool(thread.get("scheduled"))


def require_own(operation: AnyOperation, content: Any, inboxes: Set[int]) -> None:
    """Raises Foreign where a single thing lies elsewhere."""
    if not _IS_KEPT[operation.name](content, inboxes):
        raise Foreign


# -- What is left out of all that an agent is shown


def tidied(operation: AnyOperation, content: Any, hide: Set[str], grants: Grants, inboxes: Set[int] | None) -> Any:
    """An answer without what the agent may not know: previews, counts over all inboxes, names of foreign inboxes."""
    return _tidy(operation, content, hide, _Known(grants, inboxes))


def needs_tidying(operation: AnyOperation, hide: Set[str], grants: Grants, inboxes: Set[int] | None) -> bool:
    """Whether anything could have to be left out."""
    return operation.name in _TIDY and (bool(hide) or inboxes is not None or limit(grants) is not None)


class _Known:
    """The inboxes that the agent may know of, by what is told: None where it may know of all."""

    def __init__(self, grants: Grants, inboxes: Set[int] | None) -> None:
        self.conversations = inboxes if inboxes is not None else limit(grants, Resource.CONVERSATIONS)
        self.customers = limit(grants, Resource.CONVERSATIONS, Resource.CUSTOMERS)
        self.inboxes = limit(grants, Resource.INBOXES, Resource.CONVERSATIONS)
        tags = grants.resources.get(Resource.TAGS)
        self.tags = tags is not None and tags.level > 0 and "list_tags" not in grants.actions


def _tidy(operation: AnyOperation, content: Any, hide: Set[str], known: _Known) -> Any:
    tidy = _TIDY.get(operation.name)
    if tidy is None or not isinstance(content, dict):
        return content
    returns = operation.returns
    each = items_of(content, returns.key) if isinstance(returns, ListOf) else [content]
    for one in each:
        tidy(one, hide, known)
    return content


def _conversation(one: Json, hide: Set[str], known: _Known) -> None:
    if "preview" in hide:
        one.pop("preview", None)
    embedded = one.get("_embedded")
    threads = embedded.get("threads") if isinstance(embedded, dict) else None
    for thread in threads if isinstance(threads, list) else ():
        if isinstance(thread, dict):
            _thread(thread, hide, known)


def _thread(one: Json, hide: Set[str], known: _Known) -> None:
    """A conversation that was linked lies who knows where, and line items say in words what came from where."""
    if known.conversations is None:
        return
    one.pop("linkedConversationId", None)
    action = one.get("action")
    if not isinstance(action, dict):
        return
    about = action.get("associatedEntities")
    about = about if isinstance(about, dict) else {}
    kind = str(action.get("type", "")).lower()
    if "mailbox" in about or "workflow" in about or "moved" in kind or "workflow" in kind:
        action.pop("text", None)
    if about.get("mailbox") not in known.conversations:
        about.pop("mailbox", None)
    about.pop("workflow", None)  # whose it is, is not told


def _tag(one: Json, hide: Set[str], known: _Known) -> None:
    if "tag_counts" in hide:
        one.pop("ticketCount", None)


def _customer(one: Json, hide: Set[str], known: _Known) -> None:
    if known.customers is not None:
        one.pop("conversationCount", None)


def _organization(one: Json, hide: Set[str], known: _Known) -> None:
    if known.customers is not None:
        one.pop("customerCount", None)
        one.pop("conversationCount", None)


def _user_status(one: Json, hide: Set[str], known: _Known) -> None:
    chat = one.get("chat")
    statuses = chat.get("mailboxStatuses") if isinstance(chat, dict) else None
    if known.inboxes is not None and isinstance(chat, dict) and isinstance(statuses, dict):
        own = {str(id) for id in known.inboxes}
        chat["mailboxStatuses"] = {id: status for id, status in statuses.items() if id in own}


def _report(one: Json, hide: Set[str], known: _Known) -> None:
    """Saved replies and workflows of an inbox are found in conversations that came to another since.

    Of workflows it is not told whose they are. The tags to filter by are the whole account's; who may not list those is
    left with the ones that the report itself names.
    """
    if known.conversations is None:
        return
    if isinstance(replies := _top(one, "replies"), list):
        one["replies"]["top"] = [reply for reply in replies if lies_in(reply, known.conversations)]
    if _top(one, "workflows"):
        one["workflows"]["top"] = []
    if not known.tags and isinstance(tags := one.get("filterTags"), list):
        named = [tag.get("id") for tag in _top(one, "tags") or () if isinstance(tag, dict)]
        one["filterTags"] = [tag for tag in tags if isinstance(tag, dict) and tag.get("id") in named]


def _drilldown(one: Json, hide: Set[str], known: _Known) -> None:
    """Conversations that a report counts: of other inboxes none, should the desk have given any all the same."""
    page = one.get("conversations")
    results = page.get("results") if isinstance(page, dict) else None
    if not isinstance(page, dict) or not isinstance(results, list):
        raise UpstreamDown("its answer is not the list that was expected")
    found = [item for item in results if isinstance(item, dict)]
    inboxes = known.conversations
    kept = found if inboxes is None else [item for item in found if item.get("mailboxid") in inboxes]
    if type(page.get("count")) is int:
        page["count"] = max(len(kept), page["count"] - (len(results) - len(kept)))
    page["results"] = kept
    if "preview" in hide:
        for item in kept:
            item.pop("preview", None)


def _lists_conversations(operation: AnyOperation) -> bool:
    return isinstance(operation.returns, Report) and operation.returns.shape is Drilldown


def _top(report: Json, name: str) -> Any:
    part = report.get(name)
    return part.get("top") if isinstance(part, dict) else None


_TIDY: Mapping[str, Callable[[Json, Set[str], _Known], None]] = {
    "list_conversations": _conversation,
    "get_conversation": _conversation,
    "get_conversation_v3": _conversation,
    "list_organization_conversations": _conversation,
    "list_threads": _thread,
    "list_threads_v3": _thread,
    "list_tags": _tag,
    "get_tag": _tag,
    "list_customers": _customer,
    "list_customers_v3": _customer,
    "list_organization_customers": _customer,
    "get_customer": _customer,
    "list_organizations": _organization,
    "get_organization": _organization,
    "list_user_statuses": _user_status,
    "get_user_status": _user_status,
    **{name: _drilldown if _lists_conversations(BY_NAME[name]) else _report for name in REPORTS},
}
