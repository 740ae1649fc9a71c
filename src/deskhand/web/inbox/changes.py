"""What is changed in a conversation from its page: plain forms, each calling the verb that the API calls as well."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from starlette.responses import Response

from deskhand.catalogue.conversations import GivenField, Patch, Status
from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.problems import NotFound, invalid
from deskhand.catalogue.threads import ThreadStep
from deskhand.catalogue.values import Email, decode_hook
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import changing, following, merging, owners, presence, queries, tagging
from deskhand.desk.conversations.bulk import deleting
from deskhand.desk.conversations.mail import resending, undoing
from deskhand.desk.conversations.queries import Shown
from deskhand.desk.conversations.tagging import ShownTag
from deskhand.desk.conversations.threads import editing, sources, thread_queries
from deskhand.desk.conversations.timing import remembered, scheduling, snoozing
from deskhand.desk.customers import verbs as customers
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.workflows import queries as workflows
from deskhand.desk.workflows import running
from deskhand.web.inbox import snoozes
from deskhand.web.pages import Asked, Pages
from deskhand.web.said import Undo

PAGES = Pages()
_WORDS = {"active": "Active again.", "pending": "Pending.", "closed": "Closed.", "spam": "Marked as spam."}
_SUBJECT_MOST = 500


@PAGES.post("/conversation/{id}/subject")
async def set_subject(asked: Asked) -> Response:
    """Give a conversation another subject."""
    subject = asked.form.required("subject").replace("\n", " ")[:_SUBJECT_MOST]
    await _patch(asked, "subject", subject)
    return _back(asked, "Saved.")


@PAGES.post("/conversation/{id}/status")
async def set_status(asked: Asked) -> Response:
    """Give a conversation another status; of spam one goes on to the next conversation."""
    id, status = asked.id(), asked.form.required("status")
    if status not in get_args(Status):
        raise invalid("status", "Expected one of these: active, pending, closed, spam", "EnumValue", status)

    def work(tx: Writer) -> str:
        before = queries.head(tx, asked.actor, id).status
        changing.change(tx, asked.actor, id, [Patch(op="replace", path="/status", value=status)], asked.now)
        return before

    before = await asked.write(work)
    undo = Undo(f"/conversation/{id}/status", {"status": before}) if before != status else None
    if status == "spam" and asked.form.text("next"):
        return asked.go(asked.form.text("next"), _WORDS[status], undo=undo)
    return _back(asked, _WORDS[status], undo)


@PAGES.post("/conversation/{id}/assign")
async def assign(asked: Asked) -> Response:
    """Give a conversation to a user or a team, or to nobody."""
    id, owner_id = asked.id(), asked.form.id("owner")
    step = Patch(op="remove", path="/assignTo")
    if owner_id is not None:
        step = Patch(op="replace", path="/assignTo", value=owner_id)

    def work(tx: Writer) -> tuple[int | None, str]:
        before = queries.head(tx, asked.actor, id).assignee_id
        changing.change(tx, asked.actor, id, [step], asked.now)
        found = owners.by_id(tx, asked.account_id, owner_id) if owner_id is not None else None
        return before, found.name if found else ""

    before, name = await asked.write(work)
    words = "Assigned to nobody." if not name else f"Assigned to {'you' if owner_id == asked.visitor.id else name}."
    undo = Undo(f"/conversation/{id}/assign", {"owner": str(before or "")}) if before != owner_id else None
    return _back(asked, words, undo)


@PAGES.post("/conversation/{id}/tags")
async def change_tags(asked: Asked) -> Response:
    """Add tags, by name; unknown ones are made. Take one away by its name."""
    id = asked.id()
    typed = [one.strip() for text in asked.form.texts("add") for one in text.split(",") if one.strip()]
    removed = set(asked.form.texts("remove"))

    def work(tx: Writer) -> None:
        head = queries.head(tx, asked.actor, id, lock=True)
        there = [tag.tag for tag in msgspec.json.decode(head.tags, type=list[ShownTag])]
        tagging.set_tags(tx, asked.actor, id, [*(one for one in there if one not in removed), *typed], asked.now)

    await asked.write(work)
    undo = None if typed else Undo(f"/conversation/{id}/tags", {"add": ", ".join(sorted(removed))})
    return _back(asked, "Tagged." if typed else "Tag removed.", undo if removed else None)


@PAGES.post("/conversation/{id}/move")
async def move(asked: Asked) -> Response:
    """Move a conversation to another inbox."""
    id, inbox_id = asked.id(), asked.form.id("inbox")
    if inbox_id is None:
        raise NotFound

    def work(tx: Writer) -> tuple[int, str]:
        before = queries.head(tx, asked.actor, id).inbox_id
        changing.change(tx, asked.actor, id, [Patch(op="move", path="/mailboxId", value=inbox_id)], asked.now)
        return before, inboxes.seen_by(tx, asked.actor, inbox_id).name

    before, name = await asked.write(work)
    undo = Undo(f"/conversation/{id}/move", {"inbox": str(before)}) if before != inbox_id else None
    return _back(asked, f"Moved to {name}.", undo)


@PAGES.post("/conversation/{id}/snooze")
async def snooze(asked: Asked) -> Response:
    """Put a conversation aside until later."""
    id, name, until = asked.id(), asked.form.text("choice"), asked.form.text("until")
    now = asked.visitor.local(asked.web.clock.now())
    # Without `asks` the form has no box to be ticked: then an answer wakes it, as everywhere.
    wakes = asked.form.has("wakes") or not asked.form.has("asks")
    wanted = snoozes.chosen(name, now, asked.visitor.zone, until=until, wakes=wakes)

    def work(tx: Writer) -> None:
        snoozing.snooze(tx, asked.actor, id, wanted, asked.now)
        remembered.remember(tx, asked.account_id, asked.visitor.id, snoozes.kept(name, wanted, now))

    await asked.write(work)
    words = f"Snoozed {snoozes.in_words(str(wanted.snoozed_until), now)}."
    return _back(asked, words, Undo(f"/conversation/{id}/unsnooze"))


@PAGES.post("/conversation/{id}/unsnooze")
async def unsnooze(asked: Asked) -> Response:
    """End a snooze now."""
    id = asked.id()
    await asked.write(lambda tx: snoozing.unsnooze(tx, asked.actor, id, asked.now))
    return _back(asked, "Back in its folder.")


@PAGES.get("/conversation/{id}/merge")
async def confirm_merge(asked: Asked) -> Response:
    """What would be merged into what, to be confirmed."""
    id, number = asked.id(), asked.query("into").lstrip("#")

    def read(db: Reader) -> tuple[Shown, Shown]:
        into = merging.by_number(db, asked.account_id, int(number)) if number.isdecimal() and len(number) < 19 else None
        if into is None:
            raise invalid("into", "no conversation has this number", "ValidIdentifier", number)
        return queries.one(db, asked.actor, id), queries.one(db, asked.actor, into)

    gone, stays = await asked.read(read)
    if gone.merged_into is not None:
        raise NotFound
    return await asked.page("conversation/merge.html", gone=gone, stays=stays)


@PAGES.post("/conversation/{id}/merge")
async def merge(asked: Asked) -> Response:
    """Let a conversation go on in another."""
    id, into = asked.id(), asked.form.id("into")
    if into is None:
        raise NotFound
    await asked.write(lambda tx: merging.merge(tx, asked.actor, id, into, asked.now))
    return asked.go(f"/conversation/{into}", "Merged.")


@PAGES.post("/conversation/{id}/follow")
async def follow(asked: Asked) -> Response:
    """Follow a conversation."""
    id = asked.id()
    await asked.write(lambda tx: following.follow(tx, asked.actor, id, asked.now))
    return _back(asked, "You follow this conversation.")


@PAGES.post("/conversation/{id}/unfollow")
async def unfollow(asked: Asked) -> Response:
    """Follow a conversation no more."""
    id = asked.id()
    await asked.write(lambda tx: following.unfollow(tx, asked.actor, id))
    return _back(asked, "You don't follow this conversation any more.")


@PAGES.post("/conversation/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Delete a conversation in some seconds, unless that is undone; one goes on to the next conversation."""
    id = asked.id()
    held = await asked.write(lambda tx: deleting.delete_later(tx, asked.actor, [id], asked.now))
    undo = Undo(f"/bulk/{held}/undo", {"then": f"/conversation/{id}"}, seconds=deleting.HELD_S)
    return asked.go(asked.form.text("next") or "/", "Deleted.", undo=undo)


