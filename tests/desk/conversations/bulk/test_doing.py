"""Many conversations at once: each changed by the ordinary verbs, and put back where nobody touched it since."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from deskhand.catalogue.problems import AccessDenied, NotFound
from deskhand.db.engine import Writer
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations.bulk import deleting, doing, records
from deskhand.desk.conversations.bulk.actions import (
    Action,
    AddTags,
    Assign,
    Delete,
    Move,
    RemoveTags,
    SetStatus,
    Snooze,
    in_words,
)
from deskhand.desk.conversations.bulk.records import Bulk
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Then
from tests.desk.conversations.builders import counted, read, recounted, start, threads, told
from tests.world import Desk


def actor(desk: Desk, user_id: int | None = None) -> Actor:
    found = desk.write(lambda tx: access.actor(tx, user_id or desk.user_id))
    assert found is not None
    return found


def begin(desk: Desk, ids: list[int], action: Action, who: Actor | None = None) -> int:
    by = who or actor(desk)  # not inside the transaction, which it would wait for
    made = desk.write(lambda tx: doing.begin(tx, by, ids, action, desk.now))
    return made.id


def finish(desk: Desk, id: int) -> Bulk:
    while desk.write(lambda tx: doing.go_on(tx, desk.account_id, id, desk.now)):
        pass
    found = desk.write(lambda tx: records.by_id(tx, desk.account_id, id))
    assert found is not None
    return found


def change(desk: Desk, ids: list[int], action: Action, who: Actor | None = None) -> Bulk:
    return finish(desk, begin(desk, ids, action, who))


def carried(desk: Desk, carry: Carrier, work: Work) -> Then | None:
    """What a job would leave to be written."""

    async def wait() -> Then | None:
        return await carry(work)

    return desk.server.run(wait())


def undo(desk: Desk, one: Bulk) -> Bulk:
    by = actor(desk)
    desk.write(lambda tx: doing.begin_undo(tx, by, one.id, desk.now))
    return finish(desk, one.id)


def facts(desk: Desk, id: int) -> dict[str, Any]:
    """What undo has to bring back."""
    shown = read(desk, id)
    names = ("status", "mailboxId", "folderId", "assignee", "closedBy", "closedByUser", "customFields", "snooze")
    return {name: shown.get(name) for name in names} | {"tags": [tag["tag"] for tag in shown["tags"]]}


ACTIONS = (
    SetStatus("closed"), SetStatus("spam"), SetStatus("pending"), AddTags(("Bug", "vip")), RemoveTags(("VIP",)),
    Assign(None), Snooze("2090-01-01T08:00:00Z"), Snooze(None),
)  # fmt: skip


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: str(action.__struct_config__.tag))
def test_each_action_changes_and_is_undone(desk: Desk, action: Action) -> None:
    inbox = desk.add_inbox()
    plain = start(desk, inbox)
    full = start(desk, inbox, tags=["vip", "old"], assignTo=desk.user_id, status="pending")
    closed = start(desk, inbox, status="closed", tags=["vip"], assignTo=desk.user_id)
    ids = [plain, full, closed]
    snoozed = {"snoozedUntil": "2089-05-01T08:00:00Z", "unsnoozeOnCustomerReply": False}
    assert desk.put(f"/v2/conversations/{full}/snooze", snoozed).status_code == 204
    before = {id: facts(desk, id) for id in ids}
    done = change(desk, ids, action)
    changed = [id for id in ids if facts(desk, id) != before[id]]
    assert changed and done.done == len(changed) and done.state == "done" and not done.refused
    undone = undo(desk, done)
    assert {id: facts(desk, id) for id in ids} == before
    assert undone.state == "undone" and undone.undone == len(changed)
    assert counted(desk) == recounted(desk)


def test_moving_is_undone_with_owner_and_fields(desk: Desk) -> None:
    first, second = desk.add_inbox("First"), desk.add_inbox("Second")
    ines = desk.add_user(inboxes=(first,))
    field = desk.add_field(first, "Order", "singleline")
    id = start(desk, first, assignTo=ines, fields=[{"id": field, "value": "A-1"}])
    before = facts(desk, id)
    done = change(desk, [id], Move(second))
    assert facts(desk, id)["mailboxId"] == second and facts(desk, id)["customFields"] == []
    undo(desk, done)
    assert facts(desk, id) == before
    assert counted(desk) == recounted(desk)


def test_each_is_told_of_like_any_change(desk: Desk) -> None:
    ids = [start(desk, inbox) for inbox in [desk.add_inbox()] * 2]
    change(desk, ids, SetStatus("closed"))
    change(desk, ids, AddTags(("late",)))
    for id in ids:
        assert told(desk, id)[-2:] == ["convo.status", "convo.tags"]
        texts = [one.action_text for one in threads(desk, id) if one.type == "lineitem"]
        assert texts[-2:] == ["Ada Holm marked as closed", "Ada Holm added the tag late"]


def test_what_somebody_changed_since_stays(desk: Desk) -> None:
    inbox = desk.add_inbox()
    touched, untouched = start(desk, inbox), start(desk, inbox)
    done = change(desk, [touched, untouched], SetStatus("closed"))
    assert desk.put(f"/v2/conversations/{touched}/tags", {"tags": ["mine"]}).status_code == 204
    assert undo(desk, done).undone == 1
    assert (read(desk, touched)["status"], read(desk, untouched)["status"]) == ("closed", "active")


def test_what_may_not_be_changed_is_told_in_words(desk: Desk) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    ines = actor(desk, desk.add_user(inboxes=(seen,)))
    ids = [start(desk, seen), start(desk, hidden), start(desk, hidden), 1]
    done = change(desk, ids, SetStatus("closed"), ines)
    assert (done.done, done.refused) == (1, 3)
    faults = desk.write(lambda tx: records.faults(tx, done))
    assert [(one.fault, one.n) for one in faults] == [("not yours to change", 2), ("gone meanwhile", 1)]
    assert read(desk, ids[1])["status"] == "active"


def test_only_who_did_it_undoes_it_and_only_for_ten_minutes(desk: Desk) -> None:
    inbox = desk.add_inbox()
    done = change(desk, [start(desk, inbox)], SetStatus("closed"))
    stranger = actor(desk, desk.add_user(role="admin"))
    for who, now in ((stranger, desk.now), (actor(desk), "2099-01-01T00:00:00Z")):
        with pytest.raises(NotFound):
            desk.write(lambda tx, who=who, now=now: doing.begin_undo(tx, who, done.id, now))  # type: ignore[misc]


def test_the_worker_does_what_a_page_left(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ids = [start(desk, inbox) for _ in range(3)]
    id = begin(desk, ids, SetStatus("closed"))
    work = Work(1, desk.account_id, doing.CHANGE_MANY, "", msgspec.json.encode(doing.Going(id)).decode(), 1, 1)
    app = desk.server.app
    carried(desk, doing.going_on(app.database, desk.server.clock), work)
    assert {read(desk, one)["status"] for one in ids} == {"closed"}
    assert finish(desk, id).state == "done"


def test_a_deletion_waits_and_can_be_taken_back(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ids = [start(desk, inbox), start(desk, inbox)]
    me = actor(desk)
    id = desk.write(lambda tx: deleting.delete_later(tx, me, ids, desk.now))
    assert desk.write(lambda tx: deleting.doomed(tx, desk.account_id, [*ids, 1])) == set(ids)
    assert desk.write(lambda tx: deleting.undo_delete(tx, me, id, desk.now))
    assert desk.write(lambda tx: deleting.doomed(tx, desk.account_id, ids)) == set()
    assert read(desk, ids[0])["status"] == "active"

    id = desk.write(lambda tx: deleting.delete_later(tx, me, ids, desk.now))
    _let_begin(desk, id)
    assert not desk.write(lambda tx: deleting.undo_delete(tx, me, id, desk.now))
    assert finish(desk, id).done == 2
    assert [desk.get(f"/v2/conversations/{one}").status_code for one in ids] == [404, 404]
    assert counted(desk) == recounted(desk)


def test_who_may_not_delete_is_told_at_once(desk: Desk) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    light = actor(desk, desk.add_user(role="light user", inboxes=(seen,)))
    ines = actor(desk, desk.add_user(inboxes=(seen,)))
    for who, ids in ((light, [start(desk, seen)]), (ines, [start(desk, hidden)])):
        with pytest.raises(AccessDenied):
            desk.write(lambda tx, who=who, ids=ids: deleting.delete_later(tx, who, ids, desk.now))  # type: ignore[misc]


def test_nothing_is_kept_for_longer_than_it_is_of_use(desk: Desk) -> None:
    done = change(desk, [start(desk, desk.add_inbox())], SetStatus("closed"))
    work = Work(1, desk.account_id, doing.FORGET_CHANGE, "", msgspec.json.encode(doing.Going(done.id)).decode(), 1, 1)
    then = carried(desk, doing.forgetting(desk.server.clock), work)
    assert then is not None
    desk.write(then)
    assert desk.write(lambda tx: records.by_id(tx, desk.account_id, done.id)) is None
    assert desk.write(lambda tx: records.some(tx, done, "done", 9)) == []


def test_words(desk: Desk) -> None:
    inbox = desk.add_inbox("Billing")
    words_of = {
        SetStatus("closed"): "Closed 2 conversations",
        SetStatus("spam"): "Marked 2 conversations as spam",
        Assign(desk.user_id): "Assigned 2 conversations to Ada Holm",
        Assign(None): "Took the owner off 2 conversations",
        Move(inbox): "Moved 2 conversations to Billing",
        AddTags(("a", "b")): "Tagged 2 conversations with a, b",
        RemoveTags(("a",)): "Took a off 2 conversations",
        Snooze(None): "Woke 2 conversations",
        Delete(): "Deleted 2 conversations",
    }

    def words(tx: Writer, action: Action) -> str:
        return in_words(tx, desk.account_id, action, "2 conversations")

    for action, text in words_of.items():
        assert desk.write(lambda tx, action=action: words(tx, action)) == text  # type: ignore[misc]


def _let_begin(desk: Desk, id: int) -> None:
    work = Work(1, desk.account_id, deleting.BEGIN_DELETING, "", msgspec.json.encode(doing.Going(id)).decode(), 1, 1)
    then = carried(desk, deleting.beginning(desk.server.clock), work)
    assert then is not None
    desk.write(then)
