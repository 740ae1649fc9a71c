"""Reports about what the staff did, counted by hand: one row after the other, in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from tests.desk.reports.builders import BEGINNING, DAYS, OFFICE_HOURS, ConversationRow, History
from tests.desk.reports.by_hand import Params, passing, relative, share

LIMITS = (15, 30, 60, 120, 180, 360, 720, 1440, 2880)
"""The ranges of times end there, in minutes."""
FIRST_SLOT, SLOTS = BEGINNING - timedelta(days=20), (DAYS + 140) * 96


@dataclass(frozen=True)
class Reply:
    """A reply and since when the customer had waited for it."""

    conversation: ConversationRow
    by: int
    at: str
    since: str | None
    first: bool


def replies(history: History, known: Iterable[ConversationRow]) -> list[Reply]:
    """All replies in some conversations."""
    threads = defaultdict(list)
    for one in history.threads:
        if one.state == "published":
            threads[one.conversation_id].append(one)
    found = []
    for conversation in known:
        of = sorted(threads[conversation.id], key=lambda one: (one.created_at, one.id))
        before: int | None = None
        for position, one in enumerate(of):
            if one.type != "message" or one.created_by_type != "user" or one.source_type == "workflows":
                continue
            between = [each.created_at for each in of[(before or 0) : position] if each.type == "customer"]
            since = between[0] if between else None
            found.append(Reply(conversation, one.created_by_id, one.created_at, since, before is None))
            before = position
    return found


@cache
def _open_until(zone: str) -> list[int]:
    """How many quarters of an hour the office was open before each quarter."""
    open_slots = []
    for number in range(SLOTS):
        local = (FIRST_SLOT + timedelta(minutes=15 * number)).astimezone(ZoneInfo(zone))
        opening, minute = OFFICE_HOURS[local.weekday()], local.hour * 60 + local.minute
        open_slots.append(int(opening is not None and opening[0] <= minute < opening[1]))
    return list(accumulate(open_slots, initial=0))


def passed(zone: str | None, since: str, at: str) -> int:
    """Seconds between two moments; with a zone, those in which the office was open."""
    if zone is None:
        return max(0, seconds(at) - seconds(since))
    table, start = _open_until(zone), int(FIRST_SLOT.timestamp())

    def until(moment: int) -> int:
        slot, rest = divmod(moment - start, 900)
        return table[slot] * 900 + (table[slot + 1] - table[slot]) * rest

    return max(0, until(seconds(at)) - until(seconds(since)))


def seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


class Book:
    """What a caller may count, with the parameters they gave."""

    def __init__(
        self, history: History, params: Params, user_id: int, inboxes: Iterable[int], users: Sequence[int] | None = None
    ) -> None:
        self.history, self.params, self.users = history, params, users
        self.known = list(passing(history, params, user_id, inboxes))
        self.zone = history.zone if params.get("officeHours") in ("1", "true") else None

    def replies(self, start: str, end: str) -> list[Reply]:
        return [
            one for one in replies(self.history, self.known)
            if start <= one.at <= end and (self.users is None or one.by in self.users)
        ]  # fmt: skip

    def closed(self, start: str, end: str) -> list[tuple[ConversationRow, int, int]]:
        """Closed conversations, how many replies each has, and how long it took."""
        count = Counter(one.conversation.id for one in replies(self.history, self.known))
        return [
            (row, count[row.id], passed(self.zone, row.created_at, row.closed_at))
            for row in self.known
            if row.closed_at and start <= row.closed_at <= end and (self.users is None or row.closed_by in self.users)
        ]

    def waits(self, start: str, end: str, *, first: bool = False) -> list[int]:
        return [
            passed(self.zone, one.since, one.at)
            for one in self.replies(start, end) if one.since is not None and (one.first or not first)
        ]  # fmt: skip

    def active(self, start: str, end: str) -> int:
        touched = {
            one.conversation_id
            for one in self.history.threads
            if start <= one.created_at <= end and one.state != "draft"
        }
        return sum(start <= row.created_at <= end or row.id in touched for row in self.known)

    def score(self, start: str, end: str, user: int | None = None) -> float:
        known = {row.id for row in self.known}
        given = Counter(
            one.rating for one in self.history.ratings
            if one.conversation_id in known and start <= one.created_at <= end and one.rating != "unknown"
            and (self.users is None or one.user_id in self.users) and user in (None, one.user_id)
        )  # fmt: skip
        return share(given["great"], given.total()) - share(given["not_good"], given.total())

    def spans(self) -> list[tuple[str, str]]:
        found = [(self.params["start"], self.params["end"])]
        if "previousStart" in self.params:
            found.append((self.params["previousStart"], self.params["previousEnd"]))
        return found


def mean(numbers: Sequence[int]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def days(start: str, end: str) -> int:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).days


def compared(report: dict[str, Any], numbers: list[dict[str, Any]], names: str) -> dict[str, Any]:
    report["current"] = numbers[0]
    if len(numbers) > 1:
        now, before = report["current"], numbers[1]
        report["previous"] = before
        report["deltas"] = {name: relative(now[name] or 0, before[name] or 0) for name in names.split()}
    return report


# -- Productivity


def productivity(book: Book) -> dict[str, Any]:
    """What the productivity report must say, but for its filterTags."""
    numbers = [productivity_numbers(book, *span) for span in book.spans()]
    report = compared(
        {}, numbers,
        "totalConversations responseTime firstResponseTime resolved resolvedOnFirstReply closed repliesSent handleTime "
        "repliesToResolve resolutionTime",
    )  # fmt: skip
    report["responseTime"] = histogram([book.waits(*span) for span in book.spans()])
    report["firstResponseTime"] = histogram([book.waits(*span, first=True) for span in book.spans()])
    report["handleTime"] = histogram([[] for _ in book.spans()]) | {"ranges": []}
    report["repliesToResolve"] = resolved_by_replies(book)
    return report


def productivity_numbers(book: Book, start: str, end: str) -> dict[str, Any]:
    closed = book.closed(start, end)
    resolved = [one for one in closed if one[1]]
    at_once = sum(one[1] == 1 for one in resolved)
    return {
        "startDate": start, "endDate": end, "totalConversations": book.active(start, end),
        "resolutionTime": mean([took for *_, took in resolved]), "repliesToResolve": mean([n for _, n, _ in resolved]),
        "responseTime": mean(book.waits(start, end)), "firstResponseTime": mean(book.waits(start, end, first=True)),
        "resolved": len(resolved), "resolvedOnFirstReply": at_once, "closed": len(closed),
        "repliesSent": len(book.replies(start, end)), "handleTime": 0,
        "percentResolvedOnFirstReply": share(at_once, len(resolved)),
    }  # fmt: skip


def histogram(waits: list[list[int]]) -> dict[str, Any]:
    counts = [Counter(1 + sum(wait >= limit * 60 for limit in LIMITS) for wait in of) for of in waits]
    return counted(counts, 10)


def counted(counts: list[Counter[int]], ids: int) -> dict[str, Any]:
    found: dict[str, Any] = {"count": counts[0].total(), "ranges": []}
    for id in range(1, ids + 1):
        found["ranges"].append({"id": id, "count": counts[0][id], "percent": share(counts[0][id], counts[0].total())})
    if len(counts) > 1:
        found["previousCount"] = counts[1].total()
        for one in found["ranges"]:
            n = counts[1][one["id"]]
            one |= {"previousCount": n, "previousPercent": share(n, counts[1].total())}
    return found


def resolved_by_replies(book: Book) -> dict[str, Any]:
    resolved = [[(min(n, 5), took) for _, n, took in book.closed(*span) if n] for span in book.spans()]
    found = counted([Counter(n for n, _ in of) for of in resolved], 5)
    for one in found["ranges"]:
        one["resolutionTime"] = mean([took for n, took in resolved[0] if n == one["id"]])
    return found


# -- Company and users


def company(book: Book) -> dict[str, Any]:
    """What the company report must say, but for its filterTags and the users' names."""
    report = compared(
        {}, [company_numbers(book, *span) for span in book.spans()],
        "customersHelped totalReplies repliesPerDay closed totalUsers repliesPerDayPerUser",
    )  # fmt: skip
    by_user = [Counter(one.by for one in book.replies(*span)) for span in book.spans()]
    report["users"] = []
    for user in sorted(by_user[0], key=lambda id: (-by_user[0][id], id)):
        one = {"user": str(user)} | user_line(book, user, *book.spans()[0])
        if len(by_user) > 1:
            before = user_line(book, user, *book.spans()[1])
            one |= {f"previous{name[0].upper()}{name[1:]}": value for name, value in before.items()}
        report["users"].append(one)
    return report


