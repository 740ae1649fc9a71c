"""The server is killed again and again while held conversations leave: each begins once, and its mail arrives.

DESKHAND_TEST_DEEP kills ten times as often. DESKHAND_TEST_SEED repeats the moments of a run, as far as they decide it.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from deskhand.catalogue.conversations import NewConversation, NewThread
from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.values import Email
from deskhand.db.database import SQLITE_FILE
from deskhand.db.engine import Writer
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.desk.conversations.drafts import departed, departing, room
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.ready import Ready
from deskhand.desk.conversations.drafts.unsent import Typed
from deskhand.desk.conversations.timing.later import on_behalf_of
from tests import postgresql
from tests.journeys.test_crash import Account, Direct, opened, running
from tests.journeys.test_mail_crash import body_of, hurry
from tests.mail.post_office import PostOffice, post_office

KILLS = 40 if os.environ.get("DESKHAND_TEST_DEEP") else 3
FORMS = 30
AFTER_S = (0.02, 0.4)
WITHIN_S = 120
TO_DO = "SELECT count(*) FROM job WHERE state = 'waiting' AND kind IN ('begin_conversation', 'send_email')"
MADE = (
    "SELECT c.id, c.subject, t.body, m.message_id, m.state, d.made FROM conversation c JOIN thread t"
    " ON t.conversation_id = c.id AND t.type = 'message' LEFT JOIN thread_mail m ON m.thread_id = t.id"
    " LEFT JOIN departed d ON d.key = c.subject ORDER BY c.id"
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_sent_leaves_once_however_often_the_server_is_killed(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = int(os.environ.get("DESKHAND_TEST_SEED") or random.randrange(10**9))
    rng, database_url, keys = random.Random(seed), "", list[str]()
    if kind == "postgresql":
        server_url = request.getfixturevalue("postgresql_server")
        postgresql.drop_database(server_url, "unsent_crash")
        database_url = postgresql.create_database(server_url, "unsent_crash")
    upgrade(sqlalchemy_url(database_url, tmp_path / SQLITE_FILE))
    with post_office() as office:
        monkeypatch.setenv("DESKHAND_TEST_SMTP_PORT", str(office.port))
        with running(tmp_path, database_url) as (server, direct):
            account, amid, left = opened(direct.database), 0, 0
            for turn in range(KILLS):
                new = [f"form-{turn}-{number}" for number in range(min(FORMS, room.FORMS_MOST - left))]
                for key in new:
                    direct.database.write_now(lambda tx, key=key: sent(tx, account, key))  # type: ignore[misc]
                keys += new
                time.sleep(rng.uniform(*AFTER_S))
                server.kill()
                direct.until_nothing_is_under_way()
                ((left,),) = direct.rows("SELECT count(*) FROM unsent")
                amid += 0 < left < len(keys)
                hurry(direct)
                server.start()
            until_all_is_done(direct)
            compare(office, direct, keys)
    sys.stdout.write(f"{kind}: DESKHAND_TEST_SEED={seed}, {KILLS} kills, {amid} of them amid leaving\n")


def sent(tx: Writer, account: Account, key: str) -> None:
    """Press send, with no time left to take it back."""
    actor, now = on_behalf_of(account.desk.account_id, account.desk.user_id), account.desk.now
    customer = CustomerReference(email=Email(f"{key}@buyer.example"))
    thread = NewThread(type="reply", text=f"<p>{key}</p>", customer=customer)
    new = NewConversation(
        subject=key, type="email", mailbox_id=account.inbox_id, status="closed", customer=customer, threads=[thread]
    )
    typed = Typed(key=key, recipients=f"{key}@buyer.example", subject=key, body=f"<p>{key}</p>")
    unsent_id = forms.keep(tx, actor, typed, now)
    departed.note(tx, actor, key, now)
    departing.depart(tx, actor, unsent_id, Ready(new, f"<p>{key}</p>"), now, 0)


def until_all_is_done(direct: Direct) -> None:
    deadline = hurried = time.monotonic()
    while direct.rows(TO_DO) != [(0,)]:
        assert time.monotonic() < deadline + WITHIN_S
        time.sleep(0.1)
        if time.monotonic() - hurried > 10:
            hurry(direct)
            hurried = time.monotonic()


def compare(office: PostOffice, direct: Direct, keys: list[str]) -> None:
    """Each form has become one conversation, whose mail arrived under one id, and is itself gone."""
    made = direct.rows(MADE)
    assert Counter(row.subject for row in made) == Counter(keys)
    assert [row for row in made if row.state != "sent" or row.made != row.id] == []
    assert direct.rows("SELECT key, fault FROM unsent") == []
    arrived = {str(one.message["Message-ID"]): body_of(one.message).strip() for one in office.received}
    assert arrived == {row.message_id: row.subject for row in made}
