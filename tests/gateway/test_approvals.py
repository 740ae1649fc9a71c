"""Calls that wait for a person: released once and only as they were held, or denied, expired, given back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Set
from typing import Any

import msgspec
import pytest

from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import Asked, Of, Resource
from deskhand.catalogue.operations import OPERATIONS
from deskhand.catalogue.problems import BadRequest, NotFound
from deskhand.db.engine import Reader
from deskhand.db.statements import command, value
from deskhand.gateway import reading
from deskhand.gateway.agents import Agent
from deskhand.gateway.approval_rows import UNKNOWN
from deskhand.gateway.approvals import CHANGED, Approvals, Go
from deskhand.gateway.audit import Audit, AuditUnavailable, By
from deskhand.gateway.budget import OverBudget
from deskhand.gateway.calls import Answer, Door, Request
from deskhand.gateway.held_calls import Changed, Held, NotReleased, Outcome
from deskhand.gateway.judged import conversations, standing
from deskhand.gateway.limits import Limits
from deskhand.gateway.policy import Found, Granted, Grants, Rule, decide, wanted
from deskhand.gateway.reading import arguments_hash
from deskhand.gateway.tables import approval, audit_record
from deskhand.gateway.upstream import UpstreamDown
from tests.gateway.builders import Watch, add_agent, run
from tests.world import Desk

MATCHER = Matcher(OPERATIONS)
HOLDS = Grants(
    3,
    {Resource.CONVERSATIONS: Granted(2), Resource.THREADS: Granted(2)},
    {"set_conversation_tags": Rule("hold"), "reply_to_conversation": Rule("hold")},
)
ALLOWS, DRAFTS = (
    msgspec.structs.replace(HOLDS, actions={"reply_to_conversation": Rule(setting)}) for setting in ("allow", "draft")
)
REPLY = {"text": "Your parcel left us on Monday.", "customer": {"email": "paul@buyer.example"}}


def understood(method: str, path: str, body: Any = None) -> Asked:
    """A call as an agent makes it."""
    written = b"" if body is None else msgspec.json.encode(body)
    return reading.read(MATCHER, Request(method, path, "", {"content-type": "application/json"}, written))


TAGS = understood("PUT", "/v2/conversations/40/tags", {"tags": ["vip"]})
ANSWER = understood("POST", "/v2/conversations/40/reply", REPLY)


class World:
    """An agent whose calls are held, the person who decides, and a desk that says yes unless told otherwise."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clock = Watch()
        self.agent = self.now = add_agent(desk, "Triage")
        self.agent = self.now = msgspec.structs.replace(self.agent, grants=HOLDS)
        self.deleted = False
        self.mark = "m1"
        self.marks: dict[int | str, str] = {}  # of conversations that stand differently
        self.answer: Answer | Exception = Answer(201, headers=(("Resource-ID", "77"),))
        self.before: Exception | None = None  # what goes wrong before it is let go
        self.sent: list[tuple[Asked, int]] = []
        database = desk.server.app.database
        self.approvals = Approvals(
            database, self.clock, Audit(database, self.clock, None), self, MATCHER, look=self.look
        )
        self.approvals.release = self.release

    def look(self, db: Reader, account_id: int, wanted: Set[Of]) -> dict[Of, Found | None]:
        assert account_id == self.agent.account_id
        return {of: Found(frozenset({501}), 1874, self.marks.get(of.id, self.mark)) for of in wanted}

    async def by_id(self, account_id: int, id: int) -> Agent | None:
        assert (account_id, id) == (self.agent.account_id, self.agent.id)
        return None if self.deleted else self.now

    async def release(self, agent: Agent, asked: Asked, approval_id: int, door: Door, go: Go) -> Answer:
        """As the relay does it."""
        if self.before:
            raise self.before
        found: Mapping[Of, Found | None] = {of: Found(frozenset({501}), 1874, self.mark) for of in wanted(asked)}
        await go(decide(agent.grants, asked, found, self.clock.now()), self.mark)
        self.sent.append((asked, approval_id))
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def hold(self, asked: Asked = TAGS, **more: Any) -> Held:
        given = {"audit_number": 12, "conversation_id": 40, "inbox_id": 501, "mark": self.mark, **more}
        hashed = arguments_hash(asked)
        return run(self.approvals.hold(self.agent, asked, hashed, words=given.pop("words", ""), **given))

    def approve(self, held: Held, text: str | None = None) -> Outcome:
        return run(self.approving(held, text))

    def approving(self, held: Held, text: str | None = None) -> Coroutine[Any, Any, Outcome]:
        return self.approvals.approve(self.agent.account_id, held.id, self.by, "Ada Holm", text)

    def deny(self, held: Held, reason: str = "Not like this") -> None:
        run(self.approvals.deny(self.agent.account_id, held.id, self.by, "Ada Holm", reason))

    def refusal(self, held: Held, text: str | None = None) -> NotReleased:
        """Why a call is not released."""
        with pytest.raises(NotReleased) as caught:
            self.approve(held, text)
        return caught.value

    def state(self, held: Held) -> tuple[str, str | None, int | None, int | None]:
        """As the agent sees it."""
        shown = run(self.approvals.shown_to_agent(self.agent, held.id))
        assert shown is not None
        assert (shown.approval_id, shown.until) == (held.id, held.until)
        return shown.state, shown.reason, shown.status, shown.resource_id

    @property
    def by(self) -> By:
        return By("user", self.desk.user_id)

    @property
    def log(self) -> list[dict[str, Any]]:
        mine = audit_record.select().where(audit_record.c.account_id == self.desk.account_id)
        query = value(str, mine.with_only_columns(audit_record.c.content).order_by(audit_record.c.number), keep=False)
        return [msgspec.json.decode(one) for one in self.desk.write(lambda tx: tx.all(query))]

    @property
    def sentences(self) -> list[str]:
        return [one["sentence"] for one in self.log]


