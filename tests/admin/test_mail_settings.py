"""How an inbox's mail comes and goes is decided over HTTP, and no password is ever shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deskhand.desk.inboxes import mail_settings
from tests.admin.door import Admin, administer
from tests.world import open_desk

DEFAULTS = {
    "smtp": None, "imap": None, "imap_folder": "INBOX", "signature": "", "reply_token": False, "subject_token": False,
    "ratings": False, "answer": False, "answer_subject": "", "answer_text": "", "undo_s": 10, "changed_at": None,
}  # fmt: skip


def place(id: int) -> str:
    return f"/inboxes/{id}/mail-settings"


def test_settings_are_the_defaults_until_somebody_decides(admin: Admin) -> None:
    id = admin.desk.add_inbox()
    assert admin.get(place(id)) == DEFAULTS
    after = admin.put(place(id), {"signature": "<p>Ada<script>x</script></p>", "ratings": True, "undo_s": 0})
    assert after == DEFAULTS | {
        "signature": "<p>Ada</p>", "ratings": True, "undo_s": 0, "changed_at": after["changed_at"],
    }  # fmt: skip
    assert admin.get(place(id)) == after
    assert admin.put(place(id), {"undo_s": 60})["ratings"]
    other = admin.desk.add_inbox()
    assert admin.get(place(other)) == DEFAULTS


def test_passwords_are_kept_sealed_and_never_shown(admin: Admin) -> None:
    id = admin.desk.add_inbox()
    given = {
        "smtp": "smtps://ada%40desk.example:hunter2@smtp.desk.example",
        "imap": "imap+starttls://ada:hunter2@imap.desk.example",
    }
    after = admin.put(place(id), given)
    assert after["smtp"] == {
        "host": "smtp.desk.example", "port": 465, "encryption": "implicit", "user": "ada@desk.example", "problem": None,
    }  # fmt: skip
    assert (after["imap"]["port"], after["imap"]["encryption"]) == (143, "starttls")
    assert "hunter2" not in json.dumps(after) + json.dumps(admin.get(place(id)))
    app, account_id = admin.desk.server.app, admin.desk.account_id
    stored = app.database.read_now(lambda db: mail_settings.read(db, account_id, id))
    assert "hunter2" not in str(stored)
    server = mail_settings.smtp_of(app.gateway.sealer, account_id, id, stored.smtp)
    assert server is not None
    assert (server.password, str(server).count("hunter2")) == ("hunter2", 0)
    assert [one.inbox_id for one in app.database.read_now(mail_settings.fetched) if one.account_id == account_id] == [
        id
    ]
    assert admin.put(place(id), {"ratings": True})["smtp"] == after["smtp"]
    assert admin.put(place(id), {"smtp": None, "imap": None})["smtp"] is None


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"undo_s": 61}, "undo_s", "must be from 0 to 60"),
        ({"undo_s": -1}, "undo_s", "must be from 0 to 60"),
        ({"smtp": "smtp://ada:hunter2@mail.example"}, "smtp", "in the clear: use smtp+starttls:// or smtps://"),
        ({"imap": "imap://ada:hunter2@mail.example"}, "imap", "in the clear: use imap+starttls:// or imaps://"),
        ({"imap": "imaps://mail.example"}, "imap", "must be like imaps://"),
        ({"smtp": "http://mail.example"}, "smtp", "must be like smtp://"),
        ({"smtp": "smtps://ada:hunter2@mail.example?verify=no"}, "smtp", "only for a server on this machine"),
        ({"smtp": "smtps://ada:hunter2\u0000@mail.example"}, "smtp", "the character NUL"),
        ({"signature": "x" * 50_001}, "signature", "at most 50000 characters"),
        ({"signature": "a\u0000b"}, "signature", "the character NUL"),
        ({"answer_subject": "x" * 201}, "answer_subject", "at most 200 characters"),
        ({"imap_folder": " \r\n"}, "imap_folder", "may not be empty"),
        ({"answer": True}, "answer_text", "may not be empty"),
        ({"answer": True, "answer_text": "<p> </p>"}, "answer_text", "may not be empty"),
        ({"colour": "red"}, "colour", "is not known here"),
    ],
)  # fmt: skip
def test_what_can_t_be_is_named_and_nothing_is_changed(
    admin: Admin, given: dict[str, Any], field: str, words: str
) -> None:
    id = admin.desk.add_inbox()
    answer = admin.call("PUT", place(id), json={"ratings": True, **given})
    assert answer.status_code == 400
    (error,) = answer.json()["_embedded"]["errors"]
    assert (error["path"], words in error["message"]) == (field, True), error
    assert "hunter2" not in answer.text
    assert admin.get(place(id)) == DEFAULTS


def test_nobody_decides_for_another_account(admin: Admin) -> None:
    id = admin.desk.add_inbox()
    stranger = administer(open_desk(admin.desk.server))
    for foreign in (id, 999_999):
        assert stranger.refused("GET", place(foreign))[0] == 404
        assert stranger.refused("PUT", place(foreign), {"ratings": True})[0] == 404
    assert admin.get(place(id)) == DEFAULTS
