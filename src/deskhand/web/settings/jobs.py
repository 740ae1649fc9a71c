"""Work that follows from what was done: what waits, what went wrong and will be tried again, what gave up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from starlette.responses import Response

from deskhand.db.engine import Reader
from deskhand.lib.clock import to_wire
from deskhand.outbox import jobs
from deskhand.outbox.jobs import Chosen, Shown, Tally
from deskhand.web import words
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")
HERE = "/settings/jobs"
SHOWN_MOST = 100
NAMES = {
    "send_email": "Send a reply by mail",
    "mail_security_notice": "Tell a user how their signing in was changed",
    "send_answer": "Send an automatic answer",
    "receive_email": "Read a mail that came",
    "assign_new": "Give a new conversation to somebody",
    "announce_reply": "Tell of a reply that was sent",
    "begin_conversation": "Send a new conversation or a forward",
    "send_scheduled": "Send a reply that was planned",
    "wake_conversation": "End a snooze",
    "link_customers": "Link customers with their organization",
    "relabel_conversations": "Bring tags and custom fields of conversations up to date",
    "erase_customer": "Erase a customer",
    "remove_files": "Remove files that nothing names",
    "run_workflows": "Let workflows look at a conversation",
    "deliver_webhook": "Deliver to a webhook",
    "change_many": "Change many conversations",
    "begin_deleting": "Delete many conversations",
    "forget_change": "Forget how a change is undone",
    "tell_user": "Tell somebody by mail",
    "listen": "Look at an event again",
}


class Kind(msgspec.Struct, frozen=True):
    """How many jobs of a kind there are."""

    kind: str
    name: str
    waiting: int
    failed: int


class Job(msgspec.Struct, frozen=True):
    """A job as people see it; `path` leads to what it is about."""

    id: int
    name: str
    about: str
    path: str
    attempts: int
    error: str
    created_at: str
    due_at: str


@PAGES.get(HERE)
async def show(asked: Asked) -> Response:
    """What waits, and what gave up and why."""
    kind = asked.query("kind") or None

    def read(db: Reader) -> tuple[list[Tally], list[Shown], list[Shown]]:
        chosen = Chosen(account_id=asked.account_id, kind=kind)
        tally = jobs.tally_of(db, asked.account_id)
        return tally, jobs.failed(db, chosen, SHOWN_MOST), jobs.retried(db, asked.account_id, SHOWN_MOST)

    tally, failed, retried = await asked.read(read, "slow")
    kinds = _kinds(tally)
    return await asked.page(
        "settings/jobs.html", kinds=kinds, failed=[*map(_job, failed)], kind=kind, kind_name=_name(kind or ""),
        retried=[_job(one) for one in retried if kind in (None, one.kind)],
        failed_count=sum(one.failed for one in kinds if kind in (None, one.kind)),
        waiting_count=sum(one.waiting for one in kinds), most=SHOWN_MOST,
    )  # fmt: skip


@PAGES.post(HERE + "/again")
async def again(asked: Asked) -> Response:
    """Let jobs that gave up be tried anew: one, those of a kind, or all."""
    chosen = Chosen(account_id=asked.account_id, id=asked.form.id("id"), kind=asked.form.text("kind") or None)
    count = await asked.write(lambda tx: jobs.run_again(tx, chosen, asked.web.clock.now()))
    text = f"{words.counted(count, 'job')} will be run again." if count else "It has been run again already."
    return asked.back(HERE, text)


def _kinds(tally: Iterable[Tally]) -> list[Kind]:
    counts: dict[str, dict[str, int]] = {}
    for one in tally:
        counts.setdefault(one.kind, {})[one.state] = one.n
    found = [Kind(kind, _name(kind), of.get("waiting", 0), of.get("failed", 0)) for kind, of in counts.items()]
    return sorted(found, key=lambda one: (-one.failed, one.name))


def _name(kind: str) -> str:
    return NAMES.get(kind) or kind.replace("_", " ").capitalize()


def _job(one: Shown) -> Job:
    about, path = _about(one)
    return Job(
        one.id, _name(one.kind), about, path, one.attempts, one.last_error, one.created_at,
        to_wire(datetime.fromtimestamp(one.due_at / 1000, UTC)),
    )  # fmt: skip


class _Payload(msgspec.Struct, frozen=True):
    conversation_id: int = 0
    thread_id: int = 0


def _about(one: Shown) -> tuple[str, str]:
    """What a job is about in words, and where that is to be seen."""
    target, _, id = one.target.partition(":")
    if one.kind == "deliver_webhook" and id.isdigit() and one.payload.isdigit():
        return f"delivery {one.payload}", f"/settings/webhooks/{id}/deliveries/{one.payload}"
    try:
        found = msgspec.json.decode(one.payload, type=_Payload)
    except msgspec.DecodeError:
        return "", ""
    if found.conversation_id:
        return "the conversation", f"/conversation/{found.conversation_id}"
    return "", ""
