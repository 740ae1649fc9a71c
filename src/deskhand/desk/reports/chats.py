"""Reports about chats: how many were answered, how quickly, how long they took.

A chat belongs to the span in which it began. Its messages are what was written in the chat itself; mails that follow
it are none, but when nobody of the staff wrote in the chat, their first reply by mail is their answer. The wait is from
the customer's first message to the staff's first one after it; a response is every later one of the staff, from the
first message that it answers. A chat is missed when the staff did not answer; one that is kept as a whole transcript,
when nobody of the staff did anything with it. What workflows send by themselves is nobody's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from deskhand.catalogue.reports import AskChannel
from deskhand.catalogue.reports_conversations import (
    ChatDeltas,
    ChatNumbers,
    ChatReport,
    ChatResolutions,
    ChatResolutionsDeltas,
    ChatResponses,
    ChatResponsesDeltas,
    ChatVolume,
    ChatVolumeDeltas,
    UserChatDeltas,
    UserChatNumbers,
    UserChatReport,
)
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_from, unindexed
from deskhand.db.statements import P, Statement, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.reports.numbers import changes, whole_days
from deskhand.desk.reports.office import Office, office
from deskhand.desk.reports.people import Workers
from deskhand.desk.reports.selecting import Filters, Selection, Span, began, conditions, select, spans
from deskhand.lib.clock import from_wire

_DECIMALS = 6
"""Of averages. Source: reports/chat, whose sample has 8.225806 chats a day."""
_CHAT = ("chat",)
_TRANSCRIPT = "beaconchat"
_LINES = ("chat", _TRANSCRIPT)
_REPLY = "message"


Seconds = Callable[[int, int], int]
"""How many seconds lie between two moments, only those in office hours perhaps."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """A published thread of a chat."""

    conversation_id: int
    type: str
    created_at: str
    by: str
    author: int

    @property
    def by_staff(self) -> bool:
        return self.by == "user"

    @property
    def at(self) -> int:
        """In seconds since 1970."""
        return int(from_wire(self.created_at).timestamp())


class Chat(msgspec.Struct, frozen=True):
    """What is counted of a chat: who answered it first and later, after how many seconds, and how long it took."""

    staff: frozenset[int]
    wait: tuple[int, int] | None
    responses: tuple[tuple[int, int], ...]
    messages: int
    duration: int

    @property
    def answered(self) -> bool:
        return bool(self.staff)


class Summed(msgspec.Struct, frozen=True):
    """The numbers of several chats; averages are None without any."""

    chats: int
    answered: int
    wait: int | None
    response: int | None
    messages: float | None
    duration: int | None


def report(db: Reader, actor: Actor, query: AskChannel) -> ChatReport:
    """The chats of a desk; raises BadRequest for a span or a filter that makes no sense."""
    (span, earlier), selection = spans(query), select(actor, query, _CHAT)
    opening = office(db, actor, query.office_hours)
    current = _numbers(_chats(db, selection, span, opening), span)
    previous = _numbers(_chats(db, selection, earlier, opening), earlier) if earlier else UNSET
    return ChatReport(
        current=current, previous=previous, deltas=_deltas(current, previous) if previous else UNSET
    )  # fmt: skip


def of_user(db: Reader, actor: Actor, query: AskChannel, by: Workers) -> UserChatReport:
    """The chats that some users answered; raises BadRequest as `report` does."""
    (span, earlier), selection, users = spans(query), select(actor, query, _CHAT), frozenset(by.ids)
    opening = office(db, actor, query.office_hours)

    def numbers(span: Span) -> UserChatNumbers:
        mine = summed(_chats(db, selection, span, opening), users)
        return UserChatNumbers(
            start_date=span.start,
            end_date=span.end,
            total_days=whole_days(span.start, span.end),
            new_conversations=mine.answered,
            messages_per_chat=mine.messages,
            response_time=mine.response,
            wait_time=mine.wait,
            duration=mine.duration,
        )

    current = numbers(span)
    previous = numbers(earlier) if earlier else UNSET
    return UserChatReport(
        current=current, previous=previous, deltas=changes(UserChatDeltas, current, previous) if previous else UNSET
    )  # fmt: skip


def _numbers(chats: Sequence[Chat], span: Span) -> ChatNumbers:
    all_of_them = summed(chats)
    return ChatNumbers(
        start_date=span.start,
        end_date=span.end,
        volume=ChatVolume(
            chat_conversations=all_of_them.chats,
            completed_chats=all_of_them.answered,
            missed_chats=all_of_them.chats - all_of_them.answered,
            chats_per_day=round(all_of_them.chats / max(1, whole_days(span.start, span.end)), _DECIMALS),
        ),
        responses=ChatResponses(wait_time=all_of_them.wait, response_time=all_of_them.response),
        resolutions=ChatResolutions(messages_per_chat=all_of_them.messages, duration=all_of_them.duration),
    )


def _deltas(now: ChatNumbers, before: ChatNumbers) -> ChatDeltas:
    return ChatDeltas(
        volume=changes(ChatVolumeDeltas, now.volume, before.volume),
        responses=changes(ChatResponsesDeltas, now.responses, before.responses),
        resolutions=changes(ChatResolutionsDeltas, now.resolutions, before.resolutions),
    )


# -- Counting


def summed(chats: Iterable[Chat], users: Collection[int] | None = None) -> Summed:
    """The numbers of chats, or of those that some users answered: of those only what these users answered counts."""
    known = [chat for chat in chats if users is None or not chat.staff.isdisjoint(users)]
    answered = [chat for chat in known if chat.answered]
    waits = [chat.wait for chat in answered if chat.wait is not None]
    responses = [one for chat in answered for one in chat.responses]
    messages = _mean([chat.messages for chat in answered])
    return Summed(
        chats=len(known),
        answered=len(answered),
        wait=_whole(_mean([took for by, took in waits if users is None or by in users])),
        response=_whole(_mean([took for by, took in responses if users is None or by in users])),
        messages=None if messages is None else round(messages, _DECIMALS),
        duration=_whole(_mean([chat.duration for chat in answered])),
    )


def _mean(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)


def chat(lines: Sequence[Line], seconds: Seconds) -> Chat:
    """What is counted of a chat, whose threads are in order."""
    messages = [line for line in lines if line.type in _LINES]
    transcript = any(line.type == _TRANSCRIPT for line in messages)
    if not transcript and not any(line.by_staff for line in messages):
        by_mail = next((line for line in lines if line.type == _REPLY and line.by_staff), None)
        messages = [line for line in lines if line.type in _LINES or line is by_mail]
    staff = frozenset(line.author for line in (lines if transcript else messages) if line.by_staff)
    answers = tuple(_answers(messages, seconds))
    return Chat(
        staff=staff,
        wait=answers[0] if answers else None,
        responses=answers[1:],
        messages=len(messages),
        duration=seconds(messages[0].at, messages[-1].at) if messages else 0,
    )


def _answers(messages: Iterable[Line], seconds: Seconds) -> Iterator[tuple[int, int]]:
    """Who of the staff answered what was waiting, and after how long."""
    waiting: int | None = None
    for line in messages:
        if not line.by_staff:
            waiting = line.at if waiting is None else waiting
        elif waiting is not None:
            yield line.author, seconds(waiting, line.at)
            waiting = None


# -- In SQL


def _chats(db: Reader, selection: Selection, span: Span, opening: Office | None) -> list[Chat]:
    (count, every), given = _statements(selection.filters), selection.parameters(span)
    found = db.all(every, **given)
    if opening is not None and found:
        moments = [line.created_at for line in found]
        opening.cover(*(int(from_wire(moment).timestamp()) for moment in (min(moments), max(moments))))
    seconds = _between if opening is None else opening.between
    chats = [chat(list(lines), seconds) for _, lines in groupby(found, attrgetter("conversation_id"))]
    silent = db.first(count, **given) - len(chats)
    return chats + [chat((), seconds)] * silent


def _between(since: int, at: int) -> int:
    return at - since


@lru_cache(maxsize=64)
def _statements(filters: Filters) -> tuple[Statement[int], Statement[Line]]:
    """How many chats began in the span, and all that customers and staff did in them."""
    c, t = conversation.c, thread.c
    new = (*began(), *conditions(filters))
    count = sa.select(sa.func.count()).select_from(conversation).where(*new)
    lines = (
        sa.select(
            t.conversation_id, t.type, t.created_at, t.created_by_type.label("by"), t.created_by_id.label("author")
        )
        .where(
            ids_from(t.conversation_id, sa.select(c.id).where(*new)),
            unindexed(t.account_id) == P("account_id"),
            t.state == sa.literal_column("'published'"),
            t.source_type != sa.literal_column("'workflows'"),
        )
        .order_by(t.conversation_id, t.created_at, t.id)
    )
    return value(int, count, keep=False), rows(Line, lines, keep=False)
