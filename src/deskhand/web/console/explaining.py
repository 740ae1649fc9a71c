"""What an agent could do to a conversation, and why: asked of the very function that decides about its calls."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from starlette.responses import Response

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.desk.conversations import numbered
from deskhand.desk.conversations.numbered import Numbered
from deskhand.desk.conversations.tagging import ShownTag
from deskhand.gateway.administering.agents import ShownAgent
from deskhand.web.console.knowing import action_words, known
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CALLS = (
    "/v2/conversations?status=active", "/v2/customers", "/v2/mailboxes", "/v2/tags", "/v2/users", "/v2/teams",
    "/v2/organizations", "/v2/workflows", "/v2/webhooks",
)  # fmt: skip
"""What an agent's first call may ask for: the one that tells most first."""

_SOMEBODY = "somebody@example.com"


class Question(msgspec.Struct, frozen=True):
    """A call to ask about, and what it does in words."""

    words: str
    method: str
    path: str
    body: Any = None


class Answer(msgspec.Struct, frozen=True):
    """What would become of a call. `needs` are what was said to each thing that it takes."""

    question: Question
    decision: str
    rule: str
    message: str | None
    operation: str
    needs: list[dict[str, Any]]
    would_need: str
    drafted: bool


@PAGES.get("/console/explain")
async def show(asked: Asked) -> Response:
    """The table for the agent and the conversation that the query names."""
    agents = await asked.web.administration.agents.listed(asked.account_id)
    agent = next((one for one in agents if str(one.id) == asked.query("agent")), agents[0] if agents else None)
    given = asked.query("number").removeprefix("#").strip()
    found, answers, wrong = None, [], ""
    if agent is not None and given:
        found = await _found(asked, agent, given)
        if found is None:
            wrong = f"There is no conversation {given}."
        else:
            about = await asked.read(lambda db: known(db, asked.account_id))
            questions = asking(found, asked.visitor.id, list(about.inboxes))
            answers = [await _answer(asked, agent, one) for one in questions]
    return await _page(asked, agents, agent, given, wrong=wrong, conversation=found, answers=answers)


@PAGES.post("/console/explain")
async def one(asked: Asked) -> Response:
    """What would become of one call, as it was typed."""
    form, agents = asked.form, await asked.web.administration.agents.listed(asked.account_id)
    agent = next((one for one in agents if one.id == form.id("agent")), agents[0] if agents else None)
    wrong, single = "", None
    if agent is None:
        return await _page(asked, agents, agent, "")
    try:
        path, _ = _split(form.text("path"))
        body = _body(form.raw("body"))
        method = form.text("method") if form.text("method") in METHODS else "GET"
        single = await _answer(asked, agent, Question(f"{method} {path}", method, form.text("path"), body))
    except BadRequest as problem:
        wrong = "; ".join(error.message for error in problem.errors) or "That is no call."
    return await _page(asked, agents, agent, "", single=single, call_wrong=wrong, status=400 if wrong else 200)