@pytest.fixture
def world(desk: Desk) -> World:
    return World(desk)


# -- Holding


def test_a_held_call_waits_for_a_day(world: World):
    held = world.hold()
    assert held.until == "2026-11-24T12:00:00Z"
    assert world.state(held) == ("waiting", None, None, None)
    world.clock.pass_s(24 * 3600)
    assert world.state(held) == ("expired", None, None, None)


def test_only_its_own_agent_can_ask_for_it(world: World, desk: Desk):
    held = world.hold()
    other = add_agent(desk, "Closer")
    assert run(world.approvals.shown_to_agent(other, held.id)) is None
    assert run(world.approvals.shown_to_agent(world.agent, held.id + 1)) is None
    elsewhere = msgspec.structs.replace(world.agent, account_id=desk.account_id + 1)
    assert run(world.approvals.shown_to_agent(elsewhere, held.id)) is None


def test_asking_again_for_just_the_same_does_not_queue_it_twice(world: World):
    held = world.hold()
    world.clock.pass_s(60)
    assert world.hold() == held
    assert world.hold(understood("PUT", "/v2/conversations/40/tags", {"tags": ["other"]})) != held
    assert world.hold(mark="m2") != held, "the conversation changed, so it is another question"
    world.deny(held)
    assert world.hold() != held


def test_people_see_what_would_be_done(world: World):
    held = world.hold(ANSWER, words="reply to conversation #1874 in Orders")
    (shown,) = run(world.approvals.listed(world.desk.account_id, "waiting"))
    assert (shown.id, shown.agent.name, shown.operation) == (held.id, "Triage", "reply_to_conversation")
    assert shown.call == "reply to conversation #1874 in Orders"
    assert shown.text == "Your parcel left us on Monday."
    assert shown.arguments == {"path": {"conversation_id": 40}, "body": REPLY}
    assert shown.arguments_hash == arguments_hash(ANSWER)
    assert (shown.audit_id, shown.inbox_id, shown.conversation_id, shown.grant_version) == (12, 501, 40, 3)
    assert (shown.created_at, shown.until) == ("2026-11-23T12:00:00Z", held.until)
    assert run(world.approvals.one(world.desk.account_id, held.id)) == shown


