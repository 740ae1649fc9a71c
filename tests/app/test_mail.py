"""Mail that comes to a running server: by SMTP, by LMTP and from mailboxes, whichever process happens to listen."""

from __future__ import annotations

import asyncio
import re
import smtplib
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from deskhand.app.mail import Looks, NotUsable, _locked, require_usable, taking_mail
from deskhand.desk.conversations.mail import received_listing
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.inboxes.mail_settings import MailChange
from deskhand.lib.sealing import KEY_FILE, Sealer
from deskhand.mail import imap_positions
from deskhand.settings import Listen, Settings
from tests import dovecot, postgresql
from tests.commands import free_port
from tests.dovecot import Dovecot
from tests.live import LiveServer
from tests.mail.post_office import make_certificate, wait
from tests.world import Desk, open_desk, unique

USER = "help@shop.example"


def mail(name: str) -> bytes:
    header = f"From: Paul <paul@{name}.example>\r\nSubject: {name}\r\nMessage-ID: <{name}@buyer.example>\r\n"
    return f"{header}\r\nHello\r\n".encode()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    return postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("mail_in"))


@pytest.fixture
def taking(database_url: str, tmp_path: Path) -> Iterator[LiveServer]:
    """A server that takes mail by every way."""
    (tmp_path / "run").mkdir()
    live = LiveServer(
        tmp_path, database_url, mail_smtp_listen=Listen("127.0.0.1", free_port()),
        mail_lmtp_listen=Listen(path=str(tmp_path / "run" / "lmtp")), mail_imap_every_s=1,
    )  # fmt: skip
    yield live
    live.stop()


def subjects(desk: Desk) -> list[str]:
    found = desk.get("/v2/conversations", status="all").json()
    return sorted(one["subject"] for one in found["_embedded"]["conversations"])


def fetch(desk: Desk, inbox: int, server: Dovecot, *, everything: bool = True) -> None:
    """Have an inbox fetched from a mailbox."""
    settings = desk.server.app.settings
    sealer, now = Sealer(settings.secret_key, settings.data_dir / KEY_FILE), desk.server.clock.now()
    change = MailChange(imap=server.url(USER))
    if everything:
        desk.write(lambda tx: imap_positions.begin(tx, desk.account_id, inbox, "INBOX", None, now))
    desk.write(lambda tx: mail_settings.change(tx, desk.account_id, inbox, change, sealer, desk.now))


def metric(live: LiveServer, name: str) -> float:
    text = requests.get(f"{live.url}/metrics", timeout=60).text
    found = re.search(rf"^{re.escape(name)} ([0-9.e+]+)$", text, re.MULTILINE)
    assert found, text
    return float(found[1])


def test_mail_becomes_a_conversation_by_every_way(taking: LiveServer) -> None:
    desk = open_desk(taking)
    settings = taking.app.settings
    assert settings.mail_smtp_listen is not None
    assert settings.mail_lmtp_listen is not None
    with dovecot.running(USER) as server:
        fetch(desk, desk.add_inbox(email="help@shop.example"), server)
        server.lay(USER, mail("fetched"))
        wait(lambda: _listens(settings.mail_smtp_listen))
        with smtplib.SMTP("127.0.0.1", settings.mail_smtp_listen.port, timeout=30) as smtp:
            smtp.sendmail("paul@buyer.example", ["help@shop.example"], mail("sent"))
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                smtp.sendmail("paul@buyer.example", ["nobody@shop.example"], mail("sent"))
        with smtplib.LMTP(settings.mail_lmtp_listen.path, timeout=30) as lmtp:
            lmtp.sendmail("paul@buyer.example", ["help@shop.example"], mail("delivered"))
        wait(lambda: subjects(desk) == ["delivered", "fetched", "sent"])
        for way in ("smtp", "lmtp", "imap"):
            assert metric(taking, f'deskhand_mail_received_total{{way="{way}"}}') == 1
        assert metric(taking, 'deskhand_mail_messages{state="failed"}') == 0
        inbox = taking.app.database.read_now(lambda db: mail_settings.fetched(db))[0].inbox_id
        assert metric(taking, f'deskhand_imap_failing{{inbox="{inbox}"}}') == 0
        assert metric(taking, f'deskhand_imap_last_look_age_seconds{{inbox="{inbox}"}}') < 60
        server.stop()
        wait(lambda: metric(taking, f'deskhand_imap_failing{{inbox="{inbox}"}}') == 1)
    mode = Path(settings.mail_lmtp_listen.path).stat().st_mode
    assert stat.S_ISSOCK(mode)


def test_what_lay_there_before_is_left_unless_it_is_asked_for(taking: LiveServer) -> None:
    desk = open_desk(taking)
    with dovecot.running(USER) as server:
        server.lay(USER, mail("old"), arrived='"01-Nov-2026 10:00:00 +0000"')
        inbox = desk.add_inbox()
        fetch(desk, inbox, server, everything=False)
        server.lay(USER, mail("new"))
        wait(lambda: subjects(desk) == ["new"])
        wait(lambda: _counts(desk, inbox) == (1, 1))  # which are written a little later
        # Another mailbox begins anew.
        sealer = Sealer("", taking.app.settings.data_dir / KEY_FILE)
        other = MailChange(imap=server.url("other@shop.example"))
        desk.write(lambda tx: mail_settings.change(tx, desk.account_id, inbox, other, sealer, desk.now))
        wait(lambda: "refused the sign-in" in _error(desk, inbox))


