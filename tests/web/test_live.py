"""Open pages hear of what is committed, soon, and of nothing else."""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from deskhand.desk.conversations import presence
from deskhand.desk.users import verbs as users
from deskhand.lib.clock import StoppedClock
from deskhand.oauth import sessions
from deskhand.outbox import events
from deskhand.web import live as live_pages
from deskhand.web import streaming
from deskhand.web.live import Live
from tests.desk.workflows.waiting import until
from tests.live import LiveServer
from tests.web.people import Person, add_conversation, signed_in
from tests.world import Desk, open_desk

SOON_S = 60.0


class Stream:
    """What somebody's page hears."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer
        self._heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self.behind: bool | None = None
        """Whether it was told that its page shows less than there is."""
        self._began = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._began.wait(SOON_S), "nobody listens"

    def _listen(self) -> None:
        with contextlib.suppress(http.client.HTTPException, OSError, ValueError):  # in the middle of it we hang up
            while line := self._answer.readline():
                if line.startswith(b"event: listening"):
                    self.behind = json.loads(self._answer.readline().removeprefix(b"data: "))["behind"]
                    self._began.set()
                elif line.startswith(b"data: "):
                    self._heard.put(json.loads(line[6:]))

    def ended(self) -> None:
        self._thread.join(10)

    def next(self) -> dict[str, Any]:
        return self._heard.get(timeout=SOON_S)

    def people(self) -> list[int]:
        """The conversations in which somebody came or went next."""
        while not (found := self.next()["people"]):
            pass
        return list(found)

    def hears_of(self, conversation_id: int) -> bool:
        """Whether a conversation is told of soon."""
        until = time.monotonic() + SOON_S
        while time.monotonic() < until:
            try:
                change = self._heard.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                return False
            if conversation_id in [*sum(change["inboxes"].values(), []), *change["people"]]:
                return True
        return False

    def is_quiet(self, seconds: float = 0.5) -> bool:
        try:
            self._heard.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


@contextmanager
def listening(person: Person, address: str = "/live") -> Iterator[Stream]:
    connection = http.client.HTTPConnection(urlsplit(person.server.url).netloc, timeout=30)
    connection.request("GET", address, headers={"Cookie": f"{sessions.COOKIE}={person.cookie}"})
    answer = connection.getresponse()
    assert answer.status == 200 and str(answer.getheader("Content-Type")).startswith("text/event-stream")
    socket_ = answer.fp.raw._sock  # type: ignore[attr-defined]
    stream = Stream(answer)
    try:
        yield stream
    finally:
        socket_.shutdown(socket.SHUT_RDWR)
        stream.ended()
        connection.close()


def test_a_page_hears_of_a_note_within_moments(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_pages, "_LOOK_EVERY_S", 3600.0)  # it is told, and need not look by itself
    inbox = desk.add_inbox()
    conversation = add_conversation(desk, inbox)
    with listening(signed_in(desk)) as stream:
        desk.post(f"/v2/conversations/{conversation}/notes", {"text": "Looked at."})
        assert stream.hears_of(conversation)


def test_nothing_is_heard_of_other_accounts(desk: Desk, server: LiveServer) -> None:
    other = open_desk(server)
    conversation = add_conversation(other, other.add_inbox())
    with listening(signed_in(desk)) as stream:
        other.post(f"/v2/conversations/{conversation}/notes", {"text": "Not yours."})
        assert stream.is_quiet()


def test_nothing_is_heard_of_hidden_inboxes(desk: Desk) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    here, there = add_conversation(desk, seen), add_conversation(desk, hidden)
    user = desk.add_user(inboxes=(seen,))
    with listening(signed_in(desk, user)) as stream:
        desk.post(f"/v2/conversations/{there}/notes", {"text": "Hidden."})
        desk.post(f"/v2/conversations/{here}/notes", {"text": "Seen."})
        change = stream.next()
        while str(seen) not in change["inboxes"]:
            assert not change["inboxes"]
            change = stream.next()
        assert change["inboxes"] == {str(seen): [here]}


def test_nothing_is_heard_of_who_reads_in_hidden_inboxes(desk: Desk) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    here, there = add_conversation(desk, seen), add_conversation(desk, hidden)
    with listening(signed_in(desk, desk.add_user(inboxes=(seen,)))) as stream:
        for ms, id in enumerate((there, here)):
            at = desk.server.clock.now() + timedelta(milliseconds=5 * ms + 5)
            desk.write(lambda tx, id=id, at=at: presence.be(tx, desk.account_id, id, desk.user_id, "writing", at))  # type: ignore[misc]
        told = stream.next()
        while not told["people"]:
            told = stream.next()
        assert told["people"] == [here]
        assert stream.is_quiet()


def test_who_sees_less_by_now_hears_less_however_much_there_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_BEAT_S", 0.2)
    inbox, user = desk.add_inbox(), desk.add_user()
    conversation = add_conversation(desk, inbox)
    desk.write(lambda tx: users.set_inboxes(tx, desk.account_id, user, (inbox,)))
    with listening(signed_in(desk, user)) as stream:
        desk.post(f"/v2/conversations/{conversation}/notes", {"text": "Seen."})
        assert stream.hears_of(conversation)
        desk.write(lambda tx: users.set_inboxes(tx, desk.account_id, user, ()))
        deadline, quiet = time.monotonic() + 60, 0
        while quiet < 10:  # never a pause in which the stream would look by itself
            assert time.monotonic() < deadline, "it hears of them still"
            desk.post(f"/v2/conversations/{conversation}/notes", {"text": "Hidden."})
            quiet = quiet + 1 if stream.is_quiet(0.05) else 0


def test_who_comes_and_begins_to_write_is_told_once_to_others(desk: Desk) -> None:
    inbox = desk.add_inbox()
    conversation, lea = add_conversation(desk, inbox), desk.add_user(inboxes=(inbox,))

    def be(doing: presence.Doing) -> None:
        now = desk.server.clock.now()
        desk.write(lambda tx: presence.be(tx, desk.account_id, conversation, lea, doing, now))

    with listening(signed_in(desk)) as stream, listening(signed_in(desk, lea)) as own:
        while not own.is_quiet():  # that the conversation is there may be told still
            pass
        be("looking")
        assert stream.people() == [conversation]
        be("looking")
        assert stream.is_quiet()
        be("writing")
        assert stream.people() == [conversation]
        desk.post(f"/v2/conversations/{conversation}/notes", {"text": "Looked at."})
        told = own.next()
        while conversation not in sum(told["inboxes"].values(), []):
            assert not told["people"]
            told = own.next()


def test_who_came_before_but_was_committed_later_is_told_as_well(desk: Desk) -> None:
    inbox = desk.add_inbox()
    first, second, lea = add_conversation(desk, inbox), add_conversation(desk, inbox), desk.add_user()

    def be(conversation: int, earlier_s: float) -> None:
        at = desk.server.clock.now() - timedelta(seconds=earlier_s)
        desk.write(lambda tx: presence.be(tx, desk.account_id, conversation, lea, "looking", at))

    with listening(signed_in(desk)) as stream:
        be(first, 0)
        assert stream.people() == [first]
        be(second, 1)
        assert stream.people() == [second]


# -- What happened between the page and its line


def is_behind(desk: Desk, live: Live, user_id: int, change: Callable[[], object] = lambda: None) -> bool:
    """Whether a page of a user's is behind to which something happened on its way."""
    mark = live.mark()
    change()
    return desk.server.app.database.read_now(lambda db: live.is_behind(db, mark, desk.account_id, user_id))


