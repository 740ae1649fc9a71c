"""A server without a worker, so that tests decide when a message is read; and servers whose mail really leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deskhand.settings import SmtpServer
from tests import postgresql
from tests.desk.conversations.mail.arriving import Letterbox, faulty
from tests.desk.conversations.mail.leaving import SALES, Case, Offices, at_rest
from tests.live import LiveServer
from tests.mail.post_office import PostOffice, post_office, wait
from tests.world import Desk, open_desk, unique


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def quiet_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    url = ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("quiet"))
    live = LiveServer(tmp_path_factory.mktemp("quiet"), url, worker="separate")
    yield live
    live.stop()


@pytest.fixture
def box(quiet_server: LiveServer) -> Letterbox:
    """The letterbox of a new, empty account."""
    return Letterbox(open_desk(quiet_server), faulty)


# Servers whose mail really leaves


@pytest.fixture(scope="session")
def offices() -> Iterator[Offices]:
    with post_office() as everybody, post_office() as sales:
        yield Offices(everybody, sales)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def mailing_server(
    request: pytest.FixtureRequest, offices: Offices, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    url = ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("mailing"))
    live = LiveServer(
        tmp_path_factory.mktemp("mailing"),
        url,
        smtp_url=SmtpServer("127.0.0.1", offices.everybody.port),
        smtp_by_inbox={SALES: SmtpServer("127.0.0.1", offices.sales.port)},
    )
    yield live
    live.stop()


@pytest.fixture
def office(offices: Offices) -> PostOffice:
    """The server for all inboxes, in a good mood."""
    offices.everybody.answers.clear()
    offices.everybody.refusals.clear()
    return offices.everybody


@pytest.fixture
def mailing_desk(mailing_server: LiveServer, office: PostOffice) -> Iterator[Desk]:
    """An account whose mail leaves; what it leaves behind is not sent, or it would get another test's answers."""
    yield open_desk(mailing_server)
    wait(lambda: at_rest(mailing_server))


@pytest.fixture
def case(mailing_desk: Desk, office: PostOffice) -> Case:
    return Case(mailing_desk, office)
