"""A desk with an inbox that agents may work in and one full of secrets, and a close watch on every attempt.

Around each attempt everything is compared: no secret is in any answer, nothing outside the granted inbox changed, and
every call is in the log once.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import msgspec
import pytest
import requests
import sqlalchemy as sa

from deskhand.db.database import SQLITE_FILE
from deskhand.db.migrate import sqlalchemy_url
from deskhand.db.statements import P, command
from deskhand.db.tables import metadata
from deskhand.desk.conversations.tables import thread
from deskhand.desk.conversations.threads.rating import rate
from deskhand.desk.workflows.actions import SetStatus
from deskhand.gateway import tables as gateway_tables
from deskhand.gateway.connections import read_given
from deskhand.oauth import tables as oauth_tables
from deskhand.outbox import tables as outbox_tables
from tests.agents import AgentOf, add_agent
from tests.contract.isolation.sides import IN_MANY_YEARS, Side, created, plain, reply_in, step
from tests.desk.conversations.builders import merge
from tests.desk.conversations.received import received
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

UNKNOWN = 8_000_000_000_001
"""An id that nothing has."""
BOTH = "both@writes.example"
"""A customer of both inboxes."""
NO_REQUEST = "Invalid HTTP request received."
"""What is answered to bytes that are no request at all; nobody's key was read."""
SCOPED = (
    "conversations", "threads", "customers", "inboxes", "workflows", "reports", "webhooks", "saved_replies",
)  # fmt: skip
"""The resources that are granted by inbox."""
WHOLE = ("users", "teams", "tags", "organizations", "ratings")
"""Those that belong to the whole account."""
OF_THE_ACCOUNT = frozenset(("tag", "user", "team", "organization", "property"))
"""Secrets that whoever is granted those sees, of whichever inbox they are."""
ALWAYS = {"start": "2000-01-01T00:00:00Z", "end": "2098-12-31T23:59:59Z"}
on_any_database = pytest.mark.parametrize("world", ["sqlite", "remote"], indirect=True)
"""For what is decided before any database is asked."""
_LINK = command(
    sa.update(thread)
    .where(thread.c.account_id == P("account_id"), thread.c.id == P("id"))
    .values(linked_conversation_id=P("to")),
    keep=False,
)


@dataclass(frozen=True)
class Ours(Side):
    """An inbox with one of everything; each name is a word of its own, so that what leaked can be told."""

    words: Mapping[str, str] = field(default_factory=dict)
    thread_of_customer: int = 0
    draft: int = 0
    merged: int = 0
    gone: int = 0

    @property
    def slug(self) -> str:
        return self.words["property"]

    @property
    def email(self) -> str:
        return f"{self.words['email']}@buyer.example"


