"""A customer rates a reply by the link in its mail: without signing in, and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from deskhand.catalogue.events import RATING_GIVEN
from deskhand.db.statements import P, value
from deskhand.desk.ratings.links import RatingLinks
from deskhand.desk.ratings.tables import rating as given_rating
from deskhand.lib.sealing import Sealer
from deskhand.outbox.tables import event
from deskhand.settings import SmtpServer
from deskhand.web import rating as rating_page
from deskhand.web.rating import Throttle
from tests import postgresql
from tests.desk.conversations.builders import add, created, threads
from tests.desk.conversations.mail.leaving import Case, set_up
from tests.live import LiveServer
from tests.mail.post_office import PostOffice, post_office
from tests.web import chromium
from tests.world import Desk, open_desk, unique

_EVENTS = value(
    int, sa.select(event.c.id).where(event.c.account_id == P("account_id"), event.c.name == P("name")), keep=False
)

_RATING = value(int, sa.select(given_rating.c.id).where(given_rating.c.account_id == P("account_id")), keep=False)


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    with post_office() as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def rated_server(
    request: pytest.FixtureRequest, office: PostOffice, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    url = ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("rated"))
    live = LiveServer(tmp_path_factory.mktemp("rated"), url, smtp_url=SmtpServer("127.0.0.1", office.port))
    yield live
    live.stop()


@pytest.fixture
def desk(rated_server: LiveServer) -> Desk:
    return open_desk(rated_server)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "admits", lambda self, who: True)


def links_in(message: EmailMessage) -> dict[str, str]:
    """Where the words in a mail lead."""
    part = message.get_body(("html",))
    assert part is not None
    found = re.findall(r'<a href="([^"]+/rate/[^"]+)">([^<]+)</a>', part.get_content())
    return {words: unescape(url) for url, words in found}


@pytest.fixture
def case(desk: Desk, office: PostOffice) -> Case:
    case = Case(desk, office)
    set_up(desk, case.inbox_id, ratings=True)
    case.start()
    return case


def send(url: str, **form: str) -> requests.Response:
    return requests.post(url, data=form, timeout=30)


def ratings(case: Case) -> list[Any]:
    """What the threads say of how they were rated."""
    listed = case.desk.get(f"/v2/conversations/{case.id}/threads").json()["_embedded"]["threads"]
    return [one["rating"] for one in listed if one.get("rating")]


def told(case: Case) -> int:
    """How many events there were about ratings."""
    found = case.desk.server.app.database.read_now(
        lambda db: db.all(_EVENTS, account_id=case.desk.account_id, name=RATING_GIVEN)
    )
    return len(found)


def test_from_the_mail_to_the_rating_that_the_team_sees(case: Case) -> None:
    thread_id = case.reply("Turn it off.")
    links = links_in(case.message())
    assert list(links) == ["Great", "Okay", "Not good"]
    assert re.fullmatch(rf"{case.desk.url}/rate/{thread_id}/[0-9a-f]+-[0-9a-f]{{40}}\?rating=great", links["Great"])
    page = requests.get(links["Great"], timeout=30)
    assert page.status_code == 200
    assert re.search(r'value="great" required checked', page.text)
    assert (ratings(case), told(case)) == ([], 0)  # a program that looks at links has not rated anything
    thanks = send(links["Great"], rating="great", comments="Quick &\r\n<b>friendly</b>!\x01")
    assert thanks.status_code == 200
    assert thanks.url == links["Great"].partition("?")[0]
    assert "Thank you. You said: <strong>Great</strong>" in thanks.text
    assert "&lt;b&gt;friendly" in thanks.text
    (shown,) = ratings(case)
    assert (shown["rating"], shown["comments"]) == ("great", "Quick &\n<b>friendly</b>!")
    assert told(case) == 1


def test_a_rating_can_be_changed_for_thirty_days_and_there_is_one(case: Case) -> None:
    case.reply()
    url = links_in(case.message())["Okay"]
    assert send(url, rating="okay", comments="").ok
    assert send(url, rating="okay", comments="").ok
    assert told(case) == 1
    case.desk.server.clock.advance(timedelta(days=29))
    assert "<strong>Not good</strong>" in send(url, rating="not_good", comments="It broke again").text
    case.desk.server.clock.advance(timedelta(days=2))
    late = send(url, rating="great", comments="")
    assert (late.status_code, "can&#39;t be changed" in late.text or "can't be changed" in late.text) == (409, True)
    assert "<form" not in requests.get(url, timeout=30).text
    case.desk = case.desk.as_user(case.desk.user_id)
    assert [(one["rating"], one["comments"]) for one in ratings(case)] == [("not_good", "It broke again")]
    assert told(case) == 2


def test_a_link_is_good_for_its_reply_alone(case: Case) -> None:
    case.reply()
    url = links_in(case.message())["Great"].partition("?")[0]
    base, _, id, signed = url.rsplit("/", 3)
    first = threads(case.desk, case.id)[0].id
    other = open_desk(case.desk.server)
    bad = [
        f"{base}/rate/{first}/{signed}", f"{base}/rate/{id}/{signed[:-1]}", f"{base}/rate/{id}/{signed[:-1]}g",
        f"{base}/rate/{id}/{other.account_id:x}-{signed.partition('-')[2]}", f"{base}/rate/{id}/x",
        f"{base}/rate/{id}/0{signed}", f"{base}/rate/{'9' * 40}/{signed}",
        f"{base}/rate/{id}/{'é' * 42}",
    ]  # fmt: skip
    for one in bad:
        assert requests.get(one, timeout=30).status_code == 404, one
        assert send(one, rating="great").status_code == 404, one
    assert ratings(case) == []


def test_nothing_but_a_reply_can_be_rated(case: Case) -> None:
    app = case.desk.server.app
    links = RatingLinks(app.gateway.sealer, case.desk.url)
    customer, note = threads(case.desk, case.id)[0].id, created(add(case.desk, case.id, "notes", text="x"))
    draft = case.reply(draft=True)
    for id in (customer, note, draft, 1):
        assert requests.get(links.url(case.desk.account_id, id), timeout=30).status_code == 404
        assert send(links.url(case.desk.account_id, id), rating="great").status_code == 404


def test_what_makes_no_sense_is_told_and_what_was_written_is_kept(case: Case) -> None:
    case.reply()
    url = links_in(case.message())["Great"].partition("?")[0]
    for form, words in (
        ({"comments": "Hello"}, "Please choose one"),
        ({"rating": "superb", "comments": "Hello"}, "Please choose one"),
        ({"rating": "great", "comments": "Hello" * 500}, "at most 2,000 characters; these are 2,500"),
    ):
        answer = send(url, **form)
        assert (answer.status_code, words in answer.text, "Hello" in answer.text) == (400, True, True)
    assert send(url, rating="great", comments="x" * 100_000).status_code == 413
    assert ratings(case) == []
    assert requests.get(url + "?rating=%00%ff", timeout=30).status_code == 200


def test_the_page_is_guarded_and_needs_no_script(case: Case) -> None:
    case.reply()
    url = links_in(case.message())["Great"]
    for answer in (requests.get(url, timeout=30), send(url + "x"), send(url.replace("/rate/", "/rate/1"))):
        headers = answer.headers
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "form-action 'self'" in headers["Content-Security-Policy"]
        assert "script" not in headers["Content-Security-Policy"]
        assert (headers["Referrer-Policy"], headers["X-Robots-Tag"]) == ("no-referrer", "noindex")
        assert "<script" not in answer.text
        assert 'lang="en"' in answer.text
    page = requests.get(url, timeout=30).text
    assert page.count("<label") == 4
    assert "<fieldset" in page
    assert "<legend" in page


@pytest.mark.parametrize("rated_server", ["sqlite"], indirect=True)
def test_axe_finds_nothing(case: Case) -> None:
    case.reply()
    url = links_in(case.message())["Great"]
    with chromium.running() as browser:
        page = browser.new_page(viewport={"width": 360, "height": 800})
        page.goto(url)
        inspect(page)
        page.get_by_label("Not good").check()
        page.get_by_role("button").click()
        page.get_by_text("You said: Not good").wait_for()
        page.emulate_media(color_scheme="dark")
        inspect(page)


def inspect(page: Page) -> None:
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_ratings_a_mail_has_no_links(desk: Desk, office: PostOffice) -> None:
    case = Case(desk, office)
    case.start()
    case.reply()
    assert links_in(case.message()) == {}


def test_other_people_s_ratings_are_theirs(case: Case) -> None:
    case.reply()
    send(links_in(case.message())["Great"], rating="great", comments="")
    database, account_id = case.desk.server.app.database, case.desk.account_id
    id = database.read_now(lambda db: db.first(_RATING, account_id=account_id))
    assert open_desk(case.desk.server).get(f"/v2/ratings/{id}").status_code == 404
    assert case.desk.get(f"/v2/ratings/{id}").json()["rating"] == "great"


def test_who_asks_too_often_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    moments = iter([0.0] * 4 + [60.0])
    # Not time.monotonic itself: the servers that run in threads of this process ask it too.
    monkeypatch.setattr(rating_page, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    throttle = Throttle(2)
    assert [throttle.admits("a"), throttle.admits("a"), throttle.admits("a"), throttle.admits("b")] == [
        True, True, False, True,
    ]  # fmt: skip
    assert throttle.admits("a")


def test_links_stand_and_fall_with_the_key(tmp_path: Any) -> None:
    ours, theirs = (RatingLinks(Sealer(key * 32, tmp_path / "none"), "https://d.example") for key in "ab")
    signed = ours.url(7, 42).rpartition("/")[2]
    assert (ours.account_of(42, signed), theirs.account_of(42, signed), ours.account_of(43, signed)) == (7, None, None)
