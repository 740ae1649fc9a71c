"""Changing many conversations of a list at once, and undoing it."""

from __future__ import annotations

from starlette.responses import Response

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import BadRequest, FieldError, NotFound
from deskhand.db.engine import Reader, Writer
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
    from_json,
    in_words,
)
from deskhand.desk.conversations.bulk.records import Bulk
from deskhand.desk.conversations.listing import finding
from deskhand.desk.conversations.timing import remembered
from deskhand.web import words
from deskhand.web.inbox import places, snoozes
from deskhand.web.pages import Asked, Pages
from deskhand.web.said import Undo

PAGES = Pages()
_TAGS_MOST = 20


@PAGES.post("/bulk")
async def change(asked: Asked) -> Response:
    """Change the conversations that were chosen, or all of a list."""
    action = await _action(asked)
    ids = await _chosen(asked)
    back = asked.form.text("place") or "/"
    if not ids:
        raise BadRequest(FieldError("", "Choose at least one conversation", "NotNull"))
    if isinstance(action, Delete):
        held = await asked.write(lambda tx: deleting.delete_later(tx, asked.actor, ids, asked.now))
        gone = await asked.read(lambda db: records.by_id(db, asked.account_id, held))
        text = f"{words.counted(gone.total if gone else 0, 'conversation')} deleted."
        return asked.go(back, text, undo=Undo(f"/bulk/{held}/undo", {"then": back}, seconds=deleting.HELD_S))
    begun = await asked.write(lambda tx: doing.begin(tx, asked.actor, ids, action, asked.now))
    done = await _go_on(asked, begun)
    text = await asked.read(lambda db: told(db, done))
    undo = Undo(f"/bulk/{done.id}/undo", {"then": back}) if done.done or done.state == "doing" else None
    return asked.go(back, text, undo=undo)


@PAGES.post("/bulk/{id}/undo")
async def undo(asked: Asked) -> Response:
    """Put conversations back to what they were."""
    id, back = asked.id(), asked.form.text("then") or asked.form.text("back") or "/"

    def begin(tx: Writer) -> Bulk | bool:
        found = doing.own(tx, asked.actor, id)
        if isinstance(from_json(found.action), Delete):
            return deleting.undo_delete(tx, asked.actor, id, asked.now)
        return doing.begin_undo(tx, asked.actor, id, asked.now)

    begun = await asked.write(begin)
    if isinstance(begun, bool):
        return asked.go(back, "Nothing was deleted." if begun else "It is too late to undo that.", fault=not begun)
    done = await _go_on(asked, begun)
    if done.state == "undoing":
        return asked.go(back, "They are being put back as they were.")
    stayed = done.done - done.undone
    text = f"{words.counted(done.undone, 'conversation')} put back."
    if stayed:
        text += f" {words.counted(stayed, 'conversation was', 'conversations were')} changed meanwhile and left alone."
    return asked.go(back, text)


async def _go_on(asked: Asked, begun: Bulk) -> Bulk:
    """Do what is little enough at once, some at a time; what is more is the worker's."""
    if begun.total <= doing.AT_ONCE:
        while await asked.write(lambda tx: doing.go_on(tx, asked.account_id, begun.id, asked.now)):
            pass
    found = await asked.read(lambda db: records.by_id(db, asked.account_id, begun.id))
    return found or begun


def told(db: Reader, one: Bulk) -> str:
    """What was done and what could not be, in sentences."""
    action = from_json(one.action)
    if one.state == "doing":
        return f"{words.counted(one.total, 'conversation')} are being changed. The list says how far it is."
    text = in_words(db, one.account_id, action, words.counted(one.done, "conversation")) + "."
    if not one.done:
        text = "Nothing to change: they are like that already." if not one.refused else "Nothing was changed."
    faults = [f"{words.counted(fault.n, 'is', 'are')} {fault.fault}" for fault in records.faults(db, one)]
    return f"{text} {words.joined(faults)}." if faults else text


async def _chosen(asked: Asked) -> list[int]:
    """The conversations that were ticked, or all of the list."""
    if not asked.form.has("all"):
        return asked.form.ids("id")
    came_from, now = asked.form.text("place"), asked.web.clock.now()

    def read(db: Reader) -> list[int]:
        here = places.place(db, asked.visitor, came_from, now)
        if here is None or here.fault:
            raise NotFound
        return finding.ids(db, here.wanted)

    return await asked.read(read, "slow")


async def _action(asked: Asked) -> Action:
    """What the pressed button asks for: `what:value`."""
    what, _, value = asked.form.text("do").partition(":")
    if what == "typed":  # Enter in a field presses no button
        what = "tag" if asked.form.text("tag") else "snooze" if asked.form.text("until") else ""
    match what:
        case "assign":
            return Assign(_id(value) if value else None)
        case "status" if value in ("active", "pending", "closed", "spam"):
            return SetStatus(value)  # type: ignore[arg-type] # it is one of these
        case "tag":
            return AddTags(_names(value or asked.form.text("tag")))
        case "untag":
            return RemoveTags(_names(value or asked.form.text("tag")))
        case "move":
            return Move(_id(value))
        case "snooze":
            return await _snooze(asked, value)
        case "unsnooze":
            return Snooze(None)
        case "delete":
            return Delete()
    raise BadRequest(FieldError("", "Choose what to do", "NotNull"))


async def _snooze(asked: Asked, choice: str) -> Snooze:
    local = asked.visitor.local(asked.web.clock.now())
    wanted = snoozes.chosen(choice, local, asked.visitor.zone, until=asked.form.text("until"))
    if choice:
        name = snoozes.kept(choice, wanted, local)
        await asked.write(lambda tx: remembered.remember(tx, asked.account_id, asked.visitor.id, name))
    return Snooze(str(wanted.snoozed_until))


def _names(given: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for one in given.split(",") if (name := one.strip())))
    if not 0 < len(names) <= _TAGS_MOST:
        raise BadRequest(FieldError("", "Name a tag", "NotNull"))
    return names


def _id(given: str) -> int:
    found = read_id(given)
    if found is None:
        raise NotFound
    return found