def furnish(desk: Desk, prefix: str) -> Ours:
    """An inbox in which everything has happened once, named with words that stand nowhere else."""
    mark = unique(prefix)
    kinds = (
        "inbox", "user", "team", "field", "option", "email", "first", "last", "job", "background", "phone", "chat",
        "site", "city", "subject", "body", "note", "reply", "draft", "file", "content", "tag", "saved", "savedtext",
        "workflow", "webhook", "rating", "organization", "property", "mail", "merged", "shared", "value", "cc",
    )  # fmt: skip
    word = {kind: f"{mark}z{kind}z" for kind in kinds}
    inbox = desk.add_inbox(f"Inbox {word['inbox']}", email=f"{word['inbox']}@desk.example")
    user = desk.add_user(word["user"], "Okafor", inboxes=(inbox,))
    team = desk.add_team(f"Team {word['team']}", members=(user,))
    field_id = desk.add_field(inbox, word["field"], "dropdown", ("Free", word["option"]))
    (shown,) = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"]
    option = shown["options"][1]["id"]
    customer = {
        "email": f"{word['email']}@buyer.example", "firstName": word["first"], "lastName": word["last"],
        "jobTitle": word["job"], "background": word["background"], "phone": word["phone"],
    }  # fmt: skip
    file = {"fileName": f"{word['file']}.txt", "mimeType": "text/plain", "data": _base64(word["content"])}
    conversation = created(
        desk, "/v2/conversations",
        plain(inbox) | {
            "subject": word["subject"], "customer": customer, "assignTo": user, "tags": [word["tag"], "everybody"],
            "fields": [{"id": field_id, "value": str(option)}],
            "threads": [
                {"type": "customer", "text": f"lamp {word['body']}", "customer": customer, "attachments": [file]},
                {"type": "reply", "text": word["reply"], "customer": customer, "user": user,
                 "cc": [f"{word['cc']}@buyer.example"], "imported": True},
                {"type": "note", "text": word["note"], "user": user},
            ],
        },
    )  # fmt: skip
    whole = desk.get(f"/v2/conversations/{conversation}", embed="threads").json()
    person_id = whole["primaryCustomer"]["id"]
    answer = {"text": word["draft"], "customer": {"id": person_id}, "draft": True}
    draft = created(desk, f"/v2/conversations/{conversation}/reply", answer | {"text": f"unplanned {word['draft']}"})
    planned = created(desk, f"/v2/conversations/{conversation}/reply", answer)
    assert desk.put(f"/v2/conversations/{conversation}/threads/{planned}/schedule", IN_MANY_YEARS).status_code == 204
    place = whole["_links"]["primaryCustomer"]["href"]
    ways = [
        step("add", "/chats", {"value": word["chat"]}), step("add", "/social-profiles", {"value": word["chat"]}),
        step("add", "/websites", {"value": f"https://{word['site']}.example"}),
        step("replace", "/address/city", word["city"]),
    ]  # fmt: skip
    assert desk.patch(place, ways).status_code == 204
    about = {"name": word["organization"], "domain": f"{word['organization']}.example"}
    organization = created(desk, "/v2/organizations", about)
    assert desk.patch(place, [step("replace", "/organizationId", organization)]).status_code == 204
    for path in ("/v2/customer-properties", "/v2/organizations/properties"):
        assert desk.post(path, {"type": "text", "slug": word["property"], "name": word["property"]}).status_code == 201
    assert desk.patch(f"{place}/properties", [step("replace", f"/{word['property']}", word["value"])]).ok
    merged, gone = (created(desk, "/v2/conversations", plain(inbox) | {"subject": word["merged"]}) for _ in range(2))
    merge(desk, merged, conversation)
    assert desk.delete(f"/v2/conversations/{gone}").status_code == 204
    person = desk.get(place).json()
    threads = {one["type"]: one["id"] for one in whole["_embedded"]["threads"]}
    received(desk, conversation, threads["customer"], f"Subject: {word['mail']}\r\n\r\nx".encode())
    saved = {"name": word["saved"], "text": word["savedtext"]}
    hook = {
        "url": f"http://127.0.0.1:9/{word['webhook']}", "events": ["convo.merged"], "secret": "x",
        "label": word["webhook"], "mailboxIds": [inbox],
    }  # fmt: skip
    return Ours(
        desk=desk, word=word["subject"], inbox=inbox, folder=whole["folderId"], field=field_id, option=option,
        user=user, team=team, conversation=conversation, number=whole["number"], thread=planned,
        attachment=whole["_embedded"]["threads"][-1]["_embedded"]["attachments"][0]["id"], customer=person_id,
        tag=next(tag["id"] for tag in whole["tags"] if tag["tag"] == word["tag"]),
        entries={
            kind.replace("_", "-"): found[0]["id"]
            for kind, found in person["_embedded"].items() if kind not in ("properties", "address")
        },
        organization=organization, system_user=desk.add_system_user(word["user"]),
        workflow=desk.add_workflow(inbox, SetStatus("active"), name=word["workflow"]),
        saved_reply=created(desk, f"/v2/mailboxes/{inbox}/saved-replies", saved),
        webhook=created(desk, "/v2/webhooks", hook),
        rating=desk.write(lambda tx: rate(tx, desk.account_id, reply_in(whole), "great", word["rating"], desk.now)),
        words=word, thread_of_customer=threads["customer"], draft=draft, merged=merged, gone=gone,
    )  # fmt: skip