def company_numbers(book: Book, start: str, end: str) -> dict[str, Any]:
    sent, of_days = book.replies(start, end), days(start, end)
    by, resolved = {one.by for one in sent}, sum(bool(n) for _, n, _ in book.closed(start, end))
    return {
        "startDate": start, "endDate": end, "customersHelped": len({one.conversation.customer_id for one in sent}),
        "closed": len(book.closed(start, end)), "totalReplies": len(sent), "totalUsers": len(by), "totalDays": of_days,
        "repliesPerDayPerUser": len(sent) / ((of_days or 1) * len(by)) if by else 0,
        "repliesPerDay": len(sent) / (of_days or 1), "resolvedPerDay": resolved / (of_days or 1),
    }  # fmt: skip


def user_line(book: Book, user: int, start: str, end: str) -> dict[str, Any]:
    sent = [one for one in book.replies(start, end) if one.by == user]
    return {
        "customersHelped": len({one.conversation.customer_id for one in sent}), "replies": len(sent),
        "happinessScore": book.score(start, end, user), "handleTime": 0,
    }  # fmt: skip


def user(book: Book) -> dict[str, Any]:
    """What a user's report must say, but for its filterTags and who the user is."""
    numbers = [user_numbers(book, *span) for span in book.spans()]
    report = compared(
        {}, numbers,
        "totalConversations customersHelped happinessScore repliesPerDay resolvedOnFirstReply handleTime "
        "conversationsPerDay resolved repliesToResolve totalReplies closed responseTime resolutionTime "
        "conversationsCreated",
    )  # fmt: skip
    if len(numbers) > 1:
        report["deltas"]["happinessScore"] = numbers[0]["happinessScore"] - numbers[1]["happinessScore"]
    return report


