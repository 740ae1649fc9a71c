"""Whoever may write to a desk can neither take, hide nor hold up anybody else's mail, however hard they try."""

from __future__ import annotations

from itertools import pairwise

import pytest

from deskhand.db.engine import Reader
from deskhand.desk.checking import files
from deskhand.desk.conversations.mail import loops, matching, matching_queries, placing, receiving
from deskhand.desk.conversations.queries import Head
from deskhand.mail.compose import loop_mark
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Kind
from tests.desk.conversations.builders import done, merge, patch, read, threads
from tests.desk.conversations.mail.arriving import Letterbox, bounce, by_api, inbox, jobs_of, mail
from tests.world import unique

PAUL = "paul@buyer.example"
EVE = "eve@evil.example"


def test_forged_automatic_mail_of_a_domain_does_not_keep_its_people_from_being_heard(
    box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "MOST_BY_PROGRAMS", 2)
    _, address = inbox(box.desk)
    id, _ = box.deliver(address, From=PAUL)
    sent = box.reply(id, status="closed")
    for _ in range(3):
        box.deliver(address, From=f"{unique('forged')}@buyer.example", Auto_Submitted="auto-generated")
    assert box.deliver(address, From=PAUL, In_Reply_To=sent.message_id)[0] == id
    assert read(box.desk, id)["status"] == "active"


