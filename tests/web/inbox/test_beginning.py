"""Beginning a conversation: as an e-mail, a call or a note, to a known or a new customer."""

from __future__ import annotations

from typing import Any

import requests

from deskhand.desk.conversations.drafts.ready import BEGIN_CONVERSATION
from deskhand.desk.users.preferences import Preferences, prefer
from tests.desk.conversations.builders import read
from tests.desk.conversations.passing import let_pass
from tests.web.inbox.forms import alerts, post, said, thread_list
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk, unique


def begin(person: Person, **changed: Any) -> requests.Response:
    """Open the form, fill it in and send it."""
    (form,) = person.page("/new").xpath("//form[@data-write-form='new']")
    fields = dict(form.form_values()) | {"subject": "Your lamp", "text": "It is ready.", "send": "closed"}
    return post(person, "/new", fields | changed)


def made(answer: requests.Response) -> int:
    return int(answer.url.rpartition("/")[2])


def begun(desk: Desk) -> int:
    """The newest conversation, once the time is over in which it could be taken back."""
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    return int(desk.get("/v2/conversations", status="all").json()["_embedded"]["conversations"][0]["id"])


def test_an_e_mail_begins_a_conversation(desk: Desk) -> None:
    inbox = desk.add_inbox()
    lea = desk.add_user("Lea", inboxes=(inbox,))
    who = f"{unique('ann')}@buyer.example"
    answer = begin(
        signed_in(desk), to=f"Ann Bee <{who}>, bo@buyer.example", cc="cy@buyer.example", name="Ann Bee van Dyk",
        tags="vip, lamp", owner=str(lea), send="pending",
    )  # fmt: skip
    assert said(answer) == "Sent."
    assert desk.get("/v2/conversations", status="all").json()["page"]["totalElements"] == 0
    id = begun(desk)
    found = read(desk, id)
    assert (found["subject"], found["status"], found["assignee"]["id"]) == ("Your lamp", "pending", lea)
    assert [one["tag"] for one in found["tags"]] == ["lamp", "vip"] or [one["tag"] for one in found["tags"]] == [
        "vip",
        "lamp",
    ]
    assert found["primaryCustomer"]["email"] == who
    assert (found["primaryCustomer"]["first"], found["primaryCustomer"]["last"]) == ("Ann", "Bee van Dyk")
    (sent,) = thread_list(desk, id)
    assert (sent["type"], sent["to"], sent["cc"]) == ("message", [who], ["bo@buyer.example", "cy@buyer.example"])


def test_a_call_and_a_note_send_no_mail(desk: Desk) -> None:
    desk.add_inbox()
    for kind, type in (("phone", "phone"), ("note", "note")):
        id = made(begin(signed_in(desk), to=f"{unique('ann')}@buyer.example", kind=kind))
        (only,) = thread_list(desk, id)
        assert only["type"] == type
        assert read(desk, id)["type"] == ("phone" if kind == "phone" else "email")


def test_one_that_is_kept_is_a_draft_that_the_panel_goes_on_with(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    id = made(begin(person, to=f"{unique('ann')}@buyer.example", keep="1"))
    assert read(desk, id)["state"] == "draft"
    page = person.page(f"/conversation/{id}")
    (form,) = page.xpath("//form[@id='write-reply']")
    fields = dict(form.form_values())
    assert fields["text"] == "It is ready."
    assert "nothing else in this conversation" in alerts(post(person, f"/conversation/{id}/discard", fields))
    desk.write(lambda tx: prefer(tx, desk.account_id, desk.user_id, Preferences()))
    fields = dict(person.page(f"/conversation/{id}").xpath("//form[@id='write-reply']")[0].form_values())
    answer = post(person, f"/conversation/{id}/reply", fields | {"text": "It is ready now.", "send": "closed"})
    assert said(answer) == "Sent.", alerts(answer)
    assert (read(desk, id)["state"], read(desk, id)["status"]) == ("published", "closed")
    assert [one["body"] for one in thread_list(desk, id)] == ["<p>It is ready now.</p>"]


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    answer = begin(person, to="nobody", subject="", text="My words", tags="vip", owner="999999")
    assert answer.status_code == 400
    assert "“nobody” is not an address" in alerts(answer)
    assert all(word in answer.text for word in ("My words", 'value="vip"', 'value="nobody"', "Write a subject."))
    assert desk.get("/v2/conversations", status="all").json()["page"]["totalElements"] == 0
    answer = begin(person, to=f"{unique('ann')}@buyer.example", owner="999999")
    assert answer.status_code == 400 and "o such user or team" in answer.text


def test_it_begins_once_and_only_where_the_visitor_sees(desk: Desk) -> None:
    inbox, hidden = desk.add_inbox("Open"), desk.add_inbox("Hidden")
    lea = signed_in(desk, desk.add_user("Lea", inboxes=(inbox,)))
    assert "Hidden" not in lea.get("/new").text
    assert begin(lea, to="a@buyer.example", inbox=str(hidden)).status_code == 403
    other = open_desk(desk.server)
    assert begin(lea, to="a@buyer.example", inbox=str(other.add_inbox())).status_code == 400
    (form,) = lea.page("/new").xpath("//form[@data-write-form='new']")
    fields = dict(form.form_values()) | {
        "to": f"{unique('a')}@buyer.example",
        "subject": "S",
        "text": "T",
        "send": "closed",
    }
    assert post(lea, "/new", fields).url == post(lea, "/new", fields).url
    begun(desk)
    assert post(lea, "/new", fields).status_code == 200
    assert desk.get("/v2/conversations", status="all").json()["page"]["totalElements"] == 1


def test_customers_are_found_by_name_and_address(desk: Desk) -> None:
    desk.add_inbox()
    mail = f"{unique('zora')}@buyer.example"
    body = {"firstName": "Änne", "lastName": "Zimmer", "emails": [{"value": mail, "type": "work"}]}
    assert desk.post("/v2/customers", body).status_code == 201
    person, stranger = signed_in(desk), signed_in(open_desk(desk.server))
    for typed in ("än", "ÄNNE", "zimm", mail[:4].upper(), "änne zi"):
        assert [one["about"] for one in person.get("/new/customers", params={"q": typed}).json()] == [mail]
        assert stranger.get("/new/customers", params={"q": typed}).json() == []
    for typed in ("", "z", "änne x", "%"):
        assert person.get("/new/customers", params={"q": typed}).json() == []


def test_without_an_inbox_the_page_says_what_to_do(desk: Desk) -> None:
    person = signed_in(desk)
    page = person.page("/new")
    assert page.xpath("//main//a/@href")[-1] == "/settings/inboxes/new"
    assert person.get("/settings/inboxes/new").status_code == 200
    assert person.send("/new", to="a@buyer.example", subject="S", text="T", inbox="1").status_code == 412
    desk.add_inbox("Hidden")
    lea = signed_in(desk, desk.add_user("Lea"))
    found = " ".join(lea.page("/new").xpath("//main//text()"))
    assert "An administrator of the account can give you access" in found and "Hidden" not in found
