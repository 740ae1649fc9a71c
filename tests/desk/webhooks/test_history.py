"""The log of deliveries, and sending one again."""

from __future__ import annotations

import pytest

from deskhand.catalogue.problems import NotFound
from deskhand.desk.webhooks import history
from tests.desk.webhooks.builders import add_customer, add_webhook, done, jobs_of, log_of
from tests.receiver import Receiver, Reply
from tests.world import Desk, open_desk


def replay(desk: Desk, delivery_id: int) -> None:
    now = desk.server.clock.now()
    desk.write(lambda tx: history.replay(tx, desk.account_id, delivery_id, now))


def test_the_newest_deliveries_come_first_each_with_its_attempts(desk: Desk, receiver: Receiver) -> None:
    id, other = (add_webhook(desk, receiver, "customer.created", path=path) for path in ("/one", "/two"))
    customers = [add_customer(desk) for _ in range(3)]
    receiver.wait(lambda: len(receiver.received) == 6 and not jobs_of(desk))
    found = log_of(desk, id)
    assert [f'"id":{customer},' in one.delivery.body for one, customer in zip(found, customers[::-1], strict=True)]
    assert [len(one.attempts) for one in found] == [1, 1, 1]
    assert not {one.delivery.id for one in found} & {one.delivery.id for one in log_of(desk, other)}
    database = desk.server.app.database
    newest = database.read_now(lambda db: history.log(db, desk.account_id, id, most=1))
    assert newest == found[:1]


def test_a_delivery_is_sent_again_under_its_key(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "customer.created")
    add_customer(desk)
    receiver.wait(lambda: receiver.received and not jobs_of(desk))
    (logged,) = log_of(desk, id)
    replay(desk, logged.delivery.id)
    receiver.wait(lambda: len(receiver.received) == 2 and not jobs_of(desk))
    first, second = receiver.received
    assert (first.body, first.headers) == (second.body, second.headers)
    (again,) = log_of(desk, id)
    assert (again.delivery.state, again.delivery.attempts, len(again.attempts)) == ("delivered", 2, 2)


def test_what_was_discarded_is_sent_once_the_webhook_is_on_again(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "customer.created")
    receiver.answer = lambda _: Reply(410)
    add_customer(desk)
    receiver.wait(lambda: receiver.received and not jobs_of(desk))
    (logged,) = log_of(desk, id)
    replay(desk, logged.delivery.id)
    receiver.wait(lambda: not jobs_of(desk))
    assert log_of(desk, id)[0].delivery.state == "discarded"
    receiver.answer = lambda _: Reply()
    body = {"url": receiver.url, "events": ["customer.created"], "secret": "x", "state": "enabled"}
    done(desk.put(f"/v2/webhooks/{id}", body))
    replay(desk, logged.delivery.id)
    receiver.wait(lambda: len(receiver.received) == 2 and not jobs_of(desk))
    assert log_of(desk, id)[0].delivery.state == "delivered"


def test_another_accounts_log_and_deliveries_are_out_of_reach(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "customer.created")
    add_customer(desk)
    receiver.wait(lambda: receiver.received and not jobs_of(desk))
    (logged,) = log_of(desk, id)
    other = open_desk(desk.server)
    assert log_of(other, id) == []
    with pytest.raises(NotFound):
        replay(other, logged.delivery.id)
    assert len(receiver.received) == 1
    database = desk.server.app.database
    assert database.read_now(lambda db: history.account_of_webhook(db, id)) == desk.account_id
    assert database.read_now(lambda db: history.account_of_delivery(db, logged.delivery.id)) == desk.account_id
    assert database.read_now(lambda db: history.account_of_delivery(db, 10**12)) is None
