"""Erasing customers, at once and in the background, with everything that is about them.

Facts: 29-31 of the wire contract's half B (https://developer.helpscout.com/mailbox-api/endpoints/customers/delete).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from deskhand.db.engine import Session
from deskhand.db.statements import command
from deskhand.desk.conversations.erasure import erasing_jobs
from deskhand.desk.conversations.erasure.erasing import ERASE_CUSTOMER, Erasure, finish_or_go_on
from deskhand.desk.customers import queries
from deskhand.desk.ratings.tables import rating
from deskhand.lib.blobs import YOUNG_S, BlobStore
from deskhand.lib.clock import MovableClock
from deskhand.mail.tables import captured_mail
from deskhand.schema import METADATA
from tests.contract.test_ratings import rated, replied
from tests.desk.conversations.passing import jobs_left
from tests.desk.conversations.received import received
from tests.desk.customers.builders import add_conversations, add_customer, events
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

MANY = 60.0
"""Seconds that work in the background may take on a busy machine."""


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before


def eventually(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + MANY
    while not true():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)


def erase(desk: Desk, id: int, **params: str) -> requests.Response:
    return desk.request("DELETE", f"/v2/customers/{id}", params=params)


def write(desk: Desk, inbox: int, email: str, data: str = "YQ==") -> int:
    """A conversation with all that one can have; `data` is the file of its attachment, in base64."""
    customer = {"email": email, "firstName": "Mira"}
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": data}
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
        "tags": [unique("tag")], "assignTo": desk.user_id,
        "threads": [{"type": "customer", "text": "Where?", "customer": customer, "attachments": [file]},
                    {"type": "reply", "text": "Here", "customer": customer}],
    }  # fmt: skip
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    id = int(answer.headers["Resource-ID"])
    newest, oldest = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    received(desk, id, oldest["id"], f"Subject: Refund of {id}".encode())
    insert(desk, captured_mail, thread_id=newest["id"], message_id=f"<{newest['id']}@desk.example>")
    insert(desk, rating, thread_id=newest["id"], conversation_id=id, inbox_id=inbox, customer_id=1)
    insert(desk, METADATA.tables["workflow_run"], conversation_id=id)
    return id


def insert(desk: Desk, table: sa.Table, **given: Any) -> None:
    """A row of a table, made up where nothing is given."""
    row = {
        column.name: 1 if isinstance(column.type, sa.Integer) else "x"
        for column in table.c
        if not column.nullable and column.name != "id"
    }
    made = table.insert().values({**row, "account_id": desk.account_id, **given})
    desk.write(lambda tx: tx.run(command(made, keep=False)))


def customer_of(desk: Desk, conversation: int) -> int:
    id: int = desk.get(f"/v2/conversations/{conversation}").json()["primaryCustomer"]["id"]
    return id


def left(desk: Desk) -> dict[str, int]:
    """How many rows there are of the account, by table; those that tell of what happened are left out."""
    telling = {"event", "job", "counter", "staff", "inbox", "inbox_access", "token", "application", "tag", "account"}
    found = {}
    for table in METADATA.sorted_tables:
        if "account_id" in table.c and table.name not in telling and not table.name.startswith("webhook"):
            text = f"SELECT count(*) FROM {table.name} WHERE account_id = {desk.account_id}"

            def counted(session: Session, text: str = text) -> int:
                return int(session._fetch_text(text, ())[0][0])

            if n := desk.server.app.database.lanes["write"].run_now(counted):
                found[table.name] = n
    return found


def test_a_customer_is_erased_with_conversations_and_ratings(desk: Desk) -> None:
    before = left(desk)
    inbox = desk.add_inbox()
    conversations = [write(desk, inbox, "mira@buyer.example") for _ in range(3)]
    mira = customer_of(desk, conversations[0])
    assert desk.post("/v2/customer-properties", {"type": "text", "slug": "plan", "name": "Plan"}).status_code == 201
    change = [{"op": "replace", "path": "/plan", "value": "Pro"}]
    assert desk.patch(f"/v2/customers/{mira}/properties", change).status_code == 204
    paul = write(desk, inbox, "paul@buyer.example")
    answer = erase(desk, mira)
    assert (answer.status_code, answer.content) == (204, b"")
    assert desk.get(f"/v2/customers/{mira}").status_code == 404
    assert erase(desk, mira).status_code == 404
    for id in conversations:
        assert desk.get(f"/v2/conversations/{id}").status_code == 404
    listed = desk.get("/v2/conversations", status="all").json()
    assert [one["id"] for one in listed["_embedded"]["conversations"]] == [paul]
    assert listed["page"]["totalElements"] == 1
    assert desk.get("/v2/conversations", status="all", query="body:Where").json()["page"]["totalElements"] == 1
    told = events(desk)[-4:]
    assert told == [("convo.deleted", id) for id in conversations] + [("customer.deleted", mira)]
    folders = desk.get(f"/v2/mailboxes/{inbox}/folders").json()["_embedded"]["folders"]
    assert sum(folder["totalCount"] for folder in folders if folder["type"] != "mytickets") == 1
    assert erase(desk, customer_of(desk, paul)).status_code == 204
    # Of the messages nothing is left but hashes of their ids, so that none comes back.
    assert left(desk) == before | {"customer_property": 1, "deleted_message": 4}
    add_customer(desk, "mira@buyer.example")


def test_what_others_have_stays(desk: Desk) -> None:
    other = open_desk(desk.server)
    for one in (desk, other):
        write(one, one.add_inbox(), "mira@buyer.example")
    before = left(other)
    (mira,) = (one["id"] for one in desk.get("/v2/customers").json()["_embedded"]["customers"])
    assert erase(other, mira).status_code == 404
    assert erase(desk, mira).status_code == 204
    assert left(other) == before


def test_at_once_only_up_to_100_conversations(desk: Desk) -> None:
    mira = add_customer(desk, "mira@buyer.example")
    add_conversations(desk, mira, desk.add_inbox(), count=101)
    answer = erase(desk, mira)
    assert answer.status_code == 403
    assert "async=true" in answer.text
    assert desk.get(f"/v2/customers/{mira}").status_code == 200
    paul = add_customer(desk)
    add_conversations(desk, paul, desk.add_inbox(), count=100)
    assert erase(desk, paul, **{"async": "false"}).status_code == 204


def test_in_the_background_whatever_their_number(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing_jobs, "BATCHES_MOST", 2)  # so that the job is added again
    mira = add_customer(desk, "mira@buyer.example")
    add_conversations(desk, mira, desk.add_inbox(), count=230)
    answer = erase(desk, mira, **{"async": "true"})
    assert (answer.status_code, answer.content) == (202, b"")
    assert "Resource-ID" not in answer.headers
    eventually(lambda: desk.get(f"/v2/customers/{mira}").status_code == 404)
    assert desk.get("/v2/conversations", status="all").json()["_embedded"]["conversations"] == []
    told = events(desk)
    assert told[-1] == ("customer.deleted", mira)
    assert [name for name, _ in told].count("convo.deleted") == 230
    assert erase(desk, mira, **{"async": "true"}).status_code == 404


def test_asking_twice_tells_of_it_once(desk: Desk) -> None:
    mira = add_customer(desk)
    add_conversations(desk, mira, desk.add_inbox(), count=120)
    assert erase(desk, mira, **{"async": "true"}).status_code == 202
    assert erase(desk, mira, **{"async": "true"}).status_code in (202, 404)
    eventually(lambda: desk.get(f"/v2/customers/{mira}").status_code == 404)
    eventually(lambda: jobs_left(desk, ERASE_CUSTOMER) == 0)
    assert events(desk).count(("customer.deleted", mira)) == 1


@pytest.mark.parametrize("params", [{}, {"async": "true"}])
def test_a_conversation_that_the_caller_may_not_see_forbids_it(desk: Desk, params: dict[str, str]) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    conversations = [write(desk, inbox, "mira@buyer.example") for inbox in (seen, hidden)]
    mira = customer_of(desk, conversations[0])
    outsider = desk.as_user(desk.add_user(inboxes=(seen,)))
    assert erase(outsider, mira, **params).status_code == 403
    paul = customer_of(desk, write(desk, seen, "paul@buyer.example"))
    light = desk.as_user(desk.add_user(role="light user", inboxes=(seen, hidden)))
    assert erase(light, paul, **params).status_code == 403
    assert [desk.get(f"/v2/conversations/{id}").status_code for id in conversations] == [200, 200]
    assert erase(outsider, paul, **params).status_code in (202, 204)


def test_a_locked_customer_can_be_erased_in_the_background(desk: Desk) -> None:
    mira = add_customer(desk)
    add_conversations(desk, mira, desk.add_inbox(), count=5_000)
    assert erase(desk, mira).status_code == 403
    assert erase(desk, mira, **{"async": "true"}).status_code == 202
    eventually(lambda: desk.get(f"/v2/customers/{mira}").status_code == 404)


def test_drafts_and_merged_conversations_go_without_a_word(desk: Desk) -> None:
    mira, inbox = add_customer(desk), desk.add_inbox()
    add_conversations(desk, mira, inbox, state="draft")
    add_conversations(desk, mira, inbox, merged_into=1)
    assert erase(desk, mira).status_code == 204
    assert [name for name, _ in events(desk)] == ["customer.created", "customer.deleted"]
    assert "conversation" not in left(desk)


def test_no_conversation_is_left_of_somebody_who_is_erased_meanwhile(desk: Desk) -> None:
    """Whoever writes while they are erased is erased with it, or is somebody new."""
    inbox = desk.add_inbox()
    customer = {"email": "mira@buyer.example"}
    body = {
        "subject": "x", "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
        "threads": [{"type": "customer", "text": "x", "customer": customer}],
    }  # fmt: skip
    made = []

    def start(_: int) -> None:
        answer = desk.as_user(desk.user_id).post("/v2/conversations", body)
        assert answer.status_code == 201, answer.text
        made.append(answer.headers["Location"])

    def erase_them(_: int) -> None:
        me = desk.as_user(desk.user_id)
        for one in me.get("/v2/customers").json()["_embedded"]["customers"]:
            assert erase(me, one["id"]).status_code in (204, 404)

    with ThreadPoolExecutor(6) as pool:
        starting, erasing = pool.map(start, range(40)), pool.map(erase_them, range(20))
        list(starting)
        list(erasing)
    start(0)
    found = [answer for path in made if (answer := desk.get(path)).status_code == 200]
    assert found
    for answer in found:
        place = answer.json()["_links"]["primaryCustomer"]["href"]
        assert desk.get(place).status_code == 200
    assert desk.get("/v2/conversations").json()["page"]["totalElements"] == len(found)


def test_a_conversation_being_written_while_the_last_of_its_customer_goes_is_erased_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mira, inbox, found, keep = add_customer(desk), desk.add_inbox(), Event(), queries.by_id_to_keep

    def slowly(*given: Any) -> Any:
        kept = keep(*given)
        found.set()
        time.sleep(0.5)
        return kept

    monkeypatch.setattr(queries, "by_id_to_keep", slowly)
    body = {
        "subject": "x", "type": "email", "mailboxId": inbox, "status": "active", "customer": {"id": mira},
        "threads": [{"type": "customer", "text": "x", "customer": {"id": mira}}],
    }  # fmt: skip
    erasure = Erasure(mira, desk.user_id)
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(desk.as_user(desk.user_id).post, "/v2/conversations", body)
        assert found.wait(MANY)
        desk.write(lambda tx: finish_or_go_on(tx, desk.account_id, erasure, desk.now))
        assert started.result().status_code == 201
    eventually(lambda: desk.get(f"/v2/customers/{mira}").status_code == 404)
    assert desk.get(started.result().headers["Location"]).status_code == 404


def test_their_ratings_of_what_is_somebody_elses_now_are_erased_too(desk: Desk) -> None:
    id, replies = replied(desk)
    mira, paul = customer_of(desk, id), add_customer(desk, "paul@buyer.example")
    rated(desk, replies["message"], "not_good", "Quite slow")
    change = {"op": "replace", "path": "/primaryCustomer.id", "value": paul}
    assert desk.patch(f"/v2/conversations/{id}", change).status_code == 204
    assert "Quite slow" in desk.get(f"/v2/conversations/{id}/threads").text
    assert erase(desk, mira).status_code == 204
    threads = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    assert len(threads) >= 3
    assert not [thread for thread in threads if "rating" in thread]


@pytest.mark.parametrize("value", ["maybe", "2", "[]"])
def test_async_is_true_or_false(desk: Desk, value: str) -> None:
    mira = add_customer(desk)
    assert erase(desk, mira, **{"async": value}).status_code == 400
    assert desk.get(f"/v2/customers/{mira}").status_code == 200


# -- Files


def blobs(desk: Desk) -> BlobStore:
    return BlobStore(desk.server.app.settings.data_dir / "blobs")


def files_of(desk: Desk, id: int) -> list[Path]:
    """The files of a conversation's attachment and of the mail it came by."""
    names = desk.server.app.database.lanes["write"].run_now(
        lambda session: session._fetch_text(
            f"SELECT sha256 FROM attachment WHERE conversation_id = {id} UNION ALL "
            f"SELECT source_sha256 FROM thread_mail WHERE conversation_id = {id} AND source_sha256 IS NOT NULL", ()
        )
    )  # fmt: skip
    found = [blobs(desk).path(name) for (name,) in names]
    assert found and all(path.is_file() for path in found)
    return found