def test_a_file_is_shown_by_its_size(world: World):
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "QUJDREVG"}
    world.hold(understood("POST", "/v2/conversations/40/reply", REPLY | {"attachments": [file]}))
    (shown,) = run(world.approvals.listed(world.desk.account_id))
    assert shown.arguments["body"]["attachments"] == [file | {"data": "6 bytes"}]


def test_approvals_are_listed_by_state_newest_first_and_of_one_account(world: World, desk: Desk):
    held = [world.hold(understood("PUT", f"/v2/conversations/{n}/tags", {"tags": []})) for n in range(1, 5)]
    world.deny(held[1])
    world.approve(held[2])

    def ids(state: Any = None, **more: Any) -> list[int]:
        return [one.id for one in run(world.approvals.listed(desk.account_id, state, **more))]

    assert ids() == [one.id for one in reversed(held)]
    assert ids("waiting") == [held[3].id, held[0].id]
    assert ids("denied") == [held[1].id]
    assert ids("executed") == [held[2].id]
    assert ids(before_id=held[2].id, most=1) == [held[1].id]
    assert run(world.approvals.waiting(desk.account_id)) == 2
    assert run(world.approvals.listed(desk.account_id + 1)) == []
    world.clock.pass_s(24 * 3600)
    assert ids("waiting") == []
    assert ids("expired") == [held[3].id, held[0].id]
    assert run(world.approvals.waiting(desk.account_id)) == 0


# -- Approving


def test_an_approved_call_is_sent_once_just_as_it_was_held(world: World):
    held = world.hold(ANSWER, words="reply to conversation #1874 in Orders")
    assert world.approve(held) == Outcome("executed", 201, 77)
    assert world.sent == [(ANSWER, held.id)]
    assert world.state(held) == ("executed", None, 201, 77)
    (entry,) = world.log
    assert entry["sentence"] == "Ada Holm approved the request of Triage to reply to conversation #1874 in Orders"
    assert entry["actor"] == {"type": "user", "id": world.desk.user_id}
    assert entry["particulars"]["arguments_hash"] == entry["particulars"]["sent_hash"] == arguments_hash(ANSWER)
    problem = world.refusal(held)
    assert (problem.status, problem.message) == (409, "This call was approved already, and sent")
    assert len(world.sent) == 1


def test_of_twenty_that_approve_at_a_time_one_sends_it(world: World):
    held = world.hold()

    async def all_at_once() -> list[Outcome | BaseException]:
        return await asyncio.gather(*(world.approving(held) for _ in range(20)), return_exceptions=True)

    outcomes = run(all_at_once())
    assert [one for one in outcomes if isinstance(one, Outcome)] == [Outcome("executed", 201, 77)]
    assert {one.status for one in outcomes if isinstance(one, NotReleased)} == {409}
    assert len(world.sent) == len(world.log) == 1


def test_an_unknown_approval_and_another_accounts_are_not_found(world: World, desk: Desk):
    held = world.hold()
    for account_id, id in ((desk.account_id + 1, held.id), (desk.account_id, held.id + 1)):
        with pytest.raises(NotFound):
            run(world.approvals.approve(account_id, id, world.by, "Eve"))
        with pytest.raises(NotFound):
            run(world.approvals.deny(account_id, id, world.by, "Eve", "no"))
    assert world.state(held)[0] == "waiting"


def test_a_call_that_may_be_made_without_asking_by_now_can_be_approved(world: World):
    held = world.hold(ANSWER)
    world.now = msgspec.structs.replace(world.agent, grants=ALLOWS)
    assert world.approve(held).state == "executed"


