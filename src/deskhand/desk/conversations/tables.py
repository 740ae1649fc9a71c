"""Conversations, their threads and attachments, and the tags and custom fields they carry."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Flag, Id, Json, Moment, Text, account_column, id_column, partial_index, table

_NOT_MERGED = sa.text("merged_into IS NULL")
_ASSIGNED = sa.text("merged_into IS NULL AND assignee_id IS NOT NULL")
_HAS_COPIES = sa.text("cc <> '[]' OR bcc <> '[]'")
_REPORTED = sa.text("merged_into IS NULL AND state = 'published' AND status <> 'spam'")
_CLOSED = sa.text("merged_into IS NULL AND state = 'published' AND status <> 'spam' AND closed_at IS NOT NULL")
_HAS_TOKEN = sa.text("reply_token IS NOT NULL")
_TROUBLED = sa.text("error <> ''")
_REPLIED = sa.text(
    "type = 'message' AND state = 'published' AND created_by_type = 'user' AND source_type <> 'workflows'"
)
_WAITING = sa.text("state = 'waiting'")
_SAVED = sa.text("saved_reply_id > 0")
_HAPPENED = sa.text("state <> 'draft'")
_RECEIVED = sa.text("created_by_type = 'customer' AND state = 'published' AND type <> 'lineitem'")


def _listed(name: str, *columns: str) -> sa.Index:
    """An index for lists, which never show merged conversations."""
    return partial_index(name, *columns, where=_NOT_MERGED)


conversation = table(
    "conversation",
    id_column(),
    account_column(),
    sa.Column("number", Id, nullable=False),
    sa.Column("inbox_id", Id, nullable=False),
    sa.Column("folder_id", Id, nullable=False),
    sa.Column("type", Text, nullable=False),  # email, chat or phone
    sa.Column("status", Text, nullable=False),  # active, pending, closed or spam
    sa.Column("state", Text, nullable=False),  # published or draft
    sa.Column("subject", Text, nullable=False),
    sa.Column("subject_key", Text, nullable=False),  # its beginning, folded, for sorting
    sa.Column("preview", Text, nullable=False),
    sa.Column("threads", sa.Integer, nullable=False),  # published ones, without line items
    sa.Column("capped_threads", sa.Integer, nullable=False),  # those that count towards the limit of 100
    sa.Column("customer_id", Id, nullable=False),
    sa.Column("customer_email", Text, nullable=False),  # the address used here; empty: none
    sa.Column("customer_name", Text, nullable=False),  # folded, for sorting
    sa.Column("assignee_id", Id),
    sa.Column("created_by_type", Text, nullable=False),  # customer or user
    sa.Column("created_by_id", Id, nullable=False),
    sa.Column("source_type", Text, nullable=False),
    sa.Column("source_via", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("modified_at", Moment, nullable=False),
    sa.Column("user_updated_at", Moment, nullable=False),
    sa.Column("closed_at", Moment),
    sa.Column("closed_by", Id),
    sa.Column("waiting_since", Moment),  # empty: nobody waits
    sa.Column("replies", sa.Integer, nullable=False, server_default=sa.text("0")),  # published ones of the staff
    sa.Column("first_reply_at", Moment),  # of the staff's first
    sa.Column("latest_reply_from", Text),  # customer or user
    sa.Column("cc", Json, nullable=False),
    sa.Column("bcc", Json, nullable=False),
    sa.Column("tags", Json, nullable=False),  # [{"id","color","tag"}], as lists show them
    sa.Column("custom_fields", Json, nullable=False),  # [{"id","name","value","text"}]
    sa.Column("attachments", Flag, nullable=False),  # 1: some thread has one
    sa.Column("snoozed_by", Id),
    sa.Column("snoozed_until", Moment),
    sa.Column("unsnooze_on_reply", Flag),
    sa.Column("scheduled_for", Moment),  # the earliest scheduled thread's
    sa.Column("scheduled_by", Id),
    sa.Column("unschedule_on_reply", Flag),
    sa.Column("merged_into", Id),
    sa.Column("merged_at", Moment),
    sa.Index("uq_conversation_number", "account_id", "number", unique=True),
    sa.Index("ix_conversation_customer", "account_id", "customer_id", "inbox_id"),
    sa.Index("ix_conversation_assignee", "account_id", "assignee_id", "created_at", "id"),
    _listed("ix_conversation_status", "account_id", "status", "created_at", "id"),
    _listed("ix_conversation_inbox", "account_id", "inbox_id", "status", "created_at", "id"),
    _listed("ix_conversation_folder", "account_id", "folder_id", "created_at", "id"),
    _listed("ix_conversation_folder_modified", "account_id", "folder_id", "modified_at", "id"),
    _listed("ix_conversation_folder_waiting", "account_id", "folder_id", "waiting_since", "id"),
    partial_index(  # what somebody has in a folder: few among many, found without going through the others
        "ix_conversation_mine", "account_id", "assignee_id", "folder_id", "modified_at", "id",
        where=_ASSIGNED,
    ),
    _listed("ix_conversation_created", "account_id", "created_at", "id"),
    _listed("ix_conversation_modified", "account_id", "modified_at", "id"),
    _listed("ix_conversation_waiting", "account_id", "waiting_since", "id"),
    _listed("ix_conversation_subject", "account_id", "subject_key", "id"),
    _listed("ix_conversation_name", "account_id", "customer_name", "id"),
    _listed("ix_conversation_email", "account_id", "customer_email", "id"),
    partial_index("ix_conversation_copied", "account_id", "id", where=_HAS_COPIES),
    partial_index(  # all that reports want to know, see desk/reports/selecting.py
        "ix_conversation_report", "account_id", "created_at", "inbox_id", "type", "customer_id", "id",
        where=_REPORTED,
    ),
    partial_index(  # what was closed when, by whom and after how many replies, for reports
        "ix_conversation_closed",
        "account_id", "closed_at", "created_at", "replies", "closed_by", "inbox_id", "type", "id",
        where=_CLOSED,
    ),
    first_id=3_100_000_001,
)  # fmt: skip


def has_copies(source: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether somebody got a copy of a conversation, in the words of the index of those."""
    nobody: sa.ColumnElement[str] = sa.literal_column("'[]'")
    return sa.or_(source.c.cc != nobody, source.c.bcc != nobody)