def nothing_like(side: Ours) -> Ours:
    """A side of which there is nothing."""
    numbers: dict[str, Any] = {
        name: UNKNOWN for name in (
            "inbox", "folder", "field", "option", "conversation", "number", "thread", "attachment", "customer", "tag",
            "system_user", "workflow", "saved_reply", "webhook", "rating", "organization", "user", "team",
            "thread_of_customer", "draft", "merged", "gone",
        )
    }  # fmt: skip
    words = {kind: f"nosuch{kind}" for kind in side.words}
    return replace(
        side, word="nosuchword", words=words, entries=dict.fromkeys(side.entries, UNKNOWN), **numbers
    )  # fmt: skip


@dataclass
class World:
    """Where agents are (`home`) and the desk that they work on, which may be another server's."""

    home: Desk
    desk: Desk
    connection_id: int | None
    own: Ours
    foreign: Ours
    nothing: Ours
    moved_away: int
    moved_here: int
    merged_away: int
    linking: int
    of_both: int
    both: int
    agents: dict[str, AgentOf] = field(default_factory=dict)

    @property
    def remote(self) -> bool:
        """Whether the desk is behind another server."""
        return self.connection_id is not None

    def agent(self, **grants: Any) -> AgentOf:
        """A new agent with a preset or with grants."""
        return add_agent(self.home, connection_id=self.connection_id, **grants)

    def standing(self, name: str, **grants: Any) -> AgentOf:
        """An agent that several attempts share."""
        if name not in self.agents:
            self.agents[name] = self.agent(**grants)
        return self.agents[name]

    @property
    def narrow(self) -> AgentOf:
        """One that may do anything in its inbox, and nothing that belongs to no inbox."""
        return self.standing("narrow", resources=everything_in(self.own.inbox))

    @property
    def wide(self) -> AgentOf:
        """One that may do anything in its inbox, and see what belongs to the whole account."""
        whole = {name: {"level": "full"} for name in WHOLE}
        return self.standing(
            "wide", resources=everything_in(self.own.inbox) | whole, limits={"speak_for_others": True}
        )  # fmt: skip

    def threads(self, conversation: int) -> list[dict[str, Any]]:
        """A conversation's threads as the owner sees them, newest first."""
        found = self.desk.get(f"/v3/conversations/{conversation}/threads").json()
        threads: list[dict[str, Any]] = found["_embedded"]["threads"]
        return threads

    def begin(self, inbox: int | None = None, email: str = BOTH, **changes: Any) -> int:
        """A new conversation, in the agents' inbox unless it says otherwise."""
        customer = {"email": email}
        body = plain(inbox or self.own.inbox) | {
            "customer": customer, "threads": [{"type": "customer", "text": "Where is it?", "customer": customer}],
        }  # fmt: skip
        return created(self.desk, "/v2/conversations", body | changes)

    # -- Watching

    @contextmanager
    def watched(self, agent: AgentOf, *, may_see: frozenset[str] = frozenset(), writes: bool = False) -> Iterator[Try]:
        """Attempts of an agent; afterwards nothing has leaked, nothing changed outside its inbox, all is logged.

        `writes`: the attempt may change what is in its own inbox.
        """
        before, logged = self.snapshot(own_too=not writes), self.logged(agent)
        attempt = Try(self, agent)
        yield attempt
        for sent, answer in attempt.answers:
            self.require_nothing_leaked(sent, answer, may_see)
        self.require_logged(agent, attempt, logged)
        after = self.snapshot(own_too=not writes)
        assert {name: _new(before[name], after[name]) for name in after if before[name] != after[name]} == {}

    def require_nothing_leaked(self, sent: str, answer: Heard, may_see: frozenset[str]) -> None:
        """No word of the other inbox is in an answer, unless whoever asked said it; nor does it tell of its ids."""
        told = unquote_plus(sent).lower()
        text = answer.everything.lower()
        decoded = json.dumps(_parsed(answer.text), ensure_ascii=False).lower()
        for kind, word in self.foreign.words.items():
            if kind not in may_see and word not in told:
                for heard in (text, decoded):
                    assert word not in heard, (kind, sent, answer.everything[:2000])
                assert _base64(word)[:-4].lower() not in text, (kind, sent)
        if "ids" in may_see:
            return
        if f"{self.foreign.conversation}" not in told:
            assert not re.search(rf"/conversations/{self.foreign.conversation}\b", text), (sent, text[:2000])
        if f"{self.foreign.inbox}" not in told:
            inbox = self.foreign.inbox
            assert not re.search(rf'"mailboxid":{inbox}\b|"mailbox":{inbox}\b|/mailboxes/{inbox}\b', text), (sent, text)

    def require_logged(self, agent: AgentOf, attempt: Try, before: int) -> None:
        """Every call that was let in has an entry of its own."""
        heard = [answer for _, answer in attempt.answers if answer.expects_entry]
        ids = [answer.headers.get("deskhand-audit-id") for answer in heard if not answer.is_mcp]
        assert None not in ids, [(sent, answer.everything[:500]) for sent, answer in attempt.answers]
        assert len(set(ids)) == len(ids)
        assert self.logged(agent) - before == len(heard) + attempt.unseen, attempt.answers
        if ids:
            query = "SELECT number FROM audit_record WHERE account_id = :a AND agent_id = :g AND type = 'decision'"
            known = {str(row[0]) for row in self._home(query, a=self.home.account_id, g=agent.id)}
            assert set(ids) <= known

    def logged(self, agent: AgentOf) -> int:
        """How many decisions about an agent's calls are in the log; a refused credential is noted, but is no call."""
        query = """
            SELECT count(*) FROM audit_record
            WHERE account_id = :a AND agent_id = :g AND type = 'decision'
            AND CAST(content AS TEXT) NOT LIKE '%"sign_in"%'
        """
        return int(self._home(query, a=self.home.account_id, g=agent.id)[0][0])

    def snapshot(self, *, own_too: bool) -> dict[str, list[tuple[Any, ...]]]:
        """All that the desk's account has, or all that lies outside the agents' inbox."""
        with self._engine.connect() as connection:
            found = {one.name: connection.exec_driver_sql(self._selects[one.name]).all() for one in _READ}
        elsewhere = {row.id for row in found["conversation"] if row.inbox_id != self.own.inbox}
        people = {self.foreign.customer}
        return {
            one.name: sorted(
                (tuple(row) for row in found[one.name] if own_too or one.lies_outside(row, self, elsewhere, people)),
                key=repr,
            )
            for one in _READ
            if own_too or one.name not in _MIXED
        }

    def mails(self) -> int:
        """How many mails were handed over in the desk's account."""
        query = "SELECT count(*) FROM thread_mail WHERE account_id = :a AND direction = 'out'"
        with self._engine.connect() as connection:
            return int(connection.execute(sa.text(query), {"a": self.desk.account_id}).scalar_one())

    def _home(self, query: str, **given: Any) -> Sequence[Any]:
        with self._home_engine.connect() as connection:
            return connection.execute(sa.text(query), given).all()

    @cached_property
    def _selects(self) -> dict[str, str]:
        """Ready to be sent, because they are many and asked around every attempt."""
        with_account = {one.name: one.select.params(account=self.desk.account_id) for one in _READ}
        whole = {"literal_binds": True}
        return {name: str(one.compile(self._engine, compile_kwargs=whole)) for name, one in with_account.items()}

    @cached_property
    def _engine(self) -> sa.Engine:
        return _engine_of(self.desk.server)

    @cached_property
    def _home_engine(self) -> sa.Engine:
        return _engine_of(self.home.server) if self.remote else self._engine

    def close(self) -> None:
        """Let go of the databases."""
        self._engine.dispose()
        self._home_engine.dispose()


