"""Approvals in the console: what waits is shown with its conversation, decided about once, by name in the log."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from lxml import html

from deskhand.db.statements import command
from deskhand.desk.conversations.tables import thread
from tests.agents import add_agent, log_of
from tests.web.console.overseen import MOVE_AWAY, TEXT, Overseen, conversation, first, oversee, said, words
from tests.web.people import signed_in
from tests.world import Desk, open_desk


@pytest.fixture
def world(desk: Desk) -> Overseen:
    return oversee(desk)


def test_waiting_calls_are_listed_the_oldest_first_in_words(world: Overseen) -> None:
    first = world.reply()
    second = world.tags("vip")
    page = world.person.page("/console/approvals")
    rows = page.cssselect("a.call-row")
    assert [row.get("href") for row in rows] == [f"/console/approvals/{first}", f"/console/approvals/{second}"]
    told = " ".join(rows[0].text_content().split())
    assert f"{world.agent.name} asks to reply to conversation #{world.number}" in told
    assert "Paul Reiter · Where is my parcel?" in told
    assert "23 h left" in told
    assert words(page, "nav .count.loud")[0] == "2"


def test_nothing_waits(world: Overseen) -> None:
    assert "Nothing waits for you" in words(world.person.page("/console/approvals"))
    for state in ("executed", "failed", "denied", "expired", "returned", "rubbish"):
        assert world.person.page(f"/console/approvals?state={state}&before={'9' * 30}").cssselect(".nothing")


def test_a_call_stands_beside_its_conversation_with_all_that_would_happen(world: Overseen) -> None:
    colleague = world.desk.add_user("Ines", "Okafor", inboxes=(world.inbox,))
    id = world.reply(status="closed", cc=["shop@buyer.example"], assignTo=colleague)
    page = world.person.page(f"/console/approvals/{id}")
    assert words(page, "h1") == f"{world.agent.name} asks to reply to conversation #{world.number} in Orders"
    assert "Sends mail to paul@buyer.example" in words(page)
    assert first(page, "textarea[name=text]").text.lstrip("\n") == TEXT
    pairs = words(page, "form .pairs")
    assert "Status becomes closed" in pairs
    assert "Copies to shop@buyer.example" in pairs
    assert "Owner Ines Okafor" in pairs
    beside = words(page, "aside.beside")
    assert "Where is my parcel? I ordered a lamp." in beside
    assert "Paul Reiter" in beside


def test_a_chat_of_the_beacon_stands_beside_a_call_as_well(world: Overseen) -> None:
    its = thread.c.conversation_id == world.conversation
    chat = command(sa.update(thread).where(its).values(type="beaconchat"), keep=False)
    world.desk.write(lambda tx: tx.run(chat))
    beside = words(world.person.page(f"/console/approvals/{world.reply()}"), "aside.beside")
    assert "Where is my parcel? I ordered a lamp." in beside


def test_tags_say_what_comes_and_goes(world: Overseen) -> None:
    assert world.desk.put(f"/v2/conversations/{world.conversation}/tags", {"tags": ["lamp", "late"]}).ok
    page = world.person.page(f"/console/approvals/{world.tags('vip', 'lamp')}")
    assert "Tags adds vip; takes away late; keeps lamp" in words(page, "form .pairs")
    assert not page.cssselect("textarea")


def test_an_approved_call_is_sent_once_and_the_next_opens(world: Overseen) -> None:
    first = world.reply()
    second = world.reply(conversation=conversation(world.desk, world.inbox, "Another parcel"))
    answer = world.person.send(f"/console/approvals/{first}/approve", text=TEXT)
    assert answer.url.endswith(f"/console/approvals/{second}")
    assert said(answer) == f"Approved and done: reply to conversation #{world.number}."
    assert world.threads()[0]["body"] == TEXT
    assert log_of(world.desk, type="admin")[0].sentence.startswith("Ada Holm approved the request of")
    assert "with another text" not in log_of(world.desk, type="admin")[0].sentence
    answer = world.person.send(f"/console/approvals/{second}/approve", text=TEXT)
    assert answer.url.endswith("/console/approvals")
    page = world.person.page(f"/console/approvals/{first}")
    assert "Approved by Ada Holm" in words(page, ".message.good")
    assert not page.cssselect("form[data-decides]")
    assert len(world.person.page("/console/approvals?state=executed").cssselect("a.call-row")) == 2


def test_the_text_that_is_sent_is_the_one_in_the_field(world: Overseen) -> None:
    id = world.reply()
    answer = world.person.send(f"/console/approvals/{id}/approve", text="It left on Tuesday.\r\n\r\nAda")
    assert "with your text" in said(answer)
    assert world.threads()[0]["body"] == "It left on Tuesday.\n\nAda"
    assert "with another text" in log_of(world.desk, type="admin")[0].sentence
    page = world.person.page(f"/console/approvals/{id}")
    assert "Your parcel left us on Monday." in words(page, "details.all-of-it")


def test_markup_is_shown_as_text_and_sent_as_it_was_unless_changed(world: Overseen) -> None:
    markup = "<p>Hello Paul,</p><p>it left &amp; comes<br>on Monday.</p>"
    id = world.reply(markup)
    field = first(world.person.page(f"/console/approvals/{id}"), "textarea").text.lstrip("\n")
    assert field == "Hello Paul,\n\nit left & comes\non Monday."
    world.person.send(f"/console/approvals/{id}/approve", text=field.replace("\n", "\r\n"))
    assert world.threads()[0]["body"] == markup


def test_rich_text_is_shown_without_what_could_do_harm(world: Overseen) -> None:
    id = world.reply('<p>See <a href="https://a.example">this</a><img src=x onerror=alert(1)><script>x()</script></p>')
    looks = first(world.person.page(f"/console/approvals/{id}"), ".looks")
    assert first(looks, "a").get("rel") == "noopener noreferrer nofollow"
    assert not looks.cssselect("img, script, [style], [onerror]")
    assert not world.person.page(f"/console/approvals/{id}").cssselect("[data-editor]"), "not all of it would stay"


def test_a_text_that_can_not_be_sent_is_kept_and_said_at_its_field(world: Overseen) -> None:
    id = world.reply(TEXT)
    answer = world.person.send(f"/console/approvals/{id}/approve", text=" ")
    assert answer.status_code == 400
    page = html.fromstring(answer.text)
    assert page.cssselect("#text-wrong")
    assert first(page, "textarea").get("aria-invalid") == "true"
    assert world.state(id) == "waiting"


def test_a_denied_call_tells_the_agent_why(world: Overseen) -> None:
    id = world.reply()
    answer = world.person.send(f"/console/approvals/{id}/deny", reason=" ")
    assert answer.status_code == 400
    assert "must have 1 to 1000 characters" in first(html.fromstring(answer.text), "#reason-wrong").text
    answer = world.person.send(f"/console/approvals/{id}/deny", reason="It left on Tuesday")
    assert said(answer) == f"Denied: {world.agent.name} is told why."
    assert world.agent.get(f"/v2/approvals/{id}").json()["reason"] == "It left on Tuesday"
    assert "“It left on Tuesday”" in words(world.person.page(f"/console/approvals/{id}"), ".message.bad")
    assert len(world.threads()) == 1
    assert log_of(world.desk, type="admin")[0].actor == {"type": "user", "id": world.desk.user_id}


def test_a_second_decision_is_refused_in_words(world: Overseen) -> None:
    id = world.reply()
    world.person.send(f"/console/approvals/{id}/approve", text=TEXT)
    for path, fields in (("approve", {"text": TEXT}), ("deny", {"reason": "No"})):
        answer = world.person.send(f"/console/approvals/{id}/{path}", **fields)
        assert answer.status_code == 409
        assert words(html.fromstring(answer.text), "[role=alert]") == "This call was approved already, and sent."
    assert len(world.threads()) == 2


def test_two_people_at_once_send_it_once(world: Overseen) -> None:
    id = world.reply()
    others = [world.person, *(signed_in(world.desk, world.desk.add_user(role="admin")) for _ in range(2))]
    assert [one.csrf for one in others]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda one: one.send(f"/console/approvals/{id}/approve", text=TEXT), others))
    assert sorted(one.status_code for one in answers) == [200, 409, 409]
    assert len(world.threads()) == 2


def test_what_changed_since_the_agent_asked_is_said_before_anybody_approves(world: Overseen) -> None:
    anna = world.desk.add_user("Anna", "Berg", inboxes=(world.inbox,))
    id, other = world.reply(), world.reply(conversation=conversation(world.desk, world.inbox, "Another parcel"))
    assert not world.person.page(f"/console/approvals/{id}").cssselect("[data-live=approval-state] .message")
    assert not world.person.page("/console/approvals").cssselect("a.call-row .mark")
    world.desk.server.clock.advance(timedelta(seconds=5))
    world.wrote("It has come, thank you")
    world.change("/status", "closed")
    signed_in(world.desk, anna).send(f"/conversation/{world.conversation}/assign", owner=str(anna))
    told = words(world.person.page(f"/console/approvals/{id}"), "[data-live=approval-state] [role=status]")
    assert told == (
        f"Since {world.agent.name} asked: the customer wrote again; the status became closed; Anna Berg took it. "
        f"If you approve it now, nothing is done: it goes back to {world.agent.name}."
    )
    page = world.person.page("/console/approvals")
    assert words(page, f"#call-{id} .mark") == "Changed"
    assert not page.cssselect(f"#call-{other} .mark")


def test_each_kind_of_change_is_named_for_what_it_is(world: Overseen) -> None:
    returns = world.desk.add_inbox("Returns")
    bo = world.desk.add_user("Bo", "Lind", inboxes=(world.inbox, returns))
    id = world.reply()
    world.desk.server.clock.advance(timedelta(seconds=5))
    answer = {"text": "We look into it", "customer": {"email": "paul@buyer.example"}}
    assert world.desk.post(f"/v2/conversations/{world.conversation}/reply", answer).ok
    world.change("/mailboxId", returns, "move")
    world.change("/assignTo", bo)
    told = words(world.person.page(f"/console/approvals/{id}"), "[data-live=approval-state] [role=status]")
    assert "asked: you replied; it was moved to Returns; it was given to Bo Lind." in told
    world.change("/assignTo", world.desk.user_id)
    told = words(world.person.page(f"/console/approvals/{id}"), "[data-live=approval-state] [role=status]")
    assert "; you took it." in told


def test_what_does_not_send_a_call_back_is_not_told_of(world: Overseen) -> None:
    """A note and a tag change nothing that a customer would read the answer to."""
    id = world.reply()
    world.desk.server.clock.advance(timedelta(seconds=5))
    assert world.desk.post(f"/v2/conversations/{world.conversation}/notes", {"text": "He is a regular"}).ok
    assert world.desk.put(f"/v2/conversations/{world.conversation}/tags", {"tags": ["lamp"]}).ok
    page = world.person.page(f"/console/approvals/{id}")
    assert "New" in words(page, "aside.beside")
    assert "goes back" not in words(page)
    assert not world.person.page("/console/approvals").cssselect("a.call-row .mark")
    world.person.send(f"/console/approvals/{id}/approve", text=TEXT)
    assert world.state(id) == "executed"


def test_a_conversation_that_changed_sends_the_call_back_and_shows_why(world: Overseen) -> None:
    id = world.reply()
    world.desk.server.clock.advance(timedelta(seconds=5))
    world.wrote("It has come, thank you")
    assert "New" in words(world.person.page(f"/console/approvals/{id}"), "aside.beside")
    answer = world.person.send(f"/console/approvals/{id}/approve", text=TEXT)
    page = html.fromstring(answer.text)
    assert "went back to the agent" in said(answer)
    assert "the conversation changed since" in words(page, ".message.warn")
    assert page.cssselect(f".message.warn a[href='/conversation/{world.conversation}']")
    assert "if you approve it now" not in words(page).lower()
    assert world.state(id) == "returned"
    assert world.person.page("/console/approvals?state=returned").cssselect("a.call-row")


def test_what_was_typed_is_not_lost_when_the_call_goes_back(world: Overseen) -> None:
    id = world.reply()
    world.desk.server.clock.advance(timedelta(seconds=5))
    world.wrote("It has come, thank you")
    answer = world.person.send(f"/console/approvals/{id}/approve", text="My own words")
    page = html.fromstring(answer.text)
    assert answer.status_code == 409
    assert "It went back to" in words(page, "[role=alert]")
    assert words(page, "#unsent") == "My own words"
    assert page.cssselect(f"a[href='/conversation/{world.conversation}?write=reply#writing']")
    assert page.cssselect(".field[data-form] #unsent"), "scripts put the page in place too"
    assert not page.cssselect("form[data-decides]")


def test_what_the_agent_may_not_do_any_more_goes_on_waiting_with_what_was_typed(world: Overseen) -> None:
    id = world.reply()
    world.agent.grant(resources={"conversations": {"level": "read", "inboxes": "all"}})
    answer = world.person.send(f"/console/approvals/{id}/approve", text="My own words")
    assert answer.status_code == 409
    page = html.fromstring(answer.text)
    assert "may not do this now" in words(page, "[role=alert]")
    assert first(page, "textarea").text.strip() == "My own words"
    assert world.state(id) == "waiting"


def test_a_call_that_waited_too_long_has_expired(world: Overseen) -> None:
    id = world.reply()
    world.desk.server.clock.advance(timedelta(hours=25))
    try:
        person = signed_in(world.desk)
        assert "it expired" in words(person.page(f"/console/approvals/{id}"))
        assert person.page("/console/approvals?state=expired").cssselect("a.call-row")
        assert not person.page("/console/approvals").cssselect("a.call-row")
    finally:
        world.desk.server.clock.advance(timedelta(hours=-25))


def test_j_and_k_lead_along_the_queue(world: Overseen) -> None:
    ids = [world.reply(conversation=conversation(world.desk, world.inbox, f"Parcel {n}")) for n in range(3)]
    page = world.person.page(f"/console/approvals/{ids[1]}")
    assert "2 of 3 waiting" in words(page, ".call-bar")
    assert first(page, "[data-key=k]").get("href") == f"/console/approvals/{ids[0]}"
    assert first(page, "[data-key=j]").get("href") == f"/console/approvals/{ids[2]}"
    assert not world.person.page(f"/console/approvals/{ids[0]}").cssselect("[data-key=k]")


def test_a_remote_desks_conversation_is_not_taken_for_one_here(world: Overseen) -> None:
    id = world.reply()
    world.desk.write(
        lambda tx: tx.run(MOVE_AWAY, account_id=world.desk.account_id, id=world.agent.id, connection_id=10**6)
    )
    page = world.person.page(f"/console/approvals/{id}")
    assert "works on a remote desk" in words(page, "aside.beside")
    assert "I ordered a lamp" not in words(page)
    assert "On a remote desk" in words(world.person.page("/console/approvals"), "a.call-row")


def test_a_deleted_conversation_leaves_its_call_returned(world: Overseen) -> None:
    id = world.reply()
    assert world.desk.delete(f"/v2/conversations/{world.conversation}").ok
    assert "The conversation was deleted." in words(world.person.page(f"/console/approvals/{id}"), "aside.beside")
    deadline = time.monotonic() + 60
    while world.state(id) == "waiting" and time.monotonic() < deadline:
        time.sleep(0.05)
    page = world.person.page(f"/console/approvals/{id}")
    assert "the conversation was deleted" in words(page, ".message.warn")
    assert "Your parcel" not in words(page)


def test_only_administrators_decide_and_only_in_their_account(world: Overseen, desk: Desk) -> None:
    id = world.reply()
    user = signed_in(desk, desk.add_user(inboxes=(world.inbox,)))
    stranger = signed_in(open_desk(desk.server))
    for path in ("/console/approvals", f"/console/approvals/{id}"):
        assert user.get(path).status_code == 403
    assert user.send(f"/console/approvals/{id}/approve", text=TEXT).status_code == 403
    assert stranger.get(f"/console/approvals/{id}").status_code == 404
    assert stranger.send(f"/console/approvals/{id}/approve", text=TEXT).status_code == 404
    assert stranger.send(f"/console/approvals/{id}/deny", reason="No").status_code == 404
    assert not stranger.page("/console/approvals").cssselect("a.call-row")
    assert world.state(id) == "waiting"
    for wrong in ("/console/approvals/x", "/console/approvals/0", f"/console/approvals/{id + 10**6}"):
        assert world.person.get(wrong).status_code == 404


def test_a_decision_in_the_conversation_leads_back_to_it(world: Overseen) -> None:
    id, back = world.reply(), f"/conversation/{world.conversation}"
    world.reply(conversation=conversation(world.desk, world.inbox, "Another"))
    answer = world.person.send(f"/console/approvals/{id}/approve", back=back)
    assert answer.url.endswith(back)
    assert world.threads()[0]["body"] == TEXT


def test_many_pages_of_decided_calls(world: Overseen) -> None:
    add_agent(world.desk, "Other")
    for n in range(51):
        id = world.reply(f"Text {n}")
        world.person.http.post(
            f"{world.desk.url}/console/approvals/{id}/deny", data={"csrf": _csrf(world), "reason": "No"}, timeout=30,
            allow_redirects=False,
        )  # fmt: skip
    page = world.person.page("/console/approvals?state=denied")
    assert len(page.cssselect("a.call-row")) == 50
    older = world.person.page(first(page, "a[rel=next]").get("href"))
    assert len(older.cssselect("a.call-row")) == 1


_KNOWN: dict[int, str] = {}


def _csrf(world: Overseen) -> str:
    key = id(world)
    if key not in _KNOWN:
        _KNOWN[key] = world.person.csrf
    return _KNOWN[key]