def user_numbers(book: Book, start: str, end: str) -> dict[str, Any]:
    of, sent, of_days = productivity_numbers(book, start, end), book.replies(start, end), days(start, end)
    weekdays = Counter(local(book.history.zone, one.at).isoweekday() for one in sent)
    cases = len({one.conversation.id for one in sent})
    return {name: of[name] for name in (
        "startDate", "endDate", "resolved", "closed", "resolvedOnFirstReply", "percentResolvedOnFirstReply",
        "repliesToResolve", "handleTime", "responseTime", "resolutionTime",
    )} | {
        "totalDays": of_days, "totalReplies": len(sent), "repliesPerDay": len(sent) / (of_days or 1),
        "conversationsCreated": sum(
            row.created_by_type == "user" and row.created_by_id in (book.users or ()) and start <= row.created_at <= end
            for row in book.known
        ),
        "customersHelped": len({one.conversation.customer_id for one in sent}),
        "happinessScore": book.score(start, end),
        "totalConversations": cases, "conversationsPerDay": cases / (of_days or 1),
        "busiestDay": max(range(1, 8), key=lambda day: weekdays[day]) if sent else None,
    }  # fmt: skip


def local(zone: str, moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))


def history(book: Book) -> list[dict[str, Any]]:
    """All that a user's history must list, in order; customers' names aside."""
    start, end = book.spans()[0]
    sent = defaultdict(list)
    for one in book.replies(start, end):
        if book.params.get("status") in (None, one.conversation.status):
            sent[one.conversation.id].append(one)
    everything = defaultdict(list)
    for one in replies(book.history, book.known):
        everything[one.conversation.id].append(one)
    found: list[dict[str, Any]] = []
    for id, of in sent.items():
        row, first = of[0].conversation, next(one for one in everything[id] if one.first)
        found.append(
            {
                "id": id, "number": row.number, "status": row.status, "customers": [{"id": row.customer_id}],
                "avgHandleTime": 0, "repliesSent": len(of),
                "firstResponseTime": passed(book.zone, first.since, first.at) if first.since else None,
                "responseTime": mean([passed(book.zone, one.since, one.at) for one in of if one.since]),
                "resolveTime": passed(book.zone, row.created_at, row.closed_at) if row.closed_at else None,
            }
        )  # fmt: skip
    field, down = book.params.get("sortField", "number"), book.params.get("sortOrder", "DESC").upper() == "DESC"
    with_it = [one for one in found if one[field] is not None]
    with_it.sort(key=lambda one: (one[field], one["id"]), reverse=down)
    without = sorted((one for one in found if one[field] is None), key=lambda one: one["id"], reverse=down)
    return with_it + without