def age(paths: list[Path]) -> None:
    for path in paths:
        os.utime(path, (time.time() - 2 * YOUNG_S,) * 2)


def test_files_of_erased_conversations_are_removed(desk: Desk) -> None:
    inbox = desk.add_inbox()
    by_itself = write(desk, inbox, "paul@buyer.example", "cGF1bA==")
    with_customer = write(desk, inbox, "mira@buyer.example", "bWlyYQ==")
    paths = files_of(desk, by_itself) + files_of(desk, with_customer)
    assert len(paths) == 4
    age(paths)
    assert desk.delete(f"/v2/conversations/{by_itself}").status_code == 204
    assert erase(desk, customer_of(desk, with_customer)).status_code == 204
    eventually(lambda: not any(path.exists() for path in paths))
    assert not [path for folder in {path.parent for path in paths} for path in folder.glob(".gone-*")]


def test_a_file_that_somebody_else_has_stays(desk: Desk) -> None:
    other = open_desk(desk.server)
    mine, theirs = (write(one, one.add_inbox(), "mira@buyer.example", "c2hhcmVk") for one in (desk, other))
    shared = next(path for path in files_of(desk, mine) if path in files_of(other, theirs))
    paths = files_of(desk, mine)
    age(paths)
    assert desk.delete(f"/v2/conversations/{mine}").status_code == 204
    eventually(lambda: [path for path in paths if path.exists()] == [shared])
    (file,) = other.get(f"/v2/conversations/{theirs}", embed="threads").json()["_embedded"]["threads"][-1]["_embedded"][
        "attachments"
    ]
    assert other.get(file["_links"]["data"]["href"]).json() == {"data": "c2hhcmVk"}