thread = table(
    "thread",
    id_column(),
    account_column(),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("type", Text, nullable=False),
    sa.Column("status", Text, nullable=False),
    sa.Column("state", Text, nullable=False),  # published, draft, hidden or review
    sa.Column("action_type", Text, nullable=False),
    sa.Column("action_text", Text, nullable=False),
    sa.Column("associated", Json, nullable=False),
    sa.Column("body", Text),
    sa.Column("source_type", Text, nullable=False),
    sa.Column("source_via", Text, nullable=False),
    sa.Column("customer_id", Id),
    sa.Column("created_by_type", Text, nullable=False),  # customer or user
    sa.Column("created_by_id", Id, nullable=False),
    sa.Column("assigned_to", Id),
    sa.Column("saved_reply_id", Id, nullable=False),
    sa.Column("recipients", Json, nullable=False),  # `to` on the wire
    sa.Column("cc", Json, nullable=False),
    sa.Column("bcc", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("opened_at", Moment),
    sa.Column("linked_conversation_id", Id),
    sa.Column("rating", Text),  # great, okay or not_good
    sa.Column("rating_comments", Text),
    sa.Column("rated_at", Moment),
    sa.Column("scheduled_by", Id),
    sa.Column("scheduled_at", Moment),  # when it was scheduled
    sa.Column("scheduled_for", Moment),
    sa.Column("unschedule_on_reply", Flag),
    sa.Column("send_as_id", Id),
    sa.Column("on_publish", Json, nullable=False),  # status and owner that a draft sets once it is published
    sa.Column("imported", Flag, nullable=False),
    sa.Column("attachments", sa.Integer, nullable=False),  # how many it has
    sa.Column("original_body", Text),  # what it said before it was edited; empty: it never was
    sa.Column("waited_since", Moment),  # a published reply's: since when the customer had waited; empty: nobody had
    sa.Column("first_reply", Flag, nullable=False, server_default=sa.text("0")),  # 1: the first of its conversation
    sa.Index("ix_thread_conversation", "conversation_id", "created_at", "id"),
    partial_index(  # how often saved replies are used
        "ix_thread_saved_reply", "account_id", "saved_reply_id", "created_at",
        where=_SAVED,
    ),
    partial_index(  # what happened when, for reports
        "ix_thread_activity", "account_id", "created_at", "conversation_id", "saved_reply_id",
        where=_HAPPENED,
    ),
    partial_index(  # what the staff answered, when, and how long it took, for reports
        "ix_thread_reply",
        "account_id", "created_at", "conversation_id", "created_by_id", "waited_since", "first_reply",
        where=_REPLIED,
    ),
    partial_index(  # what customers wrote, and when, for reports
        "ix_thread_received", "account_id", "created_at", "conversation_id",
        where=_RECEIVED,
    ),
    first_id=9_100_000_001,
)  # fmt: skip

attachment = table(
    "attachment",
    id_column(),
    account_column(),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("thread_id", Id, nullable=False),
    sa.Column("filename", Text, nullable=False),
    sa.Column("mime_type", Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("state", Text, nullable=False),  # valid or virus
    sa.Column("sha256", Text, nullable=False),
    sa.Column("content_id", Text),  # by which the body of a mail shows it in place; empty: it does not
    sa.Index("ix_attachment_conversation", "conversation_id", "id"),
    sa.Index("ix_attachment_thread", "thread_id", "id"),
    sa.Index("ix_attachment_file", "sha256"),  # whether a file is still anybody's
    first_id=640_001,
)

conversation_tag = table(
    "conversation_tag",
    account_column(),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("tag_id", Id, nullable=False),
    sa.PrimaryKeyConstraint("conversation_id", "tag_id"),
    sa.Index("ix_conversation_tag_tag", "tag_id", "conversation_id"),
)

conversation_field = table(
    "conversation_field",
    account_column(),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("field_id", Id, nullable=False),
    sa.Column("value", Text, nullable=False),
    sa.PrimaryKeyConstraint("conversation_id", "field_id"),
    sa.Index("ix_conversation_field_field", "field_id", "conversation_id"),
)

# The mail that a thread came by or went out with.
thread_mail = table(
    "thread_mail",
    account_column(),
    sa.Column("thread_id", Id, primary_key=True, autoincrement=False),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("direction", Text, nullable=False),  # in or out
    sa.Column("message_id", Text, nullable=False),  # with its angle brackets
    sa.Column("state", Text, nullable=False),  # received, waiting, sent, failed or bounced
    sa.Column("error", Text, nullable=False),  # why it could not be sent or read, in words
    sa.Column("at", Moment, nullable=False),  # of the state
    sa.Column("source_sha256", Text),  # the raw message, as it is kept; empty: it is not
    sa.Column("reply_token", Text),  # what an answer to it comes to, beside the inbox's address; empty: none
    sa.Column("automatic", Flag, nullable=False, server_default=sa.text("0")),  # 1: no person wrote it; 2: perhaps
    sa.Column("verdicts", Json),  # {"spf": "pass", "dkim": …, "dmarc": …}, as the receiving server said
    sa.Column("quoted", Text),  # HTML: what it repeats of earlier messages, which its thread leaves out
    sa.Index("ix_thread_mail_conversation", "conversation_id", "thread_id"),
    sa.Index("ix_thread_mail_message", "account_id", "message_id"),
    partial_index("ix_thread_mail_token", "reply_token", where=_HAS_TOKEN),
    partial_index("ix_thread_mail_troubled", "account_id", "thread_id", where=_TROUBLED),
    partial_index(
        "ix_thread_mail_source",
        "source_sha256",
        where=sa.text("source_sha256 IS NOT NULL"),
    ),
)

# A search that a user has given a name, to be looked at like a folder.
saved_view = table(
    "saved_view",
    id_column(),
    account_column(),
    sa.Column("user_id", Id),  # empty: everybody sees it
    sa.Column("name", Text, nullable=False),
    sa.Column("query", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("ix_saved_view_account", "account_id", "user_id"),
    remembered=True,
)

# Who has a conversation open in the web, and who is writing in it. After some seconds a row tells where they were.
presence = table(
    "presence",
    account_column(),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("doing", Text, nullable=False),  # looking or writing
    sa.Column("changed_ms", Id, nullable=False),  # when this began, in milliseconds since 1970
    sa.Column("seen_ms", Id, nullable=False),  # when it was last heard of
    sa.PrimaryKeyConstraint("conversation_id", "user_id"),
    sa.Index("ix_presence_seen", "seen_ms"),
    sa.Index("ix_presence_user", "account_id", "user_id", "seen_ms"),
    sa.Index("ix_presence_changed", "changed_ms"),
)

# Who wants to hear of what happens in a conversation.
follower = table(
    "follower",
    account_column(),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("conversation_id", "user_id"),
    sa.Index("ix_follower_user", "account_id", "user_id", "conversation_id"),
)

# Until when somebody last put a conversation aside, to be offered again.
last_snooze = table(
    "last_snooze",
    account_column(),
    sa.Column("user_id", Id, primary_key=True, autoincrement=False),
    sa.Column("choice", Text, nullable=False),  # the name of a choice, or the time that was given
    remembered=True,
)

# A note that somebody is writing. Replies that are being written are threads.
note_draft = table(
    "note_draft",
    account_column(),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("body", Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("form", Text, nullable=False, server_default=""),  # the form that kept it last, by its token
    sa.PrimaryKeyConstraint("conversation_id", "user_id"),
)

# A new conversation or a forward that somebody is writing: a form and its files, and nothing of the desk yet.
unsent = table(
    "unsent",
    id_column(),
    account_column(),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("key", Text, nullable=False),  # by which its page knows it
    sa.Column("kind", Text, nullable=False),  # new or forward
    sa.Column("conversation_id", Id),  # that is forwarded
    sa.Column("recipients", Text, nullable=False),  # as they were typed
    sa.Column("subject", Text, nullable=False),
    sa.Column("body", Text, nullable=False),
    sa.Column("fields", Json, nullable=False),  # {"cc": …}: what else was typed
    sa.Column("form", Text, nullable=False),  # the form that kept it last, by its token
    sa.Column("ready", Json),  # what it becomes when its time is over, see drafts/departing.py; empty: it was not sent
    sa.Column("fault", Text, nullable=False),  # why it could not be sent, in words
    sa.Column("at", Moment, nullable=False),  # of the last change
    sa.UniqueConstraint("account_id", "user_id", "key"),
    sa.Index("ix_unsent_conversation", "conversation_id"),
    # Every page tells its visitor how many there are, without a look at the texts.
    partial_index("ix_unsent_staying", "account_id", "user_id", "fault", where=sa.text("ready IS NULL")),
)

unsent_file = table(
    "unsent_file",
    id_column(),
    account_column(),
    sa.Column("unsent_id", Id, nullable=False),
    sa.Column("conversation_id", Id),  # that is forwarded
    sa.Column("filename", Text, nullable=False),
    sa.Column("mime_type", Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("sha256", Text, nullable=False),
    sa.Column("content_id", Text),  # by which the text shows it in place; empty: it does not
    sa.Index("ix_unsent_file_unsent", "unsent_id", "id"),
    sa.Index("ix_unsent_file_conversation", "conversation_id"),
    sa.Index("ix_unsent_file_file", "sha256"),
)

# Which forms have been sent, by the key of each, so that another window with the same form does not send it again.
departed = table(
    "departed",
    account_column(),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("key", Text, nullable=False),
    sa.Column("sent", sa.Integer, nullable=False),  # how many times; forwards of a conversation share a key
    sa.Column("newest", sa.Integer, nullable=False),  # the newest of these that was not taken back; 0: there is none
    sa.Column("before", sa.Integer, nullable=False),  # the one before it
    sa.Column("made", Id),  # the conversation that the newest became
    sa.Column("at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("account_id", "user_id", "key"),
)

# Who is named in a note: a user or a team.
mention = table(
    "mention",
    account_column(),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("thread_id", Id, nullable=False),
    sa.Column("staff_id", Id, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("thread_id", "staff_id"),
    sa.Index("ix_mention_conversation", "conversation_id"),
    sa.Index("ix_mention_staff", "account_id", "staff_id", "thread_id"),
)

# Forms that were sent, so that one that comes twice does nothing more. Kept for a day.
sent_form = table(
    "sent_form",
    account_column(),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("token", Text, nullable=False),
    sa.Column("led_to", Text, nullable=False),  # the path that the first one led to
    sa.Column("at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("account_id", "user_id", "token"),
    sa.Index("ix_sent_form_at", "at"),
)

# A change of many conversations at once, and what each of them was before, so that it can be undone for a while.
bulk = table(
    "bulk",
    id_column(),
    account_column(),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("action", Json, nullable=False),  # see desk/conversations/bulk/actions.py
    sa.Column("state", Text, nullable=False),  # held, doing, done, undoing or undone
    sa.Column("total", sa.Integer, nullable=False),  # conversations that were chosen
    sa.Column("done", sa.Integer, nullable=False),  # those that were changed
    sa.Column("refused", sa.Integer, nullable=False),  # those that could not be
    sa.Column("undone", sa.Integer, nullable=False),  # those that are again as they were
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("ix_bulk_user", "account_id", "user_id", "created_at"),
)

bulk_item = table(
    "bulk_item",
    account_column(),
    sa.Column("bulk_id", Id, nullable=False),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("state", Text, nullable=False),  # waiting, same, done, refused, undone or kept
    sa.Column("before", Json),  # what it was
    sa.Column("after", Json),  # what it was made
    sa.Column("fault", Text, nullable=False),  # why it could not be changed, in words
    sa.PrimaryKeyConstraint("bulk_id", "conversation_id"),
    sa.Index("ix_bulk_item_state", "bulk_id", "state", "conversation_id"),
    partial_index("ix_bulk_item_waiting", "conversation_id", where=_WAITING),
)