@dataclass(frozen=True)
class Heard:
    """An answer as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    text: str
    everything: str
    is_mcp: bool = False
    expects_entry: bool = True

    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def reason(self) -> Any:
        """Why it was refused."""
        found = _parsed(self.text)
        return found.get("reason") if isinstance(found, dict) else None


@dataclass
class Try:
    """What an agent does while it is watched."""

    world: World
    agent: AgentOf
    answers: list[tuple[str, Heard]] = field(default_factory=list)
    unseen: int = 0
    """Calls that are in the log though there was no answer of their own."""

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Heard:
        """One call by an ordinary client."""
        if body is not None:
            more["json"] = body
        answer = self.agent.request(method, path, **more)
        sent = f"{method} {answer.request.path_url} {_text_of(answer.request)} {answer.request.headers}"
        lines = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return self.note(sent, answer.status_code, headers, answer.text, f"{answer.reason}\n{lines}\n{answer.text}")

    def get(self, path: str, **params: Any) -> Heard:
        return self.send("GET", path, params=params)

    def raw(
        self,
        line: str | bytes,
        body: bytes = b"",
        headers: Sequence[str | bytes] = (),
        *,
        key: str | None = None,
        length: bool = True,
    ) -> Heard:
        """A request just as it is written, byte by byte."""
        given = [f"Authorization: Bearer {key if key is not None else self.agent.key}"] if key != "" else []
        given += [f"Content-Length: {len(body)}"] if length else []
        lines = [line, "Host: x", *given, "Connection: close", *headers]
        head = b"\r\n".join(one.encode("latin-1") if isinstance(one, str) else one for one in lines)
        text = exchanged(self.world.home.server.url, head + b"\r\n\r\n" + body)
        top, _, rest = text.partition("\r\n\r\n")
        first, _, named = top.partition("\r\n")
        pairs = [one.partition(":") for one in named.split("\r\n") if one]
        status = int(first.split(" ")[1]) if first.startswith("HTTP/") else 0
        found = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return self.note(f"{head.decode('latin-1')} {body.decode('latin-1')}", status, found, rest, text)

    def tool(self, name: str, **arguments: Any) -> Heard:
        """A call by the door of the Model Context Protocol."""
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        headers = {"MCP-Protocol-Version": "2025-11-25", "Accept": "application/json, text/event-stream"}
        answer = self.agent.request("POST", "/mcp", json=message, headers=headers)
        sent = f"{name} {json.dumps(arguments, ensure_ascii=False)}"
        heard = Heard(answer.status_code, {}, answer.text, f"{answer.headers}\n{answer.text}", is_mcp=True)
        self.answers.append((sent, heard))
        return heard

    def note(self, sent: str, status: int, headers: Mapping[str, str], text: str, everything: str) -> Heard:
        """Keep an answer, to look at it again when all is over. Only what came to an agent's door is logged."""
        entry = status not in (0, 401) and (status != 404 or "deskhand-audit-id" in headers) and text != NO_REQUEST
        heard = Heard(status, headers, text, everything, expects_entry=entry)
        self.answers.append((sent, heard))
        return heard


