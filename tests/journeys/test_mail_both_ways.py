"""A case from the first mail to the rating in the report, by real mail servers on both sides and Dovecot between."""

from __future__ import annotations

import re
import smtplib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest
import requests

from deskhand.desk.tags import verbs as tags
from deskhand.lib.clock import to_wire
from deskhand.settings import SmtpServer
from tests import dovecot, postgresql
from tests.admin.door import Admin, administer
from tests.journeys.post import Post, post
from tests.live import LiveServer
from tests.mail.post_office import wait
from tests.receiver import Receiver, receiving
from tests.world import Desk, open_desk, unique

SHOP, PAUL = "help@desk.example", "paul@buyer.example"
SECRET = "s3cret"


@dataclass
class Town:
    """The shop's desk, everybody's mail server, and whoever listens to webhooks."""

    desk: Desk
    admin: Admin
    inbox: int
    post: Post
    listener: Receiver

    def send(self, mail: EmailMessage, to: str) -> None:
        """Send a mail as mail programs do: to the mail server, by SMTP."""
        with smtplib.SMTP("127.0.0.1", self.post.smtp_port, timeout=60) as client:
            client.send_message(mail, PAUL, [to])

    def conversation(self, id: int) -> Any:
        return self.desk.get(f"/v2/conversations/{id}", embed="threads").json()


@pytest.fixture
def town(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> Iterator[Town]:
    url = ""
    if kind == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("town"))
    with dovecot.running(SHOP, PAUL) as mailboxes, post(mailboxes) as office:
        folder = tmp_path / "desk"
        folder.mkdir()
        server = LiveServer(folder, url, smtp_url=SmtpServer("127.0.0.1", office.smtp_port), mail_imap_every_s=1)
        try:
            with receiving() as listener:
                desk = open_desk(server)
                admin, inbox = administer(desk), desk.add_inbox("Help", email=SHOP)
                user, password = SHOP.replace("@", "%40"), mailboxes.password
                wanted = {
                    "imap": f"imap://{user}:{password}@127.0.0.1:{mailboxes.port}",
                    "signature": "<p>{%user.firstName%} of Northwind</p>",
                    "reply_token": True,
                    "ratings": True,
                }
                admin.put(f"/inboxes/{inbox}/mail-settings", wanted)
                yield Town(desk, admin, inbox, office, listener)
        finally:
            server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_case_goes_from_mail_to_rating(town: Town) -> None:
    desk, listener = town.desk, town.listener
    events = ["convo.created", "convo.customer.reply.created", "convo.tags", "convo.status", "satisfaction.ratings"]
    body = {"url": f"{listener.url}/hook", "events": events, "secret": SECRET}
    assert desk.post("/v2/webhooks", body).status_code == 201
    make_workflow(town)

    # A customer writes, and what lies in the mailbox becomes a conversation that is told of.
    asked = EmailMessage()
    asked["From"], asked["To"], asked["Subject"] = f"Paul Meyer <{PAUL}>", SHOP, "A broken lamp"
    asked["Message-ID"] = "<first.1@buyer.example>"
    asked.set_content("Hello,\n\none of the lamps is broken.\n\nPaul")
    town.send(asked, SHOP)
    created = listener.first("convo.created").json
    id = created["id"]
    assert (created["subject"], created["status"], created["mailboxId"]) == ("A broken lamp", "active", town.inbox)
    assert created["primaryCustomer"]["email"] == PAUL
    said = town.conversation(id)["_embedded"]["threads"]
    assert [(one["type"], one["createdBy"]["email"]) for one in said] == [("customer", PAUL)]
    original = desk.get(f"/v2/conversations/{id}/threads/{said[0]['id']}/original-source").json()["original"]
    assert "one of the lamps is broken" in original

    # The reply by API is in the customer's mailbox, in the thread of what they wrote.
    reply = {"text": "<p>We send a new one.</p>", "customer": {"email": PAUL}, "status": "closed"}
    answer = desk.post(f"/v2/conversations/{id}/reply", reply)
    assert answer.status_code == 201, answer.text
    reply_id = int(answer.headers["Resource-ID"])
    (mail,) = town.post.wait_for(PAUL, 1)
    assert (mail["In-Reply-To"], mail["References"]) == ("<first.1@buyer.example>", "<first.1@buyer.example>")
    assert mail["Subject"] == "Re: A broken lamp"
    back = getaddresses([mail["Reply-To"]])[0][1]
    assert re.fullmatch(r"help\+[a-z2-7]{20,}@desk\.example", back)
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    for part in (html, text):
        assert "We send a new one." in part and "of Northwind" in part and "one of the lamps is broken" in part
    assert desk.get(f"/v2/conversations/{id}").json()["status"] == "closed"

    # The customer answers as Gmail does: the case opens again without what was repeated, and a workflow tags it.
    town.send(as_gmail_answers(mail, "It came, thank you! I want a refund for the other one.", html), back)
    told = listener.first("convo.customer.reply.created").json
    assert told["id"] == id
    newest = town.conversation(id)
    assert newest["status"] == "active"
    thread = next(one for one in newest["_embedded"]["threads"] if one["type"] == "customer")
    assert "I want a refund" in thread["body"]
    assert "We send a new one" not in thread["body"]
    tagged = listener.first("convo.tags").json
    assert [tag["tag"] for tag in tagged["tags"]] == ["refund"]
    line = next(one for one in town.conversation(id)["_embedded"]["threads"] if one["type"] == "lineitem")
    assert line["action"]["type"] == "automatic-workflow"

    # It is put aside until tomorrow, and wakes.
    later = to_wire(desk.server.clock.now() + timedelta(days=1))
    snooze = {"snoozedUntil": later, "unsnoozeOnCustomerReply": True}
    assert desk.put(f"/v2/conversations/{id}/snooze", snooze).status_code == 204
    assert desk.get(f"/v2/conversations/{id}").json()["snooze"]["snoozedUntil"] == later
    desk.server.clock.advance(timedelta(days=1, seconds=1))
    wait(lambda: "snooze" not in desk.get(f"/v2/conversations/{id}").json())

    # The customer says by the link in the reply how it was, and the report counts it.
    link = re.findall(r'href="([^"]+/rate/[^"]+)"', html)[0].replace("&amp;", "&")
    page = requests.get(link, timeout=60)
    assert page.status_code == 200
    assert listener.named("satisfaction.ratings") == []
    sent = requests.post(link.partition("?")[0], {"rating": "great", "comments": "Quick!"}, timeout=60)
    assert sent.status_code == 200, sent.text
    rating = listener.first("satisfaction.ratings").json
    assert (rating["rating"], rating["comments"], rating["threadId"]) == ("great", "Quick!", reply_id)
    shown = desk.get(f"/v2/ratings/{rating['id']}").json()
    assert shown["customer"]["email"] == PAUL, shown
    now = desk.server.clock.now()
    span = {"start": to_wire(now - timedelta(days=5)), "end": to_wire(now + timedelta(hours=1))}
    happiness = desk.get("/v2/reports/happiness", **span).json()["current"]
    assert (happiness["greatCount"], happiness["ratingsCount"], happiness["happinessScore"]) == (1, 1, 100.0)
    work = desk.get("/v2/reports/productivity", **span).json()["current"]
    assert work["repliesSent"] == 1

    # Nothing came twice, and every mail on the server is accounted for.
    assert len(town.post.mails(PAUL)) == 1
    assert desk.get("/v2/conversations", status="all").json()["page"]["totalElements"] == 1


