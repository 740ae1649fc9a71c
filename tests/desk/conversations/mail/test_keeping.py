"""A message is safe before anybody is told so, and it is kept once, however often and by whichever way it comes."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from deskhand.db.engine import Unavailable
from deskhand.desk.conversations.mail.keeping import fingerprint, folded
from deskhand.lib.blobs import BlobStore
from deskhand.mail.inbound import Delivery, Kept
from tests.desk.conversations.mail.arriving import Letterbox, inbox, mail
from tests.world import open_desk, unique

HEAD = b"Message-ID: <1@x>\r\nFrom: a@x\r\nSubject: A lamp\r\n\r\n"


@pytest.mark.parametrize(
    "written", ["{0}@desk.example", "{0}@DESK.Example", "{0}+abcdefgh2345@desk.example", " <{0}+a+b@desk.example> "]
)
def test_an_address_leads_to_its_inbox(box: Letterbox, written: str) -> None:
    inbox_id, address = inbox(box.desk)
    found = box.place(written.format(address.partition("@")[0].upper()))
    assert (found.account_id, found.inbox_id, found.address) == (box.desk.account_id, inbox_id, address)


def test_an_address_with_a_plus_of_its_own_leads_to_its_own_inbox(box: Letterbox) -> None:
    name = unique("office")
    plain, eu = (box.desk.add_inbox(email=f"{name}{end}@desk.example") for end in ("", "+eu"))
    assert box.place(f"{name}+eu@desk.example").inbox_id == eu
    assert box.place(f"{name}+eu+token123@desk.example").inbox_id == eu
    assert box.place(f"{name}+us@desk.example").inbox_id == plain


def test_a_host_is_the_same_in_letters_of_any_language(box: Letterbox) -> None:
    name = unique("hilfe")
    inbox_id = box.desk.add_inbox(email=f"{name}@bücher.example")
    assert box.place(f"{name}@xn--bcher-kva.example").inbox_id == inbox_id
    assert folded("Hilfe@BÜCHER.example") == "hilfe@xn--bcher-kva.example"


@pytest.mark.parametrize("address", ["", "nobody", "@", "nobody@desk.example", "+@desk.example", "a@b@c", "\0@\ud800"])
def test_an_address_of_nobody_leads_nowhere(box: Letterbox, address: str) -> None:
    inbox(box.desk)
    assert box.desk.server.run(box.keeping.place_of(address)) is None


def test_the_bytes_are_kept_as_they_came(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    raw = b"From: \xff\xfe\0\r\n\r\n\0\xff"
    box.keep(address, raw, "lmtp", "bounce\0s@\ud800x", "second@desk.example")
    (row,) = box.rows()
    assert (row.state, box.keeping.blobs.path(row.sha256).read_bytes()) == ("waiting", raw)


def test_a_message_that_comes_again_is_known(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    raw = mail(To=address)
    first, again = box.keep(address, raw), box.keep(address, raw)
    by_imap = b"Return-Path: <paul@x>\r\nDelivered-To: y\r\nReceived: from mx\r\n\tby us\r\n" + raw
    other_way = box.keep(address, by_imap.replace(b"\r\n", b"\n") + b"\n", "imap")
    assert (first.known, again, other_way) == (False, Kept(first.id, True), Kept(first.id, True))
    assert len(box.rows()) == 1


def test_receivers_that_race_keep_it_once(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    delivery, place = Delivery(mail(To=address), "smtp"), box.place(address)

    async def race() -> list[Kept]:
        return await asyncio.gather(*(box.keeping.keep(place, delivery) for _ in range(8)))

    kept = box.desk.server.run(race())
    assert len({one.id for one in kept}) == 1
    assert sorted(one.known for one in kept) == [False] + [True] * 7
    assert len(box.rows()) == 1


def test_two_messages_with_one_id_are_two(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    one, two = (mail(To=address, Message_ID="<same@x>", Date=None, text=text) for text in ("One.", "Two."))
    assert [box.keep(address, raw).known for raw in (one, two)] == [False, False]
    for row in box.rows():
        assert box.desk.server.run(box.receiving.receive(box.desk.account_id, row.id, last=True)) is not None


def test_each_inbox_and_account_keeps_its_own(box: Letterbox) -> None:
    other = Letterbox(open_desk(box.desk.server), box.parse)
    raw = mail(To="list@x")
    addresses = [(box, inbox(box.desk)[1]), (box, inbox(box.desk)[1]), (other, inbox(other.desk)[1])]
    assert [at.keep(address, raw).known for at, address in addresses] == [False] * 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (HEAD + b"Hello", b"Received: x\r\nX-Spam: no\r\n" + HEAD + b"Hello\r\n", True),
        (HEAD + b"Hello\r\nyou", HEAD.replace(b"\r\n", b"\n") + b"Hello\nyou", True),
        (HEAD + b"Hello", HEAD.replace(b"A lamp", b"A\r\n lamp") + b"Hello", True),
        (HEAD + b"Hello", HEAD + b"Hello you", False),
        (HEAD + b"Hello", HEAD.replace(b"a@x", b"b@x") + b"Hello", False),
        (HEAD, HEAD[:-2], True),
        (b"", b"\r\n\r\n", True),
        (b"No header at all", b"And none here", False),
        (b"\r\nNo header before it", b"\r\nNor before this", False),
        (b"note: of a", b"note: of b", False),
        (HEAD[:-2] + b"No empty line before it", HEAD[:-2] + b"Nor before this", False),
        (HEAD[:-2] + b"Nor here", b"From paul@x Mon Nov 23\r\nX-Spam: no\r\n" + HEAD[:-2] + b"Nor here", True),
    ],
)
def test_the_fingerprint_is_of_what_the_author_wrote(one: bytes, other: bytes, same: bool) -> None:
    assert (fingerprint(one) == fingerprint(other)) is same


def test_a_file_store_that_is_full_is_told_of(box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    _, address = inbox(box.desk)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(BlobStore, "put_for_good", full)
    with pytest.raises(Unavailable, match="No space left"):
        box.keep(address, mail(To=address))
    assert box.rows() == []


def test_a_file_is_put_for_good(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    plain = os.fsync

    def sync(handle: int) -> None:
        synced.append(handle)
        plain(handle)

    monkeypatch.setattr(os, "fsync", sync)
    store = BlobStore(tmp_path)
    assert store.path(store.put_for_good(b"x").sha256).read_bytes() == b"x"
    assert len(synced) == 3  # the file, its folder and the folder's


def test_a_machine_that_says_the_same_again_is_heard_again() -> None:
    plain = b"From: printer@x\r\n\r\nPaper jam."
    assert fingerprint(plain, "2026-11-23") == fingerprint(plain, "2026-11-23") != fingerprint(plain, "2026-11-24")
    one, two = (b"Received: by relay; " + at + b"\r\n" + plain for at in (b"09:00", b"10:00"))
    assert fingerprint(one, "2026-11-23") == fingerprint(b"Received: by us\r\n" + one, "2026-11-24")
    assert fingerprint(one) != fingerprint(two)
    dated = b"Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n" + plain
    assert fingerprint(dated, "2026-11-23") == fingerprint(dated, "2026-11-24")
