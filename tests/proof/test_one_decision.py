"""Whoever asks, by whatever way, hears the same: REST, MCP, `explain`, the administration's `/explain`, and Cedar.

Ten thousand random questions in this process, over grants that people could have written; some of them once more over
real HTTP. DESKHAND_TEST_SEED repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlencode

import msgspec
import pytest

from deskhand.admin.call import Asked as Administrators
from deskhand.admin.oversight import Question as Asking
from deskhand.admin.oversight import explain_call
from deskhand.app.gateway import Gateway
from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import SLUG, Action, AnyOperation, Extent, NoBody, NoQuery, Of, Resource
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.entrance import tools
from deskhand.entrance.schemas import WHOLE_BODY
from deskhand.gateway import policy, reading
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Request
from deskhand.gateway.cedar import policies
from deskhand.gateway.grants import ACTIONS, RESOURCES, STATUSES, read_grants
from deskhand.gateway.limits import Limits
from deskhand.gateway.policy import LEVELS, OWN, WITHOUT_INBOXES, Found, Grants, Rule
from deskhand.lib.clock import to_wire
from tests.admin.door import Admin
from tests.agents import AgentOf, add_agent, somebody
from tests.contract.isolation.cases import CASES
from tests.contract.isolation.sides import Side, furnish
from tests.contract.isolation.walking import filled
from tests.desk.test_for_agents_isolation import nowhere
from tests.gateway.asking import NOW
from tests.gateway.asking import asked as asked_of
from tests.gateway.test_cedar import answers
from tests.live import LiveServer
from tests.world import Desk, open_desk

HOLDERS, EACH = 250, 40
SEED = int(os.environ.get("DESKHAND_TEST_SEED") or random.randrange(10**9))
SETTINGS = ("off", "allow", "hold")
KINDS = ("conversation", "customer", "workflow", "webhook", "rating", "folder")
TOOLS = {tool.name: tool for tool in tools.derived(OPERATIONS)}


@dataclass(frozen=True)
class Question:
    """A call, as a client of either door would put it."""

    operation: AnyOperation
    sides: tuple[Side, ...]
    query: dict[str, Any]
    body: Any

    @property
    def path(self) -> str:
        return filled(self.operation, *self.sides)

    @property
    def request(self) -> Request:
        body = b"" if self.body is None else json.dumps(self.body).encode()
        query = urlencode({name: wire(value) for name, value in self.query.items()}, doseq=True)
        return Request(self.operation.method, self.path, query, {"content-type": "application/json"}, body)

    @property
    def arguments(self) -> dict[str, Any] | None:
        """The same as arguments of a tool; None where a tool can't say it: its query and body share names."""
        values = self.path.split("/")
        names = self.operation.path.split("/")
        found: dict[str, Any] = {
            name[1:-1]: value if name == SLUG else int(value)
            for name, value in zip(names, values, strict=True)
            if name.startswith("{")
        }
        found |= self.query
        if self.operation.body is NoBody:
            return found
        fields = TOOLS[self.operation.name].fields
        if not fields:
            return found | {WHOLE_BODY: self.body}
        clashes = isinstance(self.body, dict) and (set(self.body) & set(found) or set(self.body) - set(fields))
        return None if clashes or not isinstance(self.body, dict) else found | self.body


def wire(value: Any) -> Any:
    """A parameter as it stands in a query string."""
    return str(value).lower() if isinstance(value, bool) else value


# -- What is asked


def query_of(rng: random.Random, operation: AnyOperation, sides: Sequence[Side]) -> dict[str, Any]:
    """A query of one of the operation's filters, and what it may be told beside."""
    found: dict[str, Any] = {}
    filters = () if operation.name == "list_users" else CASES[operation.name].filters(rng.choice(sides))
    if filters and rng.random() < 0.6:
        found |= rng.choice(filters)
    names = set(operation.query.__struct_fields__)
    if operation.name in ("list_users", "list_teams") and "mailbox" in names:
        found["mailbox"] = rng.choice(sides).inbox
    if "embed" in names and rng.random() < 0.4:
        found["embed"] = "threads"
    if "start" in names:
        wanted = {"user": sides[0].user, "field": "tagid", "fieldid": 1, "view_by": "month"}
        found |= {"start": "2020-01-01T00:00:00Z", "end": "2030-01-01T00:00:00Z"}
        found |= {("viewBy" if name == "view_by" else name): wanted[name] for name in wanted if name in names}
    if "mailboxes" in names:
        if rng.random() < 0.6:
            found["mailboxes"] = ",".join(str(side.inbox) for side in rng.sample(list(sides), rng.randint(1, 2)))
        if rng.random() < 0.3:
            found["folders"] = str(rng.choice(sides).folder)
    if "mailbox" in names and operation.name == "list_conversations" and rng.random() < 0.3:
        found["mailbox"] = ",".join(str(side.inbox) for side in rng.sample(list(sides), 2))
    return found


