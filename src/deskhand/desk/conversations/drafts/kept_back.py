"""Forms that were to leave and stay: with whom, under which key, and why in words."""

from __future__ import annotations

import secrets
from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import P, command
from deskhand.desk.conversations.drafts import departed
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.ready import BEGIN_CONVERSATION, Departure, unpacked
from deskhand.desk.conversations.drafts.unsent import Unsent
from deskhand.desk.conversations.tables import unsent, unsent_file
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.outbox import events, jobs

_FAULT_MOST = 300
_ONE = (unsent.c.account_id == P("for_account"), unsent.c.id == P("id"))
_STAY = command(
    sa.update(unsent)
    .where(*_ONE)
    .values(user_id=P("user_id"), key=P("key"), ready=sa.null(), fault=P("fault"), at=P("at"))
)
_DETACH = command(
    sa.update(unsent)
    .where(*_ONE)
    .values(
        **{name: P(name) for name in ("user_id", "key", "recipients", "subject", "fields", "fault", "at")},
        kind=sa.literal_column("'new'"),
        conversation_id=sa.null(),
        form=sa.literal_column("''"),
        ready=sa.null(),
    )
)
_DETACH_FILES = command(
    sa.update(unsent_file)
    .where(unsent_file.c.account_id == P("for_account"), unsent_file.c.unsent_id == P("id"))
    .values(conversation_id=sa.null())
)


def withdraw(tx: Writer, account_id: int, one: Unsent) -> bool:
    """Let a form not leave by itself any more; False where it is just leaving."""
    going = msgspec.json.encode(Departure(one.id, one.user_id)).decode()
    return jobs.withdraw_exactly(tx, account_id, BEGIN_CONVERSATION, going)


def stay(tx: Writer, account_id: int, one: Unsent, fault: str, now: str, *, heir: int | None = None) -> Unsent:
    """Keep a form that was to leave where its writer finds it, or their `heir`; gives it as it is then.

    A forward is found in its conversation, unless whoever has it forwards that once more: then it goes on by itself.
    """
    departed.undo(tx, account_id, one.user_id, one.key)
    tx.changed(events.PAGES)
    user_id, key = heir or one.user_id, one.key
    if one.kind == "forward" and one.conversation_id is not None:
        key = forms.forward_key(one.conversation_id)
        if (user_id, key) != (one.user_id, one.key) and forms.of(tx, on_behalf_of(account_id, user_id), key):
            return detach(tx, account_id, one, fault, now, heir=heir)
    kept = msgspec.structs.replace(one, user_id=user_id, key=key, ready=None, fault=fault[:_FAULT_MOST], at=now)
    tx.run(_STAY, for_account=account_id, id=one.id, user_id=user_id, key=key, fault=kept.fault, at=now)
    return kept


def detach(
    tx: Writer, account_id: int, one: Unsent, fault: str, now: str, *, heir: int | None = None,
    nameless: Collection[str] = (),
) -> Unsent:  # fmt: skip
    """Keep a forward as the form of a new conversation: what its writer wrote, but not what was forwarded.

    What has one of the `nameless` addresses is left out, and the subject with it, which may be theirs.
    """
    ready = unpacked(one.ready) if one.ready else None
    fields = {}
    if ready is not None:
        owner = ready.new.assign_to
        fields = {"kind": "email", "inbox": str(ready.new.mailbox_id), "status": ready.new.status}
        fields |= {"owner": str(owner)} if isinstance(owner, int) else {}
    kept = msgspec.structs.replace(
        one,
        user_id=heir or one.user_id,
        key=f"detached-{secrets.token_urlsafe(12)}",
        kind="new",
        conversation_id=None,
        recipients="" if any(name in one.recipients.lower() for name in nameless) else one.recipients,
        subject=ready.new.subject if ready is not None and not nameless else "",
        fields=msgspec.json.encode(fields).decode(),
        form="",
        ready=None,
        fault=fault[:_FAULT_MOST],
        at=now,
    )
    names = ("user_id", "key", "recipients", "subject", "fields", "fault", "at")
    tx.run(_DETACH, for_account=account_id, id=one.id, **{name: getattr(kept, name) for name in names})
    tx.run(_DETACH_FILES, for_account=account_id, id=one.id)
    tx.changed(events.PAGES)
    return kept
