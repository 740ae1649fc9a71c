"""Changing a conversation by JSON Patch, and its custom fields.

Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/update
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.conversations import GivenField, Patch
from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, empty, invalid, shown, unknown_id
from deskhand.db.engine import Writer
from deskhand.db.statements import P, columns, rows
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations import fields, owners, reply_facts
from deskhand.desk.conversations.mail import mailing
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.replying import asked_for, published, tell_changes, with_status
from deskhand.desk.conversations.tables import thread
from deskhand.desk.conversations.threads.thread_queries import ThreadHead
from deskhand.desk.conversations.timing import schedules
from deskhand.desk.conversations.writing import add_line_item, save, take, tell
from deskhand.desk.customers import queries as customers
from deskhand.desk.customers import verbs as customer_verbs
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.search import index
from deskhand.lib.text import sort_key

_STATUSES = ("active", "closed", "open", "pending", "spam")
_PUBLISH = rows(
    ThreadHead,
    sa.update(thread)
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.conversation_id == P("conversation_id"),
        thread.c.state == sa.literal_column("'draft'"),
    )
    .values(
        state=sa.literal_column("'published'"),
        created_at=P("now"),
        **schedules.NONE,
    )
    .returning(*columns(thread, *ThreadHead.__struct_fields__)),
)


def change(tx: Writer, actor: Actor, id: int, patches: Sequence[Patch], now: str, *, line_items: bool = True) -> None:
    """Apply the steps of a JSON Patch in order, all or none; without `line_items` the caller tells of it in one.

    Raises NotFound, AccessDenied, PreconditionFailed (locked by age), Locked (customer) and BadRequest.
    """
    before = take(tx, actor, id, now)
    who = owners.by_id(tx, actor.account_id, actor.user_id)
    change = _Change(tx, actor, before, now, who.name if who else "Someone")
    if not patches:
        raise BadRequest(empty("op"))
    for patch in patches:
        change.apply(patch)
    if not line_items:
        change.line_items.clear()
    change.finish()


class _Change:
    """One change of one conversation while its steps are applied."""

    def __init__(self, tx: Writer, actor: Actor, before: Head, now: str, name: str) -> None:
        self.tx, self.actor, self.now, self.name = tx, actor, now, name
        self.before = self.after = before
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.line_items: list[tuple[str, str, dict[str, int]]] = []
        self.published: list[int] = []

    def apply(self, patch: Patch) -> None:
        path = patch.path.removeprefix("/")
        match path, patch.op:
            case "subject", "replace" | "add":
                self._subject(patch.value)
            case "primaryCustomer.id", "replace" | "add":
                self._customer(patch.value)
            case "draft", "replace" | "add":
                self._publish(patch.value)
            case "mailboxId", "move" | "replace" | "add":
                self._move(patch.value)
            case "status", "replace" | "add":
                self._status(patch.value)
            case "assignTo", "replace" | "add":
                self._assign(_integer(patch.value, least=2))
            case "assignTo", "remove":
                self._assign(None)
            case (("subject" | "primaryCustomer.id" | "draft" | "mailboxId" | "status" | "assignTo"), _):
                raise invalid(
                    "op", f"'{patch.op[:50]}' is not possible on {patch.path[:50]}", "EnumValue", patch.op[:50]
                )
            case _:
                known = "/subject, /primaryCustomer.id, /draft, /mailboxId, /status, /assignTo"
                raise invalid("path", f"Expected one of these: {known}", "EnumValue", patch.path[:200])

    def finish(self) -> None:
        """Save, then tell: line items and events."""
        if self.after == self.before:
            return
        after = msgspec.structs.replace(self.after, modified_at=self.now, user_updated_at=self.now)
        after = save(self.tx, self.before, after)
        for text, kind, associated in self.line_items:
            add_line_item(self.tx, after, self.actor, self.now, text, kind, **associated)
        for name, particulars in self.told:
            tell(self.tx, self.actor, after, name, self.now, **particulars)
        tell_changes(self.tx, self.actor, self.before, after, self.now)
        mailing.queue(self.tx, after, self.published, self.now)

    def _set(self, **changes: Any) -> None:
        self.after = msgspec.structs.replace(self.after, **changes)

    def _note(self, text: str, kind: str = "default", **associated: int) -> None:
        self.line_items.append((f"{self.name} {text}", kind, associated))

    def _subject(self, value: Any) -> None:
        if not isinstance(value, str):
            raise invalid("value", "must be a string", "NotNull", shown(value))
        if value != self.after.subject:
            self._set(subject=value, subject_key=sort_key(value))
            index.set_subject(self.tx, self.after.account_id, self.after.id, value)

    def _status(self, value: Any) -> None:
        if value not in _STATUSES:
            listed = ", ".join(f"'{status}'" for status in _STATUSES)
            raise invalid("value", f"Expected one of these: {listed}", "EnumValue", shown(value))
        status = "active" if value == "open" else value
        if status != self.after.status:
            self.after = with_status(self.after, status, self.actor.user_id, self.now)
            self._note(f"marked as {status}")

    def _assign(self, owner_id: int | None) -> None:
        if owner_id == self.after.assignee_id:
            return
        if owner_id is None:
            self._set(assignee_id=None)
            self._note("unassigned the conversation")
            return
        owner = owners.to_own(self.tx, self.actor.account_id, owner_id)
        if owner is None:
            raise unknown_id("value", owner_id, "user or team")
        self._set(assignee_id=owner_id)
        self._note(f"assigned to {owner.name}", user=owner_id)

    def _move(self, value: Any) -> None:
        inbox_id = _integer(value, least=1)
        inbox = inboxes.by_id(self.tx, self.actor.account_id, inbox_id)
        if inbox is None or not access.may_know(self.actor, inbox_id):
            raise unknown_id("value", inbox_id, "inbox")
        access.require_inbox(self.actor, inbox_id)
        old = self.after.inbox_id
        if inbox_id == old:
            return
        # Custom fields belong to an inbox; their values have no meaning in another.
        if self.after.custom_fields != "[]":
            fields.write(self.tx, self.after.account_id, self.after.id, ())
            self.told.append((events.CONVERSATION_CUSTOM_FIELDS, {}))
        self._set(inbox_id=inbox_id, custom_fields="[]")
        self._unassign_strangers(inbox_id)
        self._note(f"moved the conversation to {inbox.name}", "moved-from-mailbox", mailbox=old)
        self.told.append((events.CONVERSATION_MOVED, {"before": old, "after": inbox_id}))

    def _unassign_strangers(self, inbox_id: int) -> None:
        if self.after.assignee_id is None:
            return
        owner = owners.by_id(self.tx, self.actor.account_id, self.after.assignee_id)
        if owner is None or not owners.may_own_in(self.tx, self.actor.account_id, owner, inbox_id):
            self._set(assignee_id=None)

    def _customer(self, value: Any) -> None:
        customer_id = _integer(value, least=1)
        customer = customers.by_id_to_keep(self.tx, self.actor.account_id, customer_id, self.actor.only)
        if customer is None:
            raise unknown_id("value", customer_id, "customer")
        if customer_id == self.after.customer_id:
            return
        for id in (self.after.customer_id, customer_id):
            customer_verbs.require_unlocked(self.tx, self.actor.account_id, id)
        name = customer_verbs.folded_name(customer.first_name, customer.last_name)
        email = customer.email or ""
        self._set(customer_id=customer_id, customer_email=email, customer_name=name)
        self._note("changed the customer", "changed-ticket-customer")

    def _publish(self, value: Any) -> None:
        if not isinstance(value, bool):
            raise invalid("value", "must be true or false", "NotNull", shown(value))
        if value or self.after.state != "draft":
            return
        if self.actor.role == "light user":
            raise AccessDenied
        head = self.after
        drafts = self.tx.all(_PUBLISH, account_id=head.account_id, conversation_id=head.id, now=self.now)
        for draft in sorted(drafts, key=lambda draft: draft.id):
            status, owner = asked_for(self.tx, self.after, draft.on_publish)
            by = self.actor.user_id
            self.after = published(self.after, draft, self.now, status=status, assignee_id=owner, by=by)
            self.published.append(draft.id)
        self._set(
            state="published",
            waiting_since=None,
            latest_reply_from="user" if self.published else head.latest_reply_from,
            scheduled_for=None,
            scheduled_by=None,
            unschedule_on_reply=None,
        )
        self.after = reply_facts.kept(self.tx, self.after)
        imported = bool(drafts) and all(draft.imported for draft in drafts)
        self.told.append((events.CONVERSATION_CREATED, {"imported": imported}))


def set_fields(tx: Writer, actor: Actor, id: int, given: Sequence[GivenField], now: str) -> None:
    """Give a conversation exactly these custom field values; raises as `change` does."""
    head = take(tx, actor, id, now)
    values = fields.checked(tx, actor.account_id, head.inbox_id, given)
    after = msgspec.structs.replace(head, custom_fields=fields.as_json(values), modified_at=now)
    if after.custom_fields == head.custom_fields:
        return
    fields.write(tx, actor.account_id, id, values)
    after = save(tx, head, after)
    tell(tx, actor, after, events.CONVERSATION_CUSTOM_FIELDS, now)


def _integer(value: Any, *, least: int) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**63:
        text = f"must be an integer of at least {least}"
        raise BadRequest(FieldError("value", text, "ValidIdentifier", shown(value)))
    return value
