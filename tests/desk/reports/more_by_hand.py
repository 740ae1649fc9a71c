"""The reports over time, one by one and about chats, counted by hand: one row after the other, in plain Python."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deskhand.lib.clock import to_wire
from tests.desk.reports.builders import ConversationRow, History, ThreadRow
from tests.desk.reports.by_hand import Params, passing, relative

Known = dict[int, ConversationRow]
Inside = list[tuple[int, int] | None] | None


def known_to(history: History, params: Params, user_id: int, inboxes: Iterable[int]) -> Known:
    return {row.id: row for row in passing(history, params, user_id, inboxes)}


def spans(params: Params) -> dict[str, tuple[str, str]]:
    """The spans that are told, by their names in answers."""
    found = {"current": (params["start"], params["end"])}
    if "previousStart" in params:
        found["previous"] = params["previousStart"], params["previousEnd"]
    return found


def days(span: tuple[str, str]) -> float:
    start, end = (datetime.fromisoformat(moment) for moment in span)
    return (end - start) / timedelta(days=1)


# -- Over time


def starts(span: tuple[str, str], view_by: str, zone: str) -> list[str]:
    """When the pieces of a span begin: with the span, and at each midnight, each Monday's or each month's first."""
    local = [datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).date() for moment in span]
    found, day = {span[0]}, local[0]
    while day <= local[1]:
        begins = {"day": True, "week": day.isoweekday() == 1, "month": day.day == 1}[view_by]
        midnight = to_wire(datetime.combine(day, time(), ZoneInfo(zone)))
        if begins and span[0] < midnight <= span[1]:
            found.add(midnight)
        day += timedelta(days=1)
    return sorted(found)


def over_time(history: History, params: Params, moments: Iterable[tuple[str, Any]]) -> dict[str, list[tuple[str, Any]]]:
    """What happened in each piece of the spans, out of moments and what happened then."""
    there, told = list(moments), {}
    for name, span in spans(params).items():
        begin = starts(span, params.get("viewBy", "day"), history.zone)
        pieces: dict[str, list[Any]] = {since: [] for since in begin}
        for at, what in there:
            if span[0] <= at <= span[1]:
                pieces[max(since for since in begin if since <= at)].append(what)
        told[name] = list(pieces.items())
    return told


def new(known: Known) -> list[tuple[str, str]]:
    return [(row.created_at, row.type) for row in known.values()]


def received(history: History, known: Known) -> list[tuple[str, int]]:
    return [
        (one.created_at, one.id) for one in history.threads
        if one.conversation_id in known and one.created_by_type == "customer" and one.state == "published"
        and one.type != "lineitem"
    ]  # fmt: skip


def replies(history: History, known: Known, by: Iterable[int] | None = None) -> list[ThreadRow]:
    return [
        one for one in history.threads
        if one.conversation_id in known and one.type == "message" and one.state == "published"
        and one.created_by_type == "user" and one.source_type != "workflows"
        and (by is None or one.created_by_id in by)
    ]  # fmt: skip


def helped(history: History, known: Known, by: Iterable[int] | None = None) -> list[tuple[str, int]]:
    return [(one.created_at, known[one.conversation_id].customer_id) for one in replies(history, known, by)]


def busy_times(history: History, known: Known, start: str, end: str) -> list[dict[str, int]]:
    cells: Counter[tuple[int, int]] = Counter()
    for row in known.values():
        if start <= row.created_at <= end:
            local = datetime.fromisoformat(row.created_at).astimezone(ZoneInfo(history.zone))
            cells[local.isoweekday(), local.hour] += 1
    return [{"day": day, "hour": hour, "count": cells[day, hour]} for day, hour in sorted(cells)]


# -- One by one


def active(history: History, known: Known, start: str, end: str) -> set[int]:
    began = {row.id for row in known.values() if start <= row.created_at <= end}
    return began | {
        one.conversation_id for one in history.threads
        if one.conversation_id in known and one.state != "draft" and start <= one.created_at <= end
    }  # fmt: skip


def with_field(history: History, known: Known, start: str, end: str, field: str, id: int) -> set[int]:
    seen = active(history, known, start, end)
    carried = {of: [tag["id"] for tag in json.loads(known[of].tags)] for of in seen}
    match field:
        case "tagid":
            return {of for of in seen if (id in carried[of] if id != 1 else not carried[of])}
        case "customerid":
            return {of for of in seen if known[of].customer_id == id}
        case "replyid":
            return {
                one.conversation_id for one in history.threads
                if one.conversation_id in known and one.saved_reply_id == id and one.state != "draft"
                and start <= one.created_at <= end
            }  # fmt: skip
    return {
        one.conversation_id for one in history.runs
        if one.conversation_id in known and one.workflow_id == id and start <= one.at <= end
    }  # fmt: skip


def item(row: ConversationRow, people: dict[int, str]) -> dict[str, Any]:
    """How a drilldown shows a conversation."""
    names = (f"Customer{row.customer_id}" if row.customer_id % 3 else "", "Meyer" if row.customer_id % 3 == 1 else "")
    return {
        "id": row.id, "number": row.number, "type": row.type, "mailboxid": row.inbox_id, "attachments": False,
        "subject": row.subject, "status": row.status, "threadCount": 0, "preview": row.preview,
        "customerName": " ".join(filter(None, names)) or row.customer_email, "customerEmail": row.customer_email,
        "customerIds": [row.customer_id], "modifiedAt": row.modified_at, "assignedid": row.assignee_id,
        "tags": [{"id": tag["id"], "name": tag["tag"], "color": tag["color"]} for tag in json.loads(row.tags)],
        "assignedName": people.get(row.assignee_id or 0, ""),
    }  # fmt: skip


# -- Chats


def seconds(history: History, inside: Inside, start: str, end: str) -> float:
    """All seconds between two moments, or those in office hours."""
    first, last = (datetime.fromisoformat(moment) for moment in (start, end))
    if inside is None:
        return (last - first).total_seconds()
    zone, total = ZoneInfo(history.zone), 0.0
    day = first.astimezone(zone).date()
    while day <= last.astimezone(zone).date():
        if (hours := inside[day.weekday()]) is not None:
            opened, closed = (
                (datetime.combine(day, time()) + timedelta(minutes=minute)).replace(tzinfo=zone).astimezone(UTC)
                for minute in hours
            )
            total += max(0.0, (min(last, closed) - max(first, opened)).total_seconds())
        day += timedelta(days=1)
    return total


def chats(
    history: History, known: Known, start: str, end: str, inside: Inside, by: Iterable[int] | None = None
) -> dict[str, Any]:
    """The numbers of the chats that began in a span, or of those that some users answered."""
    threads: dict[int, list[ThreadRow]] = defaultdict(list)
    for one in sorted(history.threads, key=lambda one: (one.created_at, one.id)):
        if one.state == "published" and one.source_type != "workflows":
            threads[one.conversation_id].append(one)
    began = [row for row in known.values() if row.type == "chat" and start <= row.created_at <= end]
    found: dict[str, list[float]] = {"wait": [], "response": [], "messages": [], "duration": []}
    for row in began:
        every = threads[row.id]
        said = [one for one in every if one.type in ("chat", "beaconchat")]
        if not any(one.type == "beaconchat" or one.created_by_type == "user" for one in said):
            mails = [one for one in every if one.type == "message" and one.created_by_type == "user"]
            said = sorted(said + mails[:1], key=lambda one: (one.created_at, one.id))
        staff = every if any(one.type == "beaconchat" for one in said) else said
        staff = [one for one in staff if one.created_by_type == "user"]
        if not staff or (by is not None and not any(one.created_by_id in by for one in staff)):
            continue
        found["messages"].append(len(said))
        found["duration"].append(seconds(history, inside, said[0].created_at, said[-1].created_at))
        answers = 0
        for position, one in enumerate(said):
            before = [earlier.created_by_type for earlier in said[:position]]
            if one.created_by_type == "user" and before and before[-1] == "customer":
                last_staff = max((at for at, whose in enumerate(before) if whose == "user"), default=-1)
                took = seconds(history, inside, said[last_staff + 1].created_at, one.created_at)
                answers += 1
                if by is None or one.created_by_id in by:
                    found["wait" if answers == 1 else "response"].append(took)
    mean = {name: sum(numbers) / len(numbers) if numbers else None for name, numbers in found.items()}
    return {
        "began": len(began), "answered": len(found["messages"]),
        "messages": None if mean["messages"] is None else round(mean["messages"], 6),
        **{name: None if (m := mean[name]) is None else round(m) for name in ("wait", "response", "duration")},
    }  # fmt: skip


def changes(now: dict[str, Any], before: dict[str, Any]) -> dict[str, float]:
    return {name: relative(now[name] or 0, before[name] or 0) for name in now if not isinstance(now[name], str)}
