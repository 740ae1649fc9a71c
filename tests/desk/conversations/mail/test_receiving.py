"""Mail that comes becomes threads, each in the conversation where it belongs."""

from __future__ import annotations

import asyncio
import base64
import threading
from typing import Any

import msgspec
import pytest

from deskhand.desk.conversations.mail import loops, placing, receiving
from deskhand.mail.compose import loop_mark
from deskhand.mail.inbound import Way
from deskhand.mail.incoming import Incoming
from deskhand.mail.parse import parse
from tests.desk.conversations.builders import (
    counted,
    created,
    done,
    merge,
    patch,
    read,
    recounted,
    snooze,
    stored,
    threads,
    told,
)  # fmt: skip
from tests.desk.conversations.mail.arriving import Letterbox, bounce, by_api, faulty, inbox, jobs_of, mail
from tests.live import LiveServer
from tests.mail.mutations import original
from tests.mail.post_office import wait
from tests.viruses import TEST_FILE
from tests.world import open_desk, unique

PAUL = "paul@buyer.example"


def shown(box: Letterbox, where: tuple[int, int]) -> Any:
    """A thread as the API shows it."""
    listed = box.desk.get(f"/v2/conversations/{where[0]}/threads").json()["_embedded"]["threads"]
    return next(one for one in listed if one["id"] == where[1])


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


# Where an answer belongs


