"""Forms that are kept until they are sent: by what their pages know them, and how they are shown."""

from __future__ import annotations

import re
import secrets

from deskhand.db.engine import Reader
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.unsent import Unsent, UnsentFile
from deskhand.web.inbox import cleaning

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_OF_FORWARD = re.compile(r"forward-([1-9][0-9]{0,17})")


def new_token() -> str:
    """What a form is known by when it is sent twice."""
    return secrets.token_urlsafe(12)


def key_of(text: str) -> str:
    """The key of a form as it was given; a new one where that is none."""
    return text if _KEY.fullmatch(text) else new_token()


def forward_key(conversation_id: int) -> str:
    """The key of the form that forwards a conversation; everybody has one for each."""
    return forms.forward_key(conversation_id)


def forwarded_by(key: str) -> int | None:
    """The conversation that a form forwards; None where it begins one."""
    found = _OF_FORWARD.fullmatch(key)
    return int(found[1]) if found else None


def shown(db: Reader, account_id: int, one: Unsent) -> tuple[str, str, list[UnsentFile]]:
    """A kept form's text as the editor shows it, as plain text, and its files but for the pictures in the text."""
    files = forms.files_of(db, account_id, one)
    pictures = {file.content_id: file.id for file in files if file.content_id}
    html = cleaning.editable(one.body, pictures, cleaning.OF_FORMS)
    return html, cleaning.as_text(one.body), [file for file in files if not file.content_id]
