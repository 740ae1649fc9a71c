"""What is picked while writing: saved replies with their variables, and colleagues."""

from __future__ import annotations

from tests.desk.conversations.builders import start
from tests.web.inbox.forms import send_reply, thread_list
from tests.web.people import signed_in
from tests.world import Desk, open_desk


def add_saved(desk: Desk, inbox: int, name: str, text: str) -> int:
    answer = desk.post(f"/v2/mailboxes/{inbox}/saved-replies", {"name": name, "text": text})
    assert answer.status_code == 201
    return int(answer.headers["Resource-ID"])


def test_a_saved_reply_comes_filled_in_and_is_counted(desk: Desk) -> None:
    inbox = desk.add_inbox("Support")
    text = (
        "<p>Hi {%customer.firstName,fallback=there%} &amp; {%customer.lastName%}<script>x</script></p>"
        "<div>{%mailbox.name%}</div>"
    )
    reply_id = add_saved(desk, inbox, "Hello", text)
    id = start(desk, inbox)
    person = signed_in(desk)
    assert person.get(f"/inboxes/{inbox}/saved-replies").json()[0]["name"] == "Hello"
    found = person.get(f"/inboxes/{inbox}/saved-replies/{reply_id}", params={"conversation": id}).json()
    assert found["html"] == "<p>Hi there &amp; <mark>{%customer.lastName%}</mark></p><p>Support</p>"
    send_reply(person, id, saved_reply_id=str(reply_id))
    assert thread_list(desk, id)[-1]["savedReplyId"] == reply_id


def test_colleagues_are_those_who_see_the_inbox_and_teams(desk: Desk) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox()
    desk.add_user("Lea", "Storm", inboxes=(inbox,))
    desk.add_user("Max", "Quiet", inboxes=(other,))
    desk.add_team("Tier Two")
    desk.add_system_user("Triage")
    found = signed_in(desk).get(f"/inboxes/{inbox}/colleagues").json()
    assert [(one["name"], one["about"]) for one in found] == [("Ada Holm", ""), ("Lea Storm", ""), ("Tier Two", "Team")]


def test_lists_of_inboxes_that_are_not_seen_stay_closed(desk: Desk) -> None:
    inbox = desk.add_inbox()
    saved = add_saved(desk, inbox, "Hello", "Hi")
    colleague, stranger = signed_in(desk, desk.add_user("Max")), signed_in(open_desk(desk.server))
    for path in ("saved-replies", f"saved-replies/{saved}", "colleagues"):
        assert colleague.get(f"/inboxes/{inbox}/{path}").status_code == 403
        assert stranger.get(f"/inboxes/{inbox}/{path}").status_code == 404