@PAGES.post("/conversation/{id}/field")
async def set_field(asked: Asked) -> Response:
    """Give a custom field another value, or none; the others stay."""
    id, field_id, value = asked.id(), asked.form.id("field"), asked.form.text("value")
    if field_id is None:
        raise NotFound

    def work(tx: Writer) -> None:
        head = queries.head(tx, asked.actor, id, lock=True)
        there: list[dict[str, Any]] = msgspec.json.decode(head.custom_fields)
        kept = [GivenField(one["id"], one["value"]) for one in there if one["id"] != field_id]
        given = [*kept, GivenField(field_id, value)] if value else kept
        changing.set_fields(tx, asked.actor, id, given, asked.now)

    await asked.write(work)
    return _back(asked, "Saved.")


@PAGES.post("/conversation/{id}/workflow")
async def run_workflow(asked: Asked) -> Response:
    """Run a manual workflow on the conversation."""
    id, workflow_id = asked.id(), asked.form.id("workflow")
    if workflow_id is None:
        raise NotFound

    def work(tx: Writer) -> str:
        name = workflows.seen_by(tx, asked.actor, workflow_id).name
        running.run(tx, asked.actor, workflow_id, [id], asked.now)
        return name

    name = await asked.write(work)
    return _back(asked, f"{name}: done.")


