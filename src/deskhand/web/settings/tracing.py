"""What people change in the settings that agents act by or that sends things elsewhere, told in the audit log.

It is written in the transaction that makes the change, as its last act, and never has a secret in it: webhooks are
called by their label or host, servers not at all.
"""

from __future__ import annotations

from deskhand.db.engine import Reader, Writer
from deskhand.desk.call import Change
from deskhand.desk.inboxes import mail_servers
from deskhand.desk.inboxes import telling as inboxes
from deskhand.desk.inboxes.mail_servers import Channel
from deskhand.desk.webhooks import telling as webhooks
from deskhand.desk.webhooks.queries import WebhookRow
from deskhand.desk.workflows import telling as workflows
from deskhand.desk.workflows.queries import WorkflowRow
from deskhand.gateway.administering import desk_changes
from deskhand.gateway.administering.who import Who
from deskhand.gateway.audit import By
from deskhand.gateway.sentences import NAME_MOST, one_line
from deskhand.web.pages import Asked


def of_workflow(asked: Asked, tx: Writer, did: str, row: WorkflowRow, change: str) -> None:
    """Log what was done to a workflow: `changed`."""
    _tell(asked, tx, workflows.done(did, row, change))


def of_webhook(asked: Asked, tx: Writer, did: str, row: WebhookRow, change: str) -> None:
    """Log what was done to a webhook: `switched off`."""
    _tell(asked, tx, webhooks.done(did, row, change))


def of_mail(asked: Asked, tx: Writer, before: Channel) -> None:
    """Log what was changed of an inbox's mail settings; nothing where they are what they were."""
    change = inboxes.changed(before, mail_of(tx, asked, before.inbox.id))
    if change is not None:
        _tell(asked, tx, change)


def mail_of(db: Reader, asked: Asked, inbox_id: int) -> Channel:
    """How an inbox's mail comes and goes, to be compared with later."""
    return mail_servers.channel(db, asked.account_id, inbox_id, asked.web.sealer)


def _tell(asked: Asked, tx: Writer, change: Change) -> None:
    who = Who(asked.account_id, By("user", asked.visitor.id), one_line(asked.visitor.name, NAME_MOST))
    desk_changes.log(asked.web.audit, tx, who, change)