MORE: dict[str, list[dict[str, Any]]] = {
    "reply_to_conversation": [
        {"draft": True}, {"draft": False}, {"status": "closed"}, {"status": "pending"}, {"assignTo": 7}, {"user": 7},
        {"assignTo": None}, {"cc": ["a@a.example"]}, {"bcc": ["b@b.example"]}, {"imported": True}, {"text": "x" * 30},
        {"attachments": [{"fileName": "a", "mimeType": "text/plain", "data": "YQ=="}]},
        {"customer": {"email": "ann@a.example"}}, {"customer": {"email": "new@b.example"}},
    ],
    "add_note": [{"status": "closed"}, {"user": 7}, {"text": "x" * 30}],
    "create_conversation": [
        {"tags": ["vip"]}, {"tags": ["other"]}, {"autoReply": True}, {"status": "closed"}, {"assignTo": None},
        {"threads": [{"type": "reply", "text": "x", "customer": {"email": "ann@a.example"}}]},
        {"threads": [{"type": "customer", "text": "x", "customer": {"email": "ann@a.example"}}]},
        {"threads": [{"type": "note", "text": "x" * 30}, {"type": "reply", "text": "x", "draft": True,
                      "customer": {"email": "new@b.example"}}]},
    ],
    "set_conversation_tags": [{"tags": ["vip"]}, {"tags": ["VIP "]}, {"tags": []}],
    "update_thread": [{"path": "/text", "value": "x" * 30}, {"path": "/hidden", "value": True}, {"path": "/state"}],
    "schedule_thread": [{"sendAsCreator": True}],
}  # fmt: skip
STEPS: list[Any] = [
    {"op": "replace", "path": "/status", "value": "closed"}, {"op": "replace", "path": "status", "value": "open"},
    {"op": "replace", "path": "/assignTo", "value": 7}, {"op": "remove", "path": "/assignTo"},
    {"op": "replace", "path": "/draft", "value": False}, {"op": "replace", "path": "/subject", "value": "x"},
    [{"op": "replace", "path": "/status", "value": "pending"}, {"op": "replace", "path": "/subject", "value": "x"}],
    [{"op": "replace", "path": "/DRAFT", "value": 1}, {"op": "add", "path": "/tags", "value": "x"}],
]  # fmt: skip


def body_of(rng: random.Random, operation: AnyOperation, sides: Sequence[Side]) -> Any:
    """A body that the operation takes, which may name things of several inboxes."""
    case, (mine, other) = CASES[operation.name], rng.sample(list(sides), 2)
    if operation.name == "update_conversation" and rng.random() < 0.7:
        moves = [{"op": "move", "path": "/mailboxId", "value": side.inbox} for side in (mine, other)]
        return rng.choice([*STEPS, *moves, [moves[0], STEPS[0]]])
    if operation.name == "run_workflow":
        return {"conversationIds": [side.conversation for side in rng.sample(list(sides), rng.randint(1, 2))]}
    if "webhook" in operation.name and case.body is not None:
        events = rng.sample(["convo.created", "convo.agent.reply.created", "customer.created", "tag.created"], 2)
        inboxes = [side.inbox for side in rng.sample(list(sides), rng.randint(0, 2))]
        return case.body(mine) | {"mailboxIds": inboxes, "events": events}
    made = rng.choice(case.ids)[1](mine, other) if case.ids and rng.random() < 0.5 else (case.body or nothing)(mine)
    if operation.name in MORE and isinstance(made, dict) and rng.random() < 0.7:
        made = made | rng.choice(MORE[operation.name])
    return made


def nothing(side: Side) -> None:
    return None


def questions(rng: random.Random, sides: Sequence[Side]) -> Iterator[Question]:
    """Without end. Those that reach furthest come up more often than others."""
    often = [BY_NAME[name] for name in (*MORE, "update_conversation", "run_workflow", "list_conversations")] * 4
    while True:
        operation = rng.choice([*OPERATIONS, *often])
        named = [rng.choice(sides)] * len(operation.parameters)
        yield Question(
            operation, tuple(named), query_of(rng, operation, sides), body_of(rng, operation, sides)
        )  # fmt: skip


