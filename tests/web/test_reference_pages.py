"""The reference pages over HTTP: what is served, how it is kept, and that every link leads somewhere."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import requests

from deskhand.catalogue.operations import OPERATIONS
from deskhand.web.reference.pages import GUIDES
from tests.live import LiveServer

PATHS = ["/reference", *(f"/reference/{name}" for name in GUIDES), *(f"/reference/{one.name}" for one in OPERATIONS)]


@pytest.fixture(scope="module")
def desk_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A desk on SQLite; the pages read no database."""
    live = LiveServer(tmp_path_factory.mktemp("reference"))
    yield live.url
    live.stop()


@pytest.fixture(scope="module")
def pages(desk_url: str) -> dict[str, Page]:
    """Every page there is, read once."""
    return {path: Page.of(desk_url + path) for path in PATHS}


class Page(HTMLParser):
    """A page's links, anchors, loaded files, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.styles_or_handlers: list[str] = []
        self.shown: list[str] = []
        self.text = ""

    @classmethod
    def of(cls, url: str) -> Page:
        answer = requests.get(url, timeout=30)
        assert answer.status_code == 200, url
        page = cls()
        page.feed(answer.text)
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.add(given["href"])
        for name in ("src", "action"):
            if name in given:
                self.loads.add(given[name])
        if tag == "link":
            self.loads.add(given["href"])
        self.styles_or_handlers += [name for name in given if name == "style" or name.startswith("on")]
        if "data-name" in given and "hidden" not in given:
            self.shown.append(given["data-name"])

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_operation_has_its_entry_and_its_page(pages: dict[str, Page]) -> None:
    index = pages["/reference"]
    assert sorted(index.shown) == sorted(one.name for one in OPERATIONS)
    for one in OPERATIONS:
        assert one.name in index.ids
        assert one.summary.replace("`", "") in pages[f"/reference/{one.name}"].text


@pytest.mark.parametrize("path", PATHS)
def test_links_of_a_page_resolve(path: str, pages: dict[str, Page], desk_url: str) -> None:
    for link in pages[path].links:
        url = urlsplit(urljoin(desk_url + path, link))
        if url.netloc == "developer.helpscout.com":
            continue  # where the facts are from; nothing is loaded from there
        assert url.netloc == urlsplit(desk_url).netloc, link
        target = pages.get(url.path)
        if target is None:
            assert requests.get(url.geturl(), timeout=30).status_code == 200, link
        elif url.fragment:
            assert unquote(url.fragment) in target.ids, link


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_whole_and_loads_nothing_from_elsewhere(path: str, pages: dict[str, Page]) -> None:
    page = pages[path]
    assert len(set(page.ids)) == len(page.ids)
    assert page.loads and all(urlsplit(one).netloc == "" for one in page.loads)
    assert page.styles_or_handlers == []


def test_pages_forbid_what_they_do_not_need(desk_url: str) -> None:
    headers = requests.get(desk_url + "/reference", timeout=30).headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("reference.css", "text/css"), ("reference.js", "text/javascript"), ("deskhand.svg", "image/svg+xml")],
)
def test_files_have_their_media_type_and_are_kept(
    name: str, media_type: str, desk_url: str, pages: dict[str, Page]
) -> None:
    address = next(one for one in pages["/reference"].loads if name in one)
    answer = requests.get(desk_url + address, timeout=30)
    assert answer.headers["Content-Type"].partition(";")[0] == media_type
    assert "immutable" in answer.headers["Cache-Control"]
    bare = requests.get(f"{desk_url}/static/{name}", timeout=30)
    assert (bare.content, bare.headers["Cache-Control"]) == (answer.content, "no-cache")


@pytest.mark.parametrize("path", ["/reference", "/reference/questions", "/static/reference.css"])
def test_what_has_not_changed_is_not_sent_again(path: str, desk_url: str) -> None:
    mark = requests.get(desk_url + path, timeout=30).headers["ETag"]
    again = requests.get(desk_url + path, headers={"If-None-Match": f'"other", W/{mark}'}, timeout=30)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", mark)
    assert requests.get(desk_url + path, headers={"If-None-Match": '"other"'}, timeout=30).status_code == 200


def test_pages_are_sent_compressed_to_those_who_take_it(desk_url: str) -> None:
    with requests.get(desk_url + "/reference", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=30) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        raw = packed.raw.read()
    plain = requests.get(desk_url + "/reference", headers={"Accept-Encoding": "identity"}, timeout=30)
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < 120_000, "the page is to be quick on a phone"


@pytest.mark.parametrize("path", ["/reference/nothing", "/reference/__init__", "/reference/..%2fx"])
def test_a_page_that_is_not_there_says_so(path: str, desk_url: str) -> None:
    answer = requests.get(desk_url + path, timeout=30)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/static/nothing.css", "/static/..%2froutes.py", "/static/%2e%2e"])
def test_only_files_meant_for_it_are_served(path: str, desk_url: str) -> None:
    assert requests.get(desk_url + path, timeout=30).status_code == 404


@pytest.mark.parametrize(
    "query", ["q=%00", "q=%FF", "method=x&access=y&permission=z&group=%3Cscript%3E", "q=" + "a" * 4000]
)
def test_any_query_string_gets_a_page(query: str, desk_url: str) -> None:
    answer = requests.get(f"{desk_url}/reference?{query}", timeout=30)
    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_examples_begin_with_this_desks_own_address(pages: dict[str, Page], desk_url: str) -> None:
    found = re.findall(r"(http://[\d.:]+)/v[23]/", pages["/reference"].text)
    assert len(found) > len(OPERATIONS) and set(found) == {desk_url}
