"""Many conversations changed from a list: what was chosen or all of it, told in words, and undone."""

from __future__ import annotations

import re

import pytest
from lxml import html

from deskhand.desk.conversations.bulk import doing
from deskhand.desk.inboxes.folders import Folder, folder_id
from deskhand.web.said import Undo
from tests.desk.conversations.builders import read, start
from tests.web.people import Person, signed_in
from tests.world import Desk


def said(answer: str) -> str:
    return " ".join(html.fromstring(answer).cssselect("#said")[0].text_content().split())


def undo_form(answer: str) -> tuple[str, dict[str, str]]:
    form = html.fromstring(answer).cssselect("#said form")[0]
    fields = {one.get("name", ""): one.get("value", "") for one in form.cssselect('input[type="hidden"]')}
    fields.pop("csrf")
    return form.get("action", ""), fields


def send(me: Person, place: str, do: str, ids: list[int] | None = None, **more: str) -> str:
    fields = {"place": place, "do": do, **more}
    answer = me.send("/bulk", **fields, id=[str(id) for id in ids or ()])
    assert answer.url == me.server.url + place, answer.text[:3000]
    return answer.text


@pytest.mark.parametrize(
    ("do", "words", "check"),
    [
        ("status:closed", "Closed 2 conversations.", lambda one: one["status"] == "closed"),
        ("status:spam", "Marked 2 conversations as spam.", lambda one: one["status"] == "spam"),
        ("assign:{me}", "Assigned 2 conversations to Ada Holm.", lambda one: one["assignee"]["first"] == "Ada"),
        ("tag:late", "Tagged 2 conversations with late.", lambda one: one["tags"][0]["tag"] == "late"),
        ("move:{other}", "Moved 2 conversations to Billing.", lambda one: one["closedBy"] == 0),
        ("snooze:tomorrow", "Snoozed 2 conversations.", lambda one: one["snooze"]["snoozedBy"] > 0),
    ],
)
def test_what_was_chosen_is_changed_and_put_back(desk: Desk, do: str, words: str, check: object) -> None:
    inbox, other, me = desk.add_inbox(), desk.add_inbox("Billing"), signed_in(desk)
    chosen, left = [start(desk, inbox), start(desk, inbox)], start(desk, inbox)
    before = {id: read(desk, id)["folderId"] for id in chosen}
    place = f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}"
    answer = send(me, place, do.format(me=desk.user_id, other=other), chosen)
    assert said(answer) == f"{words} Undo"
    assert all(check(read(desk, id)) for id in chosen) and read(desk, left)["tags"] == []  # type: ignore[operator]
    path, fields = undo_form(answer)
    again = me.send(path, **fields)
    assert said(again.text) == "2 conversations put back." and again.url.endswith(place)
    assert {id: read(desk, id)["folderId"] for id in chosen} == before
    assert "Undone" in again.text


def test_all_of_a_folder_or_search_is_changed_whatever_the_page(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    ids = [start(desk, inbox, subject="Wick" if place % 2 else "Lamp") for place in range(6)]
    place = f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}"
    assert said(send(me, "/search?query=subject%3Awick", "tag:wick", ids[:1], all="1")).startswith("Tagged 3 conv")
    assert [bool(read(desk, id)["tags"]) for id in ids] == [False, True] * 3
    assert said(send(me, place, "status:closed", ids[:1], all="1")).startswith("Closed 6 conversations.")
    assert {read(desk, id)["status"] for id in ids} == {"closed"}


def test_many_are_left_to_the_worker_with_progress_on_the_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doing, "AT_ONCE", 2)
    inbox, me = desk.add_inbox(), signed_in(desk)
    ids = [start(desk, inbox) for _ in range(4)]
    place = f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}"
    answer = send(me, place, "status:closed", ids)
    assert said(answer).startswith("4 conversations are being changed.")
    progress = html.fromstring(answer).cssselect("#main progress")
    assert not progress or progress[0].get("max") == "4"  # the worker may have been quicker
    path, _ = undo_form(answer)
    assert re.fullmatch(r"/bulk/\d+/undo", path)


def test_a_deletion_is_held_back_and_undone(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    id = start(desk, inbox)
    place = f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}"
    answer = send(me, place, "delete", [id])
    assert said(answer) == "1 conversation deleted. Undo"
    path, fields = undo_form(answer)
    assert said(me.send(path, **fields).text) == "Nothing was deleted."
    assert "doomed" not in me.get(place).text and read(desk, id)["status"] == "active"
    assert "doomed" in send(me, place, "delete", [id])


def test_only_what_was_deleted_is_counted(desk: Desk) -> None:
    inbox, hidden = desk.add_inbox(), desk.add_inbox()
    ines, me = signed_in(desk, desk.add_user(inboxes=(inbox,))), signed_in(desk)
    place = f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}"
    ids = [start(desk, inbox), start(desk, inbox), start(desk, hidden)]
    assert said(send(ines, place, "delete", ids)) == "2 conversations deleted. Undo"
    assert said(send(me, place, "delete", [ids[2], 999_999_999])) == "1 conversation deleted. Undo"


def test_what_could_not_be_changed_is_told(desk: Desk) -> None:
    inbox, hidden = desk.add_inbox(), desk.add_inbox()
    ines = signed_in(desk, desk.add_user(inboxes=(inbox,)))
    place = f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}"
    mine, theirs = start(desk, inbox), start(desk, hidden)
    assert said(send(ines, place, "status:closed", [mine, theirs])) == (
        "Closed 1 conversation. 1 is not yours to change. Undo"
    )
    assert said(send(ines, place, "status:closed", [mine])) == "Nothing to change: they are like that already."
    assert read(desk, theirs)["status"] == "active"


def test_enter_in_a_field_does_what_the_field_is_for(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    id = start(desk, inbox)
    place = f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}"
    page = me.page(place)
    assert page.cssselect("#list-form button")[0].get("value") == "typed"  # what Enter presses
    assert said(send(me, place, "typed", [id], tag="one, two")).startswith("Tagged 1 conversation with one, two.")
    assert me.send("/bulk", place=place, do="typed", id=str(id)).status_code == 400
    assert me.send("/bulk", place=place, do="status:closed").status_code == 400
    assert me.send("/bulk", place=place, do="explode:1", id=str(id)).status_code == 400


def test_nobody_undoes_what_another_did(desk: Desk) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    other = signed_in(desk, desk.add_user(role="admin"))
    id = start(desk, inbox)
    place = f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}"
    path, _ = undo_form(send(me, place, "status:closed", [id]))
    assert other.send(path).status_code == 404
    assert read(desk, id)["status"] == "closed"
    assert Undo(path).seconds == 10