@PAGES.post("/conversation/{id}/customer")
async def change_customer(asked: Asked) -> Response:
    """Let the conversation be another customer's, by their address; an unknown one makes a new customer."""
    id = asked.id()
    try:
        email = decode_hook(Email, asked.form.required("email"))
    except ValueError as problem:
        raise invalid("email", str(problem), "Email") from None

    def work(tx: Writer) -> None:
        queries.head(tx, asked.actor, id)
        found = customers.find_or_create(tx, asked.account_id, CustomerReference(email=email), asked.actor, asked.now)
        step = Patch(op="replace", path="/primaryCustomer.id", value=found.id)
        changing.change(tx, asked.actor, id, [step], asked.now)

    await asked.write(work)
    return _back(asked, "The conversation is theirs now.")


@PAGES.post("/conversation/{id}/presence")
async def be_present(asked: Asked) -> Response:
    """Somebody looks at the conversation, writes in it or has closed it; a script says so again and again."""
    id, doing = asked.id(), asked.form.text("doing")

    def work(tx: Writer) -> None:
        head, at = queries.head(tx, asked.actor, id), asked.web.clock.now()
        if doing == "gone":
            presence.leave(tx, asked.account_id, head.id, asked.visitor.id, at)
        else:
            kind: presence.Doing = "writing" if doing == "writing" else "looking"
            presence.be(tx, asked.account_id, head.id, asked.visitor.id, kind, at)

    await asked.write(work)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


# -- Single threads


@PAGES.get("/conversation/{id}/threads/{thread}/edit")
async def edit_form(asked: Asked) -> Response:
    """A thread's text, to be changed."""
    id, thread_id = asked.id(), asked.id("thread")

    def read(db: Reader) -> tuple[Shown, str]:
        row = queries.one(db, asked.actor, id)
        return row, thread_queries.head(db, asked.account_id, id, thread_id).body or ""

    row, text = await asked.read(read)
    return await asked.page("conversation/edit.html", row=row, thread_id=thread_id, text=text)