def make_workflow(town: Town) -> None:
    """Whoever asks for a refund gets the tag."""
    desk = town.desk
    (tag,) = desk.write(lambda tx: tags.named(tx, desk.account_id, ["refund"], desk.now))
    workflow = {
        "inbox_id": town.inbox,
        "name": "Refunds",
        "type": "automatic",
        "conditions": [{"any": [{"about": "body", "op": "contains", "value": "refund"}]}],
        "actions": [{"do": "tag", "value": [tag.id]}],
    }
    town.admin.post("/workflows", workflow)


def as_gmail_answers(mail: EmailMessage, said: str, html: str) -> EmailMessage:
    """An answer with what is answered below it, in Gmail's form."""
    answer = EmailMessage()
    answer["From"], answer["To"] = f"Paul Meyer <{PAUL}>", mail["Reply-To"]
    answer["Subject"], answer["Message-ID"] = mail["Subject"], "<second.2@mail.gmail.example>"
    answer["In-Reply-To"] = mail["Message-ID"]
    answer["References"] = f"{mail['References']} {mail['Message-ID']}"
    answer["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    line = f'On Mon, Nov 23, 2026 at 9:30 AM Ines Okafor &lt;<a href="mailto:{SHOP}">{SHOP}</a>&gt; wrote:'
    answer.set_content(
        f"{said}\n\nOn Mon, Nov 23, 2026 at 9:30 AM Ines Okafor <{SHOP}> wrote:\n\n> We send a new one.\n"
    )
    answer.add_alternative(
        f'<div dir="ltr">{said}</div><br><div class="gmail_quote gmail_quote_container">'
        f'<div dir="ltr" class="gmail_attr">{line}<br></div>'
        f'<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">{html}</blockquote></div>',
        subtype="html",
    )
    return answer