def asking(found: Numbered, user_id: int, inboxes: list[int]) -> list[Question]:
    """What one would like to know about a conversation, each as the call that would do it."""
    here, customer = f"/v2/conversations/{found.id}", f"/v2/customers/{found.customer_id}"
    to: dict[str, Any] = {"customer": {"email": found.customer_email or _SOMEBODY}}
    if found.customer_id and not found.customer_email:
        to = {"customer": {"id": found.customer_id}}
    elsewhere = next((id for id in inboxes if found.inbox_id not in (0, id)), None)
    tags = [one.tag for one in msgspec.json.decode(found.tags, type=list[ShownTag])]
    step: dict[str, Any] = {"op": "replace"}
    questions = [
        Question("read it", "GET", here),
        Question("read what was written in it", "GET", f"{here}/threads"),
        Question("reply to the customer", "POST", f"{here}/reply", to | {"text": "…"}),
        Question("leave a reply as a draft", "POST", f"{here}/reply", to | {"text": "…", "draft": True}),
        Question("add a note", "POST", f"{here}/notes", {"text": "…"}),
        Question("close it", "PATCH", here, step | {"path": "/status", "value": "closed"}),
        Question("assign it to you", "PATCH", here, step | {"path": "/assignTo", "value": user_id}),
        Question("change its subject", "PATCH", here, step | {"path": "/subject", "value": "…"}),
        Question("set its tags", "PUT", f"{here}/tags", {"tags": tags}),
        Question("snooze it", "PUT", f"{here}/snooze", {"snoozedUntil": "2100-01-01T00:00:00Z"}),
        Question("delete it", "DELETE", here),
    ]
    if elsewhere is not None:
        value = step | {"path": "/mailboxId", "value": elsewhere}
        questions.insert(8, Question("move it to another inbox", "PATCH", here, value))
    if found.thread_id is not None:
        value = step | {"path": "/text", "value": "…"}
        path = f"{here}/threads/{found.thread_id}"
        questions.insert(-1, Question("rewrite what was said", "PATCH", path, value))
    if found.customer_id:
        value = step | {"path": "/firstName", "value": "…"}
        questions += [
            Question("read about the customer", "GET", customer),
            Question("change the customer’s name", "PATCH", customer, [value]),
            Question("delete the customer with all their conversations", "DELETE", customer),
        ]
    return questions


async def first_call(asked: Asked, agent_id: int) -> str:
    """A call that reads and that an agent may make, to be tried; empty where there is none."""
    for address in CALLS:
        path, query = _split(address)
        told = await asked.web.explain(asked.account_id, agent_id, "GET", path, query, None)
        if told["decision"] == "allowed":
            return address
    return ""


async def _found(asked: Asked, agent: ShownAgent, given: str) -> Numbered | None:
    """The conversation of a number, or of an id; of a remote desk only the id is known."""
    id = read_id(given)
    if id is None:
        return None
    if agent.connection_id is not None:
        return Numbered(id, id, "", "", 0, 0, "", "[]", None)
    account_id = asked.account_id
    return await asked.read(lambda db: numbered.by_number(db, account_id, id) or numbered.by_id(db, account_id, id))


async def _answer(asked: Asked, agent: ShownAgent, question: Question) -> Answer:
    path, query = _split(question.path)
    told = await asked.web.explain(asked.account_id, agent.id, question.method, path, query, question.body)
    drafted = told["decision"] == "allowed" and any(one["setting"] == "draft" for one in told["needs"])
    operation = told["operation"] or ""
    return Answer(
        question, told["decision"], told["rule"], told["message"], operation, told["needs"],
        _lacking(told["would_need"]), drafted,
    )  # fmt: skip


def _lacking(would_need: Any) -> str:
    """What a call would take to be allowed, in words."""
    match would_need:
        case {"resource": resource, "level": level}:
            return f"{level} access to {resource.replace('_', ' ')}"
        case {"action": action}:
            return f"“{action_words(action)}” set to allow"
        case {"path": "hours"}:
            return "other hours"
        case {"path": path}:
            return f"other limits for {path}"
    return ""


def _split(path: str) -> tuple[str, dict[str, list[str]]]:
    """A path and its query; a whole address counts by its path."""
    parts = urlsplit(path)
    if not parts.path.startswith("/"):
        raise BadRequest(FieldError("path", "The path begins with a slash, as in /v2/conversations", "Pattern"))
    return parts.path, parse_qs(parts.query, keep_blank_values=True)


def _body(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest(FieldError("body", "The body is not JSON", "Pattern")) from None


async def _page(
    asked: Asked, agents: list[ShownAgent], agent: ShownAgent | None, number: str, *, status: int = 200, **found: Any
) -> Response:
    values: dict[str, Any] = {
        "agents": agents, "agent": agent, "number": number, "wrong": "", "conversation": None, "answers": [],
        "single": None, "call_wrong": "", "methods": METHODS,
        "typed": {name: asked.form.raw(name) for name in ("method", "path", "body")}, "action_words": action_words,
    }  # fmt: skip
    return await asked.page("console/explain.html", status, **{**values, **found})
