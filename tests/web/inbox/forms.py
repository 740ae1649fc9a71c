"""Forms of pages in tests: read from the page as they stand, changed in a few fields and sent."""

from __future__ import annotations

from typing import Any

import requests
from lxml import html

from tests.desk.conversations.builders import read
from tests.web.people import Person
from tests.world import Desk


def write_form(person: Person, id: int, kind: str = "reply") -> dict[str, str]:
    """The fields of a form for writing as a browser without script would send them, without any button."""
    return fields_of(person.page(f"/conversation/{id}"), f"write-{kind}")


def fields_of(page: html.HtmlElement, form_id: str) -> dict[str, str]:
    """The fields of one form of a page."""
    (form,) = page.xpath(f"//form[@id='{form_id}']")
    found = dict(form.form_values())
    found.pop("file", None)
    return found


def send_reply(person: Person, id: int, **changed: Any) -> requests.Response:
    """Open a conversation, write a reply and press the button; gives the answer of the page it leads to."""
    fields = write_form(person, id) | {"text": "Try another bulb.", "send": "closed"} | changed
    return post(person, f"/conversation/{id}/reply", fields)


def post(person: Person, path: str, fields: dict[str, Any], *, script: bool = False, **more: Any) -> requests.Response:
    """Send these fields, as a script does or a browser by itself."""
    headers = {"Deskhand-Script": "1"} if script else {}
    return person.http.post(person.server.url + path, data=fields, headers=headers, timeout=30, **more)


def said(answer: requests.Response) -> str:
    """The few words that a page says about what was done."""
    found = html.fromstring(answer.text).xpath("//*[@id='said']//span/text()")
    return str(found[0]) if found else ""


def alerts(answer: requests.Response) -> str:
    """What a page warns of."""
    return " ".join(" ".join(html.fromstring(answer.text).xpath("//*[@role='alert']//text()")).split())


def thread_list(desk: Desk, id: int) -> list[dict[str, Any]]:
    """The threads of a conversation through the API, oldest first, without line items."""
    found = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    return [one for one in reversed(found) if one["type"] != "lineitem"]


def status(desk: Desk, id: int) -> str:
    return str(read(desk, id)["status"])