def test_when_somebody_wrote_meanwhile_it_goes_back_to_the_agent(world: World):
    held = world.hold(ANSWER)
    world.mark = "m2"
    problem = world.refusal(held)
    assert (problem.status, problem.state) == (409, "returned")
    assert world.state(held) == ("returned", CHANGED, None, None)
    assert world.sent == []
    assert world.sentences == [
        "Ada Holm approved the request of Triage to reply to conversation 40, "
        "but it went back because the conversation had changed since"
    ]
    world.mark = "m1"
    assert world.refusal(held).status == 409


@pytest.mark.parametrize(
    ("grants", "words"),
    [
        (Grants(4), "Triage may not do this now"),
        (msgspec.structs.replace(HOLDS, actions={"reply_to_conversation": Rule("off")}), "Triage may not do this now"),
        (msgspec.structs.replace(HOLDS, expires_at="2026-11-23T11:00:00Z"), "Triage may not do this now"),
        (DRAFTS, "Triage may only write drafts now"),
    ],
)
def test_grants_of_today_count_not_those_of_when_it_was_held(world: World, grants: Grants, words: str):
    held = world.hold(ANSWER)
    world.now = msgspec.structs.replace(world.agent, grants=grants)
    problem = world.refusal(held)
    assert (problem.status, problem.state) == (409, "waiting")
    assert problem.message.startswith(words)
    assert world.sent == []
    world.now = world.agent
    assert world.approve(held).state == "executed", "it still waits, for grants can be given back"


def test_what_would_go_back_is_known_before_and_so_it_is(world: World):
    held, other = (
        world.hold(),
        world.hold(understood("PUT", "/v2/conversations/41/tags", {"tags": []}), conversation_id=41),
    )
    free = world.hold(understood("PUT", "/v2/conversations/42/tags", {"tags": []}), conversation_id=42, mark="")
    ids = [held.id, other.id, free.id]

    def changed() -> dict[int, Changed]:
        return run(world.approvals.changed(world.desk.account_id, ids))

    assert changed() == {}
    world.marks[40] = world.mark = "m2"
    world.marks[41] = "m1"
    assert changed() == {held.id: Changed("m1", "m2")}
    assert world.refusal(held).state == "returned"
    assert changed() == {}, "it was decided"
    world.mark = "m1"
    assert world.approve(other).state == "executed"
    assert world.approve(free).state == "executed"


def test_a_call_about_several_conversations_is_compared_with_all_of_them(world: World):
    several = understood("POST", "/v2/workflows/9/run", {"conversationIds": [40, 41]})
    about = conversations(several.operation.needs(several))
    mark = standing(about, {of: Found(frozenset(), 1, "m1") for of in about})
    held = world.hold(several, conversation_id=None, mark=mark)
    assert run(world.approvals.changed(world.desk.account_id, [held.id])) == {}
    world.marks[41] = "m2"
    assert list(run(world.approvals.changed(world.desk.account_id, [held.id]))) == [held.id]


def test_another_accounts_calls_are_not_compared(world: World):
    held = world.hold()
    world.mark = "m2"
    assert run(world.approvals.changed(world.desk.account_id + 1, [held.id])) == {}


def test_what_a_deleted_agent_asked_for_can_not_be_sent(world: World):
    held = world.hold()
    world.deleted = True
    assert world.refusal(held).message == "Triage was deleted, so this can't be sent for it any more"
    assert world.sent == []


def test_an_expired_call_can_not_be_decided(world: World):
    held = world.hold()
    world.clock.pass_s(24 * 3600)
    problem = world.refusal(held)
    assert (problem.status, problem.state) == (409, "expired")
    with pytest.raises(NotReleased):
        world.deny(held)
    assert world.sent == []
    assert world.state(held)[0] == "expired"