def grants_of(rng: random.Random, inboxes: Sequence[int]) -> dict[str, Any]:
    """Grants as people write them."""
    resources: dict[str, Any] = {}
    usual = None if rng.random() < 0.3 else rng.sample(list(inboxes), rng.randint(1, 2))
    for key, one in RESOURCES.items():
        if rng.random() < 0.9:
            scope = usual if rng.random() < 0.8 else rng.sample(list(inboxes), rng.randint(1, 2))
            scoped = {} if one in WITHOUT_INBOXES or scope is None else {"inboxes": scope}
            resources[key] = {"level": rng.choices(LEVELS, (1, 2, 4, 5))[0], **scoped}
    actions: dict[str, Any] = {
        name: rng.choice(SETTINGS) for name in sorted(ACTIONS) if rng.random() < 0.15 and OWN[name].key in resources
    }
    if "threads" in resources and rng.random() < 0.6:
        chosen = rng.choice([*SETTINGS, "draft", "draft"])
        actions["reply_to_conversation"] = chosen
        if rng.random() < 0.3:
            actions["reply_to_conversation"] = {"setting": chosen, "limits": limits_of(rng)}
    found: dict[str, Any] = {"resources": resources, "actions": actions}
    if rng.random() < 0.4:
        found["limits"] = limits_of(rng)
    if rng.random() < 0.1:
        found["expires_at"] = rng.choice(["2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z"])
    return found


def limits_of(rng: random.Random) -> dict[str, Any]:
    possible = {
        "statuses": rng.sample(STATUSES, 2), "assign_to": [7], "tags": ["vip"], "recipient_domains": ["a.example"],
        "max_text": 10, "patch_paths": ["/status", "/assignTo"], "speak_for_others": rng.random() < 0.7,
        "hours": {"from": "00:00", "to": rng.choice(["24:00", "00:01"]), "zone": "UTC", "days": [1, 2, 3, 4, 5, 6, 7]},
    }  # fmt: skip
    chances = dict.fromkeys(possible, 0.2) | {"hours": 0.1}
    return {name: value for name, value in possible.items() if rng.random() < chances[name]}


# -- Where things lie, without a desk


def side_of(number: int) -> Side:
    """An inbox with one of everything, which exists by its ids alone."""
    base = 1000 * number
    ids: dict[str, Any] = {
        name: base + position for position, name in enumerate((
            "inbox", "folder", "field", "option", "user", "team", "conversation", "number", "thread", "attachment",
            "customer", "tag", "organization", "system_user", "workflow", "saved_reply", "webhook", "rating",
        ))
    }  # fmt: skip
    entries = dict.fromkeys(("emails", "phones", "chats", "social-profiles", "websites"), base + 50)
    return Side(desk=cast(Desk, None), word=f"word{number}", entries=entries, **ids)


class Places:
    """A desk that only knows where things lie: the upstream of the questions."""

    looks_up_freely = True
    base_url = "http://desk.example"

    def __init__(self, sides: Sequence[Side], rng: random.Random) -> None:
        self.known: dict[tuple[str, int | str], Found] = {
            (kind, getattr(side, kind)): Found(frozenset((side.inbox,)), side.number, "mark")
            for side in sides for kind in KINDS
        }  # fmt: skip
        first, second = sides[0].inbox, sides[1].inbox
        both = Found(frozenset((first, second)))
        self.known["email", "ann@a.example"] = both
        for side in sides:
            self.known["email", side.email] = Found(frozenset((side.inbox,)))
            does = tuple(rng.sample(["update_conversation", "set_conversation_tags", "add_note", "unheard_of"], 2))
            into = frozenset((second,)) if rng.random() < 0.5 else frozenset[int]()
            self.known["workflow", side.workflow] = Found(frozenset((side.inbox,)), does=does, into=into)
        self.known["customer", sides[0].customer] = both
        self.outgoing = {side.thread for side in sides[1:]}
        self.known["webhook", sides[1].webhook] = both

    async def look_up(self, agent: Agent, wanted: Set[Of]) -> Mapping[Of, Found | None]:
        return {of: self.known.get((of.kind, of.id)) for of in wanted}

    async def is_outgoing(self, agent: Agent, conversation_id: int, thread_id: int) -> bool:
        return thread_id in self.outgoing

    def refusal(self, operation: AnyOperation, decision: policy.Decision) -> None:
        return None


# -- Who is asked


Said = tuple[str, str, Any, Any]
"""What becomes of a call: allowed, held or refused; the reason; what is missing; the argument at fault."""


def said(decision: policy.Decision) -> Said:
    missing = dict(decision.missing) if decision.missing else None
    return decision.outcome, decision.reason, missing if decision.outcome == "refused" else None, decision.path


def explained(found: Mapping[str, Any]) -> Said:
    lacking = found["would_need"] if found["decision"] == "refused" and found["path"] is None else None
    return found["decision"], found["reason"], lacking, found["path"]


