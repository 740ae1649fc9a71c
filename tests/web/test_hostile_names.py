"""Names that would be markup, a script's text or an address of their own: whatever page shows them, they stay words."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import quote

import pytest
from lxml import html

from tests.web.people import Person, add_conversation, signed_in
from tests.web.test_all_pages import PAGES, filled
from tests.world import Desk

pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)
NAME = "\"'><img src=x onerror=alert(1)>{{7*7}}"
ADDRESS = "javascript:alert(1)//"


def hostile(desk: Desk, person: Person) -> list[int]:
    """An account whose everything has such a name; gives the ids of what there is."""
    inbox = desk.add_inbox(NAME)
    desk.add_field(inbox, NAME, "dropdown", (NAME,))
    user, team = desk.add_user(NAME[:40], NAME[:40], inboxes=(inbox,)), desk.add_team(NAME)
    agent = desk.add_system_user(NAME)
    ids = [inbox, user, team, agent]
    text = f"{NAME} <a href='{ADDRESS}'>x</a><svg onload=alert(1)><a href=' java\tscript:alert(1)'>y</a>"
    conversation = add_conversation(
        desk, inbox, text, subject=NAME, tags=[NAME], assignTo=user,
        customer={"email": "paul@buyer.example", "firstName": NAME[:40], "lastName": NAME[:40]},
    )  # fmt: skip
    add_conversation(desk, inbox, text, subject=NAME, tags=[NAME])
    ids.append(conversation)
    customer = desk.get(f"/v2/conversations/{conversation}").json()["primaryCustomer"]["id"]
    ids.append(customer)
    for path, body in (
        (f"/v2/customers/{customer}/websites", {"value": ADDRESS}),
        (f"/v2/customers/{customer}/social-profiles", {"value": ADDRESS, "type": "other"}),
        (f"/v2/conversations/{conversation}/notes", {"text": text}),
        (f"/v2/conversations/{conversation}/reply", {"customer": {"id": customer}, "text": text, "draft": True}),
        ("/v2/organizations", {"name": NAME, "website": ADDRESS}),
        (f"/v2/mailboxes/{inbox}/saved-replies", {"name": NAME, "text": text}),
        ("/v2/webhooks", {"url": "https://127.0.0.1/", "events": ["convo.created"], "secret": "x" * 20, "label": NAME}),
        (f"/v2/conversations/{conversation}/attachments", {}),
    ):  # fmt: skip
        with contextlib.suppress(ValueError, KeyError):
            ids.append(int(desk.post(path, body).headers["Resource-ID"]))
    forms: list[tuple[str, dict[str, Any]]] = [
        ("/views", {"name": NAME, "query": NAME, "for_all": "1"}),
        (f"/conversation/{conversation}/reply", {"text": NAME, "html": text, "to": "paul@buyer.example"}),
        ("/settings/applications/new", {"name": NAME, "redirect_url": "https://x.example/\"'><img src=x onerror=1>"}),
        ("/settings/applications/tokens", {"name": NAME}),
        ("/settings/properties/new", {"name": NAME, "type": "text", "slug": "x"}),
        ("/console/agents/new", {"name": NAME, "preset": "reader"}),
        ("/console/agents", {"name": NAME, "preset": "reader"}),
        ("/account", {"first_name": NAME[:40], "last_name": NAME[:40], "job_title": NAME, "timezone": "UTC"}),
        ("/settings/workflows/new", {"name": NAME, "inbox": str(inbox), "type": "manual", "actions": "a1"}),
        ("/bulk", {"do": "tag:" + NAME, "id": str(conversation), "place": f"/folder/{inbox * 10 + 1}"}),
    ]  # fmt: skip
    for path, fields in forms:
        checked(person.send(path, **fields).text, path)
    person.send(f"/conversation/{conversation}/files", files={"file": (NAME, b"x", "text/html")})
    person.send(f"/conversation/{conversation}/files", files={"file": (f"{NAME}.png", b"x", "image/png")})
    return [*ids, inbox * 10 + 1, 1, 2]


def checked(text: str, path: str) -> None:
    """Nothing in a page may run, or lead where only a script does."""
    page = html.fromstring(text or "<p>nothing</p>")
    assert not page.cssselect("img[src=x], svg[onload], script:not([src])"), path
    for one in page.iter():
        for name, value in one.attrib.items() if isinstance(one.tag, str) else ():
            assert not name.startswith("on"), (path, name)
            if name == "data-html":  # the editor makes it a part of the page
                checked(value, path)
            if name in ("href", "src", "action", "formaction", "data-path", "data-address"):
                assert (
                    value.lower()
                    .strip()
                    .startswith(("/", "http://", "https://", "mailto:", "tel:", "#", "?", "data:image"))
                ), (path, name, value)
    assert "}49" not in text, path


def test_names_stay_words_on_every_page(desk: Desk) -> None:
    person = signed_in(desk)
    ids = hostile(desk, person)
    shown = 0
    for path, _ in PAGES:
        for id in (ids if "settings" in path else ids[:1] + ids[4:6] + ids[-3:-2]) if "{" in path else [0]:
            for query in (
                ("",)
                if "{" in path
                else (
                    "",
                    f"?q={quote(NAME)}&query={quote(NAME)}&from={quote(ADDRESS)}&name={quote(NAME)}&to={quote(NAME)}",
                )
            ):
                answer = person.get(filled(path, id) + query)
                assert answer.status_code < 500, (path, id)
                if "text/html" in answer.headers["Content-Type"]:
                    shown += answer.text.count("onerror=alert")
                    checked(answer.text, path)
    assert shown > 100  # else nothing was tried