def everything_in(*inboxes: int, level: str = "full") -> dict[str, Any]:
    """A level of whatever is granted by inbox, in some inboxes."""
    return {name: {"level": level, "inboxes": list(inboxes)} for name in SCOPED}


def alike(answer: Heard) -> tuple[Any, ...]:
    """An answer without what differs from call to call."""
    passing = ("date", "correlation-id", "content-length", "deskhand-audit-id", "x-ratelimit-remaining-minute")
    headers = {name: value for name, value in answer.headers.items() if name not in passing}
    body = _parsed(answer.text)
    if isinstance(body, dict):
        body.pop("logRef", None)
        for error in body.get("_embedded", {}).get("errors", ()):
            error.pop("rejectedValue", None)
    return answer.status, headers, body


def exchanged(url: str, request: bytes) -> str:
    """What a server answers to these bytes."""
    parts = urlsplit(url)
    with socket.create_connection((str(parts.hostname), parts.port or 80), timeout=30) as connection:
        pieces = []
        # Who is refused while still sending may hear it late, or only that nobody listens any more.
        with suppress(ConnectionError):
            connection.sendall(request)
        with suppress(ConnectionError):
            while piece := connection.recv(65536):
                pieces.append(piece)
    return b"".join(pieces).decode("latin-1")


# -- Building


def build(home: Desk, desk: Desk, connect: bool) -> World:
    """A world on a desk; with `connect` its agents reach it over the wire."""
    own, foreign = furnish(desk, "own"), furnish(desk, "zq")
    id = home.server.run(_connection(home, desk)) if connect else None

    def begin(inbox: int, **changes: Any) -> int:
        return created(desk, "/v2/conversations", plain(inbox) | {"customer": {"email": BOTH}} | changes)

    moved_away = begin(own.inbox, subject=foreign.words["shared"])
    moved_here = begin(foreign.inbox, subject="It came from elsewhere")
    merged_away = begin(own.inbox, subject=foreign.words["shared"])
    of_both = begin(own.inbox, subject="Hello")
    linking = begin(own.inbox, subject="It was forwarded")
    ran = desk.post(f"/v2/workflows/{foreign.workflow}/run", {"conversationIds": [moved_here]})
    assert ran.status_code == 204, ran.text
    for conversation, inbox in ((moved_away, foreign.inbox), (moved_here, own.inbox)):
        assert desk.patch(f"/v2/conversations/{conversation}", step("replace", "/mailboxId", inbox)).ok
    merge(desk, merged_away, foreign.conversation)
    both = int(desk.get(f"/v2/conversations/{of_both}").json()["primaryCustomer"]["id"])
    thread_id = desk.get(f"/v2/conversations/{linking}/threads").json()["_embedded"]["threads"][0]["id"]
    desk.write(lambda tx: tx.run(_LINK, account_id=desk.account_id, id=thread_id, to=foreign.conversation))
    return World(
        home, desk, id, own, foreign, nothing_like(foreign), moved_away, moved_here, merged_away, linking, of_both, both
    )


