"""Merging conversations, following them, and what is remembered of snoozes."""

from __future__ import annotations

from functools import partial

import pytest

from deskhand.catalogue.problems import AccessDenied, BadRequest, NotFound, PreconditionFailed
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations import following, merging, queries
from deskhand.desk.conversations.listing import of_customer
from deskhand.desk.conversations.timing import remembered
from tests.desk.conversations.builders import events, read, reply, start, threads, told, wrote
from tests.world import Desk, open_desk


def acting(desk: Desk, user_id: int | None = None) -> Actor:
    found = desk.server.app.database.read_now(lambda db: access.actor(db, user_id or desk.user_id))
    assert found is not None
    return found


def merge(desk: Desk, gone: int, stays: int) -> None:
    actor = acting(desk)
    desk.write(lambda tx: merging.merge(tx, actor, gone, stays, desk.now))


def found(desk: Desk, query: str) -> list[int]:
    body = desk.get("/v2/conversations", query=query, status="all").json()
    return [one["id"] for one in body.get("_embedded", {"conversations": []})["conversations"]]


def test_all_that_was_said_goes_on_in_the_other(desk: Desk) -> None:
    inbox = desk.add_inbox()
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}
    gone = start(desk, inbox, threads=[wrote("A zebra lamp", attachments=[file])], tags=["vip", "new"])
    stays = start(desk, inbox, threads=[wrote("A lamp")], tags=["vip"])
    reply(desk, gone, text="Which one?")
    merge(desk, gone, stays)
    said = [one.body for one in threads(desk, stays) if one.type != "lineitem"]
    assert sorted(filter(None, said)) == ["A lamp", "A zebra lamp", "Which one?"]
    assert threads(desk, gone) == []
    shown = read(desk, stays)
    assert shown["threads"] == 3
    assert sorted(tag["tag"] for tag in shown["tags"]) == ["new", "vip"]
    assert found(desk, "zebra") == [stays]
    listed = desk.get(f"/v2/conversations/{stays}", embed="threads").json()["_embedded"]["threads"]
    (attached,) = [file for one in listed for file in one["_embedded"].get("attachments", [])]
    assert f"/conversations/{stays}/attachments/" in attached["_links"]["self"]["href"]


def test_the_first_leads_to_the_other_from_then_on(desk: Desk) -> None:
    inbox = desk.add_inbox()
    first, second, third = (start(desk, inbox, customer={"email": "p@buyer.example"}) for _ in range(3))
    merge(desk, first, second)
    merge(desk, second, third)
    for id in (first, second):
        answer = desk.get(f"/v2/conversations/{id}")
        assert answer.status_code == 301 and answer.headers["Location"].endswith(f"/conversations/{third}")


def test_a_line_says_that_it_was_merged(desk: Desk) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox), start(desk, inbox)
    merge(desk, gone, stays)
    (line,) = [one for one in threads(desk, stays) if one.type == "lineitem"]
    assert line.action_text == "Ada Holm merged conversation #1001 into this one"
    assert (line.action_type, line.associated) == ("merged", f'{{"originalConversation":{gone}}}')


def test_an_event_tells_of_it_and_of_what_else_has_changed(desk: Desk) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox, tags=["vip"]), start(desk, inbox, status="closed")
    merge(desk, gone, stays)
    _, merged, *others = events(desk, stays)
    assert (merged.name, merged.inbox_id, merged.actor_id) == ("convo.merged", inbox, desk.user_id)
    assert (merged.actor_type, merged.particulars) == ("user", f'{{"merged":{gone}}}')
    assert {one.name for one in others} == {"convo.status", "convo.tags"}
    assert told(desk, gone) == ["convo.created"]


def test_counters_and_facts_stay_right(desk: Desk) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox, assignTo=desk.user_id, tags=["vip"]), start(desk, inbox, status="closed")
    reply(desk, gone)
    merge(desk, gone, stays)
    folders = desk.get(f"/v2/mailboxes/{inbox}/folders").json()["_embedded"]["folders"]
    assert sum(one["totalCount"] for one in folders if one["type"] in ("open", "closed", "assigned")) == 1
    owner = acting(desk)
    head = desk.write(lambda tx: queries.head(tx, owner, stays))
    assert head.replies == 1 and head.threads == 3 and head.first_reply_at is not None


def test_one_that_is_closed_is_active_again_when_somebody_waits_in_the_other(desk: Desk) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox), start(desk, inbox, status="closed")
    merge(desk, gone, stays)
    assert read(desk, stays)["status"] == "active"
    assert "customerWaitingSince" in read(desk, stays)


