"""The search, its suggestions, views, and the palette."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from lxml import html

from deskhand.desk.conversations import views
from deskhand.desk.inboxes.folders import Folder, folder_id
from tests.desk.conversations.builders import done, patch, read, start
from tests.web.inbox.test_lists import rows, text
from tests.web.people import Person, signed_in
from tests.world import Desk

WORDS = Random(7)
LONGEST = f"{' OR '.join(''.join(WORDS.choices('бвгджзклмнпрст', k=6)) for _ in range(99))} OR hums"[
    -views.QUERY_MOST :
]
"""A search that is as long as may be, of words that repeat nothing and take most room in addresses."""


def suggested(me: Person, query: str) -> list[tuple[str, str]]:
    page = html.fromstring(me.get("/search/suggestions", params={"query": query}).text)
    options: list[Any] = page.cssselect('[role="option"]')
    return [(text(one.cssselect("span")[0]), one.get("data-query")) for one in options]


def test_the_search_takes_words_and_fields(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    lamp, wick = start(desk, inbox, subject="Lamp hums"), start(desk, inbox, subject="Wick burns", tags=["vip"])
    assert rows(me.page("/search?query=hums")) == [lamp]
    assert rows(me.page("/search?query=tag:vip")) == [wick]
    assert set(rows(me.page("/search"))) == {lamp, wick}
    assert rows(me.page("/search?order=oldest")) == [lamp, wick]
    half = me.page("/search?query=status:active+wic")
    assert rows(half) == [wick] and "begin so" in text(half.cssselect('[role="status"].search-hint')[0])
    other = start(desk, inbox, subject="Wicker basket")
    half = me.page("/search?query=wic&order=oldest")
    assert rows(half) == [wick, other]
    opened: list[Any] = half.cssselect("a.open")
    after: list[Any] = me.page(opened[0].get("href")).cssselect("a[rel=next]")
    assert [one.get("href").partition("?")[0] for one in after] == [f"/conversation/{other}"]
    nothing = me.page("/search?query=zeppelin")
    assert "Nothing found" in text(nothing) and not nothing.cssselect('[role="alert"]')


def test_what_is_wrong_with_a_query_is_named(desk: Desk) -> None:
    me = signed_in(desk)
    for query, words in (
        ('"open', "This quotation mark is never closed"), ("colour:red", "There is no field colour"),
        ("tag:", "has no value after its colon"),
    ):  # fmt: skip
        page = me.page(f"/search?query={query}")
        assert words in text(page.cssselect('#list [role="alert"]')[0])
        assert page.cssselect("#query")[0].get("value") == query
        assert not rows(page)


def test_a_search_has_a_length_up_to_which_it_is_looked_for(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    found = [start(desk, inbox, subject="Lamp hums") for _ in range(3)]
    page = me.page("/search?" + urlencode({"query": LONGEST, "order": "oldest"}))
    assert rows(page) == found and not page.cssselect('[role="alert"]')
    opened: list[Any] = page.cssselect("#list a.open")
    assert max(len(one.get("href")) for one in opened) < 3_000
    beside: Any = me.page(opened[1].get("href"))
    assert rows(me.page(beside.cssselect('a[data-key="u"]')[0].get("href"))) == found
    around = [beside.cssselect(f"a[rel={rel}]")[0].get("href").partition("?")[0] for rel in ("prev", "next")]
    assert around == [f"/conversation/{found[0]}", f"/conversation/{found[2]}"]

    too_long = "x" * 5_000
    page = me.page(f"/search?query={too_long}")
    words = "A search may have at most 1,000 characters, and this has 5,000: leave something out."
    assert text(page.cssselect('#list [role="alert"]')[0]) == words and not rows(page)
    field: Any = page.cssselect("#query")[0]
    assert (field.get("value"), field.get("aria-invalid"), field.get("maxlength")) == (too_long, "true", None)
    assert not page.cssselect("#save-view")
    assert len(me.get(f"/search?query={too_long}").text) < 100_000
    assert suggested(me, f"{too_long} st") == []
    listed = desk.get("/v2/conversations", query=f"subject:hums{' ' * 4_000}", status="all")
    assert listed.json()["page"]["totalElements"] == len(found), "the API takes what it took"


def test_the_page_of_the_longest_search_stays_small(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    for _ in range(20):
        start(desk, inbox, subject="Lamp hums")
    plain, long = (me.get(f"/search?{urlencode({'query': query})}").text for query in ("hums", LONGEST))
    assert plain.count("data-row=") == long.count("data-row=") == 20
    assert len(long) - len(plain) < 20 * 2_000 + 60_000


def test_a_view_has_a_search_as_long_as_may_be(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    vip = start(desk, inbox, tags=["vip"])
    path = me.send("/views", name="Important", query="tag:vip").url.removeprefix(me.server.url)
    answer = me.send(path, name="Other", query="x" * 1_001)
    page = html.fromstring(answer.text)
    assert answer.status_code == 400 and rows(page) == [vip]
    field: Any = page.cssselect("#view-menu[open] #view-query")[0]
    assert (field.get("value"), field.get("aria-invalid")) == ("x" * 1_001, "true")
    said = page.get_element_by_id(field.get("aria-describedby"))
    assert text(said) == "A search may have at most 1,000 characters, and this has 1,001."
    assert page.cssselect("#view-name")[0].get("value") == "Other"
    assert me.send("/views", name="Long", query="x" * 1_001).status_code == 400
    assert me.send(path, name="Other", query="tag:vip OR ".ljust(990) + "hums").status_code == 200


def test_suggestions_complete_fields_and_values(desk: Desk) -> None:
    inbox, me = desk.add_inbox("Support desk"), signed_in(desk)
    start(desk, inbox, tags=["late parcel", "lamp"])
    desk.add_user("Ines", "Okafor", inboxes=(inbox,))
    assert suggested(me, "lamp st")[0] == ("status:", "lamp status:")
    assert [one for one, _ in suggested(me, "")][:2] == ["status:", "tag:"]
    assert suggested(me, "-status:clo") == [("status:closed", "-status:closed ")]
    assert suggested(me, "tag:la") == [
        ("tag:lamp", "tag:lamp "), ('tag:"late parcel"', 'tag:"late parcel" '),
    ]  # fmt: skip
    assert ("assigned:Unassigned", "assigned:Unassigned ") in suggested(me, "assigned:")
    assert suggested(me, 'x assigned:"ines') == [('assigned:"Ines Okafor"', 'x assigned:"Ines Okafor" ')]
    assert suggested(me, "mailbox:sup") == [('mailbox:"Support desk"', 'mailbox:"Support desk" ')]
    assert suggested(me, "zzz") == []


def test_a_search_becomes_a_view(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    ines = signed_in(desk, desk.add_user(inboxes=(inbox,)))
    vip = start(desk, inbox, tags=["vip"])
    start(desk, inbox)
    own = me.send("/views", name="Important", query="tag:vip")
    assert rows(html.fromstring(own.text)) == [vip]
    path = own.url.removeprefix(me.server.url)
    assert text(me.page("/search").cssselect(f'#side a[href="{path}"]')[0]) == "Important"
    assert ines.get(path).status_code == 404
    shared = ines.send("/views", name="Ours", query="tag:vip", for_all="1")
    assert shared.status_code == 403

    assert me.send(path, name="For all", query="-tag:vip", for_all="1").status_code == 200
    page = ines.page(path)
    assert text(page.cssselect("h1")[0]) == "For all" and vip not in rows(page)
    assert not page.cssselect("#view-menu")
    assert ines.send(path, name="Mine now", query="").status_code == 403
    assert ines.send(f"{path}/delete").status_code == 403
    assert me.send(path, name="  ", query="").status_code == 400
    assert me.send(f"{path}/delete").status_code == 200 and me.get(path).status_code == 404


def test_there_are_only_so_many_views(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "VIEWS_MOST", 2)
    me, lea = signed_in(desk), signed_in(desk, desk.add_user(role="admin"))
    paths = [me.send("/views", name=f"Own {n}", query="").url.removeprefix(me.server.url) for n in range(2)]
    refused = me.send("/views", name="One more", query="")
    assert refused.status_code == 400
    assert "You have 2 views already" in text(html.fromstring(refused.text).cssselect("[role=alert]")[0])
    assert me.send(paths[0], name="Renamed", query="").status_code == 200  # changing one adds none
    for n in range(2):
        assert lea.send("/views", name=f"Ours {n}", query="", for_all="1").status_code == 200
    assert "The account has 2 views" in me.send(paths[0], name="Renamed", query="", for_all="1").text
    assert lea.send("/views", name="Her own", query="").status_code == 200
    assert me.send(f"{paths[1]}/delete").status_code == 200
    assert me.send("/views", name="One more", query="").status_code == 200


def test_a_view_of_one_account_is_not_there_in_another(desk: Desk) -> None:
    me = signed_in(desk)
    made = me.send("/views", name="Own", query="").url.removeprefix(me.server.url)
    other = signed_in(desk, desk.add_user(role="admin"))
    for path in (made, "/views/999999"):
        assert other.get(path).status_code == 404
        assert other.send(f"{path}/delete").status_code == 404


def goals(me: Person, query: str) -> list[tuple[str, str]]:
    answer = me.get("/palette", params={"q": query}, headers={"Deskhand-Script": "1"})
    options: list[Any] = html.fromstring(answer.text).cssselect('[role="option"]')
    return [(text(one.cssselect(".clip")[0]), one.get("data-path")) for one in options]


def test_the_palette_finds_places_people_and_numbers(desk: Desk) -> None:
    inbox, hidden, me = desk.add_inbox("Orders"), desk.add_inbox("Secret"), signed_in(desk)
    customer = {"email": "zora@buyer.example", "firstName": "Zora", "lastName": "Lindqvist"}
    id, far = start(desk, inbox, subject="A lamp", customer=customer), start(desk, hidden)
    shown = read(desk, id)
    assert goals(me, f"#{shown['number']}")[0] == (f"#{shown['number']} A lamp", f"/conversation/{id}")
    mine = f"/folder/{folder_id(inbox, Folder.MINE)}"
    assert ("Mine", mine) in goals(me, "mine orders")
    person = ("Zora Lindqvist", f"/customers/{shown['primaryCustomer']['id']}")
    for typed in ("zor", "LINDQ", "zora lin", "zora@buy"):
        assert person in goals(me, typed), typed
    assert goals(me, "zora")[-1] == ("Search for zora", "/search?query=zora")
    ines = signed_in(desk, desk.add_user(inboxes=(inbox,)))
    assert not [path for _, path in goals(ines, str(read(desk, far)["number"])) if path.startswith("/conversation")]
    assert ("Settings", "/settings") in goals(me, "sett") and ("Settings", "/settings") not in goals(ines, "sett")
    assert me.page("/palette?q=orders").cssselect(f'#main a[href="{mine}"]')


def near(me: Person, **where: str) -> dict[str, list[str]]:
    """What the palette shows before anything is typed: addresses under their headings."""
    answer = me.get("/palette", params={"q": "", **where}, headers={"Deskhand-Script": "1"})
    groups: list[Any] = html.fromstring(answer.text).cssselect('[role="group"]')
    return {
        one.get("aria-label"): [goal.get("data-path") for goal in one.cssselect('[role="option"]')] for one in groups
    }


def test_the_palette_begins_with_what_is_near_at_hand(desk: Desk) -> None:
    first, orders = desk.add_inbox("First"), desk.add_inbox("Orders")
    me, ines = signed_in(desk), signed_in(desk, desk.add_user(inboxes=(first,)))
    unassigned, mine = (f"/folder/{folder_id(orders, kind)}" for kind in (Folder.UNASSIGNED, Folder.MINE))
    shown = near(me, of=unassigned, at=unassigned)
    assert list(shown) == ["Orders", "Pages"] and unassigned not in shown["Orders"] and len(shown["Orders"]) == 7
    assert sum(map(len, shown.values())) == 12

    ids = [start(desk, inbox) for inbox in (first, orders, orders, orders, orders, orders)]
    for id in ids:
        me.send(f"/conversation/{id}/presence", doing="looking")
        desk.server.clock.advance(timedelta(seconds=1))
    ines.send(f"/conversation/{ids[0]}/presence", doing="looking")
    for number in range(5):
        me.send("/views", name=f"View {number}", query="")
    shown = near(me, at=f"/conversation/{ids[-1]}/1006")
    assert list(shown) == ["Recent", "Views", "Orders"], "the inbox of the conversation that is open"
    assert shown["Recent"] == [f"/conversation/{id}" for id in reversed(ids[1:-1])]
    assert len(shown["Views"]) == 3 and shown["Orders"][:2] == [unassigned, mine] and len(shown["Orders"]) == 5
    assert near(me, of=f"/folder/{folder_id(first, Folder.MINE)}", at=f"/conversation/{ids[-1]}")["First"]
    assert near(ines)["Recent"] == [f"/conversation/{ids[0]}"]
    assert [one.get("href") for one in me.page("/palette").cssselect("#main nav a")][0] == f"/conversation/{ids[-1]}"


def test_the_palette_tells_of_no_conversation_that_is_gone_or_out_of_sight(desk: Desk) -> None:
    inbox, hidden = desk.add_inbox(), desk.add_inbox()
    user = desk.add_user(inboxes=(inbox,))
    ines, other = signed_in(desk, user), signed_in(desk)
    moved, deleted, stays = (start(desk, inbox) for _ in range(3))
    for id in (moved, deleted, stays):
        ines.send(f"/conversation/{id}/presence", doing="looking")
    assert len(near(ines)["Recent"]) == 3
    done(patch(desk, moved, "/mailboxId", hidden, "move"))
    done(desk.delete(f"/v2/conversations/{deleted}"))
    assert near(ines)["Recent"] == [f"/conversation/{stays}"]
    assert "Recent" not in near(other)


def test_what_is_typed_finds_all_places_those_of_this_inbox_first(desk: Desk) -> None:
    inboxes, me = [desk.add_inbox(f"Inbox {number}") for number in range(10)], signed_in(desk)
    here = inboxes[7]
    answer = me.get(
        "/palette", params={"q": "spam", "of": f"/folder/{folder_id(here, Folder.MINE)}"},
        headers={"Deskhand-Script": "1"},
    )  # fmt: skip
    paths = [one.get("data-path") for one in html.fromstring(answer.text).cssselect('[role="option"]')]
    assert paths[0] == f"/folder/{folder_id(here, Folder.SPAM)}" and len(paths) == 9
    assert ("Spam", f"/folder/{folder_id(inboxes[9], Folder.SPAM)}") in goals(me, "inbox 9 spam")


def test_a_list_without_anything_says_what_is_missing(desk: Desk) -> None:
    person = signed_in(desk)
    assert person.page("/search").cssselect("#list .nothing a.first")[0].get("href") == "/settings/inboxes/new"
    outsider = signed_in(desk, desk.add_user("Ines"))
    assert "administers" in outsider.page("/search").cssselect("#list .nothing")[0].text_content()
    desk.add_inbox()
    assert "No conversations yet" in person.page("/search").cssselect("#list .nothing")[0].text_content()
    unknown = person.page("/search?query=status:actve+lamp").cssselect("#list .nothing p")[0].text_content()
    assert unknown == "There is no status actve; there are active, pending, closed, spam and open."
