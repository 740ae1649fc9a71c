"""The sandbox's mail: nothing leaves, all of it can be read, by programs and by people."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from email import message_from_string
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import requests

from deskhand.db.database import SQLITE_FILE
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.sqlite import open_sqlite
from deskhand.lib.clock import SystemClock
from deskhand.mail import captured
from deskhand.mail.captured import Capture
from deskhand.mail.compose import compose
from deskhand.mail.post import Envelope
from tests.clients.live_sandbox import LiveSandbox
from tests.mail.post_office import wait
from tests.mail.test_compose import mail

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
KEYS = {
    "id", "to", "from", "cc", "subject", "message_id", "in_reply_to", "references", "text", "html", "raw", "sent_at",
}  # fmt: skip
HOSTILE = "<p>Hi <script>alert(1)</script></p>"


class Caller:
    """A program that talks to the sandbox."""

    def __init__(self, sandbox: LiveSandbox) -> None:
        self.sandbox, self.url = sandbox, sandbox.url
        client_id, secret = sandbox.credentials
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        token = requests.post(f"{self.url}/v2/oauth2/token", form, timeout=30).json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}
        self.inbox: dict[str, Any] = sandbox.description["inboxes"][0]

    def post(self, path: str, body: Any) -> int:
        answer = requests.post(self.url + path, json=body, headers=self.headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return int(answer.headers["Resource-ID"])

    def start(self, subject: str = "Where is it?", email: str = "paul@buyer.example") -> int:
        self.customer = {"email": email}
        thread = {"type": "customer", "customer": self.customer, "text": "Hello?"}
        body = {
            "subject": subject, "type": "email", "mailboxId": self.inbox["id"], "status": "active",
            "customer": self.customer, "threads": [thread],
        }  # fmt: skip
        return self.post("/v2/conversations", body)

    def reply(self, id: int, text: str = "Here.", **body: Any) -> int:
        return self.post(f"/v2/conversations/{id}/reply", {"text": text, "customer": self.customer, **body})

    def mail(self, number: int | None = None) -> list[dict[str, Any]]:
        """What was caught, once it is so much."""
        if number is not None:
            wait(lambda: len(self.mail()) >= number)
        answer = requests.get(f"{self.url}/sandbox/mail", timeout=30)
        assert answer.headers["content-type"] == "application/json"
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    def page(self, path: str = "") -> requests.Response:
        return requests.get(f"{self.url}/sandbox/mail{path}", headers=BROWSER, timeout=30)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSandbox]:
    live = LiveSandbox(tmp_path_factory.mktemp("sandbox-mail"), rate_limit=0)
    yield live
    live.stop()


@pytest.fixture
def caller(sandbox: LiveSandbox) -> Caller:
    sandbox.control("reset")
    return Caller(sandbox)


def test_a_reply_is_caught_with_all_that_a_mail_has(caller: Caller) -> None:
    assert caller.sandbox.description["mail"] == {"captured": f"{caller.url}/sandbox/mail"}
    assert caller.mail() == []
    id = caller.start()
    caller.reply(id, "<p>Here <b>it</b> is.</p>", cc=["lea@buyer.example"], bcc=["boss@desk.example"])
    (first,) = caller.mail(1)
    caller.reply(id, "And here.")
    second, same = caller.mail(2)
    assert same == first
    assert first.keys() >= KEYS
    assert (first["to"], first["cc"], first["subject"]) == (
        ["paul@buyer.example"], ["lea@buyer.example"], "Re: Where is it?",
    )  # fmt: skip
    assert first["from"].endswith(f" <{caller.inbox['email']}>")
    assert (first["text"].partition("\n\nOn ")[0], "<p>Here <b>it</b> is.</p>" in first["html"]) == (
        "Here it is.",
        True,
    )
    assert (first["in_reply_to"], first["references"]) == (None, [])
    assert (second["in_reply_to"], second["references"]) == (first["message_id"], [first["message_id"]])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["sent_at"])
    raw = message_from_string(first["raw"], policy=default)
    assert (raw["Message-ID"], raw["To"]) == (first["message_id"], "paul@buyer.example")
    assert "boss" not in str(first)


def test_notes_and_drafts_are_not_mail_until_they_are_published(caller: Caller) -> None:
    id = caller.start()
    caller.post(f"/v2/conversations/{id}/notes", {"text": "internal"})
    caller.reply(id, "draft", draft=True)
    caller.reply(id, "imported", imported=True)
    caller.reply(id, "sent")
    assert [one["text"].partition("\n\nOn ")[0] for one in caller.mail(1)] == ["sent"]


def test_it_is_emptied_by_delete_and_by_reset(caller: Caller) -> None:
    caller.reply(caller.start())
    caller.mail(1)
    assert requests.delete(f"{caller.url}/sandbox/mail", timeout=30).status_code == 204
    assert caller.mail() == []
    caller.reply(caller.start())
    caller.mail(1)
    caller.sandbox.control("reset")
    assert caller.mail() == []


def test_people_get_pages_and_nothing_in_a_mail_runs(caller: Caller) -> None:
    assert "Nothing yet" in caller.page().text
    assert 'href="/sandbox/mail"' in requests.get(caller.url + "/", timeout=30).text
    caller.reply(caller.start("<script>alert(1)</script>", "paul@buyer.example"), HOSTILE)
    (one,) = caller.mail(1)
    listed, shown = caller.page(), caller.page(f"/{one['id']}")
    for page in (listed, shown):
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "script-src" not in page.headers["content-security-policy"]
        assert "<script>" not in page.text
        assert "Re: &lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert "Accept" in page.headers["vary"]
    assert f'href="/sandbox/mail/{one["id"]}"' in listed.text
    assert f'sandbox src="/sandbox/mail/{one["id"]}/body"' in shown.text
    assert one["message_id"].strip("<>") in shown.text
    body = caller.page(f"/{one['id']}/body")
    assert "<script" not in body.text
    policy = body.headers["content-security-policy"].split("; ")
    assert {"sandbox", "default-src 'none'"} <= set(policy)
    raw = caller.page(f"/{one['id']}/raw")
    assert raw.content.decode() == one["raw"]
    assert raw.headers["content-disposition"].startswith("attachment")
    assert requests.get(f"{caller.url}/sandbox/mail/{one['id']}", timeout=30).json() == one


@pytest.mark.parametrize("path", ["/999", "/0", "/x", "/99999999999999999999", "/999/body", "/999/raw", "/x/raw"])
def test_what_is_not_there_is_404(caller: Caller, path: str) -> None:
    assert (caller.page(path).status_code, "No such mail" in caller.page(path).text) == (404, True)
    assert requests.get(f"{caller.url}/sandbox/mail{path}", timeout=30).status_code == 404


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    upgrade(sqlalchemy_url("", tmp_path / SQLITE_FILE))
    opened = open_sqlite(tmp_path / SQLITE_FILE)
    yield opened
    opened.close()


def test_a_mail_that_is_handed_over_twice_is_caught_once(database: Database) -> None:
    post = Capture(SystemClock())
    one, again = mail(subject="One"), mail(subject="Repeated", text="x")

    async def send() -> None:
        for each in (one, again):
            sent = await post.send(each, compose(each), Envelope(1, 7, "help@desk.example", each.recipients))
            assert sent.then is not None
            await database.write(sent.then)

    asyncio.run(send())
    (kept,) = database.read_now(lambda db: captured.newest(db, 1, 10))
    assert kept.subject == "One"
    assert database.read_now(lambda db: captured.newest(db, 2, 10)) == []
    assert database.read_now(lambda db: captured.one(db, 2, kept.id)) is None


def test_a_reply_to_what_was_there_from_the_beginning_answers_a_mail(caller: Caller) -> None:
    listed = requests.get(f"{caller.url}/v2/conversations", {"status": "all"}, headers=caller.headers, timeout=30)
    newest = next(
        one for one in listed.json()["_embedded"]["conversations"]
        if one["type"] == "email" and one["state"] == "published" and one["createdBy"]["type"] == "customer"
    )  # fmt: skip
    body = {"text": "Here.", "customer": {"id": newest["primaryCustomer"]["id"]}}
    caller.post(f"/v2/conversations/{newest['id']}/reply", body)

    message = caller.mail(1)[0]
    assert message["references"]
    assert message["in_reply_to"] in message["references"]
