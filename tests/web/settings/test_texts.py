"""The settings of saved replies, properties and ratings."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from lxml import html

from deskhand.desk.conversations.threads.rating import rate
from deskhand.mail.variables import NAMES
from deskhand.web.settings.saved_replies import VARIABLES
from tests.web.people import signed_in
from tests.world import Desk, open_desk


def alert(answer: requests.Response) -> str:
    found = html.fromstring(answer.text).cssselect("[role=alert]")
    assert found, answer.text[:2000]
    return " ".join(found[0].text_content().split())


def reply(desk: Desk, inbox: int, **more: Any) -> int:
    made = desk.post(f"/v2/mailboxes/{inbox}/saved-replies", {"name": "Parcel", "text": "<p>On its way</p>"} | more)
    assert made.status_code == 201
    return int(made.headers["Resource-ID"])


def whole(desk: Desk, inbox: int, id: int) -> dict[str, Any]:
    found: dict[str, Any] = desk.get(f"/v2/mailboxes/{inbox}/saved-replies/{id}").json()
    return found


# -- Saved replies


def test_a_saved_reply_is_made_of_text_or_html_and_cleaned(desk: Desk) -> None:
    inbox, ada = desk.add_inbox(), signed_in(desk)
    fields = {"inbox": inbox, "name": "Parcel"}
    assert ada.send("/settings/saved-replies/new", **fields, text="Hello\n\nIt's < here >").status_code == 200
    nasty = '<p onclick="x()">Hi <b>you</b><script>alert(1)</script><a href="javascript:x()">x</a></p>'
    assert ada.send("/settings/saved-replies/new", inbox=inbox, name="Nasty", html=nasty).status_code == 200
    first, second = desk.get(f"/v2/mailboxes/{inbox}/saved-replies").json()
    assert whole(desk, inbox, second["id"])["text"] == "<p>Hello</p><p>It's &lt; here &gt;</p>"
    cleaned = whole(desk, inbox, first["id"])["text"]
    assert "<b>you</b>" in cleaned and "script" not in cleaned and "onclick" not in cleaned


def test_a_saved_reply_needs_a_name_and_a_text(desk: Desk) -> None:
    inbox, ada = desk.add_inbox(), signed_in(desk)
    answer = ada.send("/settings/saved-replies/new", inbox=inbox, name=" ", text="Typed <here>")
    assert answer.status_code == 400 and alert(answer) == "Name may not be empty."
    assert html.fromstring(answer.text).get_element_by_id("text").text_content().strip("\n") == "Typed <here>"
    answer = ada.send("/settings/saved-replies/new", inbox=inbox, name="Parcel", text=" ")
    assert answer.status_code == 400 and alert(answer) == "Text may not be empty."
    assert desk.get(f"/v2/mailboxes/{inbox}/saved-replies").json() == []


def test_the_formatting_and_the_text_for_chats_stay(desk: Desk) -> None:
    inbox, ada = desk.add_inbox(), signed_in(desk)
    id = reply(desk, inbox, text="<p>On <b>its</b> way</p>", chatText="Soon")
    shown = ada.page(f"/settings/saved-replies/{id}").get_element_by_id("text").text_content()
    assert ada.send(f"/settings/saved-replies/{id}", name="Post", text=shown).status_code == 200
    assert whole(desk, inbox, id) == {"id": id, "name": "Post", "text": "<p>On <b>its</b> way</p>", "chatText": "Soon"}


def test_a_preview_fills_the_variables_and_saves_nothing(desk: Desk) -> None:
    inbox, ada = desk.add_inbox("Orders"), signed_in(desk)
    text = "Hello {%customer.firstName%}, this is {%user.firstName%} of {%mailbox.name%}"
    answer = ada.send("/settings/saved-replies/new", inbox=inbox, name="Hi", text=text, preview="1")
    (letter,) = html.fromstring(answer.text).cssselect(".letter")
    assert letter.text_content().strip() == "Hello Mona, this is Ada of Orders"
    assert desk.get(f"/v2/mailboxes/{inbox}/saved-replies").json() == []


def test_every_variable_is_explained() -> None:
    assert set(VARIABLES) == set(NAMES)


def test_saved_replies_are_found_and_how_often_they_were_used(desk: Desk) -> None:
    orders, help_ = desk.add_inbox("Orders"), desk.add_inbox("Help")
    reply(desk, orders, name="Étage", text="<p>Third floor</p>")
    reply(desk, help_, name="Bulb")
    ada = signed_in(desk)

    def names(query: str) -> list[str]:
        return [one.text_content() for one in ada.page(f"/settings/saved-replies{query}").cssselect(".things .reach")]

    assert set(names("")) == {"Étage", "Bulb"}
    assert names("?q=ÉTAGE") == names("?q=third") == names(f"?inbox={orders}") == ["Étage"]
    assert names("?q=nothing") == []
    assert "never used" in ada.page("/settings/saved-replies").text_content()


def test_a_deleted_saved_reply_is_gone(desk: Desk) -> None:
    inbox, ada = desk.add_inbox(), signed_in(desk)
    id = reply(desk, inbox)
    assert "Nobody can write with it" in ada.page(f"/settings/saved-replies/{id}/delete").text_content()
    assert signed_in(open_desk(desk.server)).send(f"/settings/saved-replies/{id}/delete").status_code == 404
    assert ada.send(f"/settings/saved-replies/{id}/delete").status_code == 200
    assert desk.get(f"/v2/mailboxes/{inbox}/saved-replies/{id}").status_code == 404


# -- Properties


def test_a_property_of_customers_is_defined_and_changed(desk: Desk) -> None:
    ada = signed_in(desk)
    choices = {"choice-1": "Gold", "choice-2": "Silver"}
    assert ada.send("/settings/properties/customers/new", name="Tier of 1", type="dropdown", **choices).ok
    (made,) = desk.get("/v2/customer-properties").json()["_embedded"]["customer-properties"]
    assert made["slug"] == "tier-of-1" and [one["label"] for one in made["options"]] == ["Gold", "Silver"]
    gold, silver = (one["id"] for one in made["options"])
    customers = []
    for option in (gold, silver):
        body = {"firstName": "Mona", "properties": [{"slug": "tier-of-1", "value": option}]}
        customers.append(desk.post("/v2/customers", body).headers["Location"])
    change = {"name": "Tier", "choice-1": "Golden", "option-1": gold, "choice-2": "Bronze", "option-2": ""}
    assert ada.send("/settings/properties/customers/tier-of-1", **change).ok
    (made,) = desk.get("/v2/customer-properties").json()["_embedded"]["customer-properties"]
    assert made["name"] == "Tier" and [one["label"] for one in made["options"]] == ["Golden", "Bronze"]
    assert made["options"][0]["id"] == gold
    kept, lost = (desk.get(url).json()["_embedded"]["properties"] for url in customers)
    assert [one.get("value") for one in kept] == [gold] and not any(one.get("value") for one in lost)


def test_a_property_of_organizations_is_defined_changed_and_deleted(desk: Desk) -> None:
    ada = signed_in(desk)
    assert ada.send("/settings/properties/organizations/new", name="Since", type="date", slug="since").ok
    assert ada.send("/settings/properties/organizations/since", name="Customer since").ok
    (made,) = desk.get("/v2/organizations/properties").json()["_embedded"]["organization-properties"]
    assert (made["slug"], made["name"], made["type"]) == ("since", "Customer since", "date")
    assert "loses what is kept" in ada.page("/settings/properties/organizations/since/delete").text_content()
    assert ada.send("/settings/properties/organizations/since/delete").ok
    assert ada.get("/settings/properties/organizations/since").status_code == 404
    assert ada.get("/settings/properties/nobody/since").status_code == 404


@pytest.mark.parametrize("whose", ["customers", "organizations"])
@pytest.mark.parametrize(
    "given, fault",
    [
        ({"slug": "a b"}, "The name in the API must have only letters, digits, - and _."),
        ({"slug": "since"}, "The name in the API belongs to a property already."),
        ({"type": "map"}, "The kind "),
        ({"type": "dropdown"}, "The choices must be at least one."),
        ({"type": "dropdown", "choice-1": "a", "choice-2": "a"}, "The choices must be unique."),
        ({"name": ""}, "Name "),
    ],
)
def test_a_property_that_can_t_be_is_refused(desk: Desk, whose: str, given: dict[str, str], fault: str) -> None:
    ada = signed_in(desk)
    path = f"/settings/properties/{whose}/new"
    assert ada.send(path, name="Since", type="date", slug="since").ok
    answer = ada.send(path, **{"name": "Other", "type": "text", "slug": "other"} | given)
    assert answer.status_code == 400 and fault in alert(answer)


# -- Ratings


def test_ratings_are_listed_the_newest_first_with_their_words(desk: Desk) -> None:
    inbox = desk.add_inbox("Orders")
    for number, (given, words) in enumerate((("great", "Quick <b>"), ("not_good", ""), ("great", ""))):
        customer = {"email": f"c{number}@buyer.example", "firstName": f"Mona{number}"}
        body = {
            "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
            "threads": [
                {"type": "customer", "text": "Where?", "customer": customer},
                {"type": "reply", "text": "Here", "customer": customer},
            ],
        }  # fmt: skip
        url = desk.post("/v2/conversations", body).headers["Location"]
        thread = desk.get(f"{url}/threads").json()["_embedded"]["threads"][0]["id"]
        desk.write(lambda tx, thread=thread, given=given, words=words: rate(  # type: ignore[misc]
            tx, desk.account_id, thread, given, words, desk.now
        ))  # fmt: skip
    ada = signed_in(desk)

    def lines(query: str = "") -> list[str]:
        return [one.text_content() for one in ada.page(f"/settings/ratings{query}").cssselect(".things .reach")]

    assert [one.split()[0] for one in lines()] == ["Mona2", "Mona1", "Mona0"]
    assert [one.split()[0] for one in lines("?rating=not_good")] == ["Mona1"]
    assert [one.split()[0] for one in lines("?comments=1")] == ["Mona0"]
    assert "Quick <b>" in ada.page("/settings/ratings").text_content()
    assert lines("?page=2") == []


def test_where_replies_ask_is_decided_for_each_inbox(desk: Desk) -> None:
    orders, help_ = desk.add_inbox("Orders"), desk.add_inbox("Help")
    ada = signed_in(desk)

    def ticked() -> list[str]:
        found = ada.page("/settings/ratings").cssselect("input[name=inboxes][checked]")
        return [str(one.get("value")) for one in found]

    assert ada.send("/settings/ratings", inboxes=[orders, help_]).ok and ticked() == [str(orders), str(help_)]
    assert ada.send("/settings/ratings", inboxes=[help_]).ok and ticked() == [str(help_)]
