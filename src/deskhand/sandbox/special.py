"""The conversations that are not left to chance: merged and forwarded pairs, drafts, spam, and the very long ones."""

from __future__ import annotations

from random import Random

from deskhand.sandbox import shop
from deskhand.sandbox.cast import Cast
from deskhand.sandbox.hours import HOUR, MINUTE, awake, working
from deskhand.sandbox.options import FIRST_CONVERSATION_ID
from deskhand.sandbox.phrasing import PLAIN, pick, say
from deskhand.sandbox.records import ConversationRecord
from deskhand.sandbox.story import Ids, Story
from deskhand.sandbox.telling import Telling
from deskhand.sandbox.texts_inside import CARRIER_ANSWERS, FORWARDED
from deskhand.sandbox.texts_project import ANSWERS, ASKS, FIRST, NOTES, SUBJECT
from deskhand.sandbox.texts_spam import SPAM

RATED, DRAFT, NO_SUBJECT, SCHEDULED, SNOOZED, FULL, MERGED = 12, 23, 41, 60, 77, 150, 196
"""Where the examples are, counted from the first conversation."""

FULL_THREADS, LONG_THREADS = 100, 40

_SURVIVORS = frozenset((20, MERGED, 412, 640, 905))
_LONG = frozenset((88, 288, 488, 688, 888))
_FORWARDED = frozenset((130, 301, 777))


def special(cast: Cast, ids: Ids, n: int) -> ConversationRecord | None:
    """The conversation at place `n`, if that place is a special one. Pairs stand next to each other."""
    place = n % 1_000
    if place in _SURVIVORS:
        return _survivor(cast, ids, n).story.record()
    if place - 1 in _SURVIVORS:
        return _merged(cast, n)
    if place in _FORWARDED:
        return _forwarded(cast, ids, n).story.record()
    if place - 1 in _FORWARDED:
        return _carrier(cast, ids, n)
    if n == FULL or n in _LONG:
        return _project(cast, ids, n, FULL_THREADS if n == FULL else LONG_THREADS)
    return _example(cast, ids, n)


def spam(telling: Telling) -> None:
    """Turn the conversation into one that nobody asked for."""
    cast, rng, story = telling.cast, telling.rng, telling.story
    subject, body = pick(rng, SPAM)
    slots = telling.slots | {"organization": shop.NAME}
    story.customer = pick(rng, [one for one in cast.spammers if one.created_at.timestamp() < story.at])
    story.email = story.customer.emails[0].value
    story.subject = say(rng, (subject,), slots, PLAIN)
    story.type, story.source, story.language = "email", "email", "en"
    story.customer_writes(say(rng, (body,), slots))
    story.passes(MINUTE * (1 + rng.random() * 300))
    by = shop.HELPER if rng.random() < 0.6 else telling.staff.id
    story.line(f"{cast.names[by]} changed the status to Spam", by, status="spam")


def draft_conversation(cast: Cast, ids: Ids, n: int) -> ConversationRecord:
    """A conversation that a user has begun and not yet sent."""
    telling = Telling(cast, ids, n, inbox=0, arrival="outreach")
    telling.story.state, telling.story.source = "draft", "web"
    telling.story.assignee = telling.staff.id
    telling.story.drafts(telling.staff_mail(telling.fitting(telling.scenario.opening)), telling.staff.id)
    return telling.story.record()


def _example(cast: Cast, ids: Ids, n: int) -> ConversationRecord | None:
    if n not in (RATED, DRAFT, NO_SUBJECT, SCHEDULED, SNOOZED):
        return None
    if n == DRAFT:
        return draft_conversation(cast, ids, n)
    telling = Telling(cast, ids, n, arrival="email")
    if n == RATED:
        telling.rate = 1.0
        telling.tell(("O", "F!"))
    elif n == NO_SUBJECT:
        telling.story.subject = None
        telling.tell(("O", "F!", "Z"))
    else:
        telling.tell(("O", "F!", "Z", "N"))
        if n == SCHEDULED:
            telling.schedule_reply()
        else:
            telling.snooze()
    return telling.story.record()


def _survivor(cast: Cast, ids: Ids, n: int) -> Telling:
    telling = Telling(cast, ids, n, inbox=0, arrival="email", reason="late parcel")
    story, rng = telling.story, telling.rng
    telling.tell(("O",))
    story.at = max(cast.created(n + 1), story.at + 1)
    story.customer_writes(telling.letters.from_customer(telling.tongue.nudge))
    story.at = cast.hours.recent(rng, 20) if n == MERGED else working(story.at + HOUR)
    text = f"{telling.staff.first_name} merged another conversation"
    origin = {"originalConversation": FIRST_CONVERSATION_ID + n + 1}
    story.line(text, telling.staff.id, action="merged", associated=origin)
    telling.tell(("F!", "T", "L!"))
    return telling


