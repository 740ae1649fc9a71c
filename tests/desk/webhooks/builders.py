"""Builders for tests of webhooks: a webhook with a receiver, the usual things that happen, and a look at the tables."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.statements import P, command, rows, value
from deskhand.desk.webhooks import history
from deskhand.desk.webhooks.history import Logged
from deskhand.desk.webhooks.tables import webhook, webhook_delivery
from deskhand.outbox import jobs
from deskhand.outbox.events import WAKE
from deskhand.outbox.tables import event, job
from tests.receiver import Receiver
from tests.world import Desk, unique

SECRET = "s3cret"


class Job(msgspec.Struct, frozen=True):
    """A job of an account as it is stored."""

    id: int
    state: str
    attempts: int
    last_error: str


class State(msgspec.Struct, frozen=True):
    """A webhook's state and why it has it."""

    state: str
    disabled_because: str
    discarded: int


_JOBS = rows(
    Job,
    sa.select(job.c.id, job.c.state, job.c.attempts, job.c.last_error)
    .where(job.c.account_id == P("account_id"), job.c.kind == sa.literal_column("'deliver_webhook'"))
    .order_by(job.c.id),
    keep=False,
)
_HURRY = command(
    sa.update(job)
    .where(job.c.account_id == P("account_id"), job.c.claim == sa.literal_column("0"))
    .values(due_at=sa.literal_column("0")),
    keep=False,
)
_STATE = rows(
    State,
    sa.select(webhook.c.state, webhook.c.disabled_because, webhook.c.discarded).where(
        webhook.c.account_id == P("account_id"), webhook.c.id == P("id")
    ),
    keep=False,
)
_DELIVERIES = value(
    int,
    sa.select(sa.func.count()).select_from(webhook_delivery).where(webhook_delivery.c.account_id == P("account_id")),
    keep=False,
)
_UNHANDLED = value(
    int,
    sa.select(sa.func.count())
    .select_from(event)
    .where(event.c.account_id == P("account_id"), event.c.handled == sa.literal_column("0")),
    keep=False,
)


def hook(**changes: Any) -> dict[str, Any]:
    """The body of a webhook that is told nothing: nobody listens there."""
    return {"url": "http://127.0.0.1:9/", "events": ["convo.created"], "secret": "x"} | changes


def add_webhook(desk: Desk, receiver: Receiver, *events: str, path: str = "/hs", **changes: Any) -> int:
    """A webhook that leads to the receiver; what has happened before it is not told."""
    receiver.wait(lambda: all_heard(desk))
    body = {"url": receiver.url + path, "events": list(events), "secret": SECRET} | changes
    answer = desk.post("/v2/webhooks", body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def start(desk: Desk, inbox_id: int, **changes: Any) -> int:
    """A conversation started by a customer."""
    customer = {"email": f"{unique('paul')}@buyer.example", "firstName": "Paul"}
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox_id, "status": "active", "customer": customer,
        "threads": [{"type": "customer", "text": "Where is it?", "customer": customer}],
    } | changes  # fmt: skip
    return created(desk, "/v2/conversations", body)


def created(desk: Desk, path: str, body: Any) -> int:
    answer = desk.post(path, body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def done(answer: Any) -> None:
    assert answer.status_code == 204, answer.text


def rename(desk: Desk, id: int, name: str = "Karl") -> None:
    """Cause a customer.updated."""
    done(desk.patch(f"/v2/customers/{id}", [{"op": "replace", "path": "/firstName", "value": name}]))


def add_customer(desk: Desk) -> int:
    return created(desk, "/v2/customers", {"firstName": "Mira", "emails": [{"value": f"{unique('m')}@buyer.example"}]})


def jobs_of(desk: Desk) -> list[Job]:
    """The deliveries' jobs that are not done."""
    return desk.server.app.database.read_now(lambda db: db.all(_JOBS, account_id=desk.account_id))


def hurry(desk: Desk) -> None:
    """Let what waits for its next attempt be tried now."""

    def work(tx: Any) -> None:
        tx.run(_HURRY, account_id=desk.account_id)
        tx.changed(WAKE)

    desk.write(work)


def state_of(desk: Desk, id: int) -> State:
    found = desk.server.app.database.read_now(lambda db: db.one(_STATE, account_id=desk.account_id, id=id))
    assert found is not None
    return found


def log_of(desk: Desk, id: int) -> list[Logged]:
    return desk.server.app.database.read_now(lambda db: history.log(db, desk.account_id, id))


def deliveries(desk: Desk) -> int:
    """How many deliveries there are, of whatever state."""
    return desk.server.app.database.read_now(lambda db: db.first(_DELIVERIES, account_id=desk.account_id))


def all_heard(desk: Desk) -> bool:
    """Whether the worker has looked at all of the account's events."""
    return desk.server.app.database.read_now(lambda db: db.first(_UNHANDLED, account_id=desk.account_id)) == 0


def run_again(desk: Desk, id: int) -> None:
    """What `deskhand jobs --again --id` does."""
    now = desk.server.clock.now()
    assert desk.write(lambda tx: jobs.run_again(tx, jobs.Chosen(id=id), now)) == 1
