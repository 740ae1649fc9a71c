"""What is written in a conversation's page: the panel for replies, notes and forwards, with the visitor's own draft."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.drafts import arrived, departed, mentions, notes, own
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.mentions import Colleague
from deskhand.desk.conversations.drafts.own import DraftFile, OwnDraft
from deskhand.desk.conversations.drafts.unsent import UnsentFile
from deskhand.desk.conversations.queries import Head, Opened
from deskhand.desk.customers import queries as customers
from deskhand.desk.inboxes import queries as inboxes
from deskhand.lib.clock import from_wire
from deskhand.web.inbox import cleaning, kept
from deskhand.web.inbox.moments import Choice, choices
from deskhand.web.visiting import Visitor

STATUSES = {"closed": "close", "active": "keep active", "pending": "make pending"}
"""What a reply may set, in words."""


class Forward(msgspec.Struct, frozen=True, kw_only=True):
    """The form that forwards the conversation, as it is kept; `held`: it has been sent and can still be undone."""

    key: str = ""
    to: str = ""
    html: str = ""
    text: str = ""
    with_files: bool = True
    files: list[UnsentFile] = []
    known_form: str = ""
    saved: bool = False
    fault: str = ""
    held: bool = False
    version: int = 0
    """How many times the conversation was forwarded by it."""


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """The panel as its template (writing/panel.html) shows it.

    `shown` is false where there is nothing to write in. `draft_id` is the visitor's own reply in the making, which the
    editor holds. `seen` is the newest thread that somebody else wrote, at the time `seen_at`.
    """

    conversation_id: int
    shown: bool = False
    may_reply: bool = False
    is_draft: bool = False
    """The whole conversation is a draft: its first reply begins it."""
    subject: str = ""
    inbox_id: int = 0
    addresses: list[str] = []
    to: str = ""
    cc: str = ""
    bcc: str = ""
    html: str = ""
    text: str = ""
    draft_id: int = 0
    saved_reply_id: int = 0
    files: list[DraftFile] = []
    note_html: str = ""
    note_text: str = ""
    note_form: str = ""
    """As `known_form`, of the note."""
    forward: Forward = Forward()
    seen: int = 0
    seen_at: str = ""
    token: str = ""
    known_form: str = ""
    """The form that kept the draft before, see drafts/own.py."""
    status: str = "closed"
    owner: str = ""
    owner_id: int | None = None
    colleagues: list[Colleague] = []
    later: list[Choice] = []

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """What a reply may set, with the one first that is offered first."""
        first = [(self.status, STATUSES[self.status])] if self.status in STATUSES else []
        return [*first, *((key, words) for key, words in STATUSES.items() if key != self.status)]

    @property
    def mode(self) -> str:
        """What is open: what has been begun."""
        if self.html or self.files:
            return "reply"
        if self.note_html:
            return "note"
        return "forward" if self.forward.saved else ""


def panel(db: Reader, visitor: Visitor, conversation_id: int, now: str) -> Panel:
    """The panel of a conversation that the visitor may see; that of a merged one has nothing to write in."""
    try:
        head = queries.head(db, visitor.actor, conversation_id)
    except NotFound:
        return Panel(conversation_id=conversation_id)
    known = customers.entries(db, head.account_id, [head.customer_id])[head.customer_id]
    return of(db, visitor, head, [one.value for one in known if one.kind == "email"], now)


def of(db: Reader, visitor: Visitor, head: Head | Opened, emails: Sequence[str], now: str) -> Panel:
    """The panel of a conversation, whose customer has these addresses."""
    account_id = visitor.account_id
    draft = own.draft_of(db, account_id, head.id, visitor.id)
    files = own.files_of(db, account_id, draft)
    pictures = {one.content_id: one.id for one in files if one.content_id}
    note = notes.of(db, account_id, head.id, visitor.id)
    body = (draft.body or "") if draft else ""
    asked = msgspec.json.decode(draft.on_publish, type=dict[str, str | int | None]) if draft else {}
    addresses = _different((head.customer_email, *emails))
    return Panel(
        conversation_id=head.id,
        shown=True,
        may_reply=visitor.actor.role != "light user",
        is_draft=head.state == "draft",
        subject=head.subject,
        inbox_id=head.inbox_id,
        addresses=addresses,
        to=_to(draft, addresses),
        cc=_listed(draft.cc if draft else head.cc),
        bcc=_listed(draft.bcc if draft else head.bcc),
        html=cleaning.editable(body, pictures) if body else "",
        text=cleaning.as_text(body) if body else "",
        draft_id=draft.id if draft else 0,
        saved_reply_id=draft.saved_reply_id if draft else 0,
        files=[one for one in files if not one.content_id],
        note_html=cleaning.editable(note.body) if note else "",
        note_text=cleaning.as_text(note.body) if note else "",
        note_form=note.form if note else "",
        forward=_forward(db, visitor, head.id),
        seen=arrived.newest(db, account_id, head.id, visitor.id),
        seen_at=now,
        token=kept.new_token(),
        known_form=draft.form if draft else "",
        status=_status(db, visitor, head, asked.get("status")),
        owner=_owner(asked),
        owner_id=head.assignee_id,
        colleagues=mentions.colleagues(db, account_id, head.inbox_id),
        later=choices(visitor.local(from_wire(now))),
    )


def _forward(db: Reader, visitor: Visitor, conversation_id: int) -> Forward:
    key = kept.forward_key(conversation_id)
    one, version = forms.of(db, visitor.actor, key), departed.version(db, visitor.actor, key)
    if one is None:
        return Forward(key=key, version=version)
    if one.ready is not None:
        return Forward(key=key, held=True, version=version)
    html, text, files = kept.shown(db, visitor.account_id, one)
    return Forward(
        key=key, to=one.recipients, html=html, text=text, with_files="with_files" in one.typed, files=files,
        known_form=one.form, saved=True, fault=one.fault, version=version,
    )  # fmt: skip


def _different(emails: Sequence[str]) -> list[str]:
    """Where a reply may go: the address used in this conversation first, then the customer's others."""
    return list({one.lower(): one for one in reversed(emails) if one}.values())[::-1]


def _to(draft: OwnDraft | None, addresses: list[str]) -> str:
    known = msgspec.json.decode(draft.recipients, type=list[str]) if draft else []
    return known[0] if known else addresses[0] if addresses else ""


def _listed(stored: str) -> str:
    return ", ".join(msgspec.json.decode(stored, type=list[str]))


def _status(db: Reader, visitor: Visitor, head: Head | Opened, asked: object) -> str:
    """What the draft was to set, else what the visitor set last, else what the inbox says."""
    for wanted in (asked if asked != "active" else "", visitor.preferences.send_status):
        if isinstance(wanted, str) and wanted in STATUSES:
            return wanted
    defaults = {one.id: one.default_status for one in inboxes.all_of(db, head.account_id)}
    return default if (default := defaults.get(head.inbox_id)) in STATUSES else "closed"


def _owner(asked: dict[str, str | int | None]) -> str:
    """The owner that a draft asks for, as the form's field has it; empty: nobody was named."""
    if "owner" not in asked:
        return ""
    return str(asked["owner"]) if asked["owner"] else "nobody"
