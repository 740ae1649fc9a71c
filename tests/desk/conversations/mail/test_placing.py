"""The conversation that an answer belongs to, and what an answer does there."""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.desk.conversations.mail import placing
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
)
from tests.desk.conversations.mail.arriving import PAUL, Letterbox, by_api, faulty, inbox, mail, shown
from tests.mail.mutations import original
from tests.world import open_desk, unique

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


@pytest.mark.parametrize("header", ["List_Id", "X_MS_Exchange_Inbox_Rules_Loop"])
def test_an_answer_that_a_group_or_a_rule_passes_on_opens_its_conversation_again(box: Letterbox, header: str) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    given = {"In_Reply_To": sent.message_id, header: "<support.shop.example>"}
    assert box.deliver(address, mail(To=address, **given))[0] == id
    assert read(box.desk, id)["status"] == "active"


# Pictures and names


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
