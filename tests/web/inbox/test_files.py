"""Attachments: served to who may see their conversation, and in a way that they can't do anything."""

from __future__ import annotations

import base64

import pytest

from tests.desk.conversations.builders import start, wrote
from tests.viruses import TEST_FILE
from tests.web.people import signed_in
from tests.world import Desk, open_desk

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def with_file(desk: Desk, name: str, kind: str, data: bytes, inbox: int | None = None) -> tuple[int, str]:
    """A conversation with one attachment; gives both their ids."""
    file = {"fileName": name, "mimeType": kind, "data": base64.b64encode(data).decode()}
    id = start(desk, inbox or desk.add_inbox(), threads=[wrote(attachments=[file])])
    listed = desk.get(f"/v2/conversations/{id}", embed="threads").json()["_embedded"]["threads"]
    return id, str(listed[0]["_embedded"]["attachments"][0]["id"])


def test_a_picture_is_shown_small_and_opens_by_itself(desk: Desk) -> None:
    id, file = with_file(desk, "lamp.png", "image/png", PIXEL)
    person = signed_in(desk)
    (shown,) = person.page(f"/conversation/{id}").cssselect("a.file.picture")
    assert shown.get("href") == f"/attachments/{file}" and "lamp.png" in shown.text_content()
    answer = person.get(f"/attachments/{file}")
    assert answer.content == PIXEL and answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("page.html", "text/html"), ("drawing.svg", "image/svg+xml"), ("x.xml", "application/xml"),
        ("x.pdf", "application/pdf"), ("x.js", "text/javascript"), ("x", "multipart/mixed"),
        ("x.xht", "application/xhtml+xml"),
        ("x.png", "IMAGE/SVG+XML; charset=x"),
    ],
)  # fmt: skip
def test_what_could_run_is_only_ever_downloaded(desk: Desk, name: str, kind: str) -> None:
    _, file = with_file(desk, name, kind, b"<script>1</script>")
    answer = signed_in(desk).get(f"/attachments/{file}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_every_file_is_guarded_whatever_it_is(desk: Desk) -> None:
    for name, kind in (("a.txt", "text/plain"), ("a.png", "image/png"), ("a.html", "text/html")):
        _, file = with_file(desk, name, kind, b"<script>1</script>")
        headers = signed_in(desk).get(f"/attachments/{file}").headers
        assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_text_opens_as_mere_text_and_anything_can_be_kept(desk: Desk) -> None:
    _, file = with_file(desk, "Größe \u202etxt.exe", "text/plain", "Größe".encode())
    person = signed_in(desk)
    shown, kept = person.get(f"/attachments/{file}"), person.get(f"/attachments/{file}?download")
    assert shown.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert shown.headers["Content-Disposition"] == "inline; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20txt.exe"
    assert kept.headers["Content-Disposition"].startswith("attachment")


def test_a_file_with_a_virus_is_named_and_kept_away(desk: Desk) -> None:
    id, file = with_file(desk, "invoice.pdf", "application/pdf", TEST_FILE)
    person = signed_in(desk)
    (shown,) = person.page(f"/conversation/{id}").cssselect(".file.virus")
    assert "A virus was found" in shown.text_content() and not shown.get("href")
    assert person.get(f"/attachments/{file}").status_code == 404


def test_only_who_sees_the_conversation_gets_its_files(desk: Desk) -> None:
    inbox = desk.add_inbox()
    _, file = with_file(desk, "a.txt", "text/plain", b"secret", inbox)
    ines = desk.add_user("Ines", inboxes=(desk.add_inbox(),))
    assert signed_in(desk, ines).get(f"/attachments/{file}").status_code == 403
    assert signed_in(open_desk(desk.server)).get(f"/attachments/{file}").status_code == 404
    assert signed_in(desk).get("/attachments/999999999").status_code == 404
    person = signed_in(desk)
    person.http.cookies.clear()
    assert "secret" not in person.get(f"/attachments/{file}").text
