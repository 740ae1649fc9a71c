"""Where things lie on a remote desk, found with as few requests as that honestly takes.

For agents limited to inboxes a foreign object takes as many requests as an unknown one.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from typing import Any, Generic, TypeVar

import msgspec

from deskhand.catalogue.operation import Of, Resource
from deskhand.gateway import narrowing, remote_http
from deskhand.gateway.agents import Agent
from deskhand.gateway.policy import EVERYWHERE, Found
from deskhand.gateway.remote_line import Line
from deskhand.gateway.upstream import UpstreamDown

NAMES_WAIT_S = 2.0
"""How long a call waits for the names of inboxes, which are for sentences in the log alone."""
REMEMBER_S = 60.0
"""How long a desk's inboxes, workflows and folders are remembered."""
ANYTHING = (
    "reply_to_conversation", "add_note", "update_conversation", "set_conversation_tags", "set_conversation_fields",
    "delete_conversation",
)  # fmt: skip
"""What running a workflow may amount to where the desk does not tell what its workflows do."""
_AT_ONCE = 4
_ADDRESS_PAGES_MOST = 5
_HOPS_MOST = 3  # a conversation that was merged into one that was merged

T = TypeVar("T")


class LookUps:
    """Asks one desk."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._inboxes: _Memory[dict[int, str]] = _Memory()
        self._workflows: _Memory[dict[int, int]] = _Memory()
        self._folders: dict[int, _Memory[frozenset[int]]] = {}

    async def find(self, agent: Agent, wanted: Set[Of]) -> dict[Of, Found | None]:
        """What each object is; None for one that does not exist or is not shown. Raises UpstreamDown."""
        # What is asked for in both ways is looked up once, in the way that finds all of its inboxes.
        every: dict[tuple[str, int | str], bool] = {}
        for of in wanted:
            every[of.kind, of.id] = every.get((of.kind, of.id), False) or of.every
        things = sorted(every, key=repr)
        found = await gather([self._finding(agent, kind, id, every[kind, id]) for kind, id in things])
        by_thing = dict(zip(things, found, strict=True))
        return {of: by_thing[of.kind, of.id] for of in wanted}

    async def inbox_names(self) -> Mapping[int, str]:
        """The names of the desk's inboxes, a minute old at most; what was known before while it does not answer."""
        try:
            async with asyncio.timeout(NAMES_WAIT_S):
                return await self._inboxes.get(lambda: self._read_inboxes(None))
        except (UpstreamDown, TimeoutError):
            return self._inboxes.keep(self._inboxes.known or {})

    async def conversation(self, agent: Agent, id: int) -> Found | None:
        """A conversation; a merged one lies where the one does that it leads to."""
        for _ in range(_HOPS_MOST):
            answer = await self._line.look(agent, f"/v2/conversations/{id}")
            if answer.status == 301:
                id = self._line.moved_to(answer)[1]
                continue
            if answer.status != 200:
                return None
            content = remote_http.decoded(answer, dict[str, Any])
            inbox, number = content.get("mailboxId"), content.get("number")
            if not isinstance(inbox, int):
                raise UpstreamDown("its answer is not the conversation that was expected")
            return Found(frozenset((inbox,)), number if isinstance(number, int) else None, _mark(content))
        return None

    def _finding(self, agent: Agent, kind: str, id: int | str, every: bool) -> Callable[[], Awaitable[Found | None]]:
        match kind, id:
            case "email", str(address):
                return lambda: self._by_address(agent, address, every)
            case "customer", int(number):
                return lambda: self._customer(agent, number, every)
            case (("conversation" | "workflow" | "webhook" | "rating" | "folder"), int(number)):
                find = getattr(self, _FINDERS[kind])
                return lambda: find(agent, number)
        raise ValueError(kind)

    # -- Customers

    async def _customer(self, agent: Agent, id: int, every: bool) -> Found | None:
        among = narrowing.limit(agent.grants)
        if among is not None:
            inboxes = await self._inboxes_of_customer(agent, id, None if every else among)
            if inboxes:
                return Found(inboxes)
            if narrowing.limit(agent.grants, Resource.CUSTOMERS) is not None:
                return None  # one without conversations is in no inbox, as one who does not exist
        answer = await self._line.look(agent, f"/v2/customers/{id}")
        return Found(frozenset()) if answer.status == 200 else None

    async def _inboxes_of_customer(self, agent: Agent, id: int, among: Set[int] | None) -> frozenset[int]:
        """The inboxes in which a customer has a conversation: those among some, or all."""
        found: set[int] = set()
        left = None if among is None else set(among)
        while True:
            asked = {"query": f"(customerIds:{id})", "status": "all"}
            if left is not None:
                asked["mailbox"] = ",".join(map(str, sorted(left)))
            answer = await self._line.look(agent, "/v2/conversations", narrowing.with_parameters("", asked))
            if answer.status != 200:
                return frozenset()
            content = remote_http.decoded(answer, dict[str, Any])
            items = narrowing.items_of(content, "conversations")
            seen = {inbox for one in items if isinstance(inbox := one.get("mailboxId"), int)}
            if left is not None and not seen <= left:
                raise UpstreamDown("it does not filter conversations by inbox")
            found |= seen
            if narrowing.pages_of(content)[1] <= len(items):
                return frozenset(found)
            left = (set(await self._read_inboxes(agent)) if left is None else left) - seen
            if not left or not seen:
                return frozenset(found)

    async def _by_address(self, agent: Agent, address: str, every: bool) -> Found | None:
        """The customer with an e-mail address; of several, which should not be, the inboxes that all of them are in.

        Somebody who is in none of the agent's inboxes is found in no inbox, for they are nobody new. So is whoever the
        desk does not tell about clearly.
        """
        if '"' in address or "\\" in address:
            return None
        ids: set[int] = set()
        pages, number = 1, 1
        while number <= min(pages, _ADDRESS_PAGES_MOST):
            asked = {"query": f'(email:"{address}")', "page": str(number)}
            answer = await self._line.look(agent, "/v2/customers", narrowing.with_parameters("", asked))
            if answer.status != 200:
                return Found(frozenset())
            content = remote_http.decoded(answer, dict[str, Any])
            ids |= {one["id"] for one in narrowing.items_of(content, "customers") if _has_address(one, address)}
            pages, number = narrowing.pages_of(content)[2], number + 1
        if not ids:
            return None if pages <= _ADDRESS_PAGES_MOST else Found(frozenset())
        found = [await self._customer(agent, id, every) for id in sorted(ids)]
        return Found(frozenset.intersection(*(frozenset() if one is None else one.inboxes for one in found)))

    # -- The others

    async def _workflow(self, agent: Agent, id: int) -> Found | None:
        """A workflow; what it does is not told, so it may do anything and move conversations anywhere."""
        inbox = (await self._workflows.get(lambda: self._read_workflows(agent))).get(id)
        return None if inbox is None else Found(frozenset((inbox,)), does=ANYTHING, into=frozenset((EVERYWHERE,)))

    async def _webhook(self, agent: Agent, id: int) -> Found | None:
        answer = await self._line.look(agent, f"/v2/webhooks/{id}")
        if answer.status != 200:
            return None
        content = remote_http.decoded(answer, dict[str, Any])
        named = content.get("mailboxIds")
        inboxes = frozenset(one for one in named if isinstance(one, int)) if isinstance(named, list) else frozenset()
        tells_no_more = narrowing.tells_only_of(content, inboxes)
        return Found(inboxes if tells_no_more else inboxes | {EVERYWHERE})

    async def _rating(self, agent: Agent, id: int) -> Found | None:
        answer = await self._line.look(agent, f"/v2/ratings/{id}")
        inbox = remote_http.decoded(answer, dict[str, Any]).get("mailboxId") if answer.status == 200 else None
        return Found(frozenset((inbox,))) if isinstance(inbox, int) else None

    async def _folder(self, agent: Agent, id: int) -> Found | None:
        """A folder of one of the agent's inboxes; those of others are not even asked for."""
        among = narrowing.limit(agent.grants)
        if among is None:
            return Found(frozenset())
        inboxes = sorted(among)
        known = await gather([self._folders_of(agent, inbox) for inbox in inboxes])
        found = frozenset(inbox for inbox, folders in zip(inboxes, known, strict=True) if id in folders)
        return Found(found) if found else None

    def _folders_of(self, agent: Agent, inbox: int) -> Callable[[], Awaitable[frozenset[int]]]:
        memory = self._folders.setdefault(inbox, _Memory())
        return lambda: memory.get(lambda: self._read_folders(agent, inbox))

    async def _read_inboxes(self, agent: Agent | None) -> dict[int, str]:
        items = await self._line.all_items(agent, "/v2/mailboxes", "mailboxes")
        return {id: str(one.get("name", "")) for one in items if isinstance(id := one.get("id"), int)}

    async def _read_workflows(self, agent: Agent) -> dict[int, int]:
        items = await self._line.all_items(agent, "/v2/workflows", "workflows")
        pairs = [(one.get("id"), one.get("mailboxId")) for one in items]
        return {id: inbox for id, inbox in pairs if isinstance(id, int) and isinstance(inbox, int)}

    async def _read_folders(self, agent: Agent, inbox: int) -> frozenset[int]:
        items = await self._line.all_items(agent, f"/v2/mailboxes/{inbox}/folders", "folders")
        return frozenset(id for one in items if isinstance(id := one.get("id"), int))