async def ask_everybody(
    gateway: Gateway, holders: Sequence[Agent], asked: Sequence[list[Question]]
) -> list[list[policy.Decision]]:
    """Put each agent's questions to all; gives the decisions, upon which they agreed."""
    matcher = Matcher(OPERATIONS)
    decisions: list[list[policy.Decision]] = []
    parts = SimpleNamespace(administration=SimpleNamespace(agents=SimpleNamespace(require=nobody_minds)))
    for agent, listed in zip(holders, asked, strict=True):

        async def explain(
            account_id: int, agent_id: int, method: str, path: str, query: Any, body: Any, agent: Agent = agent
        ) -> Any:
            return await gateway.explaining.explain(agent, method, path, query, body)

        parts.explain = explain
        decisions.append([])
        for question in listed:
            understood = reading.read(matcher, question.request)
            by_rest = (await gateway.judging.judge(agent, understood)).decision
            operation, expected = question.operation, said(by_rest)
            if (arguments := question.arguments) is not None:
                as_tool = reading.read(matcher, tools.request(TOOLS[operation.name], arguments))
                assert as_tool == understood, question
                assert said((await gateway.judging.judge(agent, as_tool, "mcp")).decision) == expected
            told = await gateway.explaining.explain(
                agent, operation.method, question.path, question.query, question.body
            )
            assert explained(told) == expected, (question, told)
            asking = Asking(
                agent_id=agent.id, method=operation.method, path=question.path, query=question.query, body=question.body
            )  # fmt: skip
            who = cast(Any, SimpleNamespace(account_id=1))
            assert await explain_call(Administrators(cast(Any, parts), who, (), NoQuery(), asking)) == told
            decisions[-1].append(by_rest)
    return decisions


async def nobody_minds(account_id: int, agent_id: int) -> None:
    return None


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_ten_thousand_questions_get_one_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sys.stdout.write(f"DESKHAND_TEST_SEED={SEED}\n")
    rng = random.Random(SEED)
    known = [side_of(number) for number in (1, 2, 3)]
    sides = [*known, nowhere(known[0])]
    asking = questions(rng, sides)
    inboxes = [side.inbox for side in known]
    held = [read_grants(grants_of(rng, inboxes)) for _ in range(HOLDERS)]
    holders = [
        Agent(number, desk.account_id, "Triage", "active", 1, None, one) for number, one in enumerate(held, start=1)
    ]
    asked = [[next(asking) for _ in range(EACH)] for _ in holders]
    gateway = desk.server.app.gateway
    places = Places(known, rng)
    monkeypatch.setattr(gateway.judging, "_upstream_of", lambda agent: places)
    decisions = desk.server.run(ask_everybody(gateway, holders, asked))
    seen = Counter((one.outcome, one.reason) for listed in decisions for one in listed)
    assert sum(seen.values()) == HOLDERS * EACH
    assert min(seen[one] for one in (("allowed", "granted"), ("held", "hold"), ("refused", "missing_grant"))) > 200, (
        seen
    )
    assert seen["refused", "limit"] > 30, seen
    assert {question.operation.name for listed in asked for question in listed} == set(BY_NAME)
    agree_with_cedar(holders, decisions, places)


def agree_with_cedar(holders: Sequence[Agent], decisions: Sequence[list[policy.Decision]], places: Places) -> None:
    """Of each need by itself an independent engine says the same, by the grants as Cedar policies."""
    compared: Counter[str] = Counter()
    for agent, listed in zip(holders, decisions, strict=True):
        if agent.grants.expires_at is not None:
            continue
        questions: dict[tuple[int, str, int | str], str] = {}
        for decision in listed:
            for need, verdict in told_one_by_one(agent.grants, decision, places):
                questions[agent.id, need[0], need[1]] = verdict
        found = answers(policies(agent.id, agent.grants), list(questions))
        expected = list(questions.values())
        assert found == expected, [
            (question, cedar, ours)
            for question, cedar, ours in zip(questions, found, expected, strict=True)
            if cedar != ours
        ][:5]
        compared.update(found)
    assert min(compared[one] for one in ("allowed", "held", "refused", "draft")) > 20, compared


