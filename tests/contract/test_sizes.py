"""How large requests may be: what is too large is said so, and what is large holds nobody up."""

from __future__ import annotations

import base64
import socket
from urllib.parse import urlsplit

import pytest

from tests.contract.answering import VND, minimal
from tests.world import Desk, unique

MEGABYTE = 1024 * 1024


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def test_a_body_over_25_megabytes_is_413(desk: Desk) -> None:
    head = (
        "POST /v2/conversations HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {desk.token}\r\n"
    )
    declared = raw(desk, head + f"Content-Length: {25 * MEGABYTE + 1}\r\n\r\n")
    chunk = b"%x\r\n%s\r\n" % (MEGABYTE, b" " * MEGABYTE)
    streamed = raw(desk, head + "Transfer-Encoding: chunked\r\n\r\n", chunk * 25 + b"1\r\nx\r\n")
    for answer in (declared, streamed):
        assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
        assert b'"message":"Request entity too large"' in answer
        assert VND.encode() in answer


def test_a_body_under_25_megabytes_is_read(desk: Desk) -> None:
    sent = b'{"firstName":"Mira","nothing":"' + b"x" * (24 * MEGABYTE) + b'"}'
    answer = desk.request("POST", "/v2/customers", data=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text


def test_an_address_of_8_kilobytes_is_read_and_one_of_20_is_414(desk: Desk) -> None:
    assert desk.get("/v2/users", foo="x" * 8_192).status_code == 200
    answer = desk.get("/v2/users", foo="x" * 20_000)
    assert answer.status_code == 414


def raw(desk: Desk, head: str, body: bytes = b"") -> bytes:
    """An answer to bytes as they are, read until the headers and a little more are there."""
    url = urlsplit(desk.server.url)
    with socket.create_connection((str(url.hostname), int(url.port or 0)), timeout=60) as connection:
        connection.sendall(head.encode() + body)
        received = b""
        while b"\r\n\r\n" not in received or b"}" not in received:
            piece = connection.recv(65_536)
            if not piece:
                break
            received += piece
        return received


def test_a_large_attachment_does_not_hold_up_other_calls(desk: Desk, inbox: int) -> None:
    data = base64.b64encode(b"x" * (8 * MEGABYTE)).decode()
    thread = {"type": "note", "text": "x", "attachments": [{"fileName": "a", "mimeType": "text/plain", "data": data}]}
    assert desk.post("/v2/conversations", minimal(inbox, subject=unique("s"), threads=[thread])).status_code == 201
