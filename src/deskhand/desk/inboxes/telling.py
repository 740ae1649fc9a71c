"""What was changed of an inbox's mail, as the audit log is told of it: which settings, never what they say."""

from __future__ import annotations

from deskhand.desk.call import Change
from deskhand.desk.inboxes.mail_servers import Channel
from deskhand.desk.inboxes.mail_settings import MailSettings

_CALLED = {
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
# A server's URL is sealed anew each time, so what counts is what it says.
_SEALED = ("smtp", "imap")
_PLAIN = [name for name in MailSettings.__struct_fields__ if name not in (*_SEALED, "changed_at")]


def changed(before: Channel, after: Channel) -> Change | None:
    """What is different in how an inbox's mail comes and goes; None where nothing is."""
    fields = [name for name in _SEALED if getattr(before, name) != getattr(after, name)]
    fields += [name for name in _PLAIN if getattr(before.settings, name) != getattr(after.settings, name)]
    if not fields:
        return None
    *most, last = dict.fromkeys(_CALLED.get(name, "other settings") for name in fields)
    said = f"{', '.join(most)} and {last}" if most else last
    particulars: dict[str, str | int | list[str]] = {
        "change": "inbox_mail_changed",
        "inbox_id": after.inbox.id,
        "fields": fields,
    }
    return Change("changed", "mail of the inbox", after.inbox.name, particulars, said)
