"""A mail that is sent only to see whether it arrives."""

from __future__ import annotations

import asyncio
import html
from datetime import datetime

from deskhand.db.engine import Database
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.lib.secrets import new_token
from deskhand.mail.compose import Outgoing, compose, document
from deskhand.mail.headers import Address
from deskhand.mail.post import Envelope, Post, Undelivered
from deskhand.settings import SmtpServer

WHOLE_S = 25.0
"""How long sending it may take: somebody waits for it."""


async def send(
    post: Post, database: Database, inbox: InboxRow, server: SmtpServer | None, to: Address, now: datetime
) -> None:
    """Send a test mail from an inbox to somebody; raises Undelivered."""
    words = f"This is a test of the inbox {inbox.name}, {inbox.email}. If you can read it, mail leaves as it should."
    mail = Outgoing(
        message_id=f"<{new_token()}@{inbox.email.rpartition('@')[2]}>",
        sender=Address(inbox.email, inbox.name),
        reply_to=Address(inbox.email, inbox.name),
        to=(to,),
        subject=f"Test of {inbox.name}",
        html=document(f"<p>{html.escape(words)}</p>"),
        text=words,
        date=now,
        headers=(("Auto-Submitted", "auto-generated"),),
    )
    envelope = Envelope(inbox.account_id, 0, inbox.email, mail.recipients, server)
    try:
        async with asyncio.timeout(WHOLE_S):
            sent = await post.send(mail, compose(mail), envelope)
    except TimeoutError:
        raise Undelivered(f"it was not taken within {WHOLE_S:g} seconds") from None
    if sent.refused:
        raise Undelivered("; ".join(f"{one.address}: {one.reason}" for one in sent.refused))
    if sent.then is not None:
        then = sent.then
        await database.write(lambda tx: then(tx) and None)
