"""What the worker does for the desk: which jobs there are, and who listens to events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from deskhand.db.engine import Database
from deskhand.desk.conversations.erasure import erasing, erasing_jobs, files
from deskhand.desk.conversations.mail import mailing
from deskhand.desk.conversations.timing import scheduling, snoozing
from deskhand.desk.customers import of_organizations
from deskhand.desk.webhooks import delivering, fan_out
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import Clock
from deskhand.lib.outbound import Allowed, Outbound
from deskhand.mail.post import Post
from deskhand.mail.smtp_out import SmtpPost
from deskhand.outbox.worker import Kind, Listener, Worker


@dataclass(frozen=True, slots=True)
class Tools:
    """What jobs are carried out with.

    `allow_loopback`: webhooks may go to this machine (the sandbox's may); `allow_private`: to private networks too.

    `keep_files`: files stay when nothing names them any more, because a reset brings back what did (the sandbox's).
    `post` takes mail away; without another it knows no server. `also` are told of events beside the desk's own.
    """

    database: Database
    clock: Clock
    blobs: BlobStore
    base_url: str
    allow_loopback: bool = False
    allow_private: bool = False
    keep_files: bool = False
    post: Post = field(default_factory=lambda: SmtpPost(None, {}, ""))
    also: Sequence[Listener] = ()


@asynccontextmanager
async def working(tools: Tools) -> AsyncIterator[Worker]:
    """A worker that knows all jobs; what it holds open is closed at the end."""
    async with Outbound(delivering.USER_AGENT, Allowed(tools.allow_loopback, tools.allow_private)) as outbound:
        yield Worker(tools.database, tools.clock, kinds(tools, outbound), listeners(tools))


def kinds(tools: Tools, outbound: Outbound) -> Mapping[str, Kind]:
    """How each kind of job is carried out."""
    return {
        mailing.SEND_EMAIL: mailing.kind(tools.database, tools.clock, tools.blobs, tools.post),
        scheduling.SEND_SCHEDULED: Kind(scheduling.sending(tools.clock)),
        snoozing.WAKE_CONVERSATION: Kind(snoozing.waking(tools.clock)),
        of_organizations.LINK_CUSTOMERS: Kind(of_organizations.linking(tools.database, tools.clock), first_pause_s=5),
        erasing.ERASE_CUSTOMER: Kind(erasing_jobs.erasing(tools.database, tools.clock), first_pause_s=5),
        files.REMOVE_FILES: Kind(files.removing(tools.database, tools.clock, tools.blobs, keep=tools.keep_files)),
        fan_out.DELIVER: Kind(delivering.carrier(tools.database, tools.clock, outbound)),
    }


def listeners(tools: Tools) -> Sequence[Listener]:
    """Who is told of events."""
    return (fan_out.listener(tools.clock, tools.base_url), *tools.also)