_FINDERS = {
    "conversation": "conversation", "workflow": "_workflow", "webhook": "_webhook", "rating": "_rating",
    "folder": "_folder",
}  # fmt: skip


def _mark(content: Mapping[str, Any]) -> str:
    """What is another one once somebody wrote, or decided something, in a conversation.

    When it was last touched is left out: that changes with every tag.
    """
    waiting, assignee = content.get("customerWaitingSince"), content.get("assignee")
    stands = [
        *[content.get(name) for name in ("mailboxId", "status", "state", "threads")],
        assignee.get("id") if isinstance(assignee, dict) else None,
        waiting.get("time") if isinstance(waiting, dict) else None,
    ]
    return hashlib.sha256(msgspec.json.encode(stands)).hexdigest()[:16]


def _has_address(customer: Mapping[str, Any], address: str) -> bool:
    embedded = customer.get("_embedded")
    emails = embedded.get("emails") if isinstance(embedded, dict) else None
    values = [one.get("value") for one in emails if isinstance(one, dict)] if isinstance(emails, list) else []
    wanted = address.strip().casefold()
    has = any(isinstance(value, str) and value.strip().casefold() == wanted for value in values)
    return has and isinstance(customer.get("id"), int)


class _Memory(Generic[T]):
    """Something that was read, for a minute; however many ask at once, it is read once."""

    def __init__(self) -> None:
        self.known: T | None = None
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def get(self, read: Callable[[], Awaitable[T]]) -> T:
        """What is known, or else what is read now."""
        async with self._lock:
            if self.known is None or time.monotonic() >= self._until:
                self.keep(await read())
            assert self.known is not None
            return self.known

    def keep(self, known: T) -> T:
        """Remember this from now on."""
        self.known = known
        self._until = time.monotonic() + REMEMBER_S
        return known


async def gather(works: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """What comes of each, a few at a time; raises what the first to fail raised."""
    if len(works) == 1:
        return [await works[0]()]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(work: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await work()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(work)) for work in works]
    except BaseExceptionGroup as problems:
        raise problems.exceptions[0] from None
    return [task.result() for task in tasks]
