"""What people change in the settings that agents act by or that sends things elsewhere, told in the audit log.

It is written in the transaction that makes the change, as its last act, and never has a secret in it: webhooks are
called by their label or host, servers not at all.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from deskhand.db.engine import Reader, Writer
from deskhand.desk.inboxes import mail_servers
from deskhand.desk.inboxes.mail_servers import Channel
from deskhand.desk.inboxes.mail_settings import MailSettings
from deskhand.desk.webhooks.queries import WebhookRow
from deskhand.desk.workflows.queries import WorkflowRow
from deskhand.gateway.audit import By
from deskhand.gateway.sentences import NAME_MOST, one_line
from deskhand.web import words
from deskhand.web.pages import Asked

_MAIL = {
    "smtp": "the server that sends",
    "imap": "the mailbox that is read",
    "imap_folder": "the folder that is read",
    "signature": "the signature",
    "reply_token": "the reply address",
    "subject_token": "the number in subjects",
    "ratings": "the question for ratings",
    "answer": "the automatic answer",
    "answer_subject": "the automatic answer",
    "answer_text": "the automatic answer",
}
"""What mail settings are called in sentences; others are told as the rest."""


def of_workflow(asked: Asked, tx: Writer, did: str, row: WorkflowRow, change: str) -> None:
    """Log what was done to a workflow: `changed`."""
    more = {"workflow_id": row.id, "inbox_id": row.inbox_id}
    _log(asked, tx, f"{did} the workflow {_quoted(row.name)}", f"workflow_{change}", **more)


def of_webhook(asked: Asked, tx: Writer, did: str, row: WebhookRow, change: str) -> None:
    """Log what was done to a webhook: `switched off`."""
    name = row.label or urlsplit(row.url).hostname or f"{row.id}"
    _log(asked, tx, f"{did} the webhook {_quoted(name)}", f"webhook_{change}", webhook_id=row.id)


def of_mail(asked: Asked, tx: Writer, before: Channel) -> None:
    """Log what was changed of an inbox's mail settings; nothing where they are what they were."""
    after = mail_of(tx, asked, before.inbox.id)
    # A server's URL is sealed anew each time, so what counts is what it says.
    fields = [name for name in ("smtp", "imap") if getattr(before, name) != getattr(after, name)]
    fields += [
        name
        for name in MailSettings.__struct_fields__
        if name not in ("smtp", "imap", "changed_at")
        and getattr(before.settings, name) != getattr(after.settings, name)
    ]
    if fields:
        said = dict.fromkeys(_MAIL.get(name, "other settings") for name in fields)
        text = f"changed the mail of the inbox {_quoted(after.inbox.name)}: {words.joined(list(said))}"
        _log(asked, tx, text, "inbox_mail_changed", inbox_id=after.inbox.id, fields=fields)


def mail_of(db: Reader, asked: Asked, inbox_id: int) -> Channel:
    """How an inbox's mail comes and goes, to be compared with later."""
    return mail_servers.channel(db, asked.account_id, inbox_id, asked.web.sealer)


def _log(asked: Asked, tx: Writer, did: str, change: str, **particulars: Any) -> None:
    by = By("user", asked.visitor.id)
    sentence = f"{one_line(asked.visitor.name, NAME_MOST)} {did}"
    asked.web.audit.admin(tx, asked.account_id, by, sentence, {"change": change, **particulars})


def _quoted(name: str) -> str:
    return f"'{one_line(name, NAME_MOST)}'"
