"""Notes the replies that a call left as drafts, to tell later who sent them and what they changed."""

from __future__ import annotations

import logging

import msgspec

from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import Asked
from deskhand.gateway import reading
from deskhand.gateway.calls import Answer, Request
from deskhand.gateway.drafts import Drafts
from deskhand.gateway.judged import Judged
from deskhand.gateway.remembering import resource_id
from deskhand.gateway.upstream import UpstreamDown, UpstreamOf

log = logging.getLogger("deskhand.gateway")


class Noting:
    """Notes drafts."""

    def __init__(self, matcher: Matcher, upstream_of: UpstreamOf, drafts: Drafts) -> None:
        self._matcher = matcher
        self._upstream_of = upstream_of
        self._drafts = drafts

    async def note(self, judged: Judged, asked: Asked, answer: Answer) -> None:
        """Remember the replies that stayed drafts, once a call was sent and answered."""
        made, agent = resource_id(answer), judged.agent
        if answer.status != 201 or made is None:
            return
        if asked.operation.name == "reply_to_conversation" and asked.body.draft:
            await self._drafts.note(agent, asked.path[0], made, asked.body.text)
        elif asked.operation.name == "create_conversation" and any(one.draft for one in asked.body.threads):
            for thread_id, text in await self._drafts_in(judged, made):
                await self._drafts.note(agent, made, thread_id, text)

    async def _drafts_in(self, judged: Judged, conversation: int) -> list[tuple[int, str]]:
        """The replies in a new conversation that stayed drafts; only the desk here tells later what became of them."""
        upstream = self._upstream_of(judged.agent)
        if not upstream.looks_up_freely:
            return []
        listing = reading.read(self._matcher, Request("GET", f"/v2/conversations/{conversation}/threads"))
        try:
            answer = await upstream.send(judged.agent, listing.operation, reading.written(listing), judged.decision)
            threads = msgspec.json.decode(answer.body, type=_Threads).embedded.threads if answer.status == 200 else []
        except (UpstreamDown, msgspec.MsgspecError) as problem:
            log.warning("drafts in conversation %d could not be noted: %s", conversation, problem)
            return []
        return [(one.id, one.body) for one in threads if (one.type, one.state) == ("message", "draft")]


class _Thread(msgspec.Struct):
    id: int
    type: str
    state: str
    body: str = ""


class _Embedded(msgspec.Struct):
    threads: list[_Thread]


class _Threads(msgspec.Struct):
    """What matters here of a list of threads."""

    embedded: _Embedded = msgspec.field(name="_embedded")