def test_a_scheduled_draft_leaves_from_where_it_is_now(desk: Desk) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox), start(desk, inbox)
    draft = reply(desk, gone, text="Later", draft=True)
    plan = {"scheduledFor": "2099-01-01T08:00:00Z", "unscheduleOnCustomerReply": False}
    assert desk.put(f"/v2/conversations/{gone}/threads/{draft}/schedule", plan).status_code in (201, 204)
    merge(desk, gone, stays)
    assert read(desk, stays)["nextEvent"]["time"] == "2099-01-01T08:00:00Z"


def test_what_can_not_be_merged_is_refused(desk: Desk) -> None:
    inbox = desk.add_inbox()
    one, other = start(desk, inbox), start(desk, inbox)
    with pytest.raises(BadRequest):
        merge(desk, one, one)
    with pytest.raises(NotFound):
        merge(desk, one, 1)
    full = [start(desk, inbox, threads=[wrote(str(n)) for n in range(60)]) for _ in range(2)]
    with pytest.raises(PreconditionFailed, match="more than 100"):
        merge(desk, *full)
    merge(desk, one, other)
    with pytest.raises(NotFound):
        merge(desk, one, other)


def test_nobody_merges_what_they_may_not_change(desk: Desk) -> None:
    inbox, hidden = desk.add_inbox(), desk.add_inbox()
    mine, theirs = start(desk, inbox), start(desk, hidden)
    ines = desk.add_user("Ines", inboxes=(inbox,))
    light = desk.add_user("Lea", role="light user", inboxes=(inbox, hidden))
    for user, gone, stays in ((ines, mine, theirs), (ines, theirs, mine), (light, mine, theirs)):
        refused = partial(merging.merge, actor=acting(desk, user), id=gone, into_id=stays, now=desk.now)
        with pytest.raises(AccessDenied):
            desk.write(refused)
    stranger = open_desk(desk.server)
    actor = acting(stranger)
    with pytest.raises(NotFound):
        stranger.write(lambda tx: merging.merge(tx, actor, mine, theirs, desk.now))


def test_a_conversation_is_found_by_its_number_in_its_own_account(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    number = read(desk, id)["number"]
    stranger = open_desk(desk.server)
    assert desk.write(lambda tx: merging.by_number(tx, desk.account_id, number)) == id
    assert desk.write(lambda tx: merging.by_number(tx, stranger.account_id, number)) is None


def test_followers_are_kept_and_go_along_with_a_merge(desk: Desk) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox), start(desk, inbox)
    owner = acting(desk)
    for _ in range(2):
        desk.write(lambda tx: following.follow(tx, owner, gone, desk.now))
    assert [one.name for one in desk.write(lambda tx: following.followers(tx, desk.account_id, gone))] == ["Ada Holm"]
    merge(desk, gone, stays)
    assert [one.id for one in desk.write(lambda tx: following.followers(tx, desk.account_id, stays))] == [desk.user_id]
    desk.write(lambda tx: following.unfollow(tx, owner, stays))
    assert desk.write(lambda tx: following.followers(tx, desk.account_id, stays)) == []


def test_the_last_choice_of_a_snooze_is_each_user_s_own(desk: Desk) -> None:
    for choice in ("tomorrow", "monday"):
        desk.write(partial(remembered.remember, account_id=desk.account_id, user_id=desk.user_id, choice=choice))
    assert desk.write(lambda tx: remembered.last_choice(tx, desk.account_id, desk.user_id)) == "monday"
    assert desk.write(lambda tx: remembered.last_choice(tx, desk.account_id, desk.user_id + 1)) == ""


def test_of_a_customer_s_conversations_everybody_sees_those_of_their_inboxes(desk: Desk) -> None:
    inbox, hidden = desk.add_inbox(), desk.add_inbox()
    customer = {"email": "many@buyer.example"}
    seen = [start(desk, inbox, customer=customer) for _ in range(3)]
    other = start(desk, hidden, customer=customer)
    id = read(desk, other)["primaryCustomer"]["id"]
    ines = acting(desk, desk.add_user("Ines", inboxes=(inbox,)))
    owner = acting(desk)

    def ids(actor: Actor, page: int = 1) -> list[int]:
        return [one.id for one in desk.write(lambda tx: of_customer.conversations(tx, actor, id, page, size=3))]

    assert ids(owner) == [other, *seen[:0:-1]] and ids(owner, 2) == seen[:1]
    assert ids(ines) == seen[::-1]
    assert desk.write(lambda tx: of_customer.count(tx, ines, id)) == 3
    assert desk.write(lambda tx: of_customer.count(tx, owner, id)) == 4
