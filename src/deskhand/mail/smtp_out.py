"""Mail out by SMTP, one connection for each mail."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache
from urllib.parse import urlsplit

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from deskhand.mail.addresses import BadAddress, routable
from deskhand.mail.compose import Outgoing
from deskhand.mail.headers import one_line
from deskhand.mail.post import Envelope, NoServer, Refusal, Sent, Undelivered
from deskhand.settings import SmtpServer

STEP_S = 30.0
"""How long a server may take to let us in: for each command up to the sign-in."""
WHOLE_S = 110.0
"""How long the whole may take: less than a job stays claimed, or another worker would send it too."""
GOODBYE_S = 3.0
_REASON_MOST = 500


class SmtpPost:
    """Sends by the inbox's own server, else by the one that its address names, or else by the one for all."""

    def __init__(self, server: SmtpServer | None, by_inbox: Mapping[str, SmtpServer], base_url: str) -> None:
        self._server = server
        self._by_inbox = {_key(address): one for address, one in by_inbox.items()}
        self._base_url = base_url

    async def send(self, mail: Outgoing, raw: bytes, envelope: Envelope) -> Sent:
        server = envelope.server or self._by_inbox.get(_key(envelope.sender), self._server)
        if server is None:
            reason = f"no SMTP server is set up for {envelope.sender}; set DESKHAND_SMTP_URL"
            raise NoServer(reason, final=True)
        options = [] if all(one.isascii() for one in (envelope.sender, *envelope.recipients)) else ["SMTPUTF8"]
        async with signed_in(server, self._base_url) as client:
            try:
                # A server may look at a mail for long before it takes it (RFC 5321 section 4.5.3.2.6): whoever hangs up
                # meanwhile sends it twice.
                refused, _ = await client.sendmail(
                    envelope.sender, envelope.recipients, raw, mail_options=options, timeout=WHOLE_S
                )
            except SMTPNotSupported:
                words = "the SMTP server takes no addresses with letters beyond ASCII (SMTPUTF8)"
                raise Undelivered(words, final=True) from None
        return Sent(tuple(_refusal(address, answer.code, answer.message) for address, answer in refused.items()))


async def test_smtp(server: SmtpServer, base_url: str = "", sender: str = "") -> str:
    """Try a server without sending anything: sign in, and ask whether it takes mail from `sender`.

    Gives what is so in words; raises Undelivered with what is wrong.
    """
    async with signed_in(server, base_url) as client:
        words = [f"the SMTP server {server.host} port {server.port} answers"]
        tls = client.get_transport_info("ssl_object")
        words.append(f"encrypted with {tls.version()}" if tls else "not encrypted")
        if server.user:
            words.append(f"signed in as {server.user}")
        if sender:
            await client.mail(sender)
            await client.rset()
            words.append(f"takes mail from {sender}")
    return ", ".join(words)


@asynccontextmanager
async def signed_in(server: SmtpServer, base_url: str, *, sign_in: bool = True) -> AsyncIterator[aiosmtplib.SMTP]:
    """A connection to a server, encrypted and signed in as its URL asks; whatever goes wrong is Undelivered.

    Without `sign_in` that is left to the caller, who wants to know how far it came. Deskhand greets it by the name of
    the host in its own base URL.
    """
    where = f"the SMTP server {server.host} port {server.port}"
    try:
        async with asyncio.timeout(WHOLE_S) as limit:
            client = aiosmtplib.SMTP(
                hostname=server.host,
                port=server.port,
                username=(server.user or None) if sign_in else None,
                password=(server.password or None) if sign_in else None,
                local_hostname=_own_name(base_url),
                timeout=STEP_S,
                use_tls=server.tls == "implicit",
                start_tls=server.tls == "starttls",
                tls_context=None if server.tls == "none" else _tls(server.verify),
            )
            async with client:
                yield client
                limit.reschedule(None)
                await _part(client)
    except SMTPRecipientsRefused as refused:
        each = [_refusal(one.recipient, one.code, one.message) for one in refused.recipients]
        reason = "; ".join(f"{one.address}: {one.reason}" for one in each)
        raise Undelivered(reason[:_REASON_MOST], final=all(one.final for one in each)) from None
    except SMTPAuthenticationError as problem:
        # Not final: nothing is wrong with the mail, and it shall leave once the settings are right.
        reason = f"{where} refused the sign-in: {_without(problem.message, server)}"
        raise Undelivered(f"{reason} ({problem.code})"[:_REASON_MOST]) from None
    except SMTPResponseException as problem:
        reason = f"{where} answered {problem.code} {_without(problem.message, server)}"
        final = problem.code >= 500 and not isinstance(problem, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPHeloError)
        raise Undelivered(reason[:_REASON_MOST], final=final) from None
    except ssl.SSLError as problem:
        raise Undelivered(f"{where} could not be trusted: {_tls_words(problem)}"[:_REASON_MOST]) from None
    except TimeoutError:
        raise Undelivered(f"{where} took too long to answer") from None
    except (SMTPException, OSError) as problem:
        cause = problem.__cause__ if isinstance(problem.__cause__, ssl.SSLError) else None
        words = _tls_words(cause) if cause else _without(str(problem), server)
        raise Undelivered(f"{where} can't be used: {words}"[:_REASON_MOST]) from None
    except ValueError as problem:  # an address that would be more than an address to the server
        raise Undelivered(str(problem)[:_REASON_MOST], final=True) from None


async def _part(client: aiosmtplib.SMTP) -> None:
    """Say goodbye; what was done is done, whatever the server answers."""
    with suppress(SMTPException, OSError):
        await client.quit(timeout=GOODBYE_S)
    client.close()


@cache
def _tls(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _refusal(address: str, code: int, message: str) -> Refusal:
    return Refusal(address, f"{code} {one_line(message)}", final=code >= 500)


def _key(address: str) -> str:
    try:
        return routable(address).casefold()
    except BadAddress:
        return address.casefold()


def _own_name(base_url: str) -> str:
    """A host's name as it stands in EHLO; addresses go in brackets."""
    host = urlsplit(base_url).hostname or "localhost"
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdigit() else host


def _without(text: str, server: SmtpServer) -> str:
    """What a server said, on one line; some repeat what they were given, so the password is taken out.

    So are the forms in which it is sent: those of AUTH PLAIN and AUTH LOGIN.
    """
    text = one_line(text)
    if not server.password:
        return text
    sent = (f"\0{server.user}\0{server.password}", server.password)
    for secret in (*(b64encode(one.encode()).decode() for one in sent), server.password):
        text = text.replace(secret, "***")
    return text


def _tls_words(problem: ssl.SSLError) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({problem.verify_message})"
    return f"TLS failed ({problem.reason or problem})"
