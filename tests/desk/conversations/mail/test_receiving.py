"""Mail that comes becomes threads, whatever it looks like and whatever goes wrong."""

from __future__ import annotations

import asyncio
import base64
import threading
from typing import Any

import msgspec
import pytest

from deskhand.desk.conversations.mail import placing, receiving
from deskhand.mail.inbound import Way
from deskhand.mail.incoming import Incoming
from deskhand.mail.parse import parse
from tests.desk.conversations.builders import counted, done, read, recounted, stored, threads, told
from tests.desk.conversations.mail.arriving import PAUL, Letterbox, bounce, inbox, jobs_of, mail, shown
from tests.live import LiveServer
from tests.mail.post_office import wait
from tests.viruses import TEST_FILE
from tests.world import open_desk, unique

# A new conversation


def test_a_mail_starts_a_conversation(box: Letterbox) -> None:
    inbox_id, address = inbox(box.desk)
    raw = mail(
        To=address, From="Paul van Dyk <Paul@buyer.example>", Cc="Lea <lea@buyer.example>", html="<p>It flickers.</p>"
    )
    where = box.deliver(address, raw)
    conversation = read(box.desk, where[0])
    assert (conversation["subject"], conversation["status"], conversation["state"]) == (
        "A lamp that flickers", "active", "published",
    )  # fmt: skip
    assert (conversation["type"], conversation["source"]) == ("email", {"type": "email", "via": "customer"})
    assert (conversation["mailboxId"], conversation["folderId"]) == (inbox_id, inbox_id * 10 + 1)
    customer = conversation["primaryCustomer"]
    assert (customer["first"], customer["last"], customer["email"]) == ("Paul", "van Dyk", "Paul@buyer.example")
    assert conversation["cc"] == ["lea@buyer.example"]
    assert conversation["customerWaitingSince"]["time"]
    thread = shown(box, where)
    assert (thread["type"], thread["body"], thread["source"]["type"]) == ("customer", "<p>It flickers.</p>", "email")
    assert told(box.desk, where[0]) == ["convo.created"]
    original = box.desk.get(f"/v2/conversations/{where[0]}/threads/{where[1]}/original-source").json()["original"]
    assert original.encode() == raw
    assert counted(box.desk) == recounted(box.desk)
    found = box.desk.get("/v2/conversations", query="(body:flickers)").json()["_embedded"]["conversations"]
    assert [one["id"] for one in found] == [where[0]]