def told_one_by_one(
    grants: Grants, decision: policy.Decision, places: Places
) -> Iterator[tuple[tuple[str, int | str], str]]:
    """What the gateway says to each need that Cedar can be asked about: at one inbox, or at all of them."""
    # Limits of arguments are no part of the policies, but for the one that lifts something.
    speaking = Limits(speak_for_others=grants.limits.speak_for_others)
    rules = {name: Rule(one.setting) for name, one in grants.actions.items()}
    grants = msgspec.structs.replace(grants, limits=speaking, actions=rules)
    for need in decision.needs:
        operation = BY_NAME.get(need.operation)
        if operation is None or OWN[need.operation] is not need.resource or operation.action is not need.action:
            continue
        where: int | str | None = None
        if isinstance(need.place, int):
            where = need.place
        elif isinstance(need.place, Of):
            found = places.known.get((need.place.kind, need.place.id))
            where = next(iter(found.inboxes)) if found is not None and len(found.inboxes) == 1 else None
        elif need.place is Extent.EVERY or grants.resources.get(need.resource, policy.Granted(0)).inboxes is None:
            where = "everywhere"
        if where is not None:
            call = asked_of(need.operation, need)
            by_id = {of: places.known.get((of.kind, of.id)) for of in (need.place, need.unless) if isinstance(of, Of)}
            one = policy.decide(grants, call, by_id, NOW)
            yield (need.operation, where), "draft" if one.draft else one.outcome


# -- The same over the wire


@pytest.fixture(scope="module")
def furnished(server: LiveServer) -> tuple[Desk, Side, Side]:
    """A real desk with two inboxes."""
    desk = open_desk(server, plan="pro")
    return desk, furnish(desk), furnish(desk)


def test_questions_over_the_wire_get_the_same_answer_by_every_door(furnished: tuple[Desk, Side, Side]) -> None:
    sys.stdout.write(f"DESKHAND_TEST_SEED={SEED}\n")
    desk, *known = furnished
    rng = random.Random(SEED)
    sides = [*known, nowhere(known[0])]
    asking = questions(rng, sides)
    admin = Admin(desk, admin_token(desk))
    seen: Counter[str] = Counter()
    for _ in range(12):
        grants = grants_of(rng, [side.inbox for side in known])
        agent = add_agent(desk, **grants)
        for _ in range(10):
            question = next(asking)
            if question.operation.action is Action.DELETE or question.operation.resource is Resource.USERS:
                continue  # what is there is needed for the questions that follow
            told = admin.post(
                "/explain",
                {"agent_id": agent.id, "method": question.operation.method, "path": question.path,
                 "query": question.query, "body": question.body},
            )  # fmt: skip
            over_rest, reason = by_rest(agent, question)
            assert over_rest == told["decision"], (question, told)
            assert reason in (told["reason"], None), (question, told, reason)
            if question.arguments is not None:
                assert by_tool(agent, question) in (told["decision"], None), (question, told)
            seen[over_rest] += 1
    assert len(seen) >= 2, seen


def admin_token(desk: Desk) -> str:
    who = desk.server.app.gateway.administration
    made = desk.server.run(who.tokens.make(somebody(desk), f"Proof {random.randrange(10**9)}"))
    return made.token


def by_rest(agent: AgentOf, question: Question) -> tuple[str, str | None]:
    """What was decided, and of a refusal the reason."""
    request = question.request
    url = f"{request.path}?{request.query}" if request.query else request.path
    answer = agent.request(request.method, url, data=request.body or None, headers=dict(request.headers))
    decision = answer.headers["Deskhand-Decision"]
    return decision, answer.json().get("reason") if decision == "refused" else None


def by_tool(agent: AgentOf, question: Question) -> str | None:
    """What was decided about the same call as a tool's; None where the desk answered, or the same came before."""
    params = {"name": question.operation.name, "arguments": question.arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {"MCP-Protocol-Version": "2025-11-25", "Accept": "application/json, text/event-stream"}
    result = agent.request("POST", "/mcp", json=message, headers=headers).json()["result"]
    content = result.get("structuredContent", {})
    if content.get("state") == "held":
        return "held"
    if content.get("reason") in ("missing_grant", "limit", "unclean"):
        return "refused"
    return None if content.get("reason") else "allowed"


def test_the_moment_matters_to_all_alike(desk: Desk) -> None:
    soon = to_wire(desk.server.clock.now() + timedelta(hours=1))
    agent = add_agent(desk, resources={"tags": {"level": "read"}}, expires_at=soon)
    admin = Admin(desk, admin_token(desk))
    question = {"agent_id": agent.id, "method": "GET", "path": "/v2/tags"}
    assert (admin.post("/explain", question)["decision"], agent.get("/v2/tags").status_code) == ("allowed", 200)
    desk.server.clock.advance(timedelta(hours=2))
    try:
        assert (admin.post("/explain", question)["decision"], agent.get("/v2/tags").status_code) == ("refused", 403)
    finally:
        desk.server.clock.advance(-timedelta(hours=2))