def _counts(desk: Desk, inbox: int) -> tuple[int, int]:
    found = desk.server.app.database.read_now(lambda db: imap_positions.one(db, desk.account_id, inbox, "INBOX"))
    return (found.taken, found.skipped) if found else (0, 0)


def _error(desk: Desk, inbox: int) -> str:
    found = desk.server.app.database.read_now(lambda db: imap_positions.one(db, desk.account_id, inbox, "INBOX"))
    return found.error if found else ""


def test_one_process_listens_and_the_next_takes_over(database_url: str, tmp_path: Path) -> None:
    listen = Listen("127.0.0.1", free_port())
    path = Listen(path=str(tmp_path / "lmtp"))
    live = LiveServer(tmp_path, database_url, worker="separate")
    app = live.app
    settings = Settings(data_dir=tmp_path, mail_smtp_listen=listen, mail_lmtp_listen=path, workers=2)

    async def two() -> list[bool]:
        found = []
        second = taking_mail(settings, app.database, app.keeper, app.clock)
        async with taking_mail(settings, app.database, app.keeper, app.clock):
            await _until(listen, path)
            await second.__aenter__()
            await asyncio.sleep(0.3)
            found += [_listens(listen), _listens(path)]
        await _until(listen, path)
        found += [_listens(listen), _listens(path)]
        await second.__aexit__(None, None, None)
        return [*found, not _listens(listen), not _listens(path)]

    try:
        assert live.run(two()) == [True] * 6
    finally:
        live.stop()


async def _until(*wanted: Listen) -> None:
    for where in wanted:
        await asyncio.to_thread(wait, lambda where=where: _listens(where))  # type: ignore[misc]


def _listens(where: Listen | None) -> bool:
    assert where is not None
    try:
        if where.path:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(where.path)
        else:
            socket.create_connection((where.host, where.port), timeout=30).close()
    except OSError:
        return False
    return True


def test_only_sockets_are_removed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("not a socket")
    with pytest.raises(NotUsable, match="no socket"):
        require_usable(Settings(mail_lmtp_listen=Listen(path=str(precious))))
    with pytest.raises(OSError, match="no socket"), _locked(precious):
        pass
    assert precious.read_text() == "not a socket"


def test_a_mailbox_that_changed_meanwhile_is_not_taken_for_the_other(taking: LiveServer) -> None:
    desk, app = open_desk(taking), taking.app
    inbox = desk.add_inbox()
    looks = Looks(app.settings, app.database, app.keeper, app.clock)
    sealer = Sealer("", app.settings.data_dir / KEY_FILE)
    one, other = (MailChange(imap=f"imap://u{n}:p@127.0.0.1:{free_port()}") for n in (1, 2))
    desk.write(lambda tx: mail_settings.change(tx, desk.account_id, inbox, one, sealer, desk.now))
    (before,) = app.database.read_now(mail_settings.fetched)
    desk.write(lambda tx: mail_settings.change(tx, desk.account_id, inbox, other, sealer, desk.now))
    assert desk.write(lambda tx: looks._take(tx, before)) is None


def test_what_can_t_be_listened_at_is_said_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = Listen("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(NotUsable, match=rf"can't listen at {where} \(mail_smtp_listen\): another program"):
            require_usable(Settings(mail_smtp_listen=where))
    with pytest.raises(NotUsable, match="mail_lmtp_listen"):
        require_usable(Settings(mail_lmtp_listen=Listen(path="/nowhere/at/all/lmtp")))
    with pytest.raises(NotUsable, match="not.*known|No address|not known"):
        require_usable(Settings(mail_smtp_listen=Listen("no.such.host.invalid", 2525)))
    with pytest.raises(NotUsable, match="certificate .* can't be used"):
        require_usable(Settings(mail_tls_certificate=tmp_path / "missing.pem"))
    require_usable(Settings(mail_tls_certificate=make_certificate(tmp_path)))


def test_mail_of_other_accounts_is_not_listed(taking: LiveServer) -> None:
    desk, other = open_desk(taking), open_desk(taking)
    address = f"{unique('box')}@shop.example"
    desk.add_inbox(email=address)
    where = taking.app.settings.mail_smtp_listen
    assert where is not None
    wait(lambda: _listens(where))
    with smtplib.SMTP("127.0.0.1", where.port, timeout=30) as smtp:
        smtp.sendmail("paul@buyer.example", [address], mail("mine"))
    wait(lambda: subjects(desk) == ["mine"])
    read = taking.app.database.read_now
    assert len(read(lambda db: received_listing.newest(db, desk.account_id, None, 10))) == 1
    assert read(lambda db: received_listing.newest(db, other.account_id, None, 10)) == []
    assert read(lambda db: received_listing.tally(db, other.account_id)) == []
