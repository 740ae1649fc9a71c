"""Builders for the tests of the console: forms as a browser sends them, and what pages say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import requests
from lxml import html

from tests.web.people import Person

Fields = dict[str, list[str]]


def fields_of(form: html.FormElement) -> Fields:
    """What a browser would send of a form that nobody touched."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one in form.inputs:
        if not one.name or (isinstance(one, html.InputElement) and one.checkable and not one.checked):
            continue
        # A ticked radio button with an empty value sends just that, whatever lxml says.
        value = one.get("value", "") if isinstance(one, html.InputElement) else one.value
        found[one.name].append(str(value or ""))
    return dict(found)


def form_to(page: html.HtmlElement, action: str) -> html.FormElement:
    """The form of a page that goes to a path."""
    found = [one for one in page.forms if one.get("action") == action]
    assert len(found) == 1, (action, [one.get("action") for one in page.forms])
    return found[0]


def send(
    person: Person, form: html.FormElement, changes: Mapping[str, str | Sequence[str]] | None = None, to: str = ""
) -> requests.Response:
    """Send a form with some fields changed; an empty list leaves a field out."""
    sent: dict[str, object] = {**fields_of(form), **(changes or {})}
    sent = {name: value for name, value in sent.items() if value != []}
    return person.http.post(person.server.url + (to or form.get("action", "")), data=sent, timeout=30)


def words(element: html.HtmlElement) -> str:
    """The text of an element, with single spaces between its pieces."""
    return " ".join(" ".join(element.itertext()).split()).replace(" ,", ",").replace(" .", ".")


def said(answer: requests.Response) -> str:
    """The text of a page's main part."""
    return words(html.fromstring(answer.text).get_element_by_id("main"))
