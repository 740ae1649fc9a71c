"""`deskhand worker`: carries out jobs in a process of its own, on PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import signal

import uvloop

from deskhand.app.gateway import listener
from deskhand.app.mail import NotUsable, taking_mail, tls_context
from deskhand.cli.databases import opened, require_current, require_folder
from deskhand.cli.refused import Refused
from deskhand.db.engine import Database
from deskhand.db.postgresql import Ear
from deskhand.desk import after_work
from deskhand.desk.conversations.mail.keeping import Keeping
from deskhand.lib import logs
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import SystemClock
from deskhand.lib.sealing import KEY_FILE, Sealer
from deskhand.mail.smtp_out import SmtpPost
from deskhand.settings import Settings

log = logging.getLogger("deskhand.worker")


def work(settings: Settings) -> None:
    """Carry out jobs until told to stop; what is under way then is finished first. Raises Refused where it can't."""
    if not settings.database_url:
        raise Refused("a worker of its own needs PostgreSQL: with SQLite the server carries out the jobs itself")
    logs.set_up(settings.log_format, settings.log_level)
    try:
        tls_context(settings)
    except NotUsable as problem:
        raise Refused(problem) from problem
    require_folder(settings.data_dir)
    with opened(settings) as database:
        require_current(database)
        with Ear(settings.database_url, database):
            uvloop.run(_work(settings, database))


async def _work(settings: Settings, database: Database) -> None:
    post = SmtpPost(settings.smtp_url, settings.smtp_by_inbox, settings.base_url)
    blobs = BlobStore(settings.data_dir / "blobs")
    private = settings.webhook_private_addresses
    clock = SystemClock()
    also = (listener(settings, database, clock),)
    mail = taking_mail(settings, database, Keeping(database, blobs, clock), clock)
    sealer = Sealer(settings.secret_key, settings.data_dir / KEY_FILE)
    tools = after_work.Tools(
        database, clock, blobs, settings.base_url, allow_private=private, post=post, also=also, sealer=sealer,
        trusted_server=settings.mail_trusted_server,
    )  # fmt: skip
    loop = asyncio.get_running_loop()
    async with after_work.working(tools) as worker, mail:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        log.info("the worker is ready")
        await worker.run()
    log.info("stopped")