def test_a_young_file_is_removed_an_hour_later(desk: Desk, clock: MovableClock) -> None:
    id = write(desk, desk.add_inbox(), "mira@buyer.example", "eW91bmc=")
    paths = files_of(desk, id)
    assert desk.delete(f"/v2/conversations/{id}").status_code == 204
    time.sleep(1)
    assert all(path.exists() for path in paths), "it may be about to be named by an upload of the same bytes"
    age(paths)
    clock.advance(timedelta(seconds=YOUNG_S + 1))
    eventually(lambda: not any(path.exists() for path in paths))


def test_what_belongs_to_a_conversation_is_erased_table_by_table(desk: Desk) -> None:
    """A table that is about conversations and is forgotten in erasing.py makes this fail."""
    id = write(desk, desk.add_inbox(), "mira@buyer.example")
    about = {table.name for table in METADATA.sorted_tables if "conversation_id" in table.c}
    about -= {"agent_draft", "approval", "audit_record"}  # the gateway's, which listens to the desk
    about -= {"received_mail"}  # mail that came goes too: see tests/desk/conversations/mail
    about |= {"conversation", "captured_mail", "conversation_search"}
    of_the_web = {
        "presence",
        "follower",
        "mention",
        "note_draft",
        "bulk_item",
        "unsent",
        "unsent_file",
    }  # see the tests of the web's verbs
    assert about - set(left(desk)) <= {"conversation_field", *of_the_web}
    assert desk.delete(f"/v2/conversations/{id}").status_code == 204
    assert about & set(left(desk)) == set()
