"""What the mail of a reply, or an automatic answer, is made of. Pure: all that is needed has been read before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from deskhand.desk.conversations.mail.history import name_of
from deskhand.desk.conversations.mail.mail_queries import AttachedFile, Earlier, Reply
from deskhand.lib.clock import from_wire
from deskhand.mail.addresses import routable, with_token
from deskhand.mail.body import Said, body
from deskhand.mail.compose import (
    AUTOMATIC,
    LOOP_FIELD,
    File,
    Outgoing,
    chain,
    compose,
    loop_mark,
    subject_of_reply,
    with_number,
)
from deskhand.mail.headers import Address
from deskhand.mail.variables import filled, filled_line, people


@dataclass(frozen=True, slots=True)
class Letter:
    """A reply or an automatic answer with all that its mail needs; `said` has the newest first.

    `rating_url` is where it can be rated; empty: nowhere.
    """

    account_id: int
    inbox_id: int
    reply: Reply
    automatic: bool = False
    earlier: Sequence[Earlier] = ()
    said: Sequence[Said] = ()
    files: Sequence[AttachedFile] = ()
    rating_url: str = ""


def outgoing(letter: Letter) -> Outgoing:
    """The mail without its body and its files; raises BadAddress."""
    reply = letter.reply
    sender = routable(reply.inbox_email)
    alone = letter.automatic or bool(reply.by_itself)
    author = "" if alone else name_of(reply.author_first, reply.author_last)
    to, cc, bcc = _recipients(reply)
    ids = [one.message_id for one in letter.earlier]
    from_customer = [one.message_id for one in letter.earlier if one.direction == "in"]
    parent = chain((from_customer or ids)[-1:])
    loop = (LOOP_FIELD, loop_mark(sender))
    return Outgoing(
        message_id=reply.message_id,
        in_reply_to=parent[0] if parent else "",
        references=chain(ids),
        sender=Address(sender, author or reply.inbox_name),
        reply_to=Address(with_token(sender, reply.reply_token or "")),
        to=to,
        cc=cc,
        bcc=bcc,
        subject=_subject(letter),
        html="",
        text="",
        date=from_wire(reply.created_at),
        headers=(*AUTOMATIC, loop) if alone else (loop,),
    )


def composed(letter: Letter, mail: Outgoing, files: Sequence[File]) -> tuple[Outgoing, bytes]:
    """The whole mail, and how it goes over the wire."""
    reply = letter.reply
    signature = filled(reply.signature or "", _values(letter))
    if letter.automatic:
        said = body(filled(reply.answer_text or "", _values(letter)), signature=signature)
    else:
        said = body(
            reply.body or "",
            signature=signature,
            rating_url="" if reply.by_itself else letter.rating_url,  # nobody answered
            earlier=letter.said,
            zone=_zone(reply.zone),
        )
    mail = replace(mail, html=said.html, text=said.text, attachments=tuple(files))
    return mail, compose(mail)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):  # this machine knows fewer zones than the one where it was chosen
        return UTC


def _subject(letter: Letter) -> str:
    reply = letter.reply
    subject = subject_of_reply(reply.subject, first=bool(reply.first) and not letter.automatic)
    if letter.automatic and reply.answer_subject:
        subject = filled_line(reply.answer_subject, _values(letter))
    return with_number(subject, reply.number) if reply.subject_token else subject


def _values(letter: Letter) -> dict[str, str]:
    """What the variables stand for; nobody wrote an automatic answer, so it comes from the inbox."""
    reply = letter.reply
    if letter.automatic or reply.by_itself:
        author = people("user", reply.inbox_name, "", reply.inbox_email)
    else:
        author = people("user", reply.author_first, reply.author_last, reply.author_email)
    return {
        **author,
        **people("customer", reply.customer_first, reply.customer_last, reply.customer_email),
        "mailbox.name": reply.inbox_name,
        "mailbox.email": reply.inbox_email,
        "conversation.number": str(reply.number),
        "conversation.subject": reply.subject,
    }


def _recipients(reply: Reply) -> tuple[tuple[Address, ...], tuple[Address, ...], tuple[Address, ...]]:
    """To, Cc and Bcc; somebody named in several is only in the first of them."""
    customer = name_of(reply.customer_first, reply.customer_last)
    seen: set[str] = set()

    def fresh(listed: str, name: str = "") -> tuple[Address, ...]:
        found = []
        for email in map(routable, msgspec.json.decode(listed, type=list[str])):
            if email.casefold() not in seen:
                seen.add(email.casefold())
                found.append(Address(email, name))
        return tuple(found)

    return fresh(reply.recipients, customer), fresh(reply.cc), fresh(reply.bcc)
