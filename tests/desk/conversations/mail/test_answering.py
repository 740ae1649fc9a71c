"""New conversations are answered by themselves: once a day for each sender, and never in circles."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db.statements import P, command, rows
from deskhand.desk.conversations.mail import answering, loops
from deskhand.desk.conversations.mail.answering import is_answerable
from deskhand.desk.conversations.mail.mail_queries import ANSWER_WORDS
from deskhand.desk.conversations.mail.mailing import SEND_ANSWER, SEND_EMAIL, Mailing
from deskhand.lib.blobs import BlobStore
from deskhand.mail.compose import Outgoing
from deskhand.mail.post import Envelope, Sent, Undelivered
from deskhand.outbox import events
from deskhand.outbox.jobs import Work
from deskhand.outbox.tables import job
from deskhand.outbox.worker import Failed
from tests.desk.conversations.builders import created, done, given, read, threads
from tests.desk.conversations.mail.arriving import Letterbox, inbox, mail
from tests.desk.conversations.mail.leaving import set_up
from tests.live import LiveServer
from tests.world import open_desk, unique

ANSWER = {"answer": True, "answer_text": "<p>We got it, {%customer.firstName,fallback=friend%}.</p>"}

_JOBS = rows(
    Work,
    sa.select(*(job.c[name] for name in Work.__struct_fields__))
    .where(job.c.account_id == P("account_id"), sa.or_(job.c.kind == P("replies"), job.c.kind == P("answers")))
    .order_by(job.c.id),
    keep=False,
)
_DONE = command(sa.delete(job).where(job.c.id == P("id")), keep=False)


@dataclass
class Desk:
    """A desk whose work is done when the test says so, and whose mail lands in a list."""

    box: Letterbox
    inbox_id: int = 0
    address: str = ""
    sent: list[tuple[Envelope, bytes]] = field(default_factory=list)
    refuses: str = ""

    def __post_init__(self) -> None:
        self.inbox_id, self.address = inbox(self.box.desk)

    async def send(self, mail: Outgoing, raw: bytes, envelope: Envelope) -> Sent:
        if self.refuses:
            raise Undelivered(self.refuses, final=True)
        self.sent.append((envelope, raw))
        return Sent()

    def work(self) -> list[EmailMessage]:
        """Look at what happened and send what is to be sent; gives the mails."""
        self.look()
        self.sent.clear()
        for work in self.waiting():
            self._carry(self.mailing, work)
        return [message_from_bytes(raw, policy=default) for _, raw in self.sent]

    def look(self) -> None:
        """Look at what happened."""
        listen = answering.listener(self.box.desk.server.clock)
        self.box.desk.server.app.database.write_now(lambda tx: listen(tx, events.take(tx, 1000)))

    @property
    def mailing(self) -> Mailing:
        app = self.box.desk.server.app
        blobs = BlobStore(app.settings.data_dir / "blobs")
        return Mailing(app.database, self.box.desk.server.clock, blobs, self, app.gateway.sealer, app.settings.base_url)

    def waiting(self) -> list[Work]:
        """The mails that are to be sent."""
        account_id = self.box.desk.account_id
        return self.box.desk.server.app.database.read_now(
            lambda db: db.all(_JOBS, account_id=account_id, replies=SEND_EMAIL, answers=SEND_ANSWER)
        )

    def _carry(self, mailing: Mailing, work: Work) -> None:
        then = self.box.desk.server.run(mailing.carry(work))

        def end(tx: Any) -> None:
            tx.run(_DONE, id=work.id)
            if then:
                then(tx)

        self.box.desk.write(end)


@pytest.fixture
def here(box: Letterbox) -> Desk:
    """A desk whose inbox answers by itself."""
    desk = Desk(Letterbox(box.desk))
    set_up(box.desk, desk.inbox_id, **ANSWER)
    return desk


def customer() -> str:
    return f"{unique('paul')}@buyer.example"


def test_a_new_conversation_is_answered_and_the_answer_threads(here: Desk) -> None:
    set_up(here.box.desk, here.inbox_id, reply_token=True, signature="<p>{%user.firstName%}</p>")
    email = customer()
    id, _ = here.box.deliver(here.address, From=f"Paul Gruen <{email}>", Message_ID="<1@buyer.example>")
    (answer,) = here.work()
    assert answer["To"].addresses[0].addr_spec == email
    assert (answer["Subject"], answer["In-Reply-To"]) == ("Re: A lamp that flickers", "<1@buyer.example>")
    assert answer["From"].addresses[0].addr_spec == here.address
    assert (answer["Auto-Submitted"], answer["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert answer["Reply-To"].addresses[0].addr_spec.startswith(here.address.partition("@")[0] + "+")
    body = answer.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").startswith("We got it, Paul.\n")
    *_, item = sorted(threads(here.box.desk, id), key=lambda one: one.id)
    assert (item.type, here.box.mail_of(item.id).state, here.box.mail_of(item.id).automatic) == ("lineitem", "sent", 1)
    shown = here.box.desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    assert [one["action"]["text"] for one in shown if one["type"] == "lineitem"] == [ANSWER_WORDS["sent"]]
    before = read(here.box.desk, id)
    assert (before["status"], before["threads"]) == ("active", 1)
    assert here.box.deliver(here.address, From=email, In_Reply_To=answer["Message-ID"], Subject="Thanks")[0] == id
    assert here.work() == []


def test_once_a_day_for_each_sender_and_inbox(here: Desk) -> None:
    email = customer()
    other_id, other = inbox(here.box.desk)
    set_up(here.box.desk, other_id, **ANSWER)
    for address in (here.address, here.address, here.address, other):
        here.box.deliver(address, From=email)
    here.box.deliver(here.address, From=email.upper())
    assert sorted(one["From"].addresses[0].addr_spec for one in here.work()) == sorted([here.address, other])
    here.box.deliver(here.address, From=customer())
    assert len(here.work()) == 1
    here.box.desk.server.clock.advance(timedelta(days=1))
    here.box.deliver(here.address, From=email)
    assert len(here.work()) == 1


def test_who_writes_each_time_as_another_is_not_answered_for_ever(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "MOST_OF_DOMAIN", 2)
    domain = f"{unique('robots')}.example"
    for number in range(4):  # a program that writes as people do
        here.box.deliver(here.address, From=f"paul{number}@{domain}")
        assert len(here.work()) == (1 if number < 2 else 0)
    here.box.deliver(here.address, From=customer())
    assert len(here.work()) == 1
    here.box.desk.server.clock.advance(timedelta(minutes=11))
    here.box.deliver(here.address, From=f"anna@{domain}")
    assert len(here.work()) == 1


def test_of_several_at_the_same_time_one_is_answered(here: Desk) -> None:
    email = customer()
    ids = [here.box.deliver(here.address, From=email)[0] for _ in range(6)]
    desk, answered = here.box.desk, []

    def answer(id: int) -> None:
        answered.append(desk.write(lambda tx: answering.answer(tx, desk.account_id, id, desk.now)))

    workers = [threading.Thread(target=answer, args=(id,)) for id in ids]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(answered) == [False] * 5 + [True]
    assert len(here.work()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"From": "no-reply@shop.example"}, {"From": "MAILER-DAEMON@x.example"},
        {"From": "news-bounces@lists.example"}, {"From": None}, {"From": "orders.noreply@shop.example"},
    ],
)  # fmt: skip
def test_machines_lists_and_nobody_get_none(here: Desk, headers: dict[str, Any]) -> None:
    here.box.deliver(here.address, **{"From": customer(), **headers})
    assert here.work() == []


@pytest.mark.parametrize(("sender", "answers"), [("", 0), ("paul@buyer.example", 1)])
def test_what_has_no_return_path_gets_none(here: Desk, sender: str, answers: int) -> None:
    here.box.read(here.box.keep(here.address, mail(To=here.address, From=customer()), "smtp", sender))
    assert len(here.work()) == answers


def test_inboxes_get_none_whosoever_they_are(here: Desk, quiet_server: LiveServer) -> None:
    _, of_another_account = inbox(open_desk(quiet_server))
    here.box.deliver(here.address, From=of_another_account)
    assert here.work() == []


def test_nothing_is_answered_that_did_not_come_by_mail_or_is_not_new(here: Desk) -> None:
    created(here.box.desk.post("/v2/conversations", given(here.inbox_id, customer={"email": customer()})))
    assert here.work() == []
    id, _ = here.box.deliver(here.address, From=customer())
    here.box.desk.server.clock.advance(timedelta(days=2))
    assert here.work() == []
    silent, address = inbox(here.box.desk)
    here.box.deliver(address, From=customer())
    assert here.work() == []


@pytest.mark.parametrize(
    ("verdict", "answers"),
    [
        ("dmarc=fail header.from=buyer.example", 0), ("spf=fail; dkim=none; dmarc=none", 0),
        ("spf=fail; dkim=pass", 1), ("spf=fail; dmarc=pass", 1), ("spf=softfail", 1), ("dmarc=none", 1),
    ],
)  # fmt: skip
def test_whose_address_was_forged_gets_none(here: Desk, verdict: str, answers: int) -> None:
    raw = mail(To=here.address, From=customer())
    stamp = f"Received: from a by mx.desk.example\r\nAuthentication-Results: mx.desk.example; {verdict}\r\n"
    here.box.deliver(here.address, stamp.encode() + raw)
    assert len(here.work()) == answers


def test_an_answer_goes_to_the_sender_even_if_the_conversation_is_somebody_else_s_by_now(here: Desk) -> None:
    email, other, desk = customer(), customer(), here.box.desk
    id, _ = here.box.deliver(here.address, From=email)
    other_id, _ = here.box.deliver(here.address, From=other, Auto_Submitted="auto-replied")
    here.look()
    done(desk.patch(f"/v2/conversations/{id}", {
        "op": "replace", "path": "/primaryCustomer.id",
        "value": desk.get(f"/v2/conversations/{other_id}").json()["primaryCustomer"]["id"],
    }))  # fmt: skip
    (answer,) = here.work()
    assert [one.addr_spec for one in answer["To"].addresses] == [email]


def test_the_line_item_tells_how_it_went(here: Desk) -> None:
    desk = here.box.desk
    id, _ = here.box.deliver(here.address, From=customer())
    assert desk.write(lambda tx: answering.answer(tx, desk.account_id, id, desk.now))

    def says() -> list[str]:
        shown = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
        return [one["action"]["text"] for one in shown if one["type"] == "lineitem"]

    assert says() == [ANSWER_WORDS["waiting"]]
    here.refuses = "550 Who?"
    (work,) = here.waiting()
    with pytest.raises(Failed) as failed:
        desk.server.run(here.mailing.carry(work))
    assert failed.value.then is not None
    desk.write(lambda tx: failed.value.then(tx, True))  # type: ignore[misc]
    assert says() == [ANSWER_WORDS["failed"]]
    here.refuses = ""
    here.work()
    assert says() == [ANSWER_WORDS["sent"]]


def test_answers_that_were_switched_off_meanwhile_do_not_leave(here: Desk) -> None:
    id, _ = here.box.deliver(here.address, From=customer())
    desk = here.box.desk
    assert desk.write(lambda tx: answering.answer(tx, desk.account_id, id, desk.now))
    set_up(desk, here.inbox_id, answer=False)
    with pytest.raises(Exception, match="switched off"):
        here.work()


@pytest.mark.parametrize(
    ("address", "answerable"),
    [
        ("paul@buyer.example", True), ("ada.reply@x.example", True), ("lista@x.example", True),
        ("autumn@x.example", True), ("rooter@x.example", True), ("billing@x.example", True),
        ("alert-team@x.example", True),
        ("noreply@x.example", False), ("no-reply@x.example", False), ("No_Reply@x.example", False),
        ("donotreply@x.example", False), ("do-not-reply@x.example", False), ("postmaster@x.example", False),
        ("noreply+abc@x.example", False), ("list-request@x.example", False), ("owner-list@x.example", False),
        ("bounces+1-2@x.example", False), ("prvs=123=a@x.example", False), ("nobody@deskhand.invalid", False),
        ("", False), ("x", False), ("notifications@x.example", False),
    ],
)  # fmt: skip
def test_who_reads_answers(address: str, answerable: bool) -> None:
    assert is_answerable(address) == answerable


def test_two_desks_that_answer_each_other_come_to_rest(
    here: Desk, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """For a simulated day: one writes to the other, both answer by themselves, and a third writes to both."""
    server = LiveServer(tmp_path, worker="separate")
    try:
        there = Desk(Letterbox(open_desk(server)))
        set_up(there.box.desk, there.inbox_id, **ANSWER)
        desks = {here.address: here, there.address: there}
        third = customer()
        body = {"subject": "Do you sell lamps?", "customer": {"email": there.address},
                "threads": [{"type": "reply", "text": "Do you?", "customer": {"email": there.address}}]}  # fmt: skip
        created(here.box.desk.post("/v2/conversations", given(here.inbox_id, **body)))
        for address, desk in desks.items():
            desk.box.deliver(address, From=third)
        automatic = passed = 0
        for _ in range(24):
            for desk in desks.values():
                desk.box.desk.server.clock.advance(timedelta(hours=1))
            for desk in desks.values():
                for message in desk.work():
                    passed += 1
                    automatic += message["Auto-Submitted"] is not None
                    to = message["To"].addresses[0].addr_spec
                    if to in desks:
                        other = desks[to].box
                        other.read(other.keep(to, message.as_bytes()))
        assert (passed, automatic) == (4, 3)  # the question, its answer, and those to the third
    finally:
        server.stop()
