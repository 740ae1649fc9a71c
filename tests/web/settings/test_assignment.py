"""The page that decides who gets the new conversations of an inbox."""

from __future__ import annotations

from lxml import html

from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk


def routing(desk: Desk, inbox: int) -> tuple[object, ...]:
    found = desk.get(f"/v2/mailboxes/{inbox}/routing").json()
    return found["state"], found["assignmentMethod"], found["assignmentLimit"], found["userIds"]


def ticked(page: html.HtmlElement) -> list[str]:
    return [str(one) for one in page.xpath("//*[@id='rotation']//input[@checked]/@value")]


def save(ada: Person, inbox: int, **fields: object) -> html.HtmlElement:
    given = {"assignment_method": "balanced", "assignment_limit": "3"} | fields
    answer = ada.send(f"/settings/inboxes/{inbox}/assignment", **given)
    return html.fromstring(answer.text)


def test_who_gets_new_conversations_is_decided_and_shown(desk: Desk) -> None:
    inbox, ada = desk.add_inbox(), signed_in(desk)
    ines, lea = desk.add_user("Ines", inboxes=(inbox,)), desk.add_user("Lea", inboxes=(inbox,))
    desk.add_user("Ole")  # doesn't see it
    path = f"/settings/inboxes/{inbox}/assignment"
    page = ada.page(path)
    assert ticked(page) == [] and "Ole" not in page.get_element_by_id("rotation").text_content()
    save(ada, inbox, enabled="1", users=[lea, ines])
    assert routing(desk, inbox) == ("enabled", "balanced", 3, [lea, ines])
    desk.put(f"/v2/users/{ines}/status", {"status": "away"})
    page = ada.page(path)
    assert ticked(page) == [str(lea), str(ines)]
    [line] = [one for one in page.cssselect("#rotation li") if "Ines" in one.text_content()]
    assert "Away" in line.text_content() and "0 active" in line.text_content()
    save(ada, inbox, users=[lea])
    assert routing(desk, inbox) == ("disabled", "balanced", 3, [lea])


def test_what_is_wrong_is_told_and_nothing_is_changed(desk: Desk) -> None:
    inbox, ada = desk.add_inbox(), signed_in(desk)
    ines, stranger = desk.add_user("Ines", inboxes=(inbox,)), desk.add_user("Ole")
    before = routing(desk, inbox)
    for fields, said in (
        ({"enabled": "1"}, "somebody ticked"), ({"enabled": "1", "users": [stranger]}, "no such user"),
        ({"assignment_limit": "0", "users": [ines]}, "The number"), ({"assignment_limit": "many"}, "The number"),
        ({"assignment_method": "guess"}, "ssignment method"),
    ):  # fmt: skip
        [alert] = save(ada, inbox, **fields).cssselect("[role=alert]")
        assert said in alert.text_content(), (fields, alert.text_content())
    page = save(ada, inbox, enabled="1", assignment_limit="many", users=[ines])
    assert ticked(page) == [str(ines)] and page.get_element_by_id("assignment_limit").get("value") == "many"
    assert routing(desk, inbox) == before


def test_only_administrators_and_only_their_own_inboxes(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ines = signed_in(desk, desk.add_user(inboxes=(inbox,)))
    path = f"/settings/inboxes/{inbox}/assignment"
    assert ines.get(path).status_code == 403 and ines.send(path, assignment_limit="5").status_code == 403
    elsewhere = open_desk(desk.server).add_inbox()
    ada = signed_in(desk)
    for other in (elsewhere, 999_999):
        assert ada.get(f"/settings/inboxes/{other}/assignment").status_code == 404
        assert ada.send(f"/settings/inboxes/{other}/assignment", assignment_limit="5").status_code == 404
