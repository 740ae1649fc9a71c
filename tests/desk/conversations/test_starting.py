"""Starting conversations: what follows from a body, and that a refused one leaves nothing behind."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from deskhand.desk.users import verbs as users_verbs
from deskhand.lib.clock import to_wire
from tests.desk.conversations.builders import (
    counted,
    created,
    events,
    faults,
    fields,
    given,
    patch,
    read,
    recounted,
    start,
    stored,
    threads,
    told,
    wrote,
)
from tests.world import Desk, open_desk, unique


def replied(text: str = "We are on it.", **more: Any) -> dict[str, Any]:
    return {"type": "reply", "text": text, **more}


def people(desk: Desk) -> int:
    total: int = desk.get("/v2/customers").json()["page"]["totalElements"]
    return total


# Numbers -------------------------------------------------------------------------------------------------------------


def test_numbers_follow_one_another_and_a_refusal_takes_none(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    first = read(desk, start(desk, inbox_id))["number"]
    body = given(inbox_id, fields=[{"id": 999_999, "value": "1"}])
    assert faults(desk.post("/v2/conversations", body)) == ["fields[0].id"]
    assert faults(desk.post("/v2/conversations", given(inbox_id, tags=["vip", " "]))) == ["tags[1]"]
    assert read(desk, start(desk, inbox_id))["number"] == first + 1


def test_accounts_number_their_own(desk: Desk) -> None:
    other = open_desk(desk.server)
    inbox_id, elsewhere = desk.add_inbox(), other.add_inbox()
    assert read(desk, start(desk, inbox_id))["number"] == read(other, start(other, elsewhere))["number"] == 1001


# People --------------------------------------------------------------------------------------------------------------


def test_an_unknown_address_makes_a_customer_and_a_known_one_is_found_in_any_case(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    address = f"{unique('Paula')}@Buyer.example"
    first = start(desk, inbox_id, customer={"email": address, "firstName": "Paula"})
    again = start(desk, inbox_id, customer={"email": address.upper(), "firstName": "Somebody"})
    one, two = (read(desk, id)["primaryCustomer"] for id in (first, again))
    assert one["id"] == two["id"]
    assert one["first"] == two["first"] == "Paula"
    assert people(desk) == 1
    assert told(desk, one["id"]) == ["customer.created"]


def test_an_id_wins_over_an_address(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    known = read(desk, start(desk, inbox_id))["primaryCustomer"]
    id = start(desk, inbox_id, customer={"id": known["id"], "email": f"{unique('other')}@buyer.example"})
    assert read(desk, id)["primaryCustomer"]["id"] == known["id"]
    assert people(desk) == 1


def test_a_customer_of_another_account_is_unknown(desk: Desk) -> None:
    other = open_desk(desk.server)
    stranger = read(other, start(other, other.add_inbox()))["primaryCustomer"]["id"]
    answer = desk.post("/v2/conversations", given(desk.add_inbox(), customer={"id": stranger}))
    assert faults(answer) == ["customer.id"]
    assert stored(desk) == 0


def test_a_thread_may_be_of_another_customer(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    address = f"{unique('colleague')}@buyer.example"
    id = start(desk, inbox_id, threads=[wrote(), wrote("Me too.", customer={"email": address})])
    main = read(desk, id)["primaryCustomer"]["id"]
    mine, theirs = threads(desk, id)
    assert mine.customer_id == mine.created_by_id == main
    assert theirs.customer_id == theirs.created_by_id != main
    assert people(desk) == 2


def test_who_began_it_is_who_wrote_the_first_thread(desk: Desk) -> None:
    inbox_id, ines = desk.add_inbox(), desk.add_user("Ines")
    asked = read(desk, start(desk, inbox_id))
    assert (asked["createdBy"]["type"], asked["createdBy"]["id"]) == ("customer", asked["primaryCustomer"]["id"])
    assert asked["source"] == {"type": "api", "via": "customer"}
    offered = read(desk, start(desk, inbox_id, user=ines, threads=[replied(), wrote()]))
    assert (offered["createdBy"]["type"], offered["createdBy"]["id"]) == ("user", ines)
    assert offered["source"] == {"type": "api", "via": "user"}


def test_a_thread_has_its_own_author_before_the_conversations(desk: Desk) -> None:
    inbox_id, ines, omar = desk.add_inbox(), desk.add_user("Ines"), desk.add_user("Omar")
    noted = {"type": "note", "text": "Look."}
    id = start(desk, inbox_id, user=ines, threads=[replied(), noted | {"user": omar}, noted])
    assert [one.created_by_id for one in threads(desk, id)] == [ines, omar, ines]


@pytest.mark.parametrize("kind", ["team", "inactive", "foreign", "unknown"])
def test_an_author_must_be_an_active_user_of_the_account(desk: Desk, kind: str) -> None:
    author = {
        "team": desk.add_team,
        "inactive": lambda: _deactivated(desk),
        "foreign": lambda: open_desk(desk.server).user_id,
        "unknown": lambda: 987_654_321,
    }[kind]()
    assert faults(desk.post("/v2/conversations", given(desk.add_inbox(), user=author))) == ["user"]
    assert stored(desk) == 0


def _deactivated(desk: Desk) -> int:
    user_id = desk.add_user()
    from_now = desk.now
    desk.write(lambda tx: users_verbs.set_state(tx, desk.account_id, user_id, "inactive", from_now))
    return user_id


# Owners --------------------------------------------------------------------------------------------------------------


def test_the_inbox_names_the_owner_only_of_what_begins_with_a_reply(desk: Desk) -> None:
    ines = desk.add_user()
    inbox_id = desk.add_inbox(default_assignee_id=ines)
    offered, asked = given(inbox_id, threads=[replied()]), given(inbox_id)
    del offered["assignTo"], asked["assignTo"]
    assert read(desk, created(desk.post("/v2/conversations", offered)))["assignee"]["id"] == ines
    assert "assignee" not in read(desk, created(desk.post("/v2/conversations", asked)))
    assert "assignee" not in read(desk, start(desk, inbox_id, threads=[replied()], assignTo=None))
    assert read(desk, start(desk, inbox_id, assignTo=desk.user_id))["assignee"]["id"] == desk.user_id


def test_a_team_may_own(desk: Desk) -> None:
    team = desk.add_team("Returns")
    id = start(desk, desk.add_inbox(), assignTo=team)
    assert read(desk, id)["assignee"] == {"id": team, "type": "team", "first": "Returns"}


@pytest.mark.parametrize("owner", [0, 1, -3, 987_654_321])
def test_an_owner_must_be_somebody(desk: Desk, owner: int) -> None:
    assert faults(desk.post("/v2/conversations", given(desk.add_inbox(), assignTo=owner))) == ["assignTo"]


# Statuses, folders and numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "owned", "folder"),
    [
        ("active", False, 1), ("active", True, 5), ("open", False, 1), ("pending", False, 1), ("pending", True, 5),
        ("closed", False, 6), ("closed", True, 6), ("spam", False, 7), ("spam", True, 7),
    ],
)  # fmt: skip
def test_status_and_owner_decide_the_folder(desk: Desk, status: str, owned: bool, folder: int) -> None:
    inbox_id = desk.add_inbox()
    shown = read(desk, start(desk, inbox_id, status=status, assignTo=desk.user_id if owned else None))
    assert shown["folderId"] == inbox_id * 10 + folder
    assert shown["status"] == ("active" if status == "open" else status)
    assert (shown["closedBy"], "closedAt" in shown) == ((desk.user_id, True) if status == "closed" else (0, False))
    assert counted(desk) == recounted(desk)


def test_a_draft_reply_makes_a_draft(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    id = start(desk, inbox_id, threads=[wrote(), replied(draft=True)], tags=["vip"], assignTo=desk.user_id)
    shown = read(desk, id)
    assert (shown["state"], shown["folderId"] % 10, shown["threads"]) == ("draft", 4, 1)
    assert [one.state for one in threads(desk, id)] == ["published", "draft"]
    assert told(desk, id) == []
    assert counted(desk) == recounted(desk)


def test_a_draft_is_told_of_once_it_is_published(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[replied(draft=True)])
    assert patch(desk, id, "/draft", True).status_code == 204
    assert (read(desk, id)["state"], told(desk, id)) == ("draft", [])
    assert patch(desk, id, "/draft", False).status_code == 204
    shown = read(desk, id)
    assert (shown["state"], shown["threads"], shown["folderId"] % 10) == ("published", 1, 1)
    assert [one.state for one in threads(desk, id) if one.type == "message"] == ["published"]
    assert told(desk, id) == ["convo.created"]
    assert patch(desk, id, "/draft", False).status_code == 204
    assert told(desk, id) == ["convo.created"]
    assert counted(desk) == recounted(desk)


def test_threads_keep_their_order_and_lists_show_the_newest_first(desk: Desk) -> None:
    kinds = [("customer", "one"), ("reply", "two"), ("note", "three"), ("phone", "four"), ("chat", "five")]
    id = start(desk, desk.add_inbox(), threads=[{"type": kind, "text": text} for kind, text in kinds])
    listed = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    assert [(one["type"], one["body"]) for one in reversed(listed)] == [
        ("customer", "one"), ("message", "two"), ("note", "three"), ("phone", "four"), ("chat", "five"),
    ]  # fmt: skip
    shown = read(desk, id)
    assert (shown["threads"], shown["preview"]) == (5, "five")


def test_who_waits_follows_from_the_threads(desk: Desk) -> None:
    inbox_id, now = desk.add_inbox(), desk.server.clock.now()
    times = [to_wire(now - timedelta(hours=hours)) for hours in (5, 4, 3, 2)]

    def waiting(*kinds: str, **more: Any) -> tuple[str, str] | None:
        written = [
            {"type": kind, "text": "…", "createdAt": at, "imported": True}
            for kind, at in zip(kinds, times, strict=False)
        ]
        shown = read(desk, start(desk, inbox_id, threads=written, **more)).get("customerWaitingSince")
        return shown and (shown["time"], shown["latestReplyFrom"])

    assert waiting("customer", "customer", "note") == (times[0], "customer")
    assert waiting("customer", "reply") is None
    assert waiting("customer", "reply", "customer", "phone") == (times[2], "customer")
    assert waiting("reply", "note") is None
    assert waiting("customer", status="closed") is None


def test_tags_are_found_whatever_their_case_and_each_counts_once(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    first = start(desk, inbox_id, tags=["Refund", "vip"])
    again = start(desk, inbox_id, tags=["VIP", " vip ", "refund"])
    one, two = ({tag["id"]: tag["tag"] for tag in read(desk, id)["tags"]} for id in (first, again))
    assert one == two
    assert sorted(one.values()) == ["Refund", "vip"]
    assert [tag["tag"] for tag in read(desk, again)["tags"]] == ["vip", "Refund"]
    assert [told(desk, tag_id) for tag_id in one] == [["tag.created"], ["tag.created"]]
    assert counted(desk) == recounted(desk)


def test_custom_fields_are_kept_for_reading_and_for_finding(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    plan = desk.add_field(inbox_id, "Plan", "dropdown", ("Free", "Pro"))
    order = desk.add_field(inbox_id, "Order", "number")
    listed = desk.get(f"/v2/mailboxes/{inbox_id}/fields").json()["_embedded"]["fields"]
    pro = listed[0]["options"][1]["id"]
    id = start(desk, inbox_id, fields=[{"id": order, "value": 5521}, {"id": plan, "value": str(pro)}])
    assert read(desk, id)["customFields"] == [
        {"id": plan, "name": "Plan", "value": str(pro), "text": "Pro"},
        {"id": order, "name": "Order", "value": "5521", "text": "5521"},
    ]
    assert [(one.field_id, one.value) for one in fields(desk, id)] == [(plan, str(pro)), (order, "5521")]
    elsewhere = desk.add_inbox()
    answer = desk.post("/v2/conversations", given(elsewhere, fields=[{"id": order, "value": "1"}]))
    assert faults(answer) == ["fields[0].id"]


# Imports -------------------------------------------------------------------------------------------------------------


def test_an_import_keeps_its_times_and_its_event_says_so(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    written, closed = "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"
    id = start(desk, inbox_id, imported=True, createdAt=written, status="closed", closedAt=closed)
    shown = read(desk, id)
    assert (shown["createdAt"], shown["closedAt"]) == (written, closed)
    (only,) = threads(desk, id)
    assert (only.created_at, only.imported) == (written, 1)
    (fact,) = events(desk, id)
    assert (fact.name, json.loads(fact.particulars)) == ("convo.created", {"imported": True})


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"createdAt": "2020-01-01T00:00:00Z"}, "createdAt"),
        ({"imported": True, "closedAt": "2020-01-01T00:00:00Z"}, "closedAt"),
        ({"status": "closed", "closedAt": "2020-01-01T00:00:00Z"}, "closedAt"),
        ({"threads": [wrote(), wrote(createdAt="2020-01-01T00:00:00Z")]}, "threads[1].createdAt"),
        ({"threads": []}, "threads"),
    ],
)
def test_times_of_the_past_need_an_import(desk: Desk, body: dict[str, Any], path: str) -> None:
    assert faults(desk.post("/v2/conversations", given(desk.add_inbox(), **body))) == [path]
    assert (stored(desk), people(desk)) == (0, 0)


# Limits and refusals -------------------------------------------------------------------------------------------------


def test_a_hundred_threads_fit_and_one_more_does_not(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    many = [wrote(f"part {n}") for n in range(101)]
    assert faults(desk.post("/v2/conversations", given(inbox_id, threads=many)), 412) == ["threads"]
    assert stored(desk) == 0
    id = start(desk, inbox_id, threads=many[:100])
    assert read(desk, id)["threads"] == 100
    answer = desk.post(f"/v2/conversations/{id}/notes", {"text": "One more."})
    assert faults(answer, 412) == ["conversationId"]


def test_light_users_start_none(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    light = desk.as_user(desk.add_user(role="light user", inboxes=(inbox_id,)))
    assert light.post("/v2/conversations", given(inbox_id)).status_code == 403
    assert (stored(desk), people(desk)) == (0, 0)


def test_a_user_starts_only_in_inboxes_they_see(desk: Desk) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    ines = desk.as_user(desk.add_user(inboxes=(seen,)))
    start(ines, seen)
    assert ines.post("/v2/conversations", given(hidden)).status_code == 403
    foreign = open_desk(desk.server).add_inbox()
    assert faults(ines.post("/v2/conversations", given(foreign))) == ["mailboxId"]
    assert stored(desk) == 1


def test_what_a_refused_body_would_have_made_is_not_there(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    body = given(inbox_id, tags=["new"], fields=[{"id": 999_999, "value": "1"}])
    body["threads"] = [wrote(customer={"email": f"{unique('other')}@buyer.example"})]
    assert faults(desk.post("/v2/conversations", body)) == ["fields[0].id"]
    late = given(inbox_id, tags=["new"], threads=[wrote(), replied(user=987_654_321)])
    assert desk.post("/v2/conversations", late).status_code == 400
    assert (stored(desk), people(desk), counted(desk)) == (0, 0, {})
    assert desk.get("/v2/tags").json()["page"]["totalElements"] == 0


def test_attachments_belong_to_their_threads(desk: Desk) -> None:
    def file(name: str, content: bytes) -> dict[str, str]:
        return {"fileName": name, "mimeType": "text/plain", "data": base64.b64encode(content).decode()}

    written = [
        wrote(attachments=[file("one.txt", b"one"), file("two.txt", b"two")]),
        wrote("None."),
        replied(attachments=[file("three.txt", b"three")]),
    ]
    id = start(desk, desk.add_inbox(), threads=written)
    listed = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    shown = [
        [(one["filename"], base64.b64decode(desk.get(one["_links"]["data"]["href"]).json()["data"])) for one in files]
        for files in (thread["_embedded"]["attachments"] for thread in reversed(listed))
    ]
    assert shown == [[("one.txt", b"one"), ("two.txt", b"two")], [], [("three.txt", b"three")]]
    found = desk.get("/v2/conversations", query="(attachments:true)").json()["_embedded"]["conversations"]
    assert [one["id"] for one in found] == [id]


def test_a_conversation_is_found_by_all_that_is_in_it(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), subject="Zephyr", threads=[wrote("<b>quagga</b>"), replied("ocelot")])
    start(desk, desk.add_inbox())
    for word in ("subject:zephyr", "body:quagga", "ocelot", "zephyr quagga"):
        found = desk.get("/v2/conversations", query=f"({word})").json()["_embedded"]["conversations"]
        assert [one["id"] for one in found] == [id], word