def opened(server: LiveServer) -> World:
    """A world whose desk is in the server itself."""
    desk = open_desk(server, plan="pro")
    return build(desk, desk, connect=False)


def apart(here: LiveServer, there: LiveServer) -> World:
    """A world whose desk is another server."""
    return build(open_desk(here), open_desk(there, plan="pro"), connect=True)


async def _connection(home: Desk, desk: Desk) -> int:
    given = {
        "name": "There", "base_url": desk.server.url, "client_id": desk.client_id, "client_secret": desk.client_secret,
    }  # fmt: skip
    made = await home.server.app.gateway.remotes.connections.make(home.account_id, read_given(given))
    return made.id


# -- Comparing

_PASSING = {
    one.name
    for module in (gateway_tables, oauth_tables, outbox_tables)
    for one in vars(module).values()
    if isinstance(one, sa.Table)
} | {"rate_lease", "captured_mail", "webhook_delivery", "webhook_attempt"}
"""The gateway's own, and what happens by itself afterwards."""
_ONLY = {
    "webhook": ("id", "url", "events", "inbox_ids", "label"),
    "thread_mail": ("thread_id", "conversation_id", "direction"),
    "account": ("id",),
}
"""What of a table stays as it is while nobody does anything."""
_MIXED = {"tag", "conversation_search", "search_word", "account", "counter"}
"""What a change within one inbox may change for all."""


@dataclass(frozen=True)
class _Read:
    name: str
    select: sa.Select[Any]
    columns: frozenset[str]

    def lies_outside(self, row: Any, world: World, elsewhere: set[int], people: set[int]) -> bool:
        """Whether a row has nothing to do with the agents' inbox."""
        if "inbox_id" in self.columns:
            return bool(row.inbox_id != world.own.inbox)
        if "inbox_ids" in self.columns:
            return bool(msgspec.json.decode(row.inbox_ids) != [world.own.inbox])
        if "conversation_id" in self.columns:
            return row.conversation_id in elsewhere
        if self.name == "customer":
            return row.id in people
        if "customer_id" in self.columns:
            return row.customer_id in people
        if self.name == "inbox":
            return bool(row.id != world.own.inbox)
        if self.name == "staff":
            return bool(row.type != "system_user")
        return True


def _reads() -> Iterator[_Read]:
    for one in metadata.sorted_tables:
        if one.name in _PASSING or not ({"account_id"} & set(one.c.keys()) or one.name == "account"):
            continue
        named = _ONLY.get(one.name, one.c.keys())
        owner = one.c.account_id if "account_id" in one.c else one.c.id
        select = sa.select(*[one.c[name] for name in named]).where(owner == sa.bindparam("account"))
        yield _Read(one.name, select, frozenset(named))


_READ = list(_reads())


def _engine_of(server: LiveServer) -> sa.Engine:
    settings = server.app.settings
    return sa.create_engine(sqlalchemy_url(settings.database_url, settings.data_dir / SQLITE_FILE))


def _new(before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    return {
        "gone": [row for row in before if row not in after][:3], "new": [row for row in after if row not in before][:3]
    }  # fmt: skip


def _base64(text: str) -> str:
    return msgspec.json.encode(text.encode()).decode().strip('"')


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _text_of(request: requests.PreparedRequest) -> str:
    body = request.body or b""
    return body.decode("latin-1") if isinstance(body, bytes) else body if isinstance(body, str) else ""
