"""What has changed in a conversation since an agent asked to do something there, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deskhand.db.engine import Reader
from deskhand.desk.call import Actor
from deskhand.desk.conversations import standing
from deskhand.gateway.held_calls import Changed
from deskhand.web.console import beside
from deskhand.web.console.beside import Beside

_HEARD = ("Customer", "Reply", "Chat", "Phone call")
"""What a call that waits was not written for; notes are not."""


def words(
    db: Reader, actor: Actor, held_at: str, changed: Changed, around: Beside | None, inboxes: Mapping[int, str]
) -> list[str]:
    """What changed since, each as a sentence without its full stop: "the customer wrote again", "Anna took it"."""
    before, now = standing.read(changed.stood), standing.read(changed.stands)
    if not changed.stands:
        return ["the conversation was deleted"]
    if before is None or now is None or around is None:
        return ["its conversation changed" if now else "one of its conversations changed"]
    found = list(_said(around, actor.user_id, held_at)) if before.said != now.said else []
    if before.status != now.status:
        found.append(f"the status became {now.status}")
    if before.inbox_id != now.inbox_id:
        found.append(f"it was moved to {inboxes.get(now.inbox_id) or 'another inbox'}")
    if before.owner_id != now.owner_id:
        found.append(_owned(db, actor, now.owner_id, around))
    return found


def _said(around: Beside, visitor_id: int, held_at: str) -> Iterator[str]:
    """Who wrote since, in their order; or that something else is to be read there, as when a draft was sent."""
    spoken = [one for one in reversed(around.threads) if not one.draft and one.kind in _HEARD]
    # Times are whole seconds: what came in the second of the call counts where nothing came later.
    heard = [one for one in spoken if one.at > held_at] or [one for one in spoken if one.at == held_at]
    said = dict.fromkeys(
        ("the customer wrote again" if one.author_id == around.row.customer_id else f"{one.who} wrote")
        if one.by_customer
        else f"{'you' if one.author_id == visitor_id else one.who} replied"
        for one in heard
    )
    yield from said or ["what was said there changed"]


def _owned(db: Reader, actor: Actor, owner_id: int, around: Beside) -> str:
    if not owner_id:
        return "it became nobody’s"
    if owner_id == actor.user_id:
        return "you took it" if owner_id in around.takers else "it was given to you"
    name = beside.names(db, actor.account_id, [owner_id]).get(owner_id) or "somebody else"
    return f"{name} took it" if owner_id in around.takers else f"it was given to {name}"
