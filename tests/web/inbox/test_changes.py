"""Changing a conversation from its page: every form without a script, what it says, and who may not."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html

from deskhand.desk.workflows.actions import SetStatus
from tests.desk.conversations.builders import read, start, threads
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk


def words(answer: Any) -> str:
    """What the page says that a form led to."""
    page = signed_page(answer)
    return " ".join(" ".join(one.text_content().split()) for one in page.cssselect("#said span, [role=alert]"))


def signed_page(answer: Any) -> Any:
    return html.fromstring(answer.text)


def undo(person: Person, answer: Any) -> Any:
    """Press the button that takes back what was done."""
    (form,) = signed_page(answer).cssselect("#said form")
    fields = {one.get("name"): one.get("value") for one in form.cssselect("input[name]")}
    fields.pop("csrf")
    return person.send(form.get("action"), **fields)


def test_the_status_is_changed_and_taken_back(desk: Desk) -> None:
    id, person = start(desk, desk.add_inbox()), signed_in(desk)
    answer = person.send(f"/conversation/{id}/status", status="closed")
    assert words(answer) == "Closed." and read(desk, id)["status"] == "closed"
    undo(person, answer)
    assert read(desk, id)["status"] == "active"


def test_spam_leads_on_to_the_next(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    id, other = start(desk, inbox), start(desk, inbox)
    answer = person.send(f"/conversation/{id}/status", status="spam", next=f"/conversation/{other}")
    assert answer.url.endswith(f"/conversation/{other}") and read(desk, id)["status"] == "spam"


def test_it_is_given_to_somebody_to_a_team_and_to_nobody(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    ines, team = desk.add_user("Ines", "Okafor", inboxes=(inbox,)), desk.add_team("Tier Two")
    id = start(desk, inbox)
    page = person.page(f"/conversation/{id}")
    offered = {one.get("value") for one in page.cssselect('#menu-assign button[name="owner"]')}
    assert offered == {str(desk.user_id), "", str(ines), str(team)}
    for owner, said in (
        (ines, "Assigned to Ines Okafor."),
        (team, "Assigned to Tier Two."),
        (desk.user_id, "Assigned to you."),
    ):
        answer = person.send(f"/conversation/{id}/assign", owner=str(owner))
        assert words(answer) == said and read(desk, id)["assignee"]["id"] == owner
    assert words(person.send(f"/conversation/{id}/assign", owner="")) == "Assigned to nobody."
    assert "assignee" not in read(desk, id)


def test_who_does_not_see_the_inbox_is_not_offered(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    hidden = desk.add_user("Lea")
    page = person.page(f"/conversation/{start(desk, inbox)}")
    assert not page.cssselect(f'#menu-assign button[value="{hidden}"]')


def test_tags_are_added_made_and_removed(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    id = start(desk, inbox, tags=["vip"])
    person.send(f"/conversation/{id}/tags", add="refund, late parcel")
    assert [one["tag"] for one in read(desk, id)["tags"]] == ["vip", "refund", "late parcel"]
    answer = person.send(f"/conversation/{id}/tags", remove="vip")
    assert [one["tag"] for one in read(desk, id)["tags"]] == ["refund", "late parcel"]
    undo(person, answer)
    assert {one["tag"] for one in read(desk, id)["tags"]} == {"vip", "refund", "late parcel"}
    other = person.page(f"/conversation/{start(desk, inbox, tags=['vip'])}")
    offered = [one.get("value") for one in other.cssselect('#menu-tags button[name="add"]')]
    assert "refund" in offered and "vip" not in offered


def test_it_is_moved_and_moved_back(desk: Desk) -> None:
    inbox, other, person = desk.add_inbox(), desk.add_inbox("Sales"), signed_in(desk)
    id = start(desk, inbox)
    answer = person.send(f"/conversation/{id}/move", inbox=str(other))
    assert words(answer) == "Moved to Sales." and read(desk, id)["mailboxId"] == other
    undo(person, answer)
    assert read(desk, id)["mailboxId"] == inbox


@pytest.mark.parametrize("choice", ["later", "tomorrow", "monday", "month", "answer"])
def test_it_is_snoozed_by_a_plain_choice_which_is_offered_first_the_next_time(desk: Desk, choice: str) -> None:
    id, person = start(desk, desk.add_inbox()), signed_in(desk)
    answer = person.send(f"/conversation/{id}/snooze", choice=choice)
    assert words(answer).startswith("Snoozed until")
    kept = read(desk, id)["snooze"]
    assert kept["unsnoozeOnCustomerReply"] is True and (kept["snoozedUntil"] > "2100") == (choice == "answer")
    page = person.page(f"/conversation/{id}")
    assert page.cssselect('#menu-snooze button[name="choice"]')[0].get("value") == choice
    undo(person, answer)
    assert "snooze" not in read(desk, id)


def test_it_is_snoozed_until_a_time_of_one_s_own_which_is_remembered(desk: Desk) -> None:
    id, person = start(desk, desk.add_inbox()), signed_in(desk)
    person.send(f"/conversation/{id}/snooze", until="2099-03-04T09:30", asks="1")
    kept = read(desk, id)["snooze"]
    assert (kept["snoozedUntil"], kept["unsnoozeOnCustomerReply"]) == ("2099-03-04T09:30:00Z", False)
    first = person.page(f"/conversation/{id}").cssselect('#menu-snooze button[name="choice"]')[0]
    assert first.get("value") == "2099-03-04T09:30:00Z" and "As last time" in first.text_content()
    person.send(f"/conversation/{id}/snooze", choice="2099-03-04T09:30:00Z")
    assert read(desk, id)["snooze"]["unsnoozeOnCustomerReply"] is True


@pytest.mark.parametrize("given", ["", "yesterday", "2001-01-01T10:00", "9999-99-99T99:99"])
def test_a_time_that_is_none_or_over_is_refused_in_words(desk: Desk, given: str) -> None:
    id, person = start(desk, desk.add_inbox()), signed_in(desk)
    answer = person.send(f"/conversation/{id}/snooze", until=given)
    assert answer.status_code == 400 and "must be" in words(answer)
    assert "snooze" not in read(desk, id)


def test_two_are_merged_after_a_look_at_both(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    gone, stays = start(desk, inbox, subject="Again"), start(desk, inbox, subject="First")
    number = read(desk, stays)["number"]
    page = person.page(f"/conversation/{gone}/merge?into=%23{number}")
    assert "Again" in page.text_content() and "two different customers" in page.text_content()
    (form,) = page.cssselect('form[action$="/merge"]')
    answer = person.send(str(form.get("action")), into=form.cssselect('[name="into"]')[0].get("value"))
    assert answer.url.endswith(f"/conversation/{stays}") and words(answer) == "Merged."
    assert person.get(f"/conversation/{gone}/merge?into=99999").status_code == 400


def test_following_shows_who_follows(desk: Desk) -> None:
    id, person = start(desk, desk.add_inbox()), signed_in(desk)
    person.send(f"/conversation/{id}/follow")
    page = person.page(f"/conversation/{id}")
    assert "You follow" in page.text_content() and page.cssselect('form[action$="/unfollow"]')
    person.send(f"/conversation/{id}/unfollow")
    assert "You follow" not in person.page(f"/conversation/{id}").text_content()


def test_a_deletion_can_be_undone_for_some_seconds(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    id, other = start(desk, inbox), start(desk, inbox)
    answer = person.send(f"/conversation/{id}/delete", next=f"/conversation/{other}")
    assert answer.url.endswith(f"/conversation/{other}") and words(answer).startswith("Deleted.")
    undo(person, answer)
    assert read(desk, id)["id"] == id


def test_the_subject_is_changed_in_place(desk: Desk) -> None:
    id, person = start(desk, desk.add_inbox()), signed_in(desk)
    person.send(f"/conversation/{id}/subject", subject="Lamp\n<b>two</b>")
    assert read(desk, id)["subject"] == "Lamp <b>two</b>"
    assert person.send(f"/conversation/{id}/subject", subject=" ").status_code == 400


def test_custom_fields_are_edited_one_by_one_as_their_type_asks(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    lamp, count = desk.add_field(inbox, "Lamp", "dropdown", ("Pip", "Moth")), desk.add_field(inbox, "Count", "number")
    id = start(desk, inbox)
    page = person.page(f"/conversation/{id}")
    (moth,) = [one for one in page.cssselect(f"#fact-field-{lamp} option") if one.text_content() == "Moth"]
    person.send(f"/conversation/{id}/field", field=str(lamp), value=moth.get("value"))
    person.send(f"/conversation/{id}/field", field=str(count), value="3")
    assert {one["name"]: one["text"] for one in read(desk, id)["customFields"]} == {"Lamp": "Moth", "Count": "3"}
    answer = person.send(f"/conversation/{id}/field", field=str(count), value="three")
    assert answer.status_code == 400 and "must be an integer" in words(answer)
    person.send(f"/conversation/{id}/field", field=str(count), value="")
    assert [one["name"] for one in read(desk, id)["customFields"]] == ["Lamp"]


def test_a_manual_workflow_is_a_button(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    workflow = desk.add_workflow(inbox, SetStatus("closed"), name="Close it")
    id = start(desk, inbox)
    (button,) = person.page(f"/conversation/{id}").cssselect('button[name="workflow"]')
    assert button.get("value") == str(workflow) and button.text_content().strip() == "Close it"
    assert words(person.send(f"/conversation/{id}/workflow", workflow=str(workflow))) == "Close it: done."
    assert read(desk, id)["status"] == "closed"


def test_the_conversation_becomes_another_customer_s(desk: Desk) -> None:
    id, person = start(desk, desk.add_inbox()), signed_in(desk)
    before = read(desk, id)["primaryCustomer"]["id"]
    assert person.send(f"/conversation/{id}/customer", email="no address").status_code == 400
    person.send(f"/conversation/{id}/customer", email="other@buyer.example")
    after = read(desk, id)["primaryCustomer"]
    assert after["id"] != before and after["email"] == "other@buyer.example"


def test_a_message_is_edited_hidden_and_shown_again(desk: Desk) -> None:
    id, person = start(desk, desk.add_inbox()), signed_in(desk)
    thread = threads(desk, id)[0].id
    page = person.page(f"/conversation/{id}/threads/{thread}/edit")
    assert page.cssselect("textarea")[0].text == "It flickers."
    person.send(f"/conversation/{id}/threads/{thread}/edit", text="It hums.")
    assert threads(desk, id)[0].body == "It hums."
    assert "edited" in person.page(f"/conversation/{id}").cssselect(f"#thread-{thread} .names")[0].text_content()
    answer = person.send(f"/conversation/{id}/threads/{thread}/hide", hidden="1")
    assert words(answer) == "Hidden."
    undo(person, answer)
    assert not person.page(f"/conversation/{id}").cssselect("article.hidden")


def test_forms_need_their_token(desk: Desk) -> None:
    id, person = start(desk, desk.add_inbox()), signed_in(desk)
    for path in ("status", "assign", "tags", "move", "snooze", "merge", "delete", "field", "customer", "presence"):
        answer = person.http.post(f"{desk.url}/conversation/{id}/{path}", data={"status": "closed", "csrf": "x"})
        assert answer.status_code == 403, path
    assert read(desk, id)["status"] == "active"


def test_nobody_changes_what_is_another_account_s_or_hidden_from_them(desk: Desk) -> None:
    inbox, hidden = desk.add_inbox(), desk.add_inbox()
    id = start(desk, hidden)
    thread = threads(desk, id)[0].id
    sent: dict[str, dict[str, str]] = {
        "status": {"status": "closed"}, "assign": {"owner": ""}, "tags": {"add": "x"}, "move": {"inbox": str(inbox)},
        "snooze": {"choice": "tomorrow"}, "unsnooze": {}, "merge": {"into": str(id)}, "follow": {}, "unfollow": {},
        "delete": {}, "subject": {"subject": "x"}, "field": {"field": "1", "value": "x"}, "workflow": {"workflow": "1"},
        "customer": {"email": "a@b.example"}, "presence": {"doing": "looking"},
        f"threads/{thread}/edit": {"text": "x"}, f"threads/{thread}/hide": {"hidden": "1"},
        f"threads/{thread}/send": {}, f"threads/{thread}/unschedule": {}, f"threads/{thread}/undo": {},
        f"threads/{thread}/again": {},
    }  # fmt: skip
    stranger = signed_in(open_desk(desk.server))
    ines = signed_in(desk, desk.add_user("Ines", inboxes=(inbox,)))
    before = read(desk, id)
    before["customerWaitingSince"].pop("friendly")  # in a minute it is another
    for path, fields in sent.items():
        assert stranger.send(f"/conversation/{id}/{path}", **fields).status_code in (400, 404), path
        assert ines.send(f"/conversation/{id}/{path}", **fields).status_code in (400, 403, 404), path
    after = read(desk, id)
    after["customerWaitingSince"].pop("friendly")
    assert after == before
