"""What the worker does for the desk: which jobs there are, and who listens to events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from deskhand.db.engine import Database
from deskhand.desk import security_mail, sign_in_mail
from deskhand.desk.conversations import assigning, relabelling
from deskhand.desk.conversations.bulk import deleting, doing
from deskhand.desk.conversations.drafts import departing, notices
from deskhand.desk.conversations.drafts.ready import BEGIN_CONVERSATION
from deskhand.desk.conversations.erasure import erasing, erasing_jobs, files
from deskhand.desk.conversations.mail import announcing, answering, forgetting, held, keeping, mailing, receiving
from deskhand.desk.conversations.timing import scheduling, snoozing
from deskhand.desk.customers import of_organizations
from deskhand.desk.users import security_notices, sign_in_links
from deskhand.desk.webhooks import by_workflows, delivering, fan_out
from deskhand.desk.workflows import automatic
from deskhand.desk.workflows.ticking import Ticking
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import Clock
from deskhand.lib.outbound import Allowed, Outbound
from deskhand.lib.sealing import Sealer
from deskhand.mail.post import Post
from deskhand.mail.smtp_out import SmtpPost
from deskhand.outbox.worker import Carrier, Kind, Listener, Worker


@dataclass(frozen=True, slots=True)
class Tools:
    """What jobs are carried out with.

    `allow_loopback`: webhooks may go to this machine (the sandbox's may); `allow_private`: to private networks too.

    `keep_files`: files stay when nothing names them any more, because a reset brings back what did (the sandbox's).
    `post` takes mail away; without another it knows no server. `also` are told of events beside the desk's own.
    `sealer` opens what is kept encrypted, such as the passwords of inboxes' own servers.
    `trusted_server` is how the server that receives mail calls itself in its verdicts: see mail/verdicts.py.
    `deliver` makes what sends webhooks' deliveries (the sandbox's sometimes does it badly).
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
    sealer: Sealer | None = None
    trusted_server: str = ""
    deliver: Callable[[Database, Clock, Outbound], Carrier] = delivering.carrier


@asynccontextmanager
async def working(tools: Tools) -> AsyncIterator[Worker]:
    """A worker that knows all jobs; what it holds open is closed at the end."""
    async with Outbound(delivering.USER_AGENT, Allowed(tools.allow_loopback, tools.allow_private)) as outbound:
        beside = [
            asyncio.create_task(Ticking(tools.database, tools.clock).run(), name="workflows' clock"),
            asyncio.create_task(forgetting.Forgetting(tools.database, tools.clock).run(), name="forgetting old mail"),
        ]
        try:
            yield Worker(tools.database, tools.clock, kinds(tools, outbound), listeners(tools))
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)


def kinds(tools: Tools, outbound: Outbound) -> Mapping[str, Kind]:
    """How each kind of job is carried out."""
    sending = mailing.Mailing(tools.database, tools.clock, tools.blobs, tools.post, tools.sealer, tools.base_url)
    links = sign_in_mail.SignInMail(tools.database, tools.clock, tools.post, tools.sealer, tools.base_url)
    return {
        sign_in_links.MAIL_LINK: links.kind,
        security_notices.TELL: security_mail.SecurityMail(tools.database, tools.post, tools.sealer).kind,
        mailing.SEND_EMAIL: held.kind(sending),
        mailing.SEND_ANSWER: sending.kind,
        keeping.RECEIVE_EMAIL: receiving.kind(
            tools.database, tools.clock, tools.blobs, tools.base_url, tools.trusted_server
        ),
        notices.TELL_USER: notices.kind(tools.database, tools.clock, tools.post, tools.sealer, tools.base_url),
        assigning.ASSIGN_NEW: Kind(assigning.assigning(tools.database, tools.clock), first_pause_s=5),
        announcing.ANNOUNCE_REPLY: Kind(announcing.announcing(tools.clock), first_pause_s=5),
        BEGIN_CONVERSATION: Kind(departing.beginning(tools.database, tools.clock, tools.blobs), first_pause_s=5),
        scheduling.SEND_SCHEDULED: Kind(scheduling.sending(tools.clock)),
        snoozing.WAKE_CONVERSATION: Kind(snoozing.waking(tools.clock)),
        doing.CHANGE_MANY: Kind(doing.going_on(tools.database, tools.clock), first_pause_s=5),
        doing.FORGET_CHANGE: Kind(doing.forgetting(tools.clock)),
        deleting.BEGIN_DELETING: Kind(deleting.beginning(tools.clock), first_pause_s=5),
        of_organizations.LINK_CUSTOMERS: Kind(of_organizations.linking(tools.database, tools.clock), first_pause_s=5),
        erasing.ERASE_CUSTOMER: Kind(erasing_jobs.erasing(tools.database, tools.clock), first_pause_s=5),
        files.REMOVE_FILES: Kind(files.removing(tools.database, tools.clock, tools.blobs, keep=tools.keep_files)),
        relabelling.RELABEL: Kind(relabelling.relabelling(tools.database, tools.clock), first_pause_s=5),
        automatic.RUN_WORKFLOWS: automatic.kind(tools.database, tools.clock),
        fan_out.DELIVER: Kind(tools.deliver(tools.database, tools.clock, outbound)),
    }


def listeners(tools: Tools) -> Sequence[Listener]:
    """Who is told of events."""
    clock, base = tools.clock, tools.base_url
    own = (fan_out.listener(clock, base), by_workflows.listener(clock, base), automatic.listener(clock))
    return (*own, assigning.listener(clock), answering.listener(clock), notices.listener, *tools.also)