@PAGES.post("/conversation/{id}/threads/{thread}/edit")
async def edit_thread(asked: Asked) -> Response:
    """Change a thread's text."""
    id, thread_id, text = asked.id(), asked.id("thread"), asked.form.raw("text")
    step = ThreadStep(op="replace", path="/text", value=text)
    await asked.write(lambda tx: editing.edit(tx, asked.actor, id, thread_id, step, asked.now))
    return asked.go(f"/conversation/{id}#thread-{thread_id}", "Saved.")


@PAGES.post("/conversation/{id}/threads/{thread}/hide")
async def hide_thread(asked: Asked) -> Response:
    """Hide a message, or show it again."""
    id, thread_id, hidden = asked.id(), asked.id("thread"), asked.form.text("hidden") == "1"
    step = ThreadStep(op="replace", path="/hidden", value=hidden)
    await asked.write(lambda tx: editing.edit(tx, asked.actor, id, thread_id, step, asked.now))
    undo = Undo(f"/conversation/{id}/threads/{thread_id}/hide", {"hidden": "0" if hidden else "1"})
    return _back(asked, "Hidden." if hidden else "Shown again.", undo)


@PAGES.post("/conversation/{id}/threads/{thread}/send")
async def send_now(asked: Asked) -> Response:
    """Send a scheduled draft at once."""
    id, thread_id = asked.id(), asked.id("thread")
    step = ThreadStep(op="replace", path="/state", value="published")
    await asked.write(lambda tx: scheduling.send_now(tx, asked.actor, id, thread_id, step, asked.now))
    return _back(asked, "Sent.")


@PAGES.post("/conversation/{id}/threads/{thread}/unschedule")
async def unschedule(asked: Asked) -> Response:
    """Make a scheduled draft an ordinary one."""
    id, thread_id = asked.id(), asked.id("thread")
    await asked.write(lambda tx: scheduling.unschedule(tx, asked.actor, id, thread_id, asked.now))
    return _back(asked, "It stays a draft.")


@PAGES.post("/conversation/{id}/threads/{thread}/undo")
async def undo(asked: Asked) -> Response:
    """Take back a reply that has not left yet."""
    id, thread_id = asked.id(), asked.id("thread")
    await asked.write(lambda tx: undoing.undo(tx, asked.actor, id, thread_id, asked.now))
    return _back(asked, "Taken back: it is a draft again.")


@PAGES.post("/conversation/{id}/threads/{thread}/again")
async def send_again(asked: Asked) -> Response:
    """Send a mail again that did not arrive."""
    id, thread_id = asked.id(), asked.id("thread")
    await asked.write(lambda tx: resending.resend(tx, asked.actor, id, thread_id, asked.now))
    return _back(asked, "It is on its way again.")


@PAGES.get("/conversation/{id}/threads/{thread}/source")
async def source(asked: Asked) -> Response:
    """The mail that a thread came by, as it was received."""
    id, thread_id = asked.id(), asked.id("thread")
    blobs = asked.web.blobs
    mail = await asked.read(lambda db: sources.original(db, asked.actor, blobs, id, thread_id), "slow")
    headers = {
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Content-Disposition": f'inline; filename="{thread_id}.txt"',
    }
    return Response(sources.as_text(mail), media_type="text/plain; charset=utf-8", headers=headers)


# ---------------------------------------------------------------------------------------------------------------------


async def _patch(asked: Asked, name: str, value: Any) -> None:
    id, step = asked.id(), Patch(op="replace", path=f"/{name}", value=value)
    await asked.write(lambda tx: changing.change(tx, asked.actor, id, [step], asked.now))


def _back(asked: Asked, words: str, undo: Undo | None = None) -> Response:
    return asked.back(f"/conversation/{asked.id()}", words, undo=undo)
