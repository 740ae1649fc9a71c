"""Folders as pages: what stands in a row, in which order, on which page; and what stands beside a conversation."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from lxml import html

from deskhand.db.engine import Writer
from deskhand.db.statements import P, command, value
from deskhand.desk import access
from deskhand.desk.conversations import presence, queries
from deskhand.desk.conversations.tables import conversation, thread_mail
from deskhand.desk.inboxes.folders import Folder, folder_id
from deskhand.desk.users.preferences import Preferences
from deskhand.web.inbox import places
from deskhand.web.inbox.places import Beside
from deskhand.web.visiting import Visitor
from tests.desk.conversations.builders import merge, patch, read, reply, snooze, start
from tests.web.inbox.forms import fields_of
from tests.web.people import signed_in
from tests.world import Desk


def folder(inbox: int, kind: Folder, more: str = "") -> str:
    return f"/folder/{folder_id(inbox, kind)}{more}"


def rows(page: html.HtmlElement) -> list[int]:
    return [int(row.get("data-row", "0")) for row in page.cssselect("#list [data-row]")]


def row(page: html.HtmlElement, id: int) -> html.HtmlElement:
    return page.cssselect(f"#row-{id}")[0]


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def set_waiting(desk: Desk, id: int, at: str | None) -> None:
    """Since when somebody waits in a conversation."""
    own = (conversation.c.account_id == P("for_account"), conversation.c.id == P("for_id"))
    statement = command(conversation.update().where(*own).values(waiting_since=P("at")), keep=False)
    desk.write(lambda tx: tx.run(statement, for_account=desk.account_id, for_id=id, at=at))


def modified_at(desk: Desk, id: int) -> str:
    """When something last happened in a conversation."""
    own = (conversation.c.account_id == P("for_account"), conversation.c.id == P("for_id"))
    statement = value(str, sa.select(conversation.c.modified_at).where(*own), keep=False)
    return desk.write(lambda tx: tx.first(statement, for_account=desk.account_id, for_id=id))


def at_minutes(desk: Desk, *ids: int) -> None:
    """Let something have happened in conversations, a minute apart, in the last one last."""
    own = (conversation.c.account_id == P("for_account"), conversation.c.id == P("for_id"))
    statement = command(conversation.update().where(*own).values(modified_at=P("at")), keep=False)
    for place, id in enumerate(reversed(ids), 1):
        at = ago(desk, minutes=place)
        desk.write(lambda tx, id=id, at=at: tx.run(statement, for_account=desk.account_id, for_id=id, at=at))  # type: ignore[misc]


def classes(element: html.HtmlElement) -> list[str]:
    return (element.get("class") or "").split()


def ago(desk: Desk, **time: float) -> str:
    return (desk.server.clock.now() - timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_row_tells_what_one_needs_to_know(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ines = desk.add_user("Ines", "Okafor")
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}
    wrote = {"type": "customer", "text": "The lamp hums.", "attachments": [file]}
    customer = {"email": "paul@buyer.example", "firstName": "Paul", "lastName": "Adeyemi"}
    id = start(
        desk, inbox, subject="Humming <b>lamp</b>", tags=["vip", "b", "c", "d"], assignTo=ines, customer=customer,
        threads=[wrote, {"type": "note", "text": "Ask him"}],
    )  # fmt: skip
    set_waiting(desk, id, ago(desk, hours=50))
    desk.write(lambda tx: presence.be(tx, desk.account_id, id, ines, "writing", desk.server.clock.now()))
    found = row(signed_in(desk).page(folder(inbox, Folder.ASSIGNED)), id)
    assert text(found.cssselect(".who")[0]) == "Paul Adeyemi 2 messages"
    assert text(found.cssselect(".subject")[0]) == "Humming <b>lamp</b>"
    assert [text(tag) for tag in found.cssselect(".tag")] == ["vip", "b", "c", "+1"]
    assert found.cssselect('.marks [aria-label="Has attachments"]')
    assert text(found.cssselect(".owner .spoken")[0]) == "Assigned to Ines Okafor"
    assert "warn" in classes(found.cssselect(".when")[0]) and text(found.cssselect(".when")[0]).startswith("2 d")
    assert "Ines writes" in text(found) and "ours" in classes(found)
    link = found.cssselect("a.open")[0].get("href")
    assert link == f"/conversation/{id}?from=/folder/{folder_id(inbox, Folder.ASSIGNED)}%3Fat%3D{modified_at(desk, id)}"


def test_colour_comes_only_with_long_waiting(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    levels = {}
    for hours in (1, 23, 25, 71, 73):
        id = start(desk, inbox)
        set_waiting(desk, id, ago(desk, hours=hours))
        found = row(me.page(folder(inbox, Folder.UNASSIGNED)), id).cssselect(".when")[0]
        levels[hours] = " ".join(classes(found)[1:])
    assert levels == {1: "", 23: "", 25: "warn", 71: "warn", 73: "bad"}


def test_unsent_drafts_show_and_an_agents_before_others(desk: Desk) -> None:
    inbox, agent = desk.add_inbox(), desk.add_system_user("Triage")
    lea = desk.add_user("Lea", role="admin")
    by_agent, by_lea, mine = (start(desk, inbox) for _ in range(3))
    reply(desk, by_agent, draft=True, user=lea)
    reply(desk, by_agent, draft=True, user=agent)
    reply(desk, by_lea, draft=True, user=lea)
    reply(desk, mine, draft=True)
    page = signed_in(desk).page(folder(inbox, Folder.UNASSIGNED))
    notes = {id: text(row(page, id).cssselect(".mark.note")[0]) for id in (by_agent, by_lea, mine)}
    assert notes == {by_agent: "Triage drafted", by_lea: "Draft of Lea", mine: "Your draft"}


def test_each_folder_shows_its_own_and_an_exact_number(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    other = desk.add_user()
    unassigned, pending = start(desk, inbox), start(desk, inbox, status="pending")
    mine, theirs = start(desk, inbox, assignTo=desk.user_id), start(desk, inbox, assignTo=other)
    closed, spam = start(desk, inbox, status="closed"), start(desk, inbox)
    assert patch(desk, spam, "/status", "spam").status_code == 204
    aside = start(desk, inbox)
    snooze(desk, aside, "2090-01-01T09:00:00Z", until_reply=True)
    wanted = {
        Folder.UNASSIGNED: {unassigned, pending}, Folder.MINE: {mine}, Folder.ASSIGNED: {mine, theirs},
        Folder.CLOSED: {closed}, Folder.SPAM: {spam}, Folder.SNOOZED: {aside}, Folder.DRAFTS: set(),
        Folder.NEEDS_ATTENTION: set(),
    }  # fmt: skip
    for kind, ids in wanted.items():
        page = me.page(folder(inbox, kind))
        assert set(rows(page)) == ids, kind
        number = f"{len(ids)} conversation{'' if len(ids) == 1 else 's'}"
        assert number in text(page.cssselect(".list-title p")[0])
        assert bool(page.cssselect(".nothing h2")) == (not ids)
    assert "until 1 Jan 2090" in text(row(me.page(folder(inbox, Folder.SNOOZED)), aside))
    side = me.page(folder(inbox, Folder.UNASSIGNED)).cssselect(f"#inbox-{inbox} nav a")
    numbers = {
        text(one).rsplit(" ", 1)[0]: text(one.cssselect(".number")[0]) for one in side if one.cssselect(".number")
    }
    assert numbers == {"Unassigned": "1", "Mine": "1", "Assigned": "2", "Snoozed": "1"}


def wait_for_mail(desk: Desk) -> None:
    """Until all mail was tried to be sent: after that nobody but a test says what became of it."""
    own = (thread_mail.c.account_id == P("for_account"), thread_mail.c.state == sa.literal_column("'waiting'"))
    waiting = value(int, sa.select(sa.func.count()).select_from(thread_mail).where(*own), keep=False)
    deadline = time.monotonic() + 60
    while desk.server.app.database.read_now(lambda db: db.first(waiting, for_account=desk.account_id)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_could_not_be_delivered_needs_attention(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    good, bad, done = (start(desk, inbox) for _ in range(3))
    for id in (good, bad, done):
        reply(desk, id)
    wait_for_mail(desk)
    own = (thread_mail.c.account_id == P("for_account"), thread_mail.c.conversation_id == P("id"))
    became = command(thread_mail.update().where(*own).values(state=P("is_now"), error=P("why")), keep=False)
    for id, state, why in ((good, "sent", ""), (bad, "failed", "No such mailbox"), (done, "bounced", "Unknown")):
        given = {"for_account": desk.account_id, "id": id, "is_now": state, "why": why}
        desk.write(lambda tx, given=given: tx.run(became, **given))  # type: ignore[misc]
    assert patch(desk, done, "/status", "closed").status_code == 204
    page = me.page(folder(inbox, Folder.NEEDS_ATTENTION))
    assert rows(page) == [bad]
    assert text(page.cssselect('#side a[aria-current="page"] .number')[0]) == "1"


def test_orders_and_pages_go_to_the_end(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    ids = [start(desk, inbox) for _ in range(53)]
    for place, id in enumerate(ids):
        set_waiting(desk, id, ago(desk, hours=place + 1) if place else None)
    first = me.page(folder(inbox, Folder.UNASSIGNED))
    assert rows(first) == ids[::-1][:50]
    assert rows(me.page(folder(inbox, Folder.UNASSIGNED, "?page=2"))) == ids[::-1][50:]
    at_minutes(desk, *ids[1:], ids[0])  # something happened in the oldest
    assert rows(me.page(folder(inbox, Folder.UNASSIGNED))) == [ids[0], *ids[:3:-1]]
    assert rows(me.page(folder(inbox, Folder.UNASSIGNED, "?order=newest"))) == ids[::-1][:50]
    assert rows(me.page(folder(inbox, Folder.UNASSIGNED, "?order=oldest&page=2"))) == ids[50:]
    waiting = me.page(folder(inbox, Folder.UNASSIGNED, "?order=waiting"))
    assert rows(waiting) == ids[:2:-1]
    last = waiting.cssselect('a[rel="next"]')[0].get("href")
    assert last == folder(inbox, Folder.UNASSIGNED, "?order=waiting&page=2")
    assert rows(me.page(last)) == [ids[2], ids[1], ids[0]]  # nobody waits in the last
    beyond = me.get(folder(inbox, Folder.UNASSIGNED, "?page=9"))
    assert beyond.url.endswith("?page=2") and "51–53 of 53" in beyond.text


def test_an_inbox_leads_to_what_nobody_has_taken(desk: Desk) -> None:
    inbox = desk.add_inbox()
    assert signed_in(desk).get(f"/inbox/{inbox}").url.endswith(folder(inbox, Folder.UNASSIGNED))


def test_others_folders_are_not_there(desk: Desk) -> None:
    inbox, hidden = desk.add_inbox(), desk.add_inbox()
    ines = signed_in(desk, desk.add_user(inboxes=(inbox,)))
    assert ines.get(folder(hidden, Folder.UNASSIGNED)).status_code == 403
    for path in ("/folder/11", "/folder/9990009", "/folder/x", f"/folder/{inbox}0", "/inbox/1"):
        assert ines.get(path).status_code == 404, path
    assert "Support" in text(ines.page(folder(inbox, Folder.MINE)).cssselect("#side")[0])


def test_what_is_about_to_be_deleted_is_marked(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    going, staying = start(desk, inbox), start(desk, inbox)
    assert "1 conversation deleted." in me.send("/bulk", id=going, do="delete", place="/").text
    page = me.page(folder(inbox, Folder.UNASSIGNED))
    assert "doomed" in classes(row(page, going)) and "doomed" not in classes(row(page, staying))


# -- Beside a conversation


def beside(desk: Desk, came_from: str, id: int) -> Beside:
    def read(tx: Writer) -> Beside:
        actor = access.actor(tx, desk.user_id)
        assert actor is not None
        who = Visitor(actor, "Ada Holm", "", None, "UTC", "", 0, Preferences())
        return places.neighbours(tx, who, came_from, queries.head(tx, actor, id), desk.server.clock.now())

    return desk.write(read)


def ids_beside(desk: Desk, came_from: str, id: int) -> tuple[int | None, int | None]:
    found = beside(desk, came_from, id)
    one, other = (
        path and int(path.removeprefix("/conversation/").partition("?")[0]) for path in (found.before, found.after)
    )
    return one or None, other or None


@pytest.mark.parametrize("order", ["", "?order=newest", "?order=oldest", "?order=waiting"])
def test_neighbours_follow_the_order_of_the_list(desk: Desk, order: str) -> None:
    inbox = desk.add_inbox()
    ids = [start(desk, inbox) for _ in range(6)]
    for place, id in enumerate(ids):
        set_waiting(desk, id, ago(desk, hours=place + 1) if place > 1 else None)
    came_from = folder(inbox, Folder.UNASSIGNED, order)
    listed = rows(signed_in(desk).page(came_from))
    assert sorted(listed) == ids
    for place, id in enumerate(listed):
        before = listed[place - 1] if place else None
        after = listed[place + 1] if place + 1 < len(listed) else None
        assert ids_beside(desk, came_from, id) == (before, after), place


def test_neighbours_stay_when_a_conversation_has_left_the_list(desk: Desk) -> None:
    inbox = desk.add_inbox()
    first, second, third = (start(desk, inbox) for _ in range(3))
    at_minutes(desk, first, second, third)
    place = f"?at={modified_at(desk, second)}"
    assert patch(desk, second, "/status", "closed").status_code == 204
    found = beside(desk, folder(inbox, Folder.UNASSIGNED, place), second)
    assert found.path == folder(inbox, Folder.UNASSIGNED) and found.name == "Unassigned"
    links = [f"/conversation/{id}?from={found.path}%3Fat%3D{modified_at(desk, id)}" for id in (third, first)]
    assert [found.before, found.after] == links


@pytest.mark.parametrize("order", ["", "?order=newest", "?order=waiting"])
def test_working_through_a_list_goes_on_to_what_came_behind(desk: Desk, order: str) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    ids = [start(desk, inbox, subject=f"Lamp {place}") for place in range(5)]
    for place, id in enumerate(ids):
        set_waiting(desk, id, ago(desk, hours=place + 1))
    at_minutes(desk, *ids)
    listed = rows(me.page(folder(inbox, Folder.UNASSIGNED, order)))
    assert listed == ids[::-1]
    opened = row(me.page(folder(inbox, Folder.UNASSIGNED, order)), listed[2]).cssselect("a.open")[0].get("href") or ""
    assert next_of(me.page(opened)) == listed[3]
    reply(desk, listed[2])
    assert patch(desk, listed[2], "/status", "active").status_code == 204
    now = rows(me.page(folder(inbox, Folder.UNASSIGNED, order)))
    assert now == {
        "": [listed[2], *listed[:2], *listed[3:]], "?order=newest": listed,
        "?order=waiting": [*listed[:2], *listed[3:], listed[2]],
    }[order]  # fmt: skip
    after = me.page(opened)
    assert (next_of(after, "prev"), next_of(after)) == (listed[1], listed[3])
    assert after.cssselect("a[data-key=u]")[0].get("href") == folder(inbox, Folder.UNASSIGNED, order)


@pytest.mark.parametrize("order", ["", "?order=waiting"])
def test_sending_goes_on_to_what_came_behind_and_undoing_comes_back_to_the_place(desk: Desk, order: str) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    ids = [start(desk, inbox) for _ in range(4)]
    for place, id in enumerate(ids):
        set_waiting(desk, id, ago(desk, hours=place + 1))
    at_minutes(desk, *ids)
    listed = ids[::-1]
    opened = row(me.page(folder(inbox, Folder.UNASSIGNED, order)), listed[1]).cssselect("a.open")[0].get("href") or ""
    fields = fields_of(me.page(opened), "write-reply") | {"text": "It is mended.", "send": "active"}
    own = {"Referer": me.server.url + opened}
    sent = me.http.post(f"{me.server.url}/conversation/{listed[1]}/reply", data=fields, headers=own, timeout=30)
    third = html.fromstring(sent.text)
    assert f"/conversation/{listed[2]}?" in sent.url and ids_of(third) == (listed[0], listed[3])
    (undo,) = third.xpath("//*[@id='said']//form")
    other = {"Referer": sent.url}
    back = me.http.post(
        me.server.url + str(undo.get("action")), data=dict(undo.form_values()), headers=other, timeout=30
    )
    assert f"/conversation/{listed[1]}?" in back.url
    assert ids_of(html.fromstring(back.text)) == (listed[0], listed[2])


def test_a_merged_conversation_leads_on_with_its_place(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    ids = [start(desk, inbox) for _ in range(4)]
    at_minutes(desk, *ids)
    opened = row(me.page(folder(inbox, Folder.UNASSIGNED)), ids[2]).cssselect("a.open")[0].get("href") or ""
    merge(desk, ids[2], ids[3])
    found = me.get(opened)
    assert f"/conversation/{ids[3]}?" in found.url and ids_of(html.fromstring(found.text)) == (None, ids[1])


def test_what_moved_away_is_never_beside_itself(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    only = start(desk, inbox)
    set_waiting(desk, only, ago(desk, hours=1))
    at_minutes(desk, only)
    for order in ("", "?order=waiting"):
        opened = row(me.page(folder(inbox, Folder.UNASSIGNED, order)), only).cssselect("a.open")[0].get("href") or ""
        reply(desk, only)
        assert patch(desk, only, "/status", "active").status_code == 204
        assert ids_of(me.page(opened)) == (None, None), order
        set_waiting(desk, only, ago(desk, hours=1))


def test_a_place_that_was_tampered_with_is_the_present_one(desk: Desk) -> None:
    inbox = desk.add_inbox()
    first, second, third = (start(desk, inbox) for _ in range(3))
    at_minutes(desk, first, second, third)
    for at in ("x", "", "2026-99", "nobody", "'; DROP", "%00", "9" * 3000):
        assert ids_beside(desk, folder(inbox, Folder.UNASSIGNED, f"?at={at}"), second) == (third, first), at


def ids_of(page: html.HtmlElement) -> tuple[int | None, int | None]:
    return next_of(page, "prev"), next_of(page)


def next_of(page: html.HtmlElement, rel: str = "next") -> int | None:
    """The conversation that the page of another leads to."""
    found = link(page, rel)
    return int(found.removeprefix("/conversation/").partition("?")[0]) if found else None


def link(page: html.HtmlElement, rel: str = "next") -> str:
    found: list[Any] = page.cssselect(f"a[rel={rel}]")
    return str(found[0].get("href")) if found else ""


def test_neighbours_of_a_search_and_of_nowhere(desk: Desk) -> None:
    inbox = desk.add_inbox()
    first = start(desk, inbox, subject="Wick one")
    start(desk, inbox, subject="Other")
    second = start(desk, inbox, subject="Wick two", assignTo=desk.user_id)
    assert ids_beside(desk, "/search?query=wick", first) == (second, None)
    assert beside(desk, "/search?query=wick&order=newest", first).before == (
        f"/conversation/{second}?from=/search%3Fquery%3Dwick%26order%3Dnewest"
    )
    for nowhere in ("", "/folder/11", "https://elsewhere.example/folder/1", "//[", "/search?query=tag:["):
        assert beside(desk, nowhere, second).path == folder(inbox, Folder.MINE), nowhere


def test_the_side_bar_marks_the_list_that_one_came_from(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    id = start(desk, inbox)
    page = me.page(folder(inbox, Folder.UNASSIGNED))
    opened = me.page(row(page, id).cssselect("a.open")[0].get("href") or "")
    marked: list[Any] = opened.cssselect('#side a[aria-current="page"]')
    assert [one.get("href") for one in marked] == [folder(inbox, Folder.UNASSIGNED)]


def test_without_a_list_the_side_bar_shows_the_conversations_own_inbox(desk: Desk) -> None:
    desk.add_inbox()
    inbox, me = desk.add_inbox(), signed_in(desk)
    theirs, mine = start(desk, inbox, status="closed"), start(desk, inbox, assignTo=desk.user_id)
    for id, kind in ((theirs, Folder.CLOSED), (mine, Folder.MINE)):
        page = me.page(f"/conversation/{id}")
        marked: list[Any] = page.cssselect('#side a[aria-current="page"]')
        assert [one.get("href") for one in marked] == [folder(inbox, kind)]
        assert [one.get("id") for one in page.cssselect("#side details[open]")] == [f"inbox-{inbox}"]


def test_a_row_tells_the_time_that_the_order_goes_by(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    id = start(desk, inbox)
    set_waiting(desk, id, None)
    at_minutes(desk, id)

    def shown(order: str) -> list[str | None]:
        found = row(me.page(folder(inbox, Folder.UNASSIGNED, order)), id)
        return [one.get("datetime") for one in found.cssselect(".when time")]

    created = read(desk, id)["createdAt"]
    assert shown("") == [modified_at(desk, id)] != [created]
    assert shown("?order=newest") == [created]
    set_waiting(desk, id, ago(desk, days=2))
    assert shown("") == [modified_at(desk, id)]
    set_waiting(desk, id, modified_at(desk, id))
    assert shown("") == [], "how long somebody waits says it already"


def test_pages_say_what_they_show_and_the_side_bar_comes_by_itself(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id, person = start(desk, inbox), signed_in(desk)
    for path, shows in (
        (folder(inbox, Folder.CLOSED), f"inbox {inbox}"),
        ("/search?query=lamp", "everything"),
        (f"/conversation/{id}", f"conversation {id}"),
        ("/settings", "nothing"),
        ("/settings/tags", "nothing"),
        ("/settings/jobs", "everything"),
        ("/console", "nothing"),
        ("/account", "nothing"),
        ("/reports", "nothing"),
        ("/new", "nothing"),
    ):
        assert [one.get("data-shows") for one in person.page(path).cssselect("[data-shows]")] == [shows], path
    beside, aside = (person.page(path).cssselect("#side")[0] for path in ("/reports", "/side?of=/reports"))
    assert html.tostring(aside) == html.tostring(beside)
