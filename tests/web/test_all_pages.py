"""What holds for every page and every form, whoever wrote it: taken from the routes, so that none is forgotten."""

from __future__ import annotations

import re

import pytest
import requests

from deskhand.oauth import sessions
from deskhand.web.pages import POLICY
from deskhand.web.routes import GROUPS
from tests.live import LiveServer
from tests.web.people import Person, add_conversation, signed_in
from tests.world import Desk

PAGES = sorted({(one.path, one.who) for group in GROUPS for one in group.declared if one.method == "GET"})
FORMS = sorted({(one.path, one.who) for group in GROUPS for one in group.declared if one.method == "POST"})
pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)
"""None of this is about the database."""
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


def filled(path: str, id: int = 461_168_601_842_738_790) -> str:
    """A path with an id in every place: by default one that nothing has."""
    return _PARAMETER.sub(str(id), path)


@pytest.fixture
def person(desk: Desk) -> Person:
    return signed_in(desk)


def test_there_are_pages_and_forms(server: LiveServer) -> None:
    assert len(PAGES) > 40 and len(FORMS) > 80


@pytest.mark.parametrize(("path", "who"), FORMS)
def test_a_form_without_its_token_does_nothing(desk: Desk, person: Person, path: str, who: str) -> None:
    url = person.server.url + filled(path)
    for fields in ({}, {"csrf": ""}, {"csrf": "x" * 32}):
        answer = person.http.post(url, data=fields, timeout=30, allow_redirects=False)
        assert answer.status_code == 403, answer.text[:500]
        assert "This form has expired" in answer.text
    elsewhere = person.http.post(
        url, data={"csrf": person.csrf}, headers={"Sec-Fetch-Site": "cross-site"}, timeout=30, allow_redirects=False
    )
    assert elsewhere.status_code == 403 and "This form has expired" in elsewhere.text


@pytest.mark.parametrize(("path", "who"), [*PAGES, *FORMS])
def test_who_is_not_signed_in_is_asked_to(desk: Desk, path: str, who: str) -> None:
    method = "GET" if (path, who) in PAGES else "POST"
    answer = requests.request(method, desk.url + filled(path), timeout=30, allow_redirects=False)
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize(("path", "who"), FORMS)
def test_a_form_about_nothing_is_refused_in_words(person: Person, path: str, who: str) -> None:
    answer = person.send(filled(path))
    assert answer.status_code < 500, answer.text[:500]


@pytest.mark.parametrize(("path", "who"), PAGES)
def test_a_page_about_nothing_says_so_and_none_fails(person: Person, path: str, who: str) -> None:
    answer = person.get(filled(path))
    assert answer.status_code < 500, answer.text[:500]
    if "{" in path:
        assert answer.status_code in (404, 400), answer.text[:500]
    for hostile in ("abc", "0", "-1", "9" * 30, "1%00", "%F0%9F%98%80"):
        if "{" in path:
            assert person.get(_PARAMETER.sub(hostile, path)).status_code in (404, 400)
    odd = person.get(filled(path) + "?page=x&query=%00&cursor=%FF&period=%3Cscript%3E&q=" + "a" * 3000)
    assert odd.status_code < 500 and "<script>x" not in odd.text


@pytest.mark.parametrize(("path", "who"), PAGES)
def test_pages_are_guarded_by_their_headers(person: Person, path: str, who: str) -> None:
    headers = person.get(filled(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy
    if "text/html" in headers["Content-Type"]:
        assert policy == POLICY.format(images="") and headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("path", "who"), [(path, who) for path, who in [*PAGES, *FORMS] if who == "administrator"])
def test_what_is_administrators_is_not_for_others(desk: Desk, path: str, who: str) -> None:
    user = signed_in(desk, desk.add_user(inboxes=(desk.add_inbox(),)))
    answer = user.get(filled(path)) if (path, who) in PAGES else user.send(filled(path))
    assert answer.status_code == 403, answer.text[:500]


def test_a_page_holds_no_inline_script_and_no_inline_style(desk: Desk, person: Person) -> None:
    id = add_conversation(desk, desk.add_inbox())
    paths = [path for path, _ in PAGES if "{" not in path]
    for path in [*paths, f"/conversation/{id}"]:
        answer = person.get(path)
        if "text/html" not in answer.headers["Content-Type"]:
            continue
        assert not re.search(r"<[^>]+\sstyle\s*=", answer.text), path
        assert not re.search(r"<[^>]+\son[a-z]+\s*=", answer.text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", answer.text), path


def test_every_form_of_a_page_carries_the_token(desk: Desk, person: Person) -> None:
    id = add_conversation(desk, desk.add_inbox())
    for path in [*(path for path, _ in PAGES if "{" not in path), f"/conversation/{id}"]:
        answer = person.get(path)
        if "text/html" not in answer.headers["Content-Type"]:
            continue
        for form in re.findall(r"<form\b.*?</form>", answer.text, re.DOTALL):
            if re.match(r'<form[^>]*\bmethod="post"', form):
                assert 'name="csrf"' in form, (path, form[:300])


def test_a_session_that_has_ended_shows_nothing(desk: Desk, person: Person) -> None:
    desk.write(lambda tx: sessions.end(tx, person.cookie))
    answer = person.get("/search", allow_redirects=False)
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")
