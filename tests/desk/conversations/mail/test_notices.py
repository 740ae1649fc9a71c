"""Mails to users who are named in a note or follow a conversation, and pictures in the text of a reply."""

from __future__ import annotations

from datetime import timedelta

from deskhand.desk import access
from deskhand.desk.conversations import following
from deskhand.desk.conversations.drafts import notices
from deskhand.desk.users import verbs as users
from tests.desk.conversations.builders import add, created
from tests.desk.conversations.mail.leaving import Case, text
from tests.desk.conversations.passing import eventually, jobs_left
from tests.mail.post_office import wait
from tests.web.inbox.forms import post, write_form
from tests.web.inbox.test_drafts import PNG, attach
from tests.web.people import signed_in
from tests.world import Desk


def follow(desk: Desk, user_id: int, id: int) -> None:
    actor = desk.server.app.database.read_now(lambda db: access.actor(db, user_id))
    assert actor is not None
    desk.write(lambda tx: following.follow(tx, actor, id, desk.now))


def email(desk: Desk, user_id: int) -> str:
    return str(desk.get(f"/v2/users/{user_id}").json()["email"])


def note(desk: Desk, id: int, body: str) -> None:
    person = signed_in(desk)
    post(person, f"/conversation/{id}/note", write_form(person, id, "note") | {"text": body})


def test_the_named_hear_of_it_once_and_nobody_of_their_own_note(case: Case) -> None:
    desk = case.desk
    lea, bo = (desk.add_user(name, "Storm", inboxes=(case.inbox_id,)) for name in ("Lea", "Bo"))
    desk.add_team("Tier Two", members=(lea, bo, desk.user_id))
    id = case.start()
    follow(desk, lea, id)
    follow(desk, desk.user_id, id)
    note(desk, id, "@Lea Storm, @Tier Two and @Ada Holm: is that <ours>?")
    wait(lambda: all(case.office.to(email(desk, one)) for one in (bo, lea)))
    eventually(lambda: jobs_left(desk, notices.TELL_USER) == 0)
    (mail,) = case.office.to(email(desk, lea))
    assert mail.message["Subject"] == "Ada Holm mentioned you: A lamp that flickers"
    assert "is that <ours>?" in text(mail.message)
    assert f"{desk.server.url}/conversation/{id}" in text(mail.message)
    assert "is that &lt;ours&gt;?" in text(mail.message, "html")
    assert mail.message["Auto-Submitted"]
    assert len(case.office.to(email(desk, bo))) == 1
    assert case.office.to(email(desk, desk.user_id)) == []


def test_followers_hear_of_answers_as_long_as_they_see_the_inbox(case: Case) -> None:
    desk = case.desk
    lea = desk.add_user("Lea", inboxes=(case.inbox_id,))
    id = case.start()
    follow(desk, lea, id)
    created(add(desk, id, "customer", text="Hello?", customer={"email": case.customer["email"]}))
    wait(lambda: len(case.office.to(email(desk, lea))) == 1)
    assert "follow the conversation" in text(case.office.to(email(desk, lea))[0].message)
    case.reply("Here.")
    wait(lambda: len(case.office.to(email(desk, lea))) == 2)
    assert case.office.to(email(desk, lea))[1].message["Subject"] == "Ada Holm replied: A lamp that flickers"
    desk.write(lambda tx: users.set_inboxes(tx, desk.account_id, lea, ()))
    case.reply("Once more.")
    case.arrived(2)
    eventually(lambda: jobs_left(desk, notices.TELL_USER) == 0)
    assert len(case.office.to(email(desk, lea))) == 2


def test_a_picture_in_a_reply_goes_in_its_mail(case: Case) -> None:
    desk, id = case.desk, case.start()
    person = signed_in(desk)
    picture = attach(person, id, "plan.png", PNG, "image/png", shown="1").json()
    attach(person, id, "bill.pdf", b"%PDF", "application/pdf")
    html = f'<p>So: <img src="{picture["url"]}" alt="Plan"></p>'
    post(person, f"/conversation/{id}/reply", write_form(person, id) | {"html": html})
    desk.server.clock.advance(timedelta(seconds=11))
    message = case.message()
    parts = {part.get_content_type(): part for part in message.walk()}
    assert message.get_content_type() == "multipart/mixed"
    shown = parts["image/png"]
    assert shown["Content-Disposition"] == "inline"
    assert shown.get_payload(decode=True) == PNG
    assert f'src="cid:{shown["Content-ID"].strip("<>")}"' in parts["text/html"].get_content()
    assert [part.get_filename() for part in message.iter_attachments()] == ["bill.pdf"]
