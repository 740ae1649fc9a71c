"""Mails that tell users what has changed about how they sign in: they leave, say what happened, and open no door."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from deskhand.desk.security_mail import SecurityMail
from deskhand.desk.users.security_notices import TELL, Notice, What
from deskhand.mail.post import NoServer, Undelivered
from deskhand.oauth import own_password
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Failed
from deskhand.settings import SmtpServer
from tests.desk.test_sign_in_mail import Caught
from tests.live import LiveServer
from tests.mail.post_office import PostOffice, post_office
from tests.oauth.doors import add_person
from tests.world import Desk, open_desk


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    with post_office() as running:
        yield running


@pytest.fixture(scope="module")
def mailing_server(office: PostOffice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("notices"), smtp_url=SmtpServer("127.0.0.1", office.port))
    yield live
    live.stop()


def test_a_changed_password_is_really_told_by_mail(mailing_server: LiveServer, office: PostOffice) -> None:
    desk = open_desk(mailing_server)
    desk.add_inbox(email="hello@lamps.example")
    person, who = add_person(desk), desk.account_id
    before = mailing_server.app.database.read_now(lambda db: own_password.stored(db, who, person.user_id))
    assert before is not None
    stored = before
    assert desk.write(lambda tx: own_password.change(tx, who, person.user_id, stored, "another", kept=0, now=desk.now))
    [mail] = office.wait_for(1)
    assert (mail.sender, mail.recipients) == ("hello@lamps.example", [person.email])
    message = mail.message
    assert message["Subject"] == "Your password was changed" and message["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert "your password was changed" in text and "http" not in text and "another" not in text


def carried(desk: Desk, post: Caught, what: What, user_id: int, **more: object) -> None:
    values: dict[str, object] = {"user_id": user_id, "email": "ines@lamps.example", "at": "2026-11-23T17:37:00Z"}
    notice = msgspec.convert({"what": what} | values | more, Notice)
    work = Work(7, desk.account_id, TELL, "sign-in", msgspec.json.encode(notice).decode(), 1, 1)
    app = desk.server.app
    desk.server.run(SecurityMail(app.database, post, app.gateway.sealer).carry(work))


@pytest.mark.parametrize(
    ("what", "more", "said"),
    [
        ("address", {"address": "new@lamps.example", "by": "Lea Park"}, "was changed by Lea Park to new@lamps.example"),
        ("factor_on", {}, "your second factor was switched on"),
        ("factor_off", {"by": "Lea <b>Park"}, "your second factor was switched off by Lea <b>Park"),
        ("codes", {}, "new recovery codes were made"),
        ("code_used", {"left": 1}, "one of your recovery codes; 1 is left"),
        ("code_used", {"left": 0}, "one of your recovery codes; none is left"),
    ],
)
def test_each_says_what_happened_and_when(desk: Desk, what: What, more: dict[str, object], said: str) -> None:
    desk.add_inbox(email="help@lamps.example")
    post = Caught()
    carried(desk, post, what, desk.user_id, **more)
    carried(desk, post, what, desk.user_id, **more)
    (mail, envelope), (again, _) = post.mails
    assert mail == again and envelope.recipients == ("ines@lamps.example",)
    assert said in mail.text and "on 23 November 2026 at " in mail.text
    assert "<b>" not in mail.html and "http" not in mail.text


def test_a_name_begins_no_line_of_its_own(desk: Desk) -> None:
    """Whoever chooses their own name would otherwise write the mail."""
    desk.add_inbox(email="help@lamps.example")
    post, by = Caught(), "Lea\nIf this was not you, call 0190\r\nBcc: all@lamps.example"
    carried(desk, post, "address", desk.user_id, address="new@lamps.example", by=by)
    [(mail, _)] = post.mails
    assert "by Lea If this was not you, call 0190 Bcc: all@lamps.example to new@" in mail.text
    assert len(mail.text.splitlines()) == 5  # greeting, what happened and what to do, with a blank line between


def test_where_no_mail_leaves_nothing_is_waited_for(desk: Desk) -> None:
    post = Caught()
    carried(desk, post, "password", desk.user_id)  # there is no inbox to send from
    assert post.mails == []
    desk.add_inbox()
    carried(desk, Caught(fails=NoServer("no server is set")), "password", desk.user_id)
    with pytest.raises(Failed, match="full") as failed:
        carried(desk, Caught(fails=Undelivered("the disk is full")), "password", desk.user_id)
    assert not failed.value.final
