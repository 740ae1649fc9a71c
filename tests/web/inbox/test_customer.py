"""The customer beside a conversation and on a page of their own: what is shown, and changed in place."""

from __future__ import annotations

from typing import Any

from deskhand.web import words
from tests.desk.conversations.builders import read, start
from tests.web.people import signed_in
from tests.world import Desk, open_desk


def customer_of(desk: Desk, id: int) -> int:
    return int(read(desk, id)["primaryCustomer"]["id"])


def known(desk: Desk, id: int) -> Any:
    return desk.get(f"/v2/customers/{id}").json()


def test_the_panel_tells_who_they_are_and_what_they_asked_before(desk: Desk) -> None:
    inbox = desk.add_inbox()
    whom = {"email": "paul@buyer.example", "firstName": "Paul", "lastName": "<i>Falk</i>"}
    earlier = start(desk, inbox, subject="Before", status="closed", customer=whom)
    id = start(desk, inbox, customer=whom)
    panel = signed_in(desk).page(f"/conversation/{id}").cssselect(".customer-column")[0]
    assert "Paul <i>Falk</i>" in panel.text_content() and "paul@buyer.example" in panel.text_content()
    (link,) = panel.cssselect(".earlier a")
    assert str(link.get("href")).startswith(f"/conversation/{earlier}/") and "Before" in link.text_content()
    assert "closed" in link.text_content()


def test_many_earlier_conversations_are_few_lines_and_a_link(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ids = [start(desk, inbox, customer={"email": "many@buyer.example"}) for _ in range(12)]
    person = signed_in(desk)
    panel = person.page(f"/conversation/{ids[-1]}").cssselect(".customer-column")[0]
    assert len(panel.cssselect(".earlier a")) == 6 and "5 more" in panel.text_content()
    page = person.page(f"/customers/{customer_of(desk, ids[0])}")
    assert len(page.cssselect(".their-conversations a")) == 12 and "12 conversations" in page.text_content()


def test_all_their_conversations_go_on_page_after_page(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    ids = [start(desk, inbox, customer={"email": "most@buyer.example"}) for _ in range(30)]
    path = f"/customers/{customer_of(desk, ids[0])}"
    links = [
        one.get("href")
        for page in ("", "?page=2")
        for one in person.page(path + page).cssselect(".their-conversations a")
    ]
    assert len(set(links)) == 30


def test_names_and_notes_are_edited_in_place(desk: Desk) -> None:
    conversation, person = start(desk, desk.add_inbox()), signed_in(desk)
    id = customer_of(desk, conversation)
    back = f"/conversation/{conversation}"
    answer = person.send(f"/customers/{id}/edit", firstName="Paula", lastName="Falk", background="Pays late", back=back)
    assert answer.url.endswith(back) and "Saved." in answer.text
    assert (known(desk, id)["firstName"], known(desk, id)["background"]) == ("Paula", "Pays late")
    person.send(f"/customers/{id}/edit", background="")
    assert not known(desk, id)["background"] and known(desk, id)["lastName"] == "Falk"
    answer = person.send(f"/customers/{id}/edit", firstName="x" * 50)
    assert answer.status_code == 400 and "must have at most 40" in answer.text


def test_ways_to_reach_them_are_added_changed_and_removed(desk: Desk) -> None:
    person = signed_in(desk)
    id = customer_of(desk, start(desk, desk.add_inbox()))
    person.send(f"/customers/{id}/entries", kind="phone", value="+31 20 555")
    (phone,) = known(desk, id)["_embedded"]["phones"]
    person.send(f"/customers/{id}/entries/{phone['id']}", value="+31 20 556")
    assert known(desk, id)["_embedded"]["phones"][0]["value"] == "+31 20 556"
    person.send(f"/customers/{id}/entries/{phone['id']}", value="+31 20 556", remove="1")
    assert known(desk, id)["_embedded"]["phones"] == []
    assert person.send(f"/customers/{id}/entries/999999", value="x").status_code == 404
    assert person.send(f"/customers/{id}/entries", kind="pigeon", value="x").status_code == 404
    taken = read(desk, start(desk, desk.add_inbox()))["primaryCustomer"]["email"]
    answer = person.send(f"/customers/{id}/entries", kind="email", value=taken)
    assert answer.status_code == 409 and "belongs to a customer already" in answer.text


def test_an_address_breaks_behind_its_at_sign_or_at_a_dot(desk: Desk) -> None:
    shown = {
        "maria.berg@buyer.example": 'maria.<wbr>berg@<wbr><span class="together">buyer.<wbr>example</span>',
        "+31 20 555": "+31 20 555",
        "buyer.example/a?b=<i>": "buyer.<wbr>example/<wbr>a?b=&lt;i&gt;",
        "": "",
    }
    assert {text: str(words.breakable(text)) for text in shown} == shown
    conversation, person = (
        start(desk, desk.add_inbox(), customer={"email": "maria.berg@buyer.example"}),
        signed_in(desk),
    )
    (value,) = person.page(f"/conversation/{conversation}").cssselect(".fact.way .value bdi")
    assert value.text_content() == "maria.berg@buyer.example" and len(value.cssselect("wbr")) == 3


def test_properties_are_edited_as_their_type_asks(desk: Desk) -> None:
    person = signed_in(desk)
    body = {"type": "dropdown", "slug": "plan", "name": "Plan", "options": [{"label": "Pro"}, {"label": "Free"}]}
    assert desk.post("/v2/customer-properties", body).status_code == 201
    conversation = start(desk, desk.add_inbox())
    id = customer_of(desk, conversation)
    page = person.page(f"/conversation/{conversation}")
    (pro,) = [one for one in page.cssselect("#fact-property-plan option") if one.text_content() == "Pro"]
    person.send(f"/customers/{id}/properties", slug="plan", value=pro.get("value"))
    shown = person.page(f"/customers/{id}").cssselect("#fact-property-plan .value")[0]
    assert shown.text_content().strip() == "Pro"
    assert person.send(f"/customers/{id}/properties", slug="plan", value="Gold").status_code == 400
    person.send(f"/customers/{id}/properties", slug="plan", value="")
    assert known(desk, id)["_embedded"]["properties"] == []


def test_another_account_s_customers_are_not_there(desk: Desk) -> None:
    id = customer_of(desk, start(desk, desk.add_inbox()))
    stranger = signed_in(open_desk(desk.server))
    assert stranger.get(f"/customers/{id}").status_code == 404
    for path, fields in (
        ("edit", {"firstName": "x"}),
        ("entries", {"kind": "phone", "value": "1"}),
        ("properties", {"slug": "a"}),
    ):
        assert stranger.send(f"/customers/{id}/{path}", **fields).status_code == 404
    assert not known(desk, id).get("firstName")