def test_a_page_is_behind_once_something_happened_that_others_show(desk: Desk) -> None:
    conversation, lea = add_conversation(desk, desk.add_inbox()), desk.add_user()
    later = StoppedClock(desk.server.clock.now() + timedelta(minutes=1))
    live = Live(desk.server.app.database, later)
    until(lambda: not is_behind(desk, live, desk.user_id))  # but what other tests left may be going on

    def looks() -> None:
        desk.write(lambda tx: presence.be(tx, desk.account_id, conversation, lea, "looking", later.now()))

    assert is_behind(desk, live, lea, lambda: desk.post(f"/v2/conversations/{conversation}/notes", {"text": "Hm."}))
    assert is_behind(desk, live, lea, lambda: desk.write(lambda tx: tx.changed(events.PAGES)))
    assert is_behind(desk, live, desk.user_id, looks)
    until(lambda: not is_behind(desk, live, lea))  # where they are themselves they know
    assert Live(desk.server.app.database, later).mark().split()[0] != live.mark().split()[0]


def test_what_another_process_did_is_known_by_its_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Live, "_heard_of", lambda _: "nothing")
    add_conversation(desk, desk.add_inbox())
    now = desk.server.clock.now()
    before, after = (StoppedClock(now + timedelta(seconds=seconds)) for seconds in (-1, 60))
    assert is_behind(desk, Live(desk.server.app.database, before), desk.user_id)
    assert not is_behind(desk, Live(desk.server.app.database, after), desk.user_id)


