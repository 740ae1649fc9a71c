"""Reports counted by hand: one row after the other, in plain Python."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.desk.reports.builders import ConversationRow, History

Params = dict[str, str]


def listed(params: Params, name: str) -> set[str]:
    return {one for one in params.get(name, "").split(",") if one}


def passing(history: History, params: Params, user_id: int, inboxes: Iterable[int]) -> Iterator[ConversationRow]:
    """The conversations that count at all, are seen and pass the filters."""
    for row in history.conversations:
        folders, tags = listed(params, "folders"), listed(params, "tags")
        carried = {str(tag["id"]) for tag in json.loads(row.tags)}
        mine = f"{row.inbox_id}2" if row.folder_id % 10 == 5 and row.assignee_id == user_id else ""
        if (
            row.status != "spam" and row.state == "published" and row.merged_into is None and row.inbox_id in inboxes
            and (not listed(params, "mailboxes") or str(row.inbox_id) in listed(params, "mailboxes"))
            and (not listed(params, "types") or row.type in listed(params, "types"))
            and (not folders or str(row.folder_id) in folders or mine in folders)
            and (not tags or carried & tags or ("1" in tags and not carried))
        ):  # fmt: skip
            yield row


def conversations_report(
    history: History, params: Params, user_id: int, inboxes: Iterable[int], office: Any = None
) -> dict[str, Any]:
    """What the conversations report must say, but for its filterTags."""
    known = {row.id: row for row in passing(history, params, user_id, inboxes)}
    now = counted(history, known, params["start"], params["end"])
    before = None
    if "previousStart" in params:
        before = counted(history, known, params["previousStart"], params["previousEnd"])
    report: dict[str, Any] = busy(history, now["began"], office if params.get("officeHours") in ("1", "true") else None)
    report["current"] = numbers(now, params["start"], params["end"])
    if before is not None:
        report["previous"] = numbers(before, params["previousStart"], params["previousEnd"])
        report["deltas"] = {
            name: relative(report["current"][name], report["previous"][name])
            for name in (
                "newConversations", "totalConversations", "customers", "conversationsCreated", "conversationsPerDay",
            )
        }  # fmt: skip
    for kind in ("tags", "customers", "replies", "workflows"):
        report[kind] = {"count": now[kind + " any"], "top": top(kind, now, before)}
    return report


def counted(history: History, known: dict[int, ConversationRow], start: str, end: str) -> dict[str, Any]:
    began = [row for row in known.values() if start <= row.created_at <= end]
    threads = [one for one in history.threads if one.conversation_id in known and start <= one.created_at <= end]
    threads = [one for one in threads if one.state != "draft"]
    active = {row.id for row in began} | {one.conversation_id for one in threads}
    tags: Counter[int] = Counter()
    for id in active:
        tags.update([tag["id"] for tag in json.loads(known[id].tags)] or [1])
    replies = {(one.saved_reply_id, one.conversation_id) for one in threads if one.saved_reply_id}
    runs = {
        (one.workflow_id, one.conversation_id)
        for one in history.runs if one.conversation_id in known and start <= one.at <= end
    }  # fmt: skip
    return {
        "began": began, "active": active,
        "tags": tags, "tags any": len(active) - tags[1],
        "customers": Counter(known[id].customer_id for id in active), "customers any": len(active),
        "replies": Counter(reply for reply, _ in replies), "replies any": len({id for _, id in replies}),
        "workflows": Counter(workflow for workflow, _ in runs), "workflows any": len({id for _, id in runs}),
    }  # fmt: skip


def numbers(of: dict[str, Any], start: str, end: str) -> dict[str, Any]:
    days = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).days
    return {
        "startDate": start, "endDate": end, "totalConversations": len(of["active"]),
        "conversationsCreated": len(of["began"]), "newConversations": len(of["began"]),
        "customers": len(of["customers"]), "conversationsPerDay": len(of["active"]) // (days or 1),
    }  # fmt: skip


def relative(now: float, before: float) -> float:
    return (now - before) / before * 100 if before else 0.0


def share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def top(kind: str, now: dict[str, Any], before: dict[str, Any] | None) -> list[dict[str, Any]]:
    found = []
    for id, count in sorted(now[kind].items(), key=lambda item: (-item[1], item[0]))[:10]:
        if count:
            item = {"id": id, "count": count, "percent": share(count, len(now["active"]))}
            if before is not None:
                item["previousCount"] = before[kind][id]
                item["previousPercent"] = share(before[kind][id], len(before["active"]))
                item["deltaPercent"] = item["percent"] - item["previousPercent"]
            found.append(item)
    return found


def busy(history: History, began: list[ConversationRow], office: Any) -> dict[str, Any]:
    days: Counter[int] = Counter()
    cells: Counter[tuple[int, int]] = Counter()
    hours: Counter[int] = Counter()
    for row in began:
        local = datetime.fromisoformat(row.created_at).astimezone(ZoneInfo(history.zone))
        minute = local.hour * 60 + local.minute
        if office is not None:
            of_day = office[local.weekday()]
            if of_day is None or not of_day[0] <= minute < of_day[1]:
                continue
        days[local.isoweekday()] += 1
        cells[local.isoweekday(), local.hour] += 1
        hours[local.hour] += 1
    if not days:
        return {"busiestDay": None, "busyTimeStart": None, "busyTimeEnd": None}
    day = max(range(1, 8), key=lambda one: days[one])
    hour = max(range(24), key=lambda one: cells[day, one])
    start = max(range(24), key=lambda one: hours[one] + hours[(one + 1) % 24])
    return {
        "busiestDay": {"day": day, "hour": hour, "count": cells[day, hour]},
        "busyTimeStart": start, "busyTimeEnd": (start + 2) % 24,
    }  # fmt: skip


def happiness(
    history: History, params: Params, user_id: int, inboxes: Iterable[int], start: str, end: str
) -> dict[str, Any]:
    """The numbers of one span in the happiness report."""
    known = {row.id: row for row in passing(history, params, user_id, inboxes)}
    given = [
        one for one in history.ratings
        if one.conversation_id in known and start <= one.created_at <= end and one.rating != "unknown"
    ]  # fmt: skip
    of = Counter(one.rating for one in given)
    raters = {one.customer_id for one in given}
    customers = raters | set(counted(history, known, start, end)["customers"])
    return {
        "great": share(of["great"], len(given)), "okay": share(of["okay"], len(given)),
        "notGood": share(of["not_good"], len(given)), "greatCount": of["great"], "okayCount": of["okay"],
        "notGoodCount": of["not_good"], "ratingsCount": len(given), "totalCustomers": len(customers),
        "totalCustomersWithRatings": len(raters), "ratingsPercent": share(len(raters), len(customers)),
        "happinessScore": share(of["great"], len(given)) - share(of["not_good"], len(given)),
    }  # fmt: skip


def happiness_report(history: History, params: Params, user_id: int, inboxes: Iterable[int]) -> dict[str, Any]:
    """What the happiness report must say, but for its filterTags."""
    now = happiness(history, params, user_id, inboxes, params["start"], params["end"])
    report = {"current": now}
    if "previousStart" in params:
        before = happiness(history, params, user_id, inboxes, params["previousStart"], params["previousEnd"])
        report["previous"] = before
        report["deltas"] = {
            name: now[name] - before[name] for name in ("great", "okay", "notGood", "happinessScore")
        } | {name: relative(now[name], before[name]) for name in ("greatCount", "okayCount", "notGoodCount")}
    return report


def ratings(history: History, params: Params, user_id: int, inboxes: Iterable[int]) -> list[dict[str, Any]]:
    """All the ratings that the list must have, in order; people's names aside."""
    known = {row.id: row for row in passing(history, params, user_id, inboxes)}
    wanted = {"great": {1}, "ok": {2}, "not-good": {3}}.get(params.get("rating", "all"), {1, 2, 3})
    number = {"great": 1, "okay": 2, "not_good": 3}
    at = {one.id: one.created_at for one in history.threads}
    found = [
        one for one in history.ratings
        if one.conversation_id in known and params["start"] <= one.created_at <= params["end"]
        and number.get(one.rating) in wanted
    ]  # fmt: skip
    field = params.get("sortField") or params.get("sortFieldRatings") or "modifiedAt"
    keys: dict[str, Any] = {
        "number": lambda one: (known[one.conversation_id].number, one.id),
        "modifiedAt": lambda one: (one.modified_at, one.id),
        "rating": lambda one: (number[one.rating], one.id),
    }
    found.sort(key=keys[field], reverse=params.get("sortOrder", "DESC").upper() == "DESC")
    return [
        {
            "number": known[one.conversation_id].number, "threadid": one.thread_id,
            "threadCreatedAt": at[one.thread_id], "id": one.conversation_id, "type": known[one.conversation_id].type,
            "ratingId": number[one.rating], "ratingCustomerId": one.customer_id, "ratingComments": one.comments,
            "ratingCreatedAt": one.created_at, "ratingUserId": one.user_id,
        }
        for one in found
    ]  # fmt: skip