def test_whoever_repeats_an_id_does_not_draw_the_answers_to_it(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    copy = {"Message_ID": f"<{unique('known')}@buyer.example>", "Cc": "lea@buyer.example"}
    id, _ = box.deliver(address, From=PAUL, **copy)
    box.deliver(address, From=EVE, text="Mine now.", **copy)
    answer = {"In_Reply_To": copy["Message_ID"]}
    assert box.deliver(address, From="lea@buyer.example", **answer)[0] == id


def test_an_id_that_is_repeated_without_end_holds_nobody_up(box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_CANDIDATES", 3)
    monkeypatch.setattr(matching_queries, "MOST_MAILS", 6)
    _, address = inbox(box.desk)
    many = {"Message_ID": f"<{unique('many')}@evil.example>"}
    for n in range(8):
        box.deliver(address, From=EVE, text=f"Number {n}.", **many)
    looked_at: list[int] = []
    plain = matching_queries.people

    def people(db: Reader, head: Head) -> matching.People:
        looked_at.append(head.id)
        return plain(db, head)

    monkeypatch.setattr(matching_queries, "people", people)
    box.deliver(address, From=PAUL, In_Reply_To=many["Message_ID"])
    assert len(looked_at) == 3
    db = box.desk.server.app.database
    known = db.read_now(lambda tx: matching_queries.by_message_id(tx, box.desk.account_id, [many["Message_ID"]]))
    assert len(known) == 6


def test_a_mail_of_ours_is_found_however_often_its_id_is_repeated(
    box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching_queries, "MOST_MAILS", 1)
    _, address = inbox(box.desk)
    shared = f"<{unique('shared')}@desk.example>"
    box.deliver(address, From=EVE, Message_ID=shared)
    id, _ = box.deliver(address, From=PAUL)
    box.reply(id, message_id=shared)
    assert box.deliver(address, From=PAUL, In_Reply_To=shared)[0] == id


def test_what_was_deleted_hides_no_other_mail_with_its_id(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    machine = {"From": "alarm@plant.example", "Message_ID": "<alarm@plant.example>"}
    id, _ = box.deliver(address, text="Boiler 1 is hot.", **machine)
    done(box.desk.delete(f"/v2/conversations/{id}"))
    assert box.deliver(address, text="Boiler 2 is hot.", **machine)


def test_of_what_was_deleted_nothing_is_known_but_that_it_came(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    raw = mail(To=address, From=PAUL)
    id, _ = box.deliver(address, raw)
    done(box.desk.delete(f"/v2/conversations/{id}"))
    box.read(box.keep(address, raw, "smtp", PAUL))
    (row,) = box.rows()
    assert (row.reason, row.sender, row.message_id, row.sha256) == (placing.DELETED, "", "", "")


def test_our_own_mail_that_came_back_goes_with_its_conversation(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    assert box.skipped(address, Message_ID=sent.message_id) == placing.OWN
    done(box.desk.delete(f"/v2/conversations/{id}"))
    assert box.rows() == []


def test_what_was_skipped_of_a_customer_goes_when_they_are_erased(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    customer = read(box.desk, box.deliver(address, From=PAUL)[0])["primaryCustomer"]["id"]
    mark = {"X-Deskhand-Loop": loop_mark(address)}
    for sender in ("PAUL@buyer.example", EVE):
        box.read(box.keep(address, mail(To=address, text=sender, **mark), "smtp", sender))
    kept = {row.sender: row.sha256 for row in box.rows() if row.state == "skipped"}
    done(box.desk.delete(f"/v2/customers/{customer}"))
    assert [row.sender for row in box.rows()] == [EVE]
    removed = jobs_of(box, "remove_files")
    assert (kept["PAUL@buyer.example"] in removed, kept[EVE] in removed) == (True, False)


def test_files_of_what_is_skipped_do_not_stay(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    raw = mail(
        To=address, files=[("a.txt", "text/plain", unique("left").encode())],
        **{"X-Deskhand-Loop": loop_mark(address)},
    )  # fmt: skip
    assert box.skipped(address, raw) == placing.OWN
    (file,) = set(jobs_of(box, "remove_files"))
    assert box.keeping.blobs.path(file).read_bytes().startswith(b"left")
    assert file != box.rows()[-1].sha256


def test_a_report_that_is_repeated_is_told_once(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    box.deliver(address, bounce(address, sent.message_id))
    done(patch(box.desk, id, "/status", "closed"))
    assert box.skipped(address, bounce(address, sent.message_id)) == placing.TOLD
    assert read(box.desk, id)["status"] == "closed"
    assert sum("not delivered" in one.action_text for one in threads(box.desk, id)) == 1
    assert box.mail_of(sent.thread_id).error.count("gone@buyer.example") == 1


def test_reports_without_end_fill_nothing(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    for n in range(20):
        raw = bounce(address, sent.message_id).replace(b"User unknown", f"{n} ".encode() + b"x" * 490)
        box.read(box.keep(address, raw))
    assert len(box.mail_of(sent.thread_id).error) < 5_000
    assert sum("not delivered" in one.action_text for one in threads(box.desk, id)) < 12
    box.deliver(address, In_Reply_To=sent.message_id)


def test_a_person_who_passes_a_report_on_is_heard(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    raw = bounce(address, "<x@y>").replace(b"MAILER-DAEMON@mx.example", PAUL.encode())
    raw = raw.replace(b"multipart/report; report-type=delivery-status;", b"multipart/mixed;")
    where = box.deliver(address, raw.replace(b"Sorry.", b"What does this mean?"))
    assert read(box.desk, where[0])["primaryCustomer"]["email"] == PAUL


def test_a_token_counts_with_a_hosts_name_in_letters_of_any_language(box: Letterbox) -> None:
    name, token = unique("hilfe"), "mmmmmmmm23456789abcd"
    box.desk.add_inbox(email=f"{name}@bücher.example")
    address = f"{name}@xn--bcher-kva.example"
    id, _ = box.deliver(address)
    box.reply(id, token=token)
    assert box.deliver(address, mail(To=f"{name}+{token}@bücher.example", From=EVE))[0] == id


def test_forms_that_differ_in_whom_to_answer_alone_are_two(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    form = {"From": "form@shop.example", "Message_ID": None, "Date": "Mon, 23 Nov 2026 09:00:00 +0000"}
    one, two = (mail(To=address, Reply_To=to, text="Call me.", **form) for to in (PAUL, "lea@buyer.example"))
    assert [box.keep(address, raw).known for raw in (one, two)] == [False, False]


def test_a_mail_does_not_vanish_in_a_draft(box: Letterbox) -> None:
    inbox_id, address = inbox(box.desk)
    reply = {"type": "reply", "text": "Soon.", "draft": True, "customer": {"email": PAUL}}
    draft = by_api(box.desk, inbox_id, PAUL, threads=[reply])
    number = read(box.desk, draft)["number"]
    assert box.deliver(address, From=PAUL, Subject=f"[#{number}]")[0] != draft


def test_a_conversation_that_goes_on_in_itself_ends_nobodys_patience(
    box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox_id, address = inbox(box.desk)
    full = by_api(box.desk, inbox_id, PAUL, threads=[{"type": "customer", "text": "More."}] * 99)
    sent = box.reply(full)
    following, _ = box.deliver(address, In_Reply_To=sent.message_id)
    asked: list[int] = []

    def goes_on_in(db: Reader, account_id: int, id: int) -> int:
        asked.append(id)
        return full

    monkeypatch.setattr(matching_queries, "goes_on_in", goes_on_in)
    where = box.deliver(address, In_Reply_To=sent.message_id)
    assert (where[0] not in (full, following), asked) == (True, [full])


def test_a_very_long_chain_of_merges_leads_to_its_end(box: Letterbox) -> None:
    inbox_id, address = inbox(box.desk)
    ids = [by_api(box.desk, inbox_id, PAUL) for _ in range(60)]
    sent = box.reply(ids[0])
    for one, into in pairwise(ids):
        merge(box.desk, one, into)
    assert box.deliver(address, In_Reply_To=sent.message_id)[0] == ids[-1]


# Mail that programs sent or passed on


@pytest.mark.parametrize(
    "given",
    [
        {"List_Id": "<support.groups.example>", "Precedence": "list"},
        {"X_MS_Exchange_Inbox_Rules_Loop": "support@shop.example"},
        {"X_Auto_Response_Suppress": "All"},
    ],
    ids=["a list", "a rule", "another help desk"],
)
def test_what_a_person_writes_is_heard_by_whatever_program_it_comes(box: Letterbox, given: dict[str, str]) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address, From=PAUL)
    sent = box.reply(id, status="closed")
    where = box.deliver(address, From=PAUL, In_Reply_To=sent.message_id, **given)
    assert (where[0], read(box.desk, id)["status"]) == (id, "active")
    assert box.mail_of(where[1]).automatic  # so it draws no automatic answer


@pytest.mark.parametrize(
    "given",
    [
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
        {"Subject": "Automatic reply: A lamp that flickers"},
        {"Return_Path": "<>"},
        {"X_MS_Exchange_Generated_Message_Source": "Mailbox Rules Agent"},
    ],
    ids=lambda given: str(*given.values()),
)
def test_what_a_program_answers_reopens_nothing(box: Letterbox, given: dict[str, str]) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address, From=PAUL)
    sent = box.reply(id, status="closed")
    assert box.deliver(address, From=PAUL, In_Reply_To=sent.message_id, **given)[0] == id
    assert read(box.desk, id)["status"] == "closed"


@pytest.mark.parametrize("sender", ["no-reply@forms.example", None], ids=["a form", "a list that hides its senders"])
def test_whom_a_program_writes_for_is_the_customer(box: Letterbox, sender: str | None) -> None:
    _, address = inbox(box.desk)
    form = {"From": sender or f"Paul by Help <{address}>", "Reply_To": f"Paul Gruen <{PAUL}>"}
    list_id = {} if sender else {"List_Id": "<help.groups.example>"}
    customer = read(box.desk, box.deliver(address, **form, **list_id)[0])["primaryCustomer"]
    assert (customer["first"], customer["email"]) == ("Paul", PAUL)


def test_who_writes_to_a_list_is_not_the_list(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    by_list = {"List_Id": "<users.lists.example>", "Reply_To": "Users <users@lists.example>"}
    assert read(box.desk, box.deliver(address, From=PAUL, **by_list)[0])["primaryCustomer"]["email"] == PAUL


def test_mail_that_its_server_calls_forged_trips_no_breaker(box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "MOST_BY_PROGRAMS", 0)
    _, address = inbox(box.desk)
    forged = {"Received": "from evil by mx.desk.example; Mon, 23 Nov 2026 09:00:00 +0000"}
    forged["Authentication-Results"] = "mx.desk.example; dmarc=fail header.from=buyer.example"
    id, _ = box.deliver(address, mail(To=address, From=PAUL, Auto_Submitted="auto-generated", **forged))
    db, now = box.desk.server.app.database, box.desk.now
    assert not db.read_now(lambda reader: loops.tripped(reader, box.desk.account_id, id, "buyer.example", now))


def test_the_server_whose_verdicts_count_can_be_named(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    tools = box.receiving
    verdicts = []
    for trusted in ("mx.desk.example", "mx.other.example"):
        fields = {"Received": "from a by mx.desk.example; Mon, 23 Nov 2026 09:00:00 +0000"}
        fields["Authentication-Results"] = "mx.desk.example; spf=pass smtp.mailfrom=buyer.example"
        kept = box.keep(address, mail(To=address, **fields))
        work = Work(1, box.desk.account_id, "receive_email", "", f'{{"id":{kept.id}}}', 1, 1)
        kind = receiving.kind(tools.database, tools.clock, tools.blobs, tools.base_url, trusted)

        async def carried(kind: Kind = kind, work: Work = work) -> None:
            await kind.carry(work)

        box.desk.server.run(carried())
        thread_id = box.rows()[-1].thread_id
        assert thread_id is not None
        verdicts.append(box.mail_of(thread_id).verdicts)
    assert verdicts == ['{"spf":"pass"}', "{}"]


def test_a_message_whose_file_is_lost_is_told_of_by_the_check(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    blobs = box.keeping.blobs
    box.keep(address, mail(To=address, text=unique("checked")))
    lost = blobs.path(box.rows()[-1].sha256)

    def differences() -> str:
        database = box.desk.server.app.database
        return " ".join(database.read_now(lambda db: files.check(db, blobs.folder)).differences)

    assert lost.name not in differences()
    aside = lost.rename(lost.with_name("aside"))
    assert lost.name in differences()
    aside.rename(lost)