def behind(book: Book, kind: str, id: int | None) -> list[int]:
    """The conversations behind a number or a range of a histogram, the newest first."""
    start, end = book.spans()[0]
    if kind in ("replies", "resolved", "firstReplyResolved"):
        wanted = {"replies": id, "firstReplyResolved": 1}.get(kind)
        found = {row.id for row, n, _ in book.closed(start, end) if n and wanted in (None, min(n, 5))}
    else:
        found = {
            one.conversation.id for one in book.replies(start, end)
            if not kind or (one.since is not None and _took(kind, one, id))
        }  # fmt: skip
    return sorted(found, reverse=True)


def _took(kind: str, one: Reply, id: int | None) -> bool:
    if kind == "handleTime" or (kind == "firstResponseTime" and not one.first):
        return False
    wait = passed(None, one.since or "", one.at)
    return id in (None, 1 + sum(wait >= limit * 60 for limit in LIMITS))


# -- By day, week or month


def starts(zone: str, view_by: str, start: str, end: str) -> list[str]:
    """Where a local day, week or month begins, looked for every quarter of an hour; and where the span does."""
    found, moment, last = [start], datetime.fromisoformat(start), datetime.fromisoformat(end)
    while (moment := moment + timedelta(minutes=15)) <= last:
        at = moment.astimezone(ZoneInfo(zone))
        begins = {"day": True, "week": at.isoweekday() == 1, "month": at.day == 1}[view_by]
        if begins and (at.hour, at.minute) == (0, 0):
            found.append(moment.astimezone(UTC).isoformat().replace("+00:00", "Z"))
    return found


def over_time(book: Book, kind: str, start: str, end: str) -> list[dict[str, Any]]:
    """What a report by day, week or month must list of a span."""
    begin = starts(book.history.zone, book.params.get("viewBy", "day"), start, end)
    found = []
    for first, following in zip(begin, [*begin[1:], None], strict=True):
        last = end if following is None else just_before(following)
        found.append({"date": first} | piece(book, kind, first, last))
    return found


def just_before(moment: str) -> str:
    return (datetime.fromisoformat(moment) - timedelta(seconds=1)).isoformat().replace("+00:00", "Z")


def piece(book: Book, kind: str, start: str, end: str) -> dict[str, Any]:
    match kind:
        case "replies-sent" | "replies":
            return {"replies": len(book.replies(start, end))}
        case "resolved" | "resolutions":
            return {"resolved": sum(bool(n) for _, n, _ in book.closed(start, end))}
        case "resolution-time":
            return {"time": mean([took for _, n, took in book.closed(start, end) if n])}
        case _:
            return {"time": mean(book.waits(start, end, first=kind == "first-response-time"))}


# -- E-mail


def email(book: Book) -> dict[str, Any]:
    """What the e-mail report must say, but for its filterTags."""
    parts = [email_numbers(book, *span) for span in book.spans()]
    report: dict[str, Any] = {"current": parts[0]}
    if len(parts) > 1:
        report["previous"] = parts[1]
        report["deltas"] = {
            part: {
                name: relative(parts[0][part][name] or 0, parts[1][part][name] or 0)
                for name in parts[0][part] if name != "percentResolvedOnFirstReply"
            }
            for part in ("volume", "resolutions", "responses")
        }  # fmt: skip
    return report


def email_numbers(book: Book, start: str, end: str) -> dict[str, Any]:
    of, known = productivity_numbers(book, start, end), {row.id for row in book.known}
    return {
        "startDate": start, "endDate": end,
        "volume": {
            "emailConversations": of["totalConversations"], "repliesSent": of["repliesSent"],
            "emailsCreated": sum(start <= row.created_at <= end for row in book.known),
            "messagesReceived": sum(
                one.conversation_id in known and start <= one.created_at <= end and one.created_by_type == "customer"
                and one.state == "published" and one.type != "lineitem" for one in book.history.threads
            ),
        },
        "resolutions": {name: of[name] for name in (
            "resolved", "resolvedOnFirstReply", "resolutionTime", "repliesToResolve", "handleTime", "closed"
        )} | {"percentResolvedOnFirstReply": of["resolvedOnFirstReply"] / (of["resolved"] or 1)},
        "responses": {name: of[name] for name in ("responseTime", "firstResponseTime")},
    }  # fmt: skip
