"""Mails with links by which users choose a password: they leave like replies, once each, and say what they should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import pytest
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import P, value
from deskhand.desk.sign_in_mail import SignInMail
from deskhand.desk.users import sign_in_links
from deskhand.desk.users.sign_in_links import MAIL_LINK, Handover
from deskhand.desk.users.tables import sign_in_link
from deskhand.mail.compose import Outgoing
from deskhand.mail.post import Envelope, Sent, Undelivered
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Failed
from deskhand.settings import SmtpServer
from tests.live import LiveServer
from tests.mail.post_office import PostOffice, post_office
from tests.world import Desk, open_desk

_LINK = value(
    int,
    sa.select(sign_in_link.c.id).where(
        sign_in_link.c.account_id == P("account_id"), sign_in_link.c.user_id == P("user_id")
    ),
    keep=False,
)


@dataclass
class Caught:
    """A way out that keeps what it is given, or fails."""

    mails: list[tuple[Outgoing, Envelope]] = field(default_factory=list)
    fails: Undelivered | None = None

    async def send(self, mail: Outgoing, raw: bytes, envelope: Envelope) -> Sent:
        if self.fails:
            raise self.fails
        self.mails.append((mail, envelope))
        return Sent()


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    with post_office() as running:
        yield running


@pytest.fixture(scope="module")
def mailing_server(office: PostOffice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("links"), smtp_url=SmtpServer("127.0.0.1", office.port))
    yield live
    live.stop()


def test_an_invitation_really_leaves_by_mail(mailing_server: LiveServer, office: PostOffice) -> None:
    desk = open_desk(mailing_server)
    desk.add_inbox(email="hello@lamps.example")
    body = {"firstName": "<b>Noor", "lastName": "Haddad", "email": "noor@lamps.example", "role": "user"}
    assert desk.post("/v2/users", body).status_code == 201
    [mail] = office.wait_for(1)
    message = mail.message
    assert (mail.sender, mail.recipients) == ("hello@lamps.example", ["noor@lamps.example"])
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"].startswith("You are invited to ")
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None and html is not None
    found = re.search(rf"{re.escape(mailing_server.url)}/sign-in/welcome/[A-Za-z0-9_-]{{43}}\b", plain.get_content())
    assert found and f'href="{found[0]}"' in html.get_content()
    assert "Hello <b>Noor," in plain.get_content() and "<b>Noor" not in html.get_content()
    assert "Welcome, &lt;b&gt;Noor" in desk.http.get(found[0], timeout=30).text


def issued(desk: Desk, user_id: int, purpose: sign_in_links.Purpose = "reset") -> Work:
    """A link of a user, and the job that mails it, as a worker has it."""
    ids: list[int] = []

    def issue(tx: Writer) -> None:
        sign_in_links.issue(tx, desk.account_id, user_id, purpose, desk.now)
        ids.extend(tx.all(_LINK, account_id=desk.account_id, user_id=user_id))

    desk.write(issue)
    payload = msgspec.json.encode(Handover(ids[-1])).decode()
    return Work(1, desk.account_id, MAIL_LINK, "sign-in", payload, 1, 1)


def carry(desk: Desk, work: Work, post: Caught) -> None:
    app = desk.server.app
    mail = SignInMail(app.database, app.clock, post, app.gateway.sealer, "https://desk.example")
    desk.server.run(mail.carry(work))


def test_a_job_that_is_carried_out_twice_sends_the_same_link(desk: Desk) -> None:
    desk.add_inbox(email="help@lamps.example")
    post, work = Caught(), issued(desk, desk.add_user())
    carry(desk, work, post)
    carry(desk, work, post)
    (first, envelope), (second, _) = post.mails
    assert first == second
    assert envelope.sender == "help@lamps.example" == first.reply_to.email
    assert "for one hour and once" in first.text


def test_a_link_that_is_of_no_use_any_more_is_not_sent(desk: Desk) -> None:
    desk.add_inbox()
    user = desk.add_user()
    post, before = Caught(), issued(desk, user)
    issued(desk, user)  # another one in its place
    welcome = issued(desk, desk.add_user(), "welcome")  # somebody who has accepted
    for work in (before, welcome):
        carry(desk, work, post)
    assert post.mails == []


def test_without_an_inbox_there_is_no_address_to_send_from(desk: Desk) -> None:
    with pytest.raises(Failed, match="no inbox") as failed:
        carry(desk, issued(desk, desk.add_user()), Caught())
    assert failed.value.final


@pytest.mark.parametrize("final", [True, False])
def test_a_server_that_does_not_take_it_is_asked_again_unless_it_is_final(desk: Desk, final: bool) -> None:
    desk.add_inbox()
    with pytest.raises(Failed, match="full") as failed:
        carry(desk, issued(desk, desk.add_user()), Caught(fails=Undelivered("the disk is full", final=final)))
    assert failed.value.final is final