def test_a_call_that_expires_while_it_is_looked_at_is_not_sent(world: World):
    held = world.hold()
    look = world.approvals.release

    async def slowly(agent: Agent, asked: Asked, approval_id: int, door: Door, go: Go) -> Answer:
        world.clock.pass_s(24 * 3600)
        return await look(agent, asked, approval_id, door, go)

    world.approvals.release = slowly
    assert world.refusal(held).state == "expired"
    assert world.sent == []


def test_a_call_that_was_changed_in_the_database_is_not_sent(world: World):
    held = world.hold()
    stored = approval.update().where(approval.c.id == held.id)
    query = value(str, approval.select().where(approval.c.id == held.id).with_only_columns(approval.c.call), keep=False)
    call = world.desk.write(lambda tx: tx.all(query))[0]
    for changed in (call.replace("vip", "bad"), call.replace("/40/", "/41/"), call.replace("/tags", "/nonsense")):
        assert changed != call
        world.desk.write(lambda tx, changed=changed: tx.run(command(stored.values(call=changed), keep=False)))  # type: ignore[misc]
        assert world.refusal(held).message.startswith("What is stored is not the call that was held")
    assert world.sent == []
    assert run(world.approvals.one(world.desk.account_id, held.id)).arguments == {}


# -- With another text


def test_a_call_is_approved_with_another_text(world: World):
    held = world.hold(ANSWER)
    assert world.approve(held, "It left us on Tuesday.").state == "executed"
    ((asked, _),) = world.sent
    assert reading.arguments(asked)["body"] == REPLY | {"text": "It left us on Tuesday."}
    (entry,) = world.log
    assert entry["sentence"].endswith("to reply to conversation 40, with another text")
    assert entry["particulars"]["arguments_hash"] == arguments_hash(ANSWER)
    assert entry["particulars"]["sent_hash"] == arguments_hash(asked) != arguments_hash(ANSWER)
    shown = run(world.approvals.one(world.desk.account_id, held.id))
    assert (shown.edited_text, shown.text) == ("It left us on Tuesday.", REPLY["text"])


def test_the_other_text_keeps_to_the_limits(world: World):
    held = world.hold(ANSWER)
    limited = msgspec.structs.replace(HOLDS, limits=Limits(max_text=40))
    world.now = msgspec.structs.replace(world.agent, grants=limited)
    problem = world.refusal(held, "x" * 41)
    assert (problem.status, problem.state) == (409, "waiting")
    assert world.approve(held, "x" * 40).state == "executed"


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_a_text_that_can_not_be_is_refused_and_the_call_still_waits(world: World, text: str):
    held = world.hold(ANSWER)
    with pytest.raises(BadRequest) as caught:
        world.approve(held, text)
    assert [error.path for error in caught.value.errors] == ["edited_text"]
    assert world.state(held)[0] == "waiting"


def test_a_call_without_a_text_has_none_to_change(world: World):
    held = world.hold(TAGS)
    with pytest.raises(BadRequest) as caught:
        world.approve(held, "Hello")
    assert [error.path for error in caught.value.errors] == ["edited_text"]
    assert world.sent == []


# -- What the desk says


def test_an_error_of_the_desk_is_the_end_of_it(world: World):
    held = world.hold()
    world.answer = Answer(412, b'{"message":"The conversation is locked"}')
    assert world.approve(held) == Outcome("failed", 412, None)
    assert world.state(held) == ("failed", "the help desk answered 412: The conversation is locked", 412, None)
    assert world.refusal(held).message == "This call was approved already, and failed"
    assert len(world.sent) == 1


def test_no_answer_of_the_desk_is_the_end_of_it_too(world: World):
    held = world.hold()
    world.answer = UpstreamDown("the connection was cut", slow=True)
    assert world.approve(held) == Outcome("failed", 504, None)
    assert world.state(held)[1] == "the help desk gave no answer: the connection was cut"