def _merged(cast: Cast, n: int) -> ConversationRecord:
    survivor = _survivor(cast, Ids(), n - 1)
    merging = next(thread for thread in survivor.story.threads if thread.action_type == "merged")
    merged_at = int(merging.created_at.timestamp())
    moved = Story(
        cast=cast,
        ids=Ids(),
        rng=survivor.rng,
        n=n,
        customer=survivor.customer,
        email=survivor.story.email,
        inbox_id=survivor.story.inbox_id,
        language=survivor.story.language,
        subject=survivor.new_subject(),
        type="email",
        source="email",
        at=cast.created(n),
    )
    moved.customer_writes("")
    moved.at = merged_at
    moved.line("", survivor.staff.id, status="closed")
    return moved.record(merged_into=FIRST_CONVERSATION_ID + n - 1, merged_at=merged_at)


def _forwarded(cast: Cast, ids: Ids, n: int) -> Telling:
    telling = Telling(cast, ids, n, inbox=0, arrival="email", reason="late parcel")
    story = telling.story
    telling.tell(("O",))
    asked = story.threads[0].body
    story.at = max(cast.created(n + 1), story.at + 1)
    body = f"{say(telling.rng, FORWARDED, telling.slots)}<blockquote>{asked}</blockquote>"
    to = (cast.claims.emails[0].value,)
    story.notes(body, telling.staff.id, kind="forwardparent", to=to, linked=FIRST_CONVERSATION_ID + n + 1)
    telling.tell(("F~",))
    return telling


def _carrier(cast: Cast, ids: Ids, n: int) -> ConversationRecord:
    parent = _forwarded(cast, Ids(), n - 1)
    sent = next(thread for thread in parent.story.threads if thread.type == "forwardparent")
    telling = Telling(cast, ids, n, customer=cast.claims, inbox=0, arrival="email", reason="late parcel")
    story = telling.story
    story.subject = f"Fwd: {parent.story.subject}"
    story.source = "emailfwd"
    story.assignee = parent.staff.id
    story.notes(sent.body, parent.staff.id, kind="forwardchild", to=sent.to, linked=FIRST_CONVERSATION_ID + n - 1)
    if story.passes(5 * HOUR):
        story.customer_writes(say(telling.rng, CARRIER_ANSWERS, parent.slots))
        telling.staff = parent.staff
        telling.tell(("L!",))
    story.fields = parent.story.fields
    return story.record()


def _project(cast: Cast, ids: Ids, n: int, threads: int) -> ConversationRecord:
    telling = Telling(cast, ids, n, customer=cast.busy, inbox=2, arrival="email")
    story, slots, rng = telling.story, telling.slots, telling.rng
    story.subject = say(rng, (SUBJECT,), slots, PLAIN)
    story.customer_writes(telling.letters.from_customer((FIRST,)))
    order: list[int] = []
    topic = 0
    for written in range(1, threads):
        by_customer = story.latest == "user" and written % 11 != 10
        _carry_on(story, threads - written, by_customer)
        if written % 11 == 10:
            story.notes(say(rng, NOTES, slots), telling.staff.id)
        elif by_customer:
            order = order or rng.sample(range(len(ASKS)), len(ASKS))
            topic = order.pop()
            slots |= _next_room(rng, cast, telling)
            story.customer_writes(telling.letters.from_customer((ASKS[topic],), quote=0.2))
        else:
            story.staff_writes(telling.staff_mail((ANSWERS[topic],)), telling.staff.id, "pending")
    telling.tell(())
    return story.record()


def _carry_on(story: Story, left: int, by_customer: bool) -> None:
    """Let time go by so that what is left still fits before the present, in waking hours where possible."""
    pace = (story.cast.now - story.at - 2 * HOUR) / (left + 1)
    story.at += int(pace * (0.5 + 0.8 * story.rng.random()))
    likely = awake(story.at) if by_customer else working(story.at)
    if story.cast.now - likely > left * HOUR:
        story.at = likely


def _next_room(rng: Random, cast: Cast, telling: Telling) -> dict[str, str]:
    fresh = cast.slots(rng, telling.customer, telling.tongue, telling.story.inbox_id, telling.story.at)
    chosen = ("product", "product2", "lamp", "weekday", "later", "amount", "qty", "part")
    room = str(int(rng.random() * 40) + 1)
    return {name: fresh[name] for name in chosen} | {"room": room, "asked": fresh["asked"]}