def test_a_page_says_since_when_it_hears(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_pages, "OVERLAP_MS", -3_600_000)  # so only what this process heard of counts
    ines = signed_in(desk)

    def heard() -> bool | None:
        line = ines.page("/account").get_element_by_id("frame").get("data-live-url")
        with listening(ines, str(line)) as stream:
            return stream.behind

    until(lambda: heard() is False)


@pytest.mark.parametrize("since", ["", "?since=", "?since=x", "?since=a%20b", "?since=%20" + "9" * 400, "?since=%20٣"])
def test_a_page_that_can_not_say_when_it_was_made_counts_as_behind(desk: Desk, since: str) -> None:
    with listening(signed_in(desk), "/live" + quote(since, safe="?=%")) as stream:
        assert stream.behind is True


def test_changes_that_are_no_events_are_told_to_all(desk: Desk) -> None:
    with listening(signed_in(desk)) as stream:
        desk.write(lambda tx: tx.changed(events.PAGES))
        while not stream.next()["all"]:
            pass


QUIET: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a subject": ("PATCH", "", {"op": "replace", "path": "/subject", "value": "Another"}),
    "a text": ("PATCH", "/threads/{thread}", {"op": "replace", "path": "/text", "value": "Said otherwise."}),
    "a file": (
        "POST", "/threads/{thread}/attachments", {"fileName": "a.txt", "mimeType": "text/plain", "data": "aGVsbG8="}
    ),
    "a snooze": ("PUT", "/snooze", {"snoozedUntil": "2031-01-01T00:00:00Z", "unsnoozeOnCustomerReply": True}),
}  # fmt: skip
"""Changes that open pages show and that no event tells of."""


@pytest.mark.parametrize("change", QUIET)
def test_what_no_event_tells_of_is_shown_as_well(desk: Desk, change: str) -> None:
    method, path, body = QUIET[change]
    conversation = add_conversation(desk, desk.add_inbox())
    noted = desk.post(f"/v2/conversations/{conversation}/notes", {"text": "Looked at."})
    path = path.format(thread=noted.headers["Resource-ID"])
    with listening(signed_in(desk)) as stream:
        while not stream.is_quiet():
            pass
        answer = desk.request(method, f"/v2/conversations/{conversation}{path}", json=body)
        assert answer.ok, answer.text
        while not stream.next()["all"]:
            pass


def test_only_so_many_pages_of_one_user_hear_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "STREAMS_MOST", 2)
    ines, lea = signed_in(desk), signed_in(desk, desk.add_user())

    def refused() -> requests.Response | None:
        """The refusal of one stream more; None when it is taken."""
        with ines.get("/live", stream=True) as answer:
            return answer if answer.status_code == 429 else None

    with listening(ines), contextlib.ExitStack() as second:
        second.enter_context(listening(signed_in(desk)))  # the same user in another browser
        answer = refused()
        assert answer is not None and answer.headers["Retry-After"] == "10"
        assert ines.get("/account").status_code == 200
        with listening(lea):
            pass  # others have their own
        second.close()
        until = time.monotonic() + 60
        while refused() is not None:  # the server notices soon that somebody has hung up
            assert time.monotonic() < until
            time.sleep(0.1)


def test_who_is_not_signed_in_hears_nothing(server: LiveServer) -> None:
    assert requests.get(server.url + "/live", timeout=30).status_code == 401


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_another_process_on_the_same_database_is_heard(desk: Desk) -> None:
    conversation = add_conversation(desk, desk.add_inbox())
    settings = desk.server.app.settings
    here, there = (LiveServer(settings.data_dir, settings.database_url, worker="separate") for _ in range(2))
    try:
        person = signed_in(desk)
        person.server = here
        with listening(person) as stream:
            requests.post(
                f"{there.url}/v2/conversations/{conversation}/notes",
                json={"text": "From the other one."},
                headers={"Authorization": f"Bearer {desk.token}"},
                timeout=30,
            )
            assert stream.hears_of(conversation)
    finally:
        here.stop()
        there.stop()
