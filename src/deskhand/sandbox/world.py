"""The invented account of the sandbox: `account` for all that is small, `conversations` for the stream.

Pure: the same seed and `now` give the same values, and conversation number n is the same however many are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count as counting
from itertools import islice

import msgspec

from deskhand.sandbox import shop, special
from deskhand.sandbox.cast import Cast
from deskhand.sandbox.contents import content
from deskhand.sandbox.customers import BUSY, customers
from deskhand.sandbox.options import FIRST_CONVERSATION_ID
from deskhand.sandbox.records import (
    ConversationRecord,
    Examples,
    Field,
    Inbox,
    Option,
    Tag,
    Team,
    User,
    World,
)
from deskhand.sandbox.story import Ids
from deskhand.sandbox.telling import Telling

__all__ = ["account", "attachment_bytes", "conversations"]

FIRST_TAG_ID, FIRST_FIELD_ID, FIRST_OPTION_ID = 301, 11, 901
LEAST = 200
"""From so many conversations on every example exists."""


def account(seed: int, now: datetime) -> World:
    """Everything but the conversations. `now` is zone-aware; fractions of a second are dropped."""
    now = now.astimezone(UTC).replace(microsecond=0)
    founded = now - timedelta(days=1_100)
    world = World(
        seed=seed,
        now=now,
        account_id=1,
        account_name=shop.NAME,
        domain=shop.DOMAIN,
        users=tuple(_user(person, now) for person in shop.STAFF),
        system_users=(_helper(now),),
        teams=tuple(_team(group, founded + timedelta(days=40)) for group in shop.TEAMS),
        inboxes=_inboxes(seed, founded),
        tags=tuple(_tag(n, founded) for n in range(len(shop.TAGS))),
        customers=customers(seed, int(now.timestamp())),
        examples=_NO_EXAMPLES,
    )
    return msgspec.structs.replace(world, examples=_examples(world))


def conversations(world: World, count: int) -> Iterator[ConversationRecord]:
    """The first `count` conversations, one at a time, with their threads; ids grow with the number."""
    cast, ids = Cast(world), Ids()
    for n in range(count):
        yield special.special(cast, ids, n) or _ordinary(cast, ids, n)


def attachment_bytes(content_key: str) -> bytes:
    """The bytes of an attachment record, under 20 kB and the same on every machine."""
    return content(content_key)


def _ordinary(cast: Cast, ids: Ids, n: int) -> ConversationRecord:
    telling = Telling(cast, ids, n)
    draw = telling.rng.random()
    plot = telling.plot()
    if not plot:
        special.spam(telling)
    elif draw < 0.005:
        return special.draft_conversation(cast, ids, n)
    else:
        telling.tell(plot)
        if draw > 0.94 and telling.story.status in ("active", "pending"):
            telling.snooze()
    return telling.story.record()


def _user(person: shop.Person, now: datetime) -> User:
    name = person.first_name.lower()
    joined = now - (timedelta(days=1_100 - 90 * person.id) if person.accepted else timedelta(days=2))
    return User(
        id=person.id,
        type="user",
        first_name=person.first_name,
        last_name=person.last_name,
        email=f"{name}@{shop.DOMAIN}",
        role=person.role,
        timezone=person.timezone,
        job_title=person.job_title,
        phone=f"+353 20 910 00{person.id:02}",
        mention=name,
        initials=person.first_name[0] + person.last_name[0],
        alternate_emails=(f"founder@{shop.DOMAIN}",) if person.id == shop.OWNER else (),
        accepted=person.accepted,
        languages=person.languages,
        inbox_ids=person.inboxes,
        created_at=joined,
        updated_at=joined,
    )


def _helper(now: datetime) -> User:
    joined = now - timedelta(days=120)
    return User(
        id=shop.HELPER,
        type="system_user",
        first_name="Wick",
        last_name="",
        email=None,
        role="user",
        timezone="Europe/Dublin",
        job_title="",
        phone="",
        mention=None,
        initials="W",
        alternate_emails=(),
        accepted=True,
        languages=(),
        inbox_ids=shop.INBOX_IDS,
        created_at=joined,
        updated_at=joined,
    )


def _team(group: shop.Group, created: datetime) -> Team:
    return Team(
        id=group.id,
        name=group.name,
        mention=group.mention,
        initials=group.name[0],
        timezone="Europe/Dublin",
        user_ids=group.user_ids,
        inbox_ids=group.inbox_ids,
        created_at=created,
        updated_at=created,
    )


def _inboxes(seed: int, founded: datetime) -> tuple[Inbox, ...]:
    option_ids = counting(FIRST_OPTION_ID)
    fields = [
        Field(
            id=FIRST_FIELD_ID + n,
            inbox_id=inbox_id,
            name=name,
            type=kind,
            order=1 + sum(1 for other in shop.FIELDS[:n] if other[0] == inbox_id),
            required=required,
            options=tuple(Option(next(option_ids), order, label) for order, label in enumerate(labels, 1)),
        )
        for n, (inbox_id, name, kind, required, labels) in enumerate(shop.FIELDS)
    ]
    return tuple(
        Inbox(
            id=inbox_id,
            name=name,
            slug=sha256(f"{seed}:inbox:{inbox_id}".encode()).hexdigest()[:16],
            email=f"{mail_name}@{shop.DOMAIN}",
            signature=f"<p>{shop.NAME}<br>4 Quay Street, Port Merrow</p>",
            fields=tuple(field for field in fields if field.inbox_id == inbox_id),
            created_at=founded,
            updated_at=founded,
        )
        for inbox_id, name, mail_name in shop.INBOXES
    )


def _tag(n: int, founded: datetime) -> Tag:
    name, color = shop.TAGS[n]
    created = founded + timedelta(days=11 * n + 3)
    return Tag(id=FIRST_TAG_ID + n, name=name, slug=name.replace(" ", "-"), color=color, created_at=created)


def _examples(world: World) -> Examples:
    first = list(islice(conversations(world, LEAST), special.SCHEDULED + 1))
    rated = next(thread for thread in first[special.RATED].threads if thread.rating)
    scheduled = next(thread for thread in first[special.SCHEDULED].threads if thread.scheduled)
    return Examples(
        merged=FIRST_CONVERSATION_ID + special.MERGED + 1,
        merged_into=FIRST_CONVERSATION_ID + special.MERGED,
        draft_conversation=FIRST_CONVERSATION_ID + special.DRAFT,
        rated_thread=rated.id,
        full_conversation=FIRST_CONVERSATION_ID + special.FULL,
        without_subject=FIRST_CONVERSATION_ID + special.NO_SUBJECT,
        scheduled_thread=scheduled.id,
        snoozed_conversation=FIRST_CONVERSATION_ID + special.SNOOZED,
        busy_customer=world.customers[BUSY].id,
    )


_NO_EXAMPLES = Examples(
    merged=0,
    merged_into=0,
    draft_conversation=0,
    rated_thread=0,
    full_conversation=0,
    without_subject=0,
    scheduled_thread=0,
    snoozed_conversation=0,
    busy_customer=0,
)
