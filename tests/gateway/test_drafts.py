"""Replies that agents drafted: who sent them, and how many words that person changed."""

from __future__ import annotations

import msgspec
import pytest

from deskhand.catalogue import events
from deskhand.db.engine import Reader
from deskhand.db.statements import value
from deskhand.gateway import drafts
from deskhand.gateway.agents import Agent
from deskhand.gateway.audit import Audit
from deskhand.gateway.drafts import Draft, Drafts, Published, Tally, words_changed
from deskhand.gateway.tables import audit_record
from deskhand.outbox.events import Fact
from tests.gateway.builders import Watch, add_agent, run
from tests.world import Desk

TEXT = "<p>Your parcel left us on Monday.</p>"


class Listening:
    """An account whose desk tells of what happens to drafts: `now` has what each became, by thread."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clock = Watch()
        self.now: dict[int, Published] = {}
        self.agent = add_agent(desk, user_id=desk.add_system_user("Drafter"))
        audit = Audit(desk.server.app.database, self.clock, None)
        self.listen = drafts.listener(audit, self.look, self.clock)

    def look(self, db: Reader, fact: Fact, draft: Draft) -> Published | None:
        return self.now.get(draft.thread_id)

    def drafted(self, thread_id: int, *, conversation_id: int = 40, agent: Agent | None = None) -> None:
        noting = Drafts(self.desk.server.app.database, self.clock)
        run(noting.note(agent or self.agent, conversation_id, thread_id, TEXT))

    def sent(self, thread_id: int, text: str = TEXT, *, user_id: int | None = None, name: str = "Ada Holm") -> None:
        """A person publishes a thread."""
        self.now[thread_id] = Published(text, 1874, user_id or self.desk.user_id, name)
        self.happens(events.AGENT_REPLY_CREATED, thread_id=thread_id)

    def happens(self, name: str, *, conversation_id: int = 40, thread_id: int | None = None) -> None:
        desk = self.desk
        fact = Fact(
            1, desk.account_id, name, conversation_id, 501, thread_id, "user", desk.user_id, desk.now, "{}"
        )  # fmt: skip
        desk.write(lambda tx: self.listen(tx, [fact]))

    @property
    def tally(self) -> Tally:
        return self.desk.write(lambda tx: drafts.tally(tx, self.desk.account_id, self.agent.id))

    @property
    def log(self) -> list[dict[str, object]]:
        mine = audit_record.select().where(audit_record.c.account_id == self.desk.account_id)
        query = value(str, mine.with_only_columns(audit_record.c.content).order_by(audit_record.c.number), keep=False)
        return [msgspec.json.decode(one) for one in self.desk.write(lambda tx: tx.all(query))]

    @property
    def sentences(self) -> list[object]:
        return [one["sentence"] for one in self.log]


@pytest.fixture
def listening(desk: Desk) -> Listening:
    return Listening(desk)


def test_a_draft_is_open_until_somebody_sends_it(listening: Listening):
    listening.drafted(7)
    assert listening.tally == Tally(open=1)
    listening.sent(8)  # a reply of somebody's own
    assert listening.tally == Tally(open=1)
    listening.sent(7)
    assert listening.tally == Tally(sent_unchanged=1)
    assert listening.sentences == ["Ada Holm sent the draft of Drafter in conversation #1874 unchanged"]


def test_the_log_says_who_sent_a_draft_and_how_many_words_were_changed(listening: Listening):
    listening.drafted(7)
    listening.sent(7, "<p>Your <b>parcel</b> left us on Tuesday, sorry.</p>")
    assert listening.tally == Tally(sent_edited=1)
    (entry,) = listening.log
    assert entry["sentence"] == "Ada Holm sent the draft of Drafter in conversation #1874 with 2 words changed"
    assert entry["actor"] == {"type": "user", "id": listening.desk.user_id}
    assert entry["agent"] == {"id": listening.agent.id, "name": "Drafter"}
    assert entry["particulars"] == {"event": "draft_sent", "conversation_id": 40, "thread_id": 7, "edits": 2}


def test_an_event_that_is_told_twice_counts_once(listening: Listening):
    listening.drafted(7)
    listening.drafted(7)
    listening.sent(7)
    listening.sent(7, "Something else")
    assert listening.tally == Tally(sent_unchanged=1)
    assert len(listening.log) == 1


def test_an_agent_that_sends_its_own_draft_is_named_as_such(listening: Listening):
    listening.drafted(7)
    listening.sent(7, user_id=listening.agent.user_id, name="Drafter")
    assert listening.sentences == ["Drafter sent its own draft in conversation #1874 unchanged"]
    assert listening.log[0]["actor"] == {"type": "agent", "id": listening.agent.id}


def test_publishing_a_conversation_sends_the_drafts_in_it_that_are_published_now(listening: Listening):
    for thread_id in (7, 8):
        listening.drafted(thread_id)
    listening.drafted(9, conversation_id=41)
    listening.now[7] = listening.now[9] = Published(TEXT + " Bye", 1874, listening.desk.user_id, "Ada Holm")
    listening.happens(events.CONVERSATION_CREATED)
    assert listening.tally == Tally(sent_edited=1, open=2)


def test_drafts_of_a_deleted_conversation_are_dropped(listening: Listening):
    for thread_id in (7, 8, 9):
        listening.drafted(thread_id)
    listening.sent(7)
    listening.drafted(10, conversation_id=41)
    listening.happens(events.CONVERSATION_DELETED)
    assert listening.tally == Tally(sent_unchanged=1, dropped=2, open=1)
    assert len(listening.log) == 1


def test_a_draft_on_a_remote_desk_is_not_taken_for_a_thread_here(listening: Listening):
    afar = add_agent(listening.desk, "Afar", connection_id=3)
    listening.drafted(7, agent=afar)
    listening.drafted(7)
    listening.sent(7)
    assert listening.tally == Tally(sent_unchanged=1)
    account_id = listening.desk.account_id
    assert listening.desk.write(lambda tx: drafts.tally(tx, account_id, afar.id)) == Tally(open=1)


def test_the_same_thread_id_in_another_account_is_another_thread(listening: Listening, desk: Desk):
    listening.drafted(7)
    listening.now[7] = Published(TEXT, 1, 2, "Eve")
    fact = Fact(1, desk.account_id + 1000, events.AGENT_REPLY_CREATED, 40, 501, 7, "user", 2, desk.now, "{}")
    desk.write(lambda tx: listening.listen(tx, [fact]))
    assert listening.tally == Tally(open=1)


# -- Counting


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("", "", 0),
        ("one two three", "one two three", 0),
        ("<p>one</p><p>two</p>", "one<br>two", 0),
        ("one two three", "one 2 three", 1),
        ("one two three", "one three", 1),
        ("one three", "one two three", 1),
        ("one two three", "1 two 3", 2),
        ("a b c d", "c d a b", 4),
        ("", "one two", 2),
        ("one &amp; two", "one & two", 0),
        ("one two", "three four five", 3),
    ],
)
def test_changed_words_are_counted_without_markup(before: str, after: str, words: int):
    assert words_changed(before, after) == words


def test_long_texts_are_compared_in_little_time():
    one, other = ("a b " * 50_000) + "x", ("b c " * 50_000) + "y"
    assert words_changed(one, other) == 50_001