def test_a_known_customer_is_recognised_whatever_the_case(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    first = read(box.desk, box.deliver(address, From=PAUL)[0])["primaryCustomer"]
    second = read(box.desk, box.deliver(address, From="PAUL@Buyer.example")[0])["primaryCustomer"]
    assert first["id"] == second["id"]


def test_an_answer_goes_where_reply_to_asks_for(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    form = {"From": f"Shop <{address}>", "Reply_To": "Paul Gruen <paul@buyer.example>"}
    customer = read(box.desk, box.deliver(address, **form)[0])["primaryCustomer"]
    assert (customer["first"], customer["email"]) == ("Paul", PAUL)


@pytest.mark.parametrize("sender", [None, "nobody at all", '"" <>'])
def test_a_mail_without_a_usable_sender_is_not_lost(box: Letterbox, sender: str | None) -> None:
    _, address = inbox(box.desk)
    where = box.deliver(address, From=sender)
    assert read(box.desk, where[0])["primaryCustomer"]["email"] == placing.NOBODY.email


@pytest.mark.parametrize("way", ["smtp", "lmtp", "post"])
def test_a_mail_that_names_no_sender_is_whose_envelope_it_came_in(box: Letterbox, way: Way) -> None:
    _, address = inbox(box.desk)
    where = box.read(box.keep(address, mail(To=address, From=None), way, PAUL))
    assert where is not None
    assert read(box.desk, where[0])["primaryCustomer"]["email"] == PAUL


def test_an_empty_mail_is_a_conversation_too(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    where = box.deliver(address, Subject=None, text="")
    assert read(box.desk, where[0])["subject"] == "(no subject)"


# Files


def test_files_and_pictures_come_along(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    html = '<p>See: <img src="cid:cup@1"></p>'
    raw = mail(To=address, html=html, pictures={"cup@1": b"\x89PNG"}, files=[("a.txt", "text/plain", b"A\r\n")])
    where = box.deliver(address, raw)
    thread = shown(box, where)
    files = {one["filename"]: one for one in thread["_embedded"]["attachments"]}
    picture = files["cup@1.png"]["_links"]["data"]["href"]
    assert thread["body"] == f'<p>See: <img src="{picture}"></p>'
    assert base64.b64decode(box.desk.get(picture).json()["data"]) == b"\x89PNG"
    assert "a.txt" in files
    found = box.desk.get("/v2/conversations", query="(attachments:true)").json()["_embedded"]["conversations"]
    assert [one["id"] for one in found] == [where[0]]


def test_a_harmful_file_is_marked(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    where = box.deliver(address, files=[("eicar.com", "application/octet-stream", TEST_FILE)])
    (file,) = shown(box, where)["_embedded"]["attachments"]
    assert (file["filename"], file["state"]) == ("eicar.com", "virus")


# What goes wrong


def broken(box: Letterbox, where: tuple[int, int], raw: bytes, reason: str) -> None:
    """It is a conversation with the message as it came, and says so."""
    thread = shown(box, where)
    assert f"could not be read: {reason}. It is attached" in thread["body"]
    (file,) = thread["_embedded"]["attachments"]
    assert (file["filename"], file["mimeType"]) == ("message.eml", "message/rfc822")
    assert base64.b64decode(box.desk.get(file["_links"]["data"]["href"]).json()["data"]) == raw
    assert (box.mail_of(where[1]).error, box.rows()[-1].state) == (reason, "failed")


def test_what_cannot_be_read_is_a_conversation_with_the_message_attached(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    raw = mail(To=address, text="unreadable")
    where = box.deliver(address, raw)
    broken(box, where, raw, "it is torn")
    conversation = read(box.desk, where[0])
    assert (conversation["subject"], conversation["primaryCustomer"]["email"]) == ("A lamp that flickers", PAUL)


def test_a_fault_of_ours_is_one_after_the_last_attempt(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    raw = mail(To=address, text="kaboom")
    kept = box.keep(address, raw)
    with pytest.raises(ValueError, match="kaboom"):
        box.read(kept, last=False)
    assert box.rows()[-1].state == "waiting"
    where = box.read(kept)
    assert where is not None
    broken(box, where, raw, "ValueError: kaboom")


def test_a_message_whose_file_is_gone_is_not_forgotten(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    kept = box.keep(address, mail(To=address, text=unique("once")))
    box.keeping.blobs.path(box.rows()[-1].sha256).unlink()
    where = box.read(kept)
    assert where is not None
    assert "its file is missing" in shown(box, where)["body"]


def test_what_could_not_be_read_can_be_tried_again(box: Letterbox) -> None:
    inbox_id, address = inbox(box.desk)
    kept = box.keep(address, mail(To=address, Subject="Torn", text="unreadable"))
    where = box.read(kept)
    assert where is not None

    def again() -> bool:
        return box.desk.write(lambda tx: receiving.retry(tx, box.desk.account_id, kept.id, box.desk.now))

    assert again()
    assert not again()  # it waits already
    assert box.read(kept) == where
    assert read(box.desk, where[0])["threads"] == 1
    assert again()
    box.receiving.parse = lambda raw, *how: parse(raw.replace(b"unreadable", b"Readable."), *how)
    healed = box.read(kept)
    assert healed is not None
    assert healed[0] == where[0]
    assert "Readable." in shown(box, healed)["body"]
    assert (box.mail_of(where[1]).error, box.rows()[-1].state) == ("", "taken")
    other = open_desk(box.desk.server)
    assert not other.write(lambda tx: receiving.retry(tx, other.account_id, kept.id, other.now))


def test_reading_it_twice_makes_one_thread(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    kept = box.keep(address, mail(To=address))

    async def both() -> list[Any]:
        reading = (box.receiving.receive(box.desk.account_id, kept.id, last=True) for _ in range(4))
        return await asyncio.gather(*reading)

    assert len(set(box.desk.server.run(both()))) == 1
    assert stored(box.desk) == 1


@pytest.mark.parametrize("field", ["Subject", "From", "Message_ID", "To", "Cc"])
def test_hostile_fields_are_stored_as_far_as_they_go(box: Letterbox, field: str) -> None:
    _, address = inbox(box.desk)
    hostile = b"\xff\x00\xed\xa0\x80 <" + b"x" * 9_000 + b"> ;,@@ \x1b"
    raw = mail(To=address, Cc="a@b.example").replace(b"\r\n", b"\n")
    name = field.replace("_", "-").encode()
    raw = b"\n".join(name + b": " + hostile if line.startswith(name + b":") else line for line in raw.split(b"\n"))
    box.deliver(address, raw)
    assert box.rows()[-1].state in ("taken", "failed")


def test_a_message_that_is_read_for_ever_holds_nobody_up(box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "READ_WITHIN_S", 3.0)  # in which the quick one is read on a busy machine
    _, address = inbox(box.desk)
    ends = threading.Event()

    def slow(raw: bytes, *how: Any) -> Incoming:
        if b"endless" in raw:
            ends.wait(60)
        return parse(raw, *how)

    box.receiving.parse = slow
    kept = [box.keep(address, mail(To=address, text=text)) for text in ("endless", "endless too", "quick")]

    async def read_all() -> list[Any]:
        return await asyncio.gather(*(box.receiving.receive(box.desk.account_id, one.id, last=True) for one in kept))

    assert all(box.desk.server.run(read_all()))
    ends.set()
    assert [row.state for row in box.rows()] == ["failed", "failed", "taken"]
    assert "took longer" in box.rows()[0].reason


# The worker, and who cannot wait for it


@pytest.fixture
def busy(server: LiveServer) -> Letterbox:
    """The letterbox of a desk whose worker reads what comes."""
    return Letterbox(open_desk(server))


def test_the_worker_reads_what_is_kept_in_its_order(busy: Letterbox) -> None:
    _, address = inbox(busy.desk)
    first = busy.keep(address, mail(To=address, Message_ID=f"<{(root := unique('root'))}@buyer.example>"))
    for n in range(6):
        busy.keep(address, mail(To=address, In_Reply_To=f"<{root}@buyer.example>", text=f"Number {n}."))
    wait(lambda: all(row.state == "taken" for row in busy.rows()))
    assert stored(busy.desk) == 1
    id = busy.rows()[0].conversation_id
    assert id is not None and first.id == busy.rows()[0].id
    bodies = [one.body or "" for one in threads(busy.desk, id)]
    assert [next(c for c in body if c.isdigit()) for body in bodies[1:]] == list("012345")
    assert counted(busy.desk) == recounted(busy.desk)


def test_a_call_that_cannot_wait_reads_at_once(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    kept = box.keep(address, mail(To=address))
    where = box.desk.server.run(receiving.receive_now(box.receiving, kept.id))
    assert where == (box.rows()[-1].conversation_id, box.rows()[-1].thread_id)
    assert box.desk.server.run(receiving.receive_now(box.receiving, kept.id)) == where
    assert box.desk.server.run(receiving.receive_now(box.receiving, 2**40)) is None


# Erasing


def test_what_came_goes_with_its_conversation(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    where = box.deliver(address, text=unique("secret"))
    sent = box.reply(where[0])
    box.deliver(address, bounce(address, sent.message_id))
    files = [row.sha256 for row in box.rows()]
    done(box.desk.delete(f"/v2/conversations/{where[0]}"))
    assert (box.rows(), box.mails()) == ([], [])
    removed = jobs_of(box, "remove_files")
    assert set(files) <= set(removed)


# What the receiving server says of it


def test_what_the_receiving_server_says_is_kept(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    fields = {"Received": "from a by mx.desk.example; Mon, 23 Nov 2026 09:00:00 +0000"}
    fields["Authentication-Results"] = "mx.desk.example; spf=pass smtp.mailfrom=buyer.example; dkim=fail"
    where = box.deliver(address, mail(To=address, **fields))
    assert msgspec.json.decode(box.mail_of(where[1]).verdicts or "{}") == {"spf": "pass", "dkim": "fail"}


def test_what_a_sender_says_of_itself_is_not_kept_where_no_server_stands_between(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    forged = mail(
        To=address,
        Received="from a by mx.evil.example; Mon, 23 Nov 2026 09:00:00 +0000",
        Authentication_Results="mx.evil.example; spf=pass; dkim=pass; dmarc=pass",
    )
    where = box.read(box.keep(address, forged, "smtp"))
    assert where is not None
    assert msgspec.json.decode(box.mail_of(where[1]).verdicts or "") == {}


def test_a_named_server_before_ours_is_believed(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    box.receiving.trusted_server = "mx.desk.example"
    where = box.read(box.keep(address, mail(To=address, Authentication_Results="mx.desk.example; spf=pass"), "smtp"))
    assert where is not None
    assert msgspec.json.decode(box.mail_of(where[1]).verdicts or "") == {"spf": "pass"}
