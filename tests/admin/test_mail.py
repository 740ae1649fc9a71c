"""Mail by HTTP: a program hands over raw messages."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import requests

from deskhand.desk.conversations.mail import mail_queries, received_listing
from tests.admin.door import Admin, administer
from tests.desk.conversations.builders import add, created, start
from tests.mail.post_office import wait
from tests.world import open_desk, unique

MESSAGE = "message/rfc822"
MAIL = b"From: Paul <paul@buyer.example>\r\nSubject: Lamp\r\nMessage-ID: <1@buyer.example>\r\n\r\nWhere is it?\r\n"


def hand_over(admin: Admin, inbox: object, raw: Any, media_type: str = MESSAGE) -> requests.Response:
    return admin.call("POST", f"/inboxes/{inbox}/mail", data=raw, headers={"Content-Type": media_type})


def came(admin: Admin) -> list[tuple[str, int]]:
    found = admin.desk.server.app.database.read_now(
        lambda db: received_listing.newest(db, admin.desk.account_id, None, 10)
    )
    return [(one.way, one.size) for one in found]


def test_a_message_is_kept_once_and_becomes_a_conversation(admin: Admin) -> None:
    inbox = admin.desk.add_inbox()
    answer = hand_over(admin, inbox, MAIL)
    assert answer.status_code == 202
    first = answer.json()
    assert first["known"] is False
    assert hand_over(admin, inbox, MAIL, "Message/RFC822; charset=utf-8").json() == first | {"known": True}
    assert came(admin) == [("post", len(MAIL))]
    wait(lambda: admin.desk.get("/v2/conversations", status="all").json()["page"]["totalElements"] == 1)
    (shown,) = admin.desk.get("/v2/conversations", status="all").json()["_embedded"]["conversations"]
    assert (shown["subject"], shown["mailboxId"]) == ("Lamp", inbox)


def test_only_the_account_s_inboxes_take_mail(admin: Admin) -> None:
    foreign = open_desk(admin.desk.server).add_inbox()
    for inbox in (foreign, 10**9, 0, "x"):
        assert hand_over(admin, inbox, MAIL).status_code == 404
    answer = hand_over(Admin(admin.desk, "dh_admin_nobody"), admin.desk.add_inbox(), MAIL)
    assert answer.status_code == 401
    assert came(admin) == []


def test_only_messages_are_taken(admin: Admin) -> None:
    inbox = admin.desk.add_inbox()
    for media_type in ("application/json", "text/plain", ""):
        assert hand_over(admin, inbox, MAIL, media_type).status_code == 415
    for raw in (b"", b"\r\n  \r\n"):
        assert hand_over(admin, inbox, raw).status_code == 400
    assert came(admin) == []


def test_a_message_may_be_large_but_not_too_large(admin: Admin) -> None:
    inbox = admin.desk.add_inbox()
    large = MAIL + b"x" * 3 * 1024 * 1024
    assert hand_over(admin, inbox, large).status_code == 202
    # Announced, it is refused before it is sent.
    parts = urlsplit(admin.desk.server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.putrequest("POST", f"/admin/v1/inboxes/{inbox}/mail")
    for name, value in (("Authorization", f"Bearer {admin.token}"), ("Content-Type", MESSAGE)):
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(51 * 1024**2))
    connection.endheaders(b"x")
    assert connection.getresponse().status == 413
    connection.close()
    # Not announced, it is refused where it has become too much.
    answer = hand_over(admin, inbox, (b"x" * 1024**2 for _ in range(51)))
    assert answer.status_code == 413
    assert came(admin) == [("post", len(large))]


def test_the_call_is_described(admin: Admin) -> None:
    paths = requests.get(f"{admin.desk.server.url}/openapi.json", timeout=60).json()["paths"]
    described = paths["/admin/v1/inboxes/{id}/mail"]["post"]
    assert list(described["requestBody"]["content"]) == [MESSAGE]
    assert set(described["responses"]) == {"202", "400", "401", "404", "413", "415", "503"}


def test_what_did_not_arrive_is_listed_and_sent_again(admin: Admin) -> None:
    desk = admin.desk
    inbox, email = desk.add_inbox(), f"{unique('paul')}@buyer.example"
    id = start(desk, inbox, customer={"email": email}, subject="Lamp")
    thread = created(add(desk, id, "reply", text="Off.", customer={"email": email}, cc=["lea@x.example"]))
    wait(lambda: bool(listed(admin)))
    (failed,) = listed(admin)
    assert (failed["thread_id"], failed["conversation_id"], failed["inbox_id"]) == (thread, id, inbox)
    assert (failed["to"], failed["cc"], failed["bcc"]) == ([email], ["lea@x.example"], [])
    assert (failed["state"], failed["automatic"], failed["subject"]) == ("failed", False, "Lamp")
    assert "no SMTP server is set up" in failed["error"]
    place = f"/mail/undelivered/{thread}/resend"
    assert admin.call("POST", place).status_code == 202
    wait(lambda: [one["state"] for one in listed(admin)] == ["failed"])
    for stranger in (administer(open_desk(desk.server)), admin):
        other = place if stranger is not admin else "/mail/undelivered/1/resend"
        assert stranger.refused("POST", other)[0] == 404
    assert listed(administer(open_desk(desk.server))) == []
    desk.write(lambda tx: mail_queries.settle(tx, desk.account_id, thread, "sent", "", desk.now))
    assert admin.refused("POST", place) == (412, [("threadId", "the mail was delivered")])
    assert admin.refused("GET", "/mail/undelivered", params={"limit": 0})[0] == 400


def listed(admin: Admin) -> list[dict[str, Any]]:
    return admin.get("/mail/undelivered")["mails"]  # type: ignore[no-any-return]