def test_an_answer_to_a_reply_reopens_its_conversation(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    where = box.deliver(address, In_Reply_To=sent.message_id, Subject="Something else")
    assert where[0] == id
    conversation = read(box.desk, id)
    assert (conversation["status"], conversation["threads"], conversation["subject"]) == (
        "active", 3, "A lamp that flickers",
    )  # fmt: skip
    assert told(box.desk, id)[-2:] == ["convo.customer.reply.created", "convo.status"]
    assert counted(box.desk) == recounted(box.desk)


def test_references_are_enough_where_a_mail_program_forgets_the_rest(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    assert box.deliver(address, References=f"<a@x> {sent.message_id} <b@x>")[0] == id


def test_a_token_in_the_address_is_enough(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    box.reply(id, token="abcdefgh23456789abcd")
    local, _, domain = address.partition("@")
    tokened = f"{local}+ABCDEFGH23456789abcd@{domain}"
    assert box.deliver(tokened, From="lea@buyer.example")[0] == id
    assert box.read(box.keep(tokened, mail(To="undisclosed-recipients:;"))) is not None
    assert stored(box.desk) == 1


def test_a_token_of_nobody_starts_a_conversation(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    assert box.deliver(address.replace("@", "+abcdefgh23456789abcd@"))[0] != id


def test_a_colleague_who_answers_is_seen_as_who_they_are(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address, From=PAUL)
    sent = box.reply(id)
    where = box.deliver(address, From="Lea Holm <lea@buyer.example>", In_Reply_To=sent.message_id)
    assert where[0] == id
    assert shown(box, where)["createdBy"]["email"] == "lea@buyer.example"
    assert read(box.desk, id)["primaryCustomer"]["email"] == PAUL


def test_a_user_of_the_account_who_writes_is_a_customer(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    me = box.desk.get("/v2/users/me").json()["email"]
    where = box.deliver(address, From=me, In_Reply_To=sent.message_id)
    assert (where[0], shown(box, where)["type"]) == (id, "customer")


def test_an_id_that_a_stranger_guessed_leads_nowhere(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address, Message_ID="<1@buyer.example>", Cc="lea@buyer.example")
    answer = {"In_Reply_To": "<1@buyer.example>"}
    assert box.deliver(address, From="eve@evil.example", **answer)[0] != id
    assert box.deliver(address, From=PAUL, **answer)[0] == id
    assert box.deliver(address, From="Lea@buyer.example", **answer)[0] == id
    forged = {"Received": "from evil by mx.desk.example; Mon, 23 Nov 2026 09:00:00 +0000"}
    forged["Authentication-Results"] = "mx.desk.example; dmarc=fail header.from=buyer.example"
    assert box.deliver(address, From=PAUL, **answer, **forged)[0] != id


def test_an_answer_from_the_customers_other_address_belongs(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address, Message_ID="<2@buyer.example>")
    customer = read(box.desk, id)["primaryCustomer"]["id"]
    created(box.desk.post(f"/v2/customers/{customer}/emails", {"type": "home", "value": "paul@home.example"}))
    assert box.deliver(address, From="paul@home.example", In_Reply_To="<2@buyer.example>")[0] == id


def test_a_number_in_the_subject_counts_for_the_customer_alone(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address, Cc="lea@buyer.example")
    subject = f"Re: A lamp that flickers [#{read(box.desk, id)['number']}]"
    assert box.deliver(address, From="lea@buyer.example", Subject=subject)[0] != id
    assert box.deliver(address, From=PAUL, Subject=subject)[0] == id
    assert box.deliver(address, From=PAUL, Subject="Re: A lamp that flickers")[0] != id
    assert box.deliver(address, From=PAUL, Subject="[#999999999999999]")[0] != id


def test_another_account_is_never_answered(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, token="zzzzzzzz23456789abcd")
    other = Letterbox(open_desk(box.desk.server), box.parse)
    _, theirs = inbox(other.desk)
    tokened = address.replace("@", "+zzzzzzzz23456789abcd@")
    number = read(box.desk, id)["number"]
    where = other.deliver(theirs, mail(To=tokened, In_Reply_To=sent.message_id, Subject=f"[#{number}]"))
    assert (stored(box.desk), stored(other.desk), where[0] != id) == (1, 1, True)


def test_a_merged_conversation_leads_to_the_one_it_lives_on_in(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    first, second, third = (box.deliver(address)[0] for _ in range(3))
    sent = box.reply(first)
    merge(box.desk, first, second)
    merge(box.desk, second, third)
    assert box.deliver(address, In_Reply_To=sent.message_id)[0] == third
    assert counted(box.desk) == recounted(box.desk)


def test_an_answer_to_another_inbox_of_the_account_belongs_to_its_conversation(box: Letterbox) -> None:
    (_, a), (_, b) = inbox(box.desk), inbox(box.desk)
    id, _ = box.deliver(a)
    box.reply(id, token="bbbbbbbb23456789abcd")
    raw = mail(To=f"{a.replace('@', '+bbbbbbbb23456789abcd@')}, {b}")
    assert box.deliver(b, raw)[0] == id
    assert box.read(box.keep(a, raw)) is not None  # it is there already
    assert box.rows()[-1].reason == placing.TWICE
    assert read(box.desk, id)["threads"] == 3


def test_a_first_mail_to_two_inboxes_is_a_conversation_in_each(box: Letterbox) -> None:
    (_, a), (_, b) = inbox(box.desk), inbox(box.desk)
    raw = mail(To=f"{a}, {b}", Message_ID="<both@buyer.example>")
    one, two = box.deliver(a, raw)[0], box.deliver(b, raw)[0]
    assert one != two
    assert read(box.desk, one)["cc"] == []
    assert box.deliver(a, In_Reply_To="<both@buyer.example>")[0] == one
    assert box.deliver(b, In_Reply_To="<both@buyer.example>")[0] == two


def test_a_full_conversation_goes_on_in_another(box: Letterbox) -> None:
    inbox_id, address = inbox(box.desk)
    many = [{"type": "customer", "text": "More."}] * 99
    full = by_api(box.desk, inbox_id, PAUL, threads=many)
    sent = box.reply(full)
    answer = {"In_Reply_To": sent.message_id}
    first, second = box.deliver(address, **answer), box.deliver(address, **answer)
    assert first[0] == second[0] != full
    numbers = {id: read(box.desk, id)["number"] for id in (full, first[0])}
    assert threads(box.desk, first[0])[0].action_text == f"Continues #{numbers[full]}, which takes no more"
    assert threads(box.desk, full)[-1].action_text == f"Goes on in #{numbers[first[0]]}"
    assert counted(box.desk) == recounted(box.desk)


def test_a_conversation_that_is_locked_by_its_age_goes_on_in_another(quiet_server: Any) -> None:
    box = Letterbox(open_desk(quiet_server, lock_after_days=30), faulty)
    inbox_id, address = inbox(box.desk)
    old = by_api(
        box.desk, inbox_id, PAUL, imported=True, createdAt="2020-01-01T00:00:00Z",
        threads=[{"type": "customer", "text": "Old.", "createdAt": "2020-01-01T00:00:00Z"}],
    )  # fmt: skip
    subject = f"[#{read(box.desk, old)['number']}]"
    id, _ = box.deliver(address, Subject=subject)
    assert id != old
    assert "locked because of its age" in threads(box.desk, id)[0].action_text


# Deleted ones


def test_a_deleted_mail_does_not_come_back(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    raw = mail(To=address, Message_ID="<gone@buyer.example>")
    id, _ = box.deliver(address, raw)
    sent = box.reply(id)
    done(box.desk.delete(f"/v2/conversations/{id}"))
    assert box.rows() == []
    assert box.skipped(address, raw) == placing.DELETED
    assert box.deliver(address, In_Reply_To=sent.message_id)[0] != id
    assert stored(box.desk) == 1


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


# Nobody wrote it


@pytest.mark.parametrize(
    ("way", "sender", "status"), [("smtp", "", "closed"), ("lmtp", "", "closed"), ("lmtp", PAUL, "active")]
)
def test_what_has_no_return_path_was_sent_by_a_program(box: Letterbox, way: Way, sender: str, status: str) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    assert box.read(box.keep(address, mail(To=address, In_Reply_To=sent.message_id), way, sender))
    assert read(box.desk, id)["status"] == status


def test_an_out_of_office_is_shown_and_reopens_nothing(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    before = read(box.desk, id)
    where = box.deliver(address, In_Reply_To=sent.message_id, Auto_Submitted="auto-replied")
    after = read(box.desk, id)
    assert where[0] == id
    assert (after["status"], after["threads"]) == ("closed", before["threads"] + 1)
    assert after.get("customerWaitingSince") == before.get("customerWaitingSince")
    assert box.mail_of(where[1]).automatic == 1


def test_our_own_mail_that_comes_back_is_skipped(box: Letterbox) -> None:
    (_, address), (_, other) = inbox(box.desk), inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    assert box.skipped(address, Message_ID=sent.message_id) == placing.OWN
    assert box.skipped(address, From=other) == placing.FROM_INBOX
    mark = loop_mark(address)
    assert box.skipped(other, mail(To=other, **{"X-Deskhand-Loop": mark})) == placing.OWN
    assert box.deliver(other, mail(To=other, **{"X-Deskhand-Loop": "another desk's"}))


def test_a_breaker_trips_and_mail_is_still_kept(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)

    def tripped() -> bool:
        now, account_id = box.desk.now, box.desk.account_id
        return box.desk.server.app.database.read_now(lambda db: loops.tripped(db, account_id, id, "buyer.example", now))

    for _ in range(loops.MOST_INTO_ONE - 1):
        box.deliver(address, In_Reply_To=sent.message_id)
    assert not tripped()
    box.deliver(address, In_Reply_To=sent.message_id)
    assert tripped()
    done(patch(box.desk, id, "/status", "closed"))
    box.deliver(address, In_Reply_To=sent.message_id)
    assert read(box.desk, id)["status"] == "closed"
    assert sum("nothing is answered by itself" in one.action_text for one in threads(box.desk, id)) == 1


def test_many_automatic_mails_of_a_domain_trip_the_breaker(box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "MOST_OF_DOMAIN", 2)
    _, address = inbox(box.desk)
    ids = [box.deliver(address, Auto_Submitted="auto-generated", From="a@Loud.example")[0] for _ in range(3)]
    db, now = box.desk.server.app.database, box.desk.now

    def tripped(domain: str) -> bool:
        return db.read_now(lambda reader: loops.tripped(reader, box.desk.account_id, ids[0], domain, now))

    assert (tripped("loud.example"), tripped("quiet.example")) == (True, False)


# Mail that did not arrive


def test_a_bounce_is_told_at_its_reply(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    where = box.deliver(address, bounce(address, sent.message_id))
    known = box.mail_of(sent.thread_id)
    assert (known.state, "gone@buyer.example" in known.error, "5.1.1" in known.error) == ("bounced", True, True)
    conversation = read(box.desk, id)
    assert (where[0], conversation["status"], conversation["threads"]) == (id, "active", 2)
    assert threads(box.desk, id)[-1].action_text.startswith("A reply was not delivered: gone@buyer.example")
    assert counted(box.desk) == recounted(box.desk)


def test_a_mail_that_is_late_is_only_noted(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    box.deliver(address, bounce(address, sent.message_id, "delayed"))
    assert box.mail_of(sent.thread_id).state == sent.state
    assert read(box.desk, id)["status"] == "closed"
    assert "not delivered yet" in threads(box.desk, id)[-1].action_text


def test_a_bounce_of_somebody_elses_mail_is_skipped(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    assert box.skipped(address, bounce(address, "<x@y>")) == placing.FOREIGN_BOUNCE
    assert stored(box.desk) == 0


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


def test_an_answer_waits_for_the_mail_that_it_answers(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    first = box.keep(address, mail(To=address, Message_ID="<first@buyer.example>"))
    second = box.keep(address, mail(To=address, In_Reply_To="<first@buyer.example>"))
    with pytest.raises(placing.Awaits):
        box.read(second, last=False)
    one = box.read(first)
    two = box.read(second, last=False)
    assert one is not None and two is not None
    assert one[0] == two[0]


@pytest.mark.parametrize("field", ["Subject", "From", "Message_ID", "To", "Cc"])
def test_hostile_fields_are_stored_as_far_as_they_go(box: Letterbox, field: str) -> None:
    _, address = inbox(box.desk)
    hostile = b"\xff\x00\xed\xa0\x80 <" + b"x" * 9_000 + b"> ;,@@ \x1b"
    raw = mail(To=address, Cc="a@b.example").replace(b"\r\n", b"\n")
    name = field.replace("_", "-").encode()
    raw = b"\n".join(name + b": " + hostile if line.startswith(name + b":") else line for line in raw.split(b"\n"))
    box.deliver(address, raw)
    assert box.rows()[-1].state in ("taken", "failed")


# The worker


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


# What an answer does, and does not do


def test_an_answer_ends_a_snooze_and_an_out_of_office_does_not(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    snooze(box.desk, id, "2100-01-01T00:00:00Z", until_reply=True)
    box.deliver(address, In_Reply_To=sent.message_id, Auto_Submitted="auto-replied")
    assert "snooze" in read(box.desk, id)
    box.deliver(address, In_Reply_To=sent.message_id)
    assert "snooze" not in read(box.desk, id)
    assert counted(box.desk) == recounted(box.desk)


def test_a_bounce_ends_a_snooze(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    snooze(box.desk, id, "2100-01-01T00:00:00Z", until_reply=False)
    box.deliver(address, bounce(address, sent.message_id))
    assert "snooze" not in read(box.desk, id)


def test_spam_stays_spam_whoever_answers(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    done(patch(box.desk, id, "/status", "spam"))
    assert box.deliver(address, In_Reply_To=sent.message_id)[0] == id
    assert read(box.desk, id)["status"] == "spam"


def test_the_owner_stays_and_copies_are_kept(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address, Cc="lea@buyer.example")
    done(patch(box.desk, id, "/assignTo", box.desk.user_id))
    sent = box.reply(id)
    to = f"{address}, Max <max@buyer.example>, {PAUL}"
    box.deliver(address, mail(To=to, Cc=f"lea@buyer.example, {address}", In_Reply_To=sent.message_id))
    conversation = read(box.desk, id)
    assert conversation["assignee"]["id"] == box.desk.user_id
    assert conversation["cc"] == ["max@buyer.example", "lea@buyer.example"]


def test_what_is_repeated_of_earlier_mails_is_left_out_and_kept(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    box.reply(id, message_id=f"<{(token := unique('q'))}@desk.example>")
    raw = original("replies/gmail-web").replace(b"q1.17@desk", token.encode() + b"@desk")
    where = box.deliver(address, raw)
    known = box.mail_of(where[1])
    assert where[0] == id
    assert known.quoted
    assert "gmail_quote" not in shown(box, where)["body"]


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


@pytest.mark.parametrize("header", ["List_Id", "X_MS_Exchange_Inbox_Rules_Loop"])
def test_an_answer_that_a_group_or_a_rule_passes_on_opens_its_conversation_again(box: Letterbox, header: str) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    given = {"In_Reply_To": sent.message_id, header: "<support.shop.example>"}
    assert box.deliver(address, mail(To=address, **given))[0] == id
    assert read(box.desk, id)["status"] == "active"


def test_a_harmful_file_is_marked(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    where = box.deliver(address, files=[("eicar.com", "application/octet-stream", TEST_FILE)])
    (file,) = shown(box, where)["_embedded"]["attachments"]
    assert (file["filename"], file["state"]) == ("eicar.com", "virus")


def test_a_call_that_cannot_wait_reads_at_once(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    kept = box.keep(address, mail(To=address))
    where = box.desk.server.run(receiving.receive_now(box.receiving, kept.id))
    assert where == (box.rows()[-1].conversation_id, box.rows()[-1].thread_id)
    assert box.desk.server.run(receiving.receive_now(box.receiving, kept.id)) == where
    assert box.desk.server.run(receiving.receive_now(box.receiving, 2**40)) is None


def test_a_message_that_is_read_for_ever_holds_nobody_up(box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "READ_WITHIN_S", 0.3)
    _, address = inbox(box.desk)
    ends = threading.Event()

    def slow(raw: bytes, *how: Any) -> Incoming:
        if b"endless" in raw:
            ends.wait(20)
        return parse(raw, *how)

    box.receiving.parse = slow
    kept = [box.keep(address, mail(To=address, text=text)) for text in ("endless", "endless too", "quick")]

    async def read_all() -> list[Any]:
        return await asyncio.gather(*(box.receiving.receive(box.desk.account_id, one.id, last=True) for one in kept))

    assert all(box.desk.server.run(read_all()))
    ends.set()
    assert [row.state for row in box.rows()] == ["failed", "failed", "taken"]
    assert "took longer" in box.rows()[0].reason


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<img src="cid:a@1">', '<img src="URL">'),
        ("<img alt=x SRC='cid:a@1' width=1>", "<img alt=x SRC='URL' width=1>"),
        ('<img src="cid:a%401">', '<img src="URL">'),
        ('<img src="cid:b&amp;c">', '<img src="OTHER">'),
        ('<a href="cid:a@1">cid:a@1</a>', '<a href="cid:a@1">cid:a@1</a>'),
        ('<img src="cid:unknown">', '<img src="cid:unknown">'),
    ],
)
def test_pictures_in_place_lead_to_their_files(body: str, expected: str) -> None:
    assert placing.in_place(body, {"a@1": "URL", "b&c": "OTHER"}) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Paul Gruen", ("Paul", "Gruen")),
        ("Gruen, Paul", ("Paul", "Gruen")),
        ("Vincent van Gogh", ("Vincent", "van Gogh")),
        ("Plato", ("Plato", None)),
        ("", (None, None)),
        ("Acme, Inc., Berlin", ("Acme,", "Inc., Berlin")),
        ("x" * 100 + " \0y", ("x" * 40, "y")),
    ],
)
def test_names_are_first_and_last(name: str, expected: tuple[str | None, str | None]) -> None:
    assert placing.names(name) == expected
