"""Workflows in the settings: lists as sentences, forms with rows, trying, switching, where they ran."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest
import sqlalchemy as sa
from lxml import html
from lxml.html import HtmlElement
from playwright.sync_api import Browser, expect

from deskhand.db.engine import Writer
from deskhand.db.statements import P, command
from deskhand.desk.tags.tables import tag
from deskhand.desk.users.tables import staff
from deskhand.desk.workflows import given, queries
from deskhand.desk.workflows.actions import AddTags, SetStatus
from deskhand.desk.workflows.conditions import Group, Subject, WaitingSince
from deskhand.desk.workflows.naming import Named
from deskhand.desk.workflows.sentences import condition_in_words
from tests.web import chromium
from tests.web.people import Person, signed_in, window
from tests.world import Desk, open_desk

HERE = "/settings/workflows"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


def text(element: HtmlElement) -> str:
    return re.sub(r"\s+", " ", element.text_content()).strip()


def converse(desk: Desk, inbox: int, subject: str, *tags: str) -> int:
    customer = {"email": "paul@buyer.example", "firstName": "Paul"}
    body = {
        "subject": subject, "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
        "tags": list(tags), "threads": [{"type": "customer", "text": "Please", "customer": customer}],
    }  # fmt: skip
    return int(desk.post("/v2/conversations", body).headers["Resource-ID"])


def tag_id(desk: Desk, name: str) -> int:
    found = desk.get("/v2/tags").json()["_embedded"]["tags"]
    return int(next(one["id"] for one in found if one["name"] == name))


def stored(desk: Desk, inbox: int) -> list[dict[str, object]]:
    rows = desk.server.app.database.read_now(
        lambda db: given.shown(db, desk.account_id, queries.every(db, desk.account_id, inbox))
    )
    return [msgspec.to_builtins(one) for one in rows]


FILLED = {
    "name": "Refunds", "type": "automatic", "active": "1",
    "conditions": ["c1", "c2", "and", "c3", "and", "c4"],
    "c1.about": "subject", "c1.op": "contains", "c1.text": "refund",
    "c2.about": "body", "c2.op": "matches", "c2.text": r"money\s+back",
    "c3.about": "waiting_since", "c3.op": "more_than", "c3.number": "2", "c3.unit": "hours",
    "c4.about": "assignee", "c4.op": "is", "c4.pick": ["nobody"],
    "actions": ["a5", "a6"],
    "a5.about": "status", "a5.pick": "pending",
    "a6.about": "note", "a6.text": "Nobody took this.\n\nPlease <look>.",
}  # fmt: skip


def test_a_written_workflow_is_kept_as_the_engine_has_it_and_reads_as_a_sentence(desk: Desk) -> None:
    inbox, person = desk.add_inbox("Orders"), signed_in(desk)
    answer = person.send(f"{HERE}/new", inbox_id=inbox, do="save", **FILLED)
    assert answer.status_code == 200 and "The workflow “Refunds” is saved." in answer.text
    one = stored(desk, inbox)[0]
    assert one["conditions"] == [
        {"any": [{"about": "subject", "op": "contains", "value": "refund"},
                 {"about": "body", "op": "matches", "value": r"money\s+back"}]},
        {"any": [{"about": "waiting_since", "op": "more_than", "value": 2, "unit": "hours"}]},
        {"any": [{"about": "assignee", "op": "is", "value": [None]}]},
    ]  # fmt: skip
    assert one["actions"] == [
        {"do": "status", "value": "pending"},
        {"do": "note", "value": "<p>Nobody took this.</p><p>Please &lt;look&gt;.</p>"},
    ]
    said = text(person.page(HERE).cssselect(f"#workflow-{one['id']} .sentence")[0])
    assert said == (
        "If either the subject contains “refund” or what was written matches “money\\s+back”, and the customer has "
        "waited for more than 2 hours, and the owner is nobody, then set its status to pending and leave a note."
    )


def test_changing_a_workflow_shows_it_as_it_was_written_and_keeps_inbox_and_type(desk: Desk) -> None:
    inbox, person = desk.add_inbox("Orders"), signed_in(desk)
    person.send(f"{HERE}/new", inbox_id=inbox, do="save", **FILLED)
    before = stored(desk, inbox)[0]
    form = person.page(f"{HERE}/{before['id']}").cssselect("form[data-rules]")[0]
    fields: dict[str, list[str]] = {}
    for name, value in form.form_values():  # type: ignore[attr-defined]
        fields.setdefault(name, []).append(value)
    fields.pop("csrf")
    assert person.send(f"{HERE}/{before['id']}", **fields, do="save").status_code == 200
    after = stored(desk, inbox)[0]
    assert {key: after[key] for key in after if key != "modified_at"} == {
        key: before[key] for key in before if key != "modified_at"
    }


def test_what_is_wrong_stands_at_its_row_and_nothing_is_saved(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    wrong = FILLED | {"name": "", "c1.text": "", "c2.text": "(", "c4.pick": [], "a6.text": ""}
    answer = person.send(f"{HERE}/new", inbox_id=inbox, do="save", **wrong)
    assert answer.status_code == 400
    page = page_of(answer.text)
    assert [text(one) for one in page.cssselect("form p.wrong")] == [
        "Give it a name.", "Write what to look for.", "Choose at least one.", "Write the note.",
    ]  # fmt: skip
    assert page.cssselect("input[name='c1.text']")[0].get("aria-describedby") == "c1-wrong"
    assert page.cssselect("input[name='c2.text']")[0].get("value") == "("
    whole = FILLED | {"c2.text": "(", "c3.number": "0"}
    answer = person.send(f"{HERE}/new", inbox_id=inbox, do="save", **whole)
    page = page_of(answer.text)
    assert "is not a regular expression" in text(page.get_element_by_id("c2-wrong")).lower()
    assert "whole number from 1 to" in text(page.get_element_by_id("c3-wrong"))
    assert text(page.cssselect("textarea[name='a6.text']")[0]).startswith("Nobody took this.")
    assert stored(desk, inbox) == []


def page_of(content: str) -> HtmlElement:
    return html.fromstring(content)


def test_what_is_gone_is_named_at_its_row(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    gone = FILLED | {"a5.about": "tag", "a5.pick": ["99999999"]}
    answer = person.send(f"{HERE}/new", inbox_id=inbox, do="save", **gone)
    assert answer.status_code == 400
    assert text(page_of(answer.text).get_element_by_id("a5-wrong")) == "There is no tag 99999999."


def test_rows_are_added_taken_away_and_moved_without_a_script(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)

    def press(wish: str, **fields: object) -> HtmlElement:
        answer = person.send(f"{HERE}/new", inbox_id=inbox, do=wish, **FILLED | fields)
        assert answer.status_code == 200
        return page_of(answer.text)

    def order(page: HtmlElement, name: str) -> list[str | None]:
        return [one.get("value") for one in page.cssselect(f"input[name={name}]")]

    page = press("or:1")
    assert order(page, "conditions") == ["c1", "c2", "and", "c3", "c7", "and", "c4"]
    assert page.cssselect("select[name='c7.about'][autofocus]")
    assert order(press("and"), "conditions") == ["c1", "c2", "and", "c3", "and", "c4", "and", "c7"]
    assert order(press("drop:c3"), "conditions") == ["c1", "c2", "and", "c4"]
    assert order(press("down:a5"), "actions") == ["a6", "a5"]
    assert order(press("action"), "actions") == ["a5", "a6", "a7"]
    changed = press("shape:c1", **{"c1.about": "status"})
    assert [one.get("value") for one in changed.cssselect("input[name='c1.pick']")] == [
        "active", "pending", "closed", "spam",
    ]  # fmt: skip
    changed = press("shape:a5", **{"a5.about": "tag", "a5.took": "one status", "a6.took": "note"})
    assert not changed.cssselect("input[name='a5.pick'][value=pending]"), "a status is no tag"
    assert "Nobody took this." in text(changed.cssselect("textarea[name='a6.text']")[0])
    assert stored(desk, inbox) == []


def test_thirty_conditions_are_the_most(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    keys = [f"c{number}" for number in range(1, 31)]
    rows = {f"{key}.{name}": value for key in keys for name, value in
            (("about", "subject"), ("op", "contains"), ("text", "x"))}  # fmt: skip
    fields = {"name": "Many", "type": "automatic", "conditions": keys, "actions": ["a99"], "a99.about": "unsnooze"}
    page = page_of(person.send(f"{HERE}/new", inbox_id=inbox, do="or:0", **fields | rows).text)
    assert len(page.cssselect("input[name=conditions]")) == 30 and "30 conditions at most" in page.text_content()
    assert person.send(f"{HERE}/new", inbox_id=inbox, do="save", **fields | rows).status_code == 200
    assert len(stored(desk, inbox)[0]["conditions"][0]["any"]) == 30  # type: ignore[index]


def test_trying_tells_of_each_conversation_what_would_be_done_and_why(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    converse(desk, inbox, "A refund, please")
    converse(desk, inbox, "Where is it?")
    fields = FILLED | {"conditions": ["c1"], "actions": ["a5"], "most": "25"}
    page = page_of(person.send(f"{HERE}/new", inbox_id=inbox, do="try", **fields).text)
    tried = page.get_element_by_id("tried")
    assert "It would have run on 1." in text(tried)
    hit, other = tried.cssselect("tbody tr")
    assert "A refund, please" in text(hit) and "the subject contains “refund”" in text(hit)
    assert "marked as pending" in text(hit) and "Where is it?" in text(other)
    assert stored(desk, inbox) == []


def test_switching_ordering_and_deleting(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    when = [Group([Subject("contains", "x")])]
    first, second, by_hand = (
        desk.add_workflow(inbox, SetStatus("closed"), name="First", type="automatic", conditions=when),
        desk.add_workflow(inbox, SetStatus("closed"), name="Second", type="automatic", conditions=when),
        desk.add_workflow(inbox, SetStatus("closed"), name="By hand"),
    )

    def names() -> list[str]:
        return [text(one) for one in person.page(f"{HERE}?inbox={inbox}").cssselect(".flow-words a")]

    assert names() == ["First", "Second", "By hand"]
    person.send(f"{HERE}/{second}/shift", by="up")
    assert names() == ["Second", "First", "By hand"]
    person.send(f"{HERE}/{second}/shift", by="up")  # it is the first already
    assert names() == ["Second", "First", "By hand"]
    person.send(f"{HERE}/{first}/switch", status="inactive")
    assert {one["id"]: one["status"] for one in stored(desk, inbox)} == {
        first: "inactive", second: "active", by_hand: "active",
    }  # fmt: skip
    person.send(f"{HERE}/{by_hand}/delete")
    assert names() == ["Second", "First"]


def test_where_it_ran_is_listed(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    id = converse(desk, inbox, "Close me")
    workflow = desk.add_workflow(inbox, SetStatus("closed"))
    assert "It has not run yet" in person.get(f"{HERE}/{workflow}/runs").text
    assert desk.post(f"/v2/workflows/{workflow}/run", {"conversationIds": [id]}).status_code == 204
    row = person.page(f"{HERE}/{workflow}/runs").cssselect("tbody tr")
    assert len(row) == 1 and "Close me" in text(row[0]) and "Ada Holm" in text(row[0])


def test_one_that_names_what_is_gone_says_why_it_cant_run(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    converse(desk, inbox, "x", "vip")
    desk.add_workflow(inbox, AddTags([tag_id(desk, "vip")]), name="Mark")
    other = open_desk(desk.server)
    assert "Mark" not in signed_in(other).get(HERE).text
    desk.write(lambda tx: _delete_tag(tx, desk.account_id))
    page = person.get(HERE).text
    assert "Can’t run" in page and "there is no tag" in page


def _delete_tag(tx: Writer, account_id: int) -> None:
    tx.run(command(sa.delete(tag).where(tag.c.account_id == P("account_id")), keep=False), account_id=account_id)


def test_only_administrators_and_only_of_the_own_account(desk: Desk) -> None:
    inbox = desk.add_inbox()
    workflow = desk.add_workflow(inbox, SetStatus("closed"))
    user = signed_in(desk, desk.add_user(inboxes=(inbox,)))
    assert user.get(HERE).status_code == 403
    assert user.get(f"{HERE}/{workflow}").status_code == 403
    stranger: Person = signed_in(open_desk(desk.server))
    for path in (f"{HERE}/{workflow}", f"{HERE}/{workflow}/runs"):
        assert stranger.get(path).status_code == 404
    for path in ("", "/switch", "/shift", "/delete"):
        assert stranger.send(f"{HERE}/{workflow}{path}", status="inactive", by="up").status_code == 404
    assert stranger.send(f"{HERE}/new", inbox_id=inbox, do="save", **FILLED).status_code == 404
    assert stored(desk, inbox)[0]["status"] == "active"


def test_a_moment_is_that_of_the_visitors_zone(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    in_warsaw = command(sa.update(staff).where(staff.c.id == P("id")).values(timezone=P("zone")), keep=False)
    desk.write(lambda tx: tx.run(in_warsaw, id=desk.user_id, zone="Europe/Warsaw"))
    fields = FILLED | {"conditions": ["c3"], "c3.about": "created", "c3.op": "after", "c3.at": "2026-11-23T09:30"}
    assert person.send(f"{HERE}/new", inbox_id=inbox, do="save", **fields).status_code == 200
    one = stored(desk, inbox)[0]
    assert one["conditions"] == [
        {"any": [{"about": "created", "op": "after", "value": "2026-11-23T08:30:00Z", "unit": None}]}
    ]
    page = person.page(f"{HERE}/{one['id']}")
    assert page.cssselect("input[type=datetime-local]")[0].get("value") == "2026-11-23T09:30"


def test_with_a_script_rows_come_in_place(desk: Desk, browser: Browser) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    converse(desk, inbox, "x", "vip", "late", "loud", "red", "blue")
    with window(browser, person) as page:
        page.goto(f"{HERE}/new")
        page.get_by_label("Text to look for").fill("refund")
        page.get_by_role("button", name="or…").click()  # though there is no name yet
        second = page.get_by_role("group", name="Condition 2")
        expect(second.get_by_label("What it is about")).to_be_focused()
        page.get_by_label("Name").fill("Loud ones")
        second.get_by_label("What it is about").select_option(label="The tags")
        second.locator("summary").click()
        second.get_by_label("loud").check()
        second.get_by_label("vip").check()
        page.keyboard.press("Escape")
        expect(second.locator("summary")).to_contain_text("loud or vip")
        expect(page.get_by_label("Name")).to_have_value("Loud ones")
        expect(page.get_by_label("Text to look for")).to_have_value("refund")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("The workflow “Loud ones” is saved.")).to_be_visible()
    one = stored(desk, inbox)[0]
    assert one["conditions"] == [
        {"any": [{"about": "subject", "op": "contains", "value": "refund"},
                 {"about": "tag", "op": "is", "value": [tag_id(desk, "loud"), tag_id(desk, "vip")]}]},
    ]  # fmt: skip


def test_waiting_reads_well() -> None:
    nothing = Named({}, {}, {}, {}, {}, {})
    said = condition_in_words(WaitingSince("less_than", 1, "days"), nothing, str)
    assert said == "the customer has waited for less than 1 day"
    at = condition_in_words(WaitingSince("before", "2026-11-23T09:30:00Z"), nothing, lambda at: "Monday")
    assert at == "the customer has waited since before Monday"