@pytest.mark.parametrize(
    ("trouble", "kind", "status"),
    [
        (OverBudget(7, "nothing left"), OverBudget, 429),
        (AuditUnavailable("disk full"), NotReleased, 503),
        (Answer(429), NotReleased, 429),
    ],
)
def test_what_was_not_sent_waits_on(world: World, trouble: Answer | Exception, kind: type[Exception], status: int):
    held = world.hold()
    world.answer = trouble
    with pytest.raises(kind) as caught:
        world.approve(held)
    assert caught.value.status == status  # type: ignore[attr-defined]
    shown = run(world.approvals.one(world.desk.account_id, held.id))
    assert (shown.state, shown.decided_at, shown.decided_by) == ("waiting", None, None)
    world.answer = Answer(204)
    assert world.approve(held) == Outcome("executed", 204, None)


def test_a_desk_that_can_not_be_asked_changes_nothing(world: World):
    held = world.hold()
    world.before = UpstreamDown("it is away")
    assert (world.refusal(held).status, world.state(held)[0]) == (502, "waiting")
    assert world.log == []


def test_a_call_left_behind_by_a_killed_gateway_fails_after_a_while_and_is_never_sent_again(world: World):
    held = world.hold()
    world.answer = RuntimeError("as good as killed")
    with pytest.raises(RuntimeError):
        world.approve(held)
    assert world.state(held)[0] == "waiting", "the agent sees that it is not done yet"
    assert world.refusal(held).message == "This call was approved and is being sent"
    world.clock.pass_s(9 * 60)
    assert world.refusal(held).state == "executing"
    world.clock.pass_s(60)
    assert world.state(held) == ("failed", UNKNOWN, None, None)
    assert world.refusal(held).state == "failed"
    assert len(world.sent) == 1


# -- Denying


def test_a_call_is_denied_with_a_reason_that_the_agent_is_told(world: World):
    held = world.hold(ANSWER)
    world.deny(held, " Please apologize first ")
    assert world.state(held) == ("denied", "Please apologize first", None, None)
    assert world.sentences == [
        "Ada Holm denied the request of Triage to reply to conversation 40: Please apologize first"
    ]
    assert world.refusal(held).message == "This call was denied already"
    with pytest.raises(NotReleased):
        world.deny(held)
    assert world.sent == []


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "a\0b"])
def test_a_denial_needs_a_reason(world: World, reason: str):
    held = world.hold()
    with pytest.raises(BadRequest) as caught:
        world.deny(held, reason)
    assert [error.path for error in caught.value.errors] == ["reason"]
    assert world.state(held)[0] == "waiting"


def test_approving_and_denying_at_a_time_one_counts(world: World):
    async def both(held: Held) -> list[object]:
        denying = world.approvals.deny(world.desk.account_id, held.id, world.by, "Ben", "no")
        return list(await asyncio.gather(world.approving(held), denying, return_exceptions=True))

    for number in range(5):
        held = world.hold(understood("PUT", f"/v2/conversations/{number + 1}/tags", {"tags": []}))
        before = len(world.sent)
        outcomes = run(both(held))
        assert sum(isinstance(one, NotReleased) for one in outcomes) == 1
        assert (world.state(held)[0] == "executed") is (len(world.sent) > before)


# -- The hash


def test_the_hash_knows_operation_and_arguments_apart():
    note = understood("POST", "/v2/conversations/40/notes", {"text": "Hello"})
    chat = understood("POST", "/v2/conversations/40/notes", {"text": "Hello", "unknown": 1})
    other = understood("POST", "/v2/conversations/41/notes", {"text": "Hello"})
    large = understood("POST", f"/v2/conversations/{2**62}/notes", {"text": "Hello"})
    assert arguments_hash(note) == arguments_hash(chat)
    assert len({arguments_hash(one) for one in (note, other, large, ANSWER, TAGS)}) == 5
