"""The pages of reports: they tell the API's numbers."""

from __future__ import annotations

import re

import pytest
from lxml.html import HtmlElement

from tests.web.people import add_conversation, signed_in
from tests.world import Desk

PATHS = ["conversations", "productivity", "happiness", "busy-times", "team"]


def tile(page: HtmlElement, label: str) -> str:
    (found,) = page.xpath(f"//dl[@class='tiles']/div[dt='{label}']/dd/strong")
    return str(found.text_content())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", "period=365&compare=none", "period=own&from=2026-01-01&to=2026-01-01"])
def test_an_empty_account_has_every_report(desk: Desk, path: str, query: str) -> None:
    page = signed_in(desk).page(f"/reports/{path}?{query}")
    assert page.xpath("//main//h1")[0].text_content() == "Reports"


def test_the_numbers_are_those_of_the_api(desk: Desk) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox("Sales")
    for _ in range(3):
        id = add_conversation(desk, inbox)
    add_conversation(desk, other, email="else@buyer.example")
    desk.post(f"/v2/conversations/{id}/reply", {"text": "Here.", "customer": {"email": "paul@buyer.example"}})
    person = signed_in(desk)
    assert tile(person.page("/reports/conversations"), "New") == "4"
    assert tile(person.page(f"/reports/conversations?inbox={inbox}"), "New") == "3"
    assert tile(person.page("/reports/productivity"), "Replies sent") == "1"
    team = person.page("/reports/team")
    assert tile(team, "Customers helped") == "1"
    busy = person.page("/reports/busy-times").text_content()
    assert re.search(r"Most begin on\s+\w+days from \d+:00 to \d+:00: 4 conversations", " ".join(busy.split()))


def test_a_chart_has_its_numbers_in_a_table(desk: Desk) -> None:
    add_conversation(desk, desk.add_inbox())
    page = signed_in(desk).page("/reports/conversations?period=7")
    (section,) = page.xpath("//section[@aria-label='New conversations']")
    assert len(section.xpath(".//tbody/tr")) == len(section.xpath(".//*[local-name()='g']")) == 7
    assert section.xpath(".//tbody/tr[last()]/td[1]")[0].text_content() == "1"


def test_a_user_sees_numbers_of_their_inboxes_alone(desk: Desk) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    add_conversation(desk, seen)
    add_conversation(desk, hidden)
    person = signed_in(desk, desk.add_user(inboxes=(seen,)))
    assert tile(person.page("/reports/conversations"), "New") == "1"
    assert person.get(f"/reports/conversations?inbox={hidden}").status_code == 403
    assert person.get("/reports/conversations?inbox=1").status_code == 404


def test_a_customers_words_are_only_words(desk: Desk) -> None:
    id = add_conversation(desk, desk.add_inbox())
    desk.put(f"/v2/conversations/{id}/tags", {"tags": ["<script>alert(1)</script>"]})
    answer = signed_in(desk).get("/reports/conversations")
    assert answer.status_code == 200 and "<script>alert" not in answer.text
