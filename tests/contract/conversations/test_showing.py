"""One conversation as it is shown, also when it was merged.

Facts: §3 and facts 43-49 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.users import verbs as users
from deskhand.lib.clock import MovableClock
from tests.contract.conversations.builders import PATH, PAUL, merge, nulls, patch, read, start, thread
from tests.world import Desk

NO_SUBJECT = command(
    sa.update(conversation)
    .where(conversation.c.account_id == P("account"), conversation.c.id == P("which"))
    .values(subject=sa.literal_column("''"), preview=sa.literal_column("''")),
    keep=False,
)


# -- One conversation (facts 43-49)

ALWAYS = {
    "id", "number", "threads", "type", "folderId", "status", "state", "subject", "preview", "mailboxId", "createdBy",
    "createdAt", "closedBy", "userUpdatedAt", "source", "tags", "cc", "bcc", "primaryCustomer", "customFields",
    "_embedded", "_links",
}  # fmt: skip


def test_an_open_unassigned_conversation_has_these_keys(desk: Desk, inbox: int) -> None:
    made = read(desk, start(desk, inbox))
    assert set(made) - {"customerWaitingSince"} == ALWAYS
    assert nulls(made) == []
    assert set(made["_links"]) == {"self", "mailbox", "primaryCustomer", "createdByCustomer", "threads", "web"}
    assert made["closedBy"] == 0
    assert (made["tags"], made["cc"], made["bcc"], made["customFields"]) == ([], [], [], [])
    assert made["_embedded"] == {"threads": []}


def test_a_conversation_shows_what_it_was_given(desk: Desk, inbox: int) -> None:
    made = read(desk, start(desk, inbox, customer=PAUL, threads=[thread(text="<p>Where <b>is</b> it?</p>")]))
    customer = made["primaryCustomer"]["id"]
    assert made["primaryCustomer"] == {
        "id": customer, "type": "customer", "first": "Paul", "last": "Meyer", "email": "paul@buyer.example",
    }  # fmt: skip
    assert {name: made["createdBy"][name] for name in ("id", "type", "email")} == {
        "id": customer, "type": "customer", "email": "paul@buyer.example",
    }  # fmt: skip
    expected = {
        "threads": 1, "type": "email", "status": "active", "state": "published", "subject": "Refund for order 5521",
        "preview": "Where is it?", "mailboxId": inbox,
    }  # fmt: skip
    assert {name: made[name] for name in expected} == expected
    assert set(made["source"]) == {"type", "via"}
    assert made["source"]["via"] == "customer"


def test_the_customer_waits_until_somebody_replies(desk: Desk, inbox: int, clock: MovableClock) -> None:
    id = start(desk, inbox)
    since = read(desk, id)["createdAt"]
    clock.advance(timedelta(hours=20, minutes=5))
    assert read(desk, id)["customerWaitingSince"] == {
        "time": since, "friendly": "20 hours ago", "latestReplyFrom": "customer",
    }  # fmt: skip
    desk.post(f"{PATH}/{id}/reply", {"text": "Here", "customer": {"email": "paul@buyer.example"}})
    assert not read(desk, id).get("customerWaitingSince")


def test_a_closed_assigned_conversation_has_more_keys(desk: Desk, inbox: int) -> None:
    ines = desk.add_user("Ines", "Okafor", inboxes=(inbox,))
    made = read(desk, start(desk, inbox, assignTo=ines, status="closed"))
    assert set(made) - {"customerWaitingSince"} == ALWAYS | {"assignee", "closedAt", "closedByUser"}
    assert nulls(made) == []
    email = desk.get(f"/v2/users/{ines}").json()["email"]
    assert made["assignee"] == {"id": ines, "type": "user", "first": "Ines", "last": "Okafor", "email": email}
    assert made["closedBy"] == made["closedByUser"]["id"] == desk.user_id
    assert {"id", "type", "first", "last", "email"} <= set(made["closedByUser"])
    assert made["closedByUser"]["type"] == "user"
    assert made["_links"]["assignee"]["href"].endswith(f"/v2/users/{ines}")
    assert made["_links"]["closedBy"]["href"].endswith(f"/v2/users/{desk.user_id}")


def test_a_team_can_own_a_conversation(desk: Desk, inbox: int) -> None:
    team = desk.add_team("Tier Two")
    made = read(desk, start(desk, inbox, assignTo=team))
    assert (made["assignee"]["id"], made["assignee"]["type"], made["assignee"]["first"]) == (team, "team", "Tier Two")
    assert nulls(made) == []
    assert desk.get(made["_links"]["assignee"]["href"]).json()["id"] == team


def test_the_author_is_who_wrote_the_first_thread(desk: Desk, inbox: int) -> None:
    ines = desk.add_user(inboxes=(inbox,))
    by_customer = read(desk, start(desk, inbox, user=ines))
    assert by_customer["createdBy"]["type"] == "customer"
    by_owner = read(desk, start(desk, inbox, threads=[thread("reply")]))
    assert (by_owner["createdBy"]["type"], by_owner["createdBy"]["id"]) == ("user", desk.user_id)
    assert by_owner["_links"]["createdByUser"]["href"].endswith(f"/v2/users/{desk.user_id}")
    assert "createdByCustomer" not in by_owner["_links"]
    by_ines = read(desk, start(desk, inbox, threads=[thread("note")], user=ines))
    assert by_ines["createdBy"]["id"] == ines


def test_threads_are_counted_without_drafts_and_line_items(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, threads=[thread(), thread("note"), thread("phone")])
    paul = {"email": "paul@buyer.example"}
    desk.post(f"{PATH}/{id}/reply", {"text": "Soon", "customer": paul, "draft": True})
    patch(desk, id, "replace", "/status", "closed")
    assert read(desk, id)["threads"] == 3
    desk.post(f"{PATH}/{id}/reply", {"text": "Here", "customer": paul})
    assert read(desk, id)["threads"] == 4


def test_tags_and_custom_fields_have_these_keys(desk: Desk, inbox: int) -> None:
    plan = desk.add_field(inbox, "Plan", "dropdown", ("Free", "Pro"))
    order = desk.add_field(inbox, "Order", "number")
    (field, _) = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"]
    pro = field["options"][1]["id"]
    values = [{"id": plan, "value": str(pro)}, {"id": order, "value": 5521}]
    made = read(desk, start(desk, inbox, tags=["vip"], fields=values))
    (tag,) = made["tags"]
    assert set(tag) == {"id", "color", "tag"}
    assert tag["tag"] == "vip"
    assert made["customFields"] == [
        {"id": plan, "name": "Plan", "value": str(pro), "text": "Pro"},
        {"id": order, "name": "Order", "value": "5521", "text": "5521"},
    ]


def test_a_conversation_without_subject_has_no_such_key(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    desk.write(lambda tx: tx.run(NO_SUBJECT, account=desk.account_id, which=id))
    for found in (read(desk, id), desk.get(PATH).json()["_embedded"]["conversations"][0]):
        assert "subject" not in found and "preview" not in found


def test_the_preview_is_the_beginning_of_the_latest_thread_as_plain_text(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, threads=[thread(text="First"), thread("note", "Second &amp; <i>last</i>")])
    assert read(desk, id)["preview"] == "Second & last"
    desk.post(f"{PATH}/{id}/notes", {"text": "word " * 200})
    preview = read(desk, id)["preview"]
    assert preview.startswith("word word") and 150 <= len(preview) <= 200


def test_numbers_go_up_within_an_account(desk: Desk, inbox: int) -> None:
    numbers = [read(desk, start(desk, inbox))["number"] for _ in range(3)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_embedded_threads_are_all_there_newest_first(desk: Desk, inbox: int) -> None:
    threads = [thread("note", str(number)) for number in range(60)]
    id = start(desk, inbox, threads=threads)
    found = read(desk, id, embed="threads")["_embedded"]["threads"]
    assert [one["body"] for one in found] == [str(number) for number in reversed(range(60))]
    assert nulls(found) == []


def test_the_links_of_a_conversation_lead_to_its_parts(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    made = read(desk, id)
    links = {rel: link["href"] for rel, link in made["_links"].items()}
    assert desk.get(links["self"]).json() == made
    assert desk.get(links["mailbox"]).json()["id"] == inbox
    assert desk.get(links["primaryCustomer"]).json()["id"] == made["primaryCustomer"]["id"]
    assert desk.get(links["createdByCustomer"]).json()["id"] == made["primaryCustomer"]["id"]
    assert len(desk.get(links["threads"]).json()["_embedded"]["threads"]) == 1
    assert links["web"].endswith(f"/conversation/{id}/{made['number']}")


def test_v3_shows_the_same(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, assignTo=desk.user_id, status="closed", tags=["vip"])
    for params in ({}, {"embed": "threads"}):
        assert desk.get(f"/v3/conversations/{id}", **params).json() == read(desk, id, **params)
    assert desk.get("/v3/conversations/999999999").status_code == 404


def test_only_v3_tells_an_ai_agent_from_a_user(desk: Desk, inbox: int) -> None:
    now = desk.now
    new = users.NewStaff(
        account_id=desk.account_id, type="system_user", first_name="Triage", created_at=now, updated_at=now
    )
    triage = desk.write(lambda tx: users.add_staff(tx, new))
    id = start(desk, inbox, threads=[thread("note")], user=triage, assignTo=triage)
    for version, kind in (("v2", "user"), ("v3", "system_user")):
        made = desk.get(f"/{version}/conversations/{id}", embed="threads").json()
        (only,) = made["_embedded"]["threads"]
        for person in (made["createdBy"], made["assignee"], only["createdBy"], only["assignedTo"]):
            assert (person["id"], person["type"]) == (triage, kind)
        (only,) = desk.get(f"/{version}/conversations/{id}/threads").json()["_embedded"]["threads"]
        assert only["createdBy"]["type"] == kind


def test_an_unknown_conversation_is_404(desk: Desk) -> None:
    answer = desk.get(f"{PATH}/999999999")
    assert answer.status_code == 404
    assert {"logRef", "message"} <= set(answer.json())


# -- Merged conversations (facts 48, 49)


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_a_merged_conversation_leads_to_its_survivor_for_60_days(desk: Desk, inbox: int, version: str) -> None:
    source, survivor = start(desk, inbox), start(desk, inbox)
    for days, status in ((0, 301), (59, 301), (59.99, 301), (61, 404)):
        merge(desk, source, survivor, days)
        answer = desk.get(f"/{version}/conversations/{source}")
        assert answer.status_code == status, days
        if status == 301:
            assert answer.headers["Location"] == f"{desk.server.url}/{version}/conversations/{survivor}"
            assert desk.get(answer.headers["Location"]).status_code == 200
        else:
            assert "Location" not in answer.headers


def test_for_every_other_call_a_merged_conversation_is_not_there(desk: Desk, inbox: int) -> None:
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}
    source, survivor = start(desk, inbox, threads=[thread(attachments=[file])]), start(desk, inbox)
    (only,) = desk.get(f"{PATH}/{source}/threads").json()["_embedded"]["threads"]
    (attachment,) = only["_embedded"]["attachments"]
    merge(desk, source, survivor)
    paul = {"email": "paul@buyer.example"}
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", "", {"op": "replace", "path": "/status", "value": "closed"}),
        ("DELETE", "", None),
        ("PUT", "/tags", {"tags": []}),
        ("PUT", "/fields", {"fields": []}),
        ("GET", "/threads", None),
        ("POST", "/notes", {"text": "x"}),
        *(("POST", f"/{kind}", {"text": "x", "customer": paul}) for kind in ("reply", "chats", "phones", "customer")),
        ("GET", f"/attachments/{attachment['id']}/data", None),
    ]
    for method, path, body in calls:
        answer = desk.request(method, f"{PATH}/{source}{path}", json=body)
        assert answer.status_code == 404, (method, path, answer.text)
    assert desk.get(f"/v3/conversations/{source}/threads").status_code == 404
    assert source not in [item["id"] for item in desk.get(PATH).json()["_embedded"]["conversations"]]
