"""A conversation's page: what it shows of threads, mails, people and files, and to whom."""

from __future__ import annotations

import sqlalchemy as sa
from lxml.html import HtmlElement

from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.threads import NewReply
from deskhand.db.engine import Writer
from deskhand.db.statements import command
from deskhand.desk import access
from deskhand.desk.conversations import replying
from deskhand.desk.conversations.tables import thread_mail
from deskhand.desk.conversations.threads import rating
from tests.desk.conversations.builders import add, reply, start, wrote
from tests.web.inbox import hostile
from tests.web.people import signed_in
from tests.world import Desk, open_desk


def said(page: HtmlElement) -> list[str]:
    """The texts of all messages, the newest first."""
    return [" ".join(one.text_content().split()) for one in page.cssselect("article > .body, article details > .body")]


def kinds(page: HtmlElement) -> list[str]:
    return [one.get("class", "") for one in page.cssselect("article.thread")]


def text(element: HtmlElement) -> str:
    return " ".join(element.text_content().split())


def add_mail(desk: Desk, id: int, thread_id: int, **values: object) -> None:
    """Let a thread have come by mail."""
    row = {
        "account_id": desk.account_id, "thread_id": thread_id, "conversation_id": id, "direction": "in",
        "message_id": f"<{thread_id}@mail.example>", "state": "received", "error": "", "at": desk.now, **values,
    }  # fmt: skip
    desk.write(lambda tx: tx.run(command(sa.insert(thread_mail).values(row), keep=False)))


def first_thread(desk: Desk, id: int) -> int:
    return int(desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"][-1]["id"])


def test_the_newest_message_stands_first_and_notes_are_told_apart(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[wrote("It flickers.")])
    reply(desk, id, text="<p>Is the bulb <b>tight</b>?</p>")
    assert add(desk, id, "notes", text="He is a good customer.").status_code == 201
    page = signed_in(desk).page(f"/conversation/{id}")
    assert said(page) == ["He is a good customer.", "Is the bulb tight?", "It flickers."]
    assert [one.split()[1] for one in kinds(page)] == ["note", "reply", "customer"]
    assert [text(one) for one in page.cssselect("article h2")][1] == "Ada Holm"
    assert "paul" in text(page.cssselect("article.reply .to")[0])


def test_the_header_tells_what_the_conversation_is(desk: Desk) -> None:
    inbox = desk.add_inbox("Lamp help")
    id = start(desk, inbox, subject="A lamp <b>flickers</b>", tags=["vip", "lamps"], assignTo=desk.user_id)
    page = signed_in(desk).page(f"/conversation/{id}/1")
    assert text(page.cssselect("h1")[0]) == "A lamp <b>flickers</b>"
    line = text(page.cssselect(".facts-line")[0])
    assert "#1001 " in line and "Lamp help" in line and "vip" in line and "lamps" in line
    assert text(page.cssselect("#menu-assign > summary")[0]).startswith("Ada Holm")
    assert text(page.cssselect("#menu-status > summary")[0]).startswith("Active")


def test_what_happened_is_a_line_and_many_of_them_are_folded(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    for status in ("pending", "active", "closed"):
        desk.patch(f"/v2/conversations/{id}", {"op": "replace", "path": "/status", "value": status})
    page = signed_in(desk).page(f"/conversation/{id}")
    (run,) = page.cssselect("details.lines")
    assert text(run.cssselect("summary")[0]).startswith("Ada Holm marked as closed")
    assert "and 2 more changes" in text(run)
    assert len(run.cssselect("p.line")) == 2


def test_a_snooze_is_told_in_the_visitor_s_own_time(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    body = {"snoozedUntil": "2099-07-01T10:00:00Z"}
    assert desk.put(f"/v2/conversations/{id}/snooze", body).status_code == 204
    page = signed_in(desk).page(f"/conversation/{id}")
    assert "T10:00:00Z" not in text(page.cssselect(".timeline")[0])
    assert "1 Jul 2099, 10:00" in text(page.cssselect(".timeline")[0])
    assert "Snoozed until 1 Jul 2099" in text(page.cssselect(".facts-line")[0])


def test_a_long_conversation_is_folded_in_the_middle(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[wrote(f"Message {n}") for n in range(30)])
    page = signed_in(desk).page(f"/conversation/{id}")
    folded = ["folded" in one for one in kinds(page)]
    assert len(folded) == 30
    assert not any(folded[:6]) and all(folded[6:-1]) and not folded[-1]
    assert len(said(page)) == 30, "what is folded is there without another request"


def test_a_conversation_longer_than_a_page_goes_on_on_the_next(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[wrote(f"Message {n}") for n in range(60)])
    person = signed_in(desk)
    first, second = person.page(f"/conversation/{id}"), person.page(f"/conversation/{id}?page=2")
    assert said(first)[0] == "Message 59" and said(second)[-1] == "Message 0"
    assert len(said(first)) + len(said(second)) == 60
    assert first.cssselect(".more-threads a")[0].get("href") == f"/conversation/{id}?page=2"
    assert person.get(f"/conversation/{id}?page=999").status_code == 200
    assert person.get(f"/conversation/{id}?page=x").status_code == 200


def test_folded_texts_that_are_too_long_are_on_pages_of_their_own(desk: Desk) -> None:
    long = "<p>" + "word " * 30_000 + "</p>"
    id = start(desk, desk.add_inbox(), threads=[wrote(long) for _ in range(12)])
    person = signed_in(desk)
    page = person.page(f"/conversation/{id}")
    links = page.cssselect("article.folded > a.fold")
    assert links
    alone = person.page(str(links[0].get("href")))
    assert len(alone.cssselect("article.thread")) == 1 and len(said(alone)[0]) > 100_000


def test_a_draft_is_seen_by_the_team_with_who_wrote_it(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ines = desk.add_user("Ines", "Okafor", inboxes=(inbox,))
    id = start(desk, inbox)
    reply(desk.as_user(ines), id, text="Half a sentence", draft=True)
    page = signed_in(desk).page(f"/conversation/{id}")
    (draft,) = page.cssselect("article.draft")
    assert "Draft by Ines Okafor" in text(draft) and "Half a sentence" in text(draft)


def test_a_scheduled_draft_says_when_it_leaves_and_can_be_sent_or_kept(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    for word in ("send", "unschedule"):
        made = reply(desk, id, text="Later", draft=True)
        plan = {"scheduledFor": "2099-01-01T08:00:00Z", "unscheduleOnCustomerReply": True}
        assert desk.put(f"/v2/conversations/{id}/threads/{made}/schedule", plan).status_code in (201, 204)
        (shown,) = person.page(f"/conversation/{id}").cssselect("article.scheduled")
        assert "Leaves 1 Jan 2099, unless they answer" in text(shown)
        answer = person.send(f"/conversation/{id}/threads/{made}/{word}")
        assert answer.status_code == 200
        assert not person.page(f"/conversation/{id}").cssselect("article.scheduled")
    states = [one["state"] for one in desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]]
    assert sorted(states[:2]) == ["draft", "published"]


def test_a_mail_that_failed_says_why_and_can_be_sent_again(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    made = reply(desk, id, imported=True)  # so that no worker has tried it already
    add_mail(desk, id, made, direction="out", state="failed", error="550 no such mailbox")
    person = signed_in(desk)
    page = person.page(f"/conversation/{id}")
    (words,) = page.cssselect("article .message.bad")
    assert "Could not be delivered: 550 no such mailbox" in text(words)
    assert person.send(f"/conversation/{id}/threads/{made}/again").status_code == 200
    assert "550 no such mailbox" not in person.get(f"/conversation/{id}").text


def test_a_mail_that_came_back_says_so(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    made = reply(desk, id, imported=True)
    add_mail(desk, id, made, direction="out", state="bounced", error="mailbox full")
    assert "Came back: mailbox full" in text(
        signed_in(desk).page(f"/conversation/{id}").cssselect("article .message")[0]
    )


def test_what_speaks_against_the_sender_is_said(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    add_mail(desk, id, first_thread(desk, id), verdicts='{"spf":"fail","dkim":"pass","dmarc":"fail"}')
    assert "SPF and DMARC failed" in text(signed_in(desk).page(f"/conversation/{id}").cssselect("article .message")[0])


def test_a_sender_who_is_proved_is_not_doubted(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    add_mail(desk, id, first_thread(desk, id), verdicts='{"spf":"softfail","dkim":"pass","dmarc":"pass"}')
    assert not signed_in(desk).page(f"/conversation/{id}").cssselect("article .message")


def test_what_a_mail_repeats_is_folded(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[wrote("<p>New words</p>")])
    add_mail(desk, id, first_thread(desk, id), quoted="<p>Old <script>x</script>words</p>")
    page = signed_in(desk).page(f"/conversation/{id}")
    (history,) = page.cssselect("article details.history")
    assert history.get("open") is None and "Old words" in text(history) and said(page)[0] == "New words"


def test_a_held_reply_can_be_taken_back(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    customer = desk.get(f"/v2/conversations/{id}").json()["primaryCustomer"]["id"]

    def send(tx: Writer) -> int:
        actor = access.actor(tx, desk.user_id)
        assert actor is not None
        new = NewReply(customer=CustomerReference(id=customer), text="Too early")
        return replying.reply(tx, actor, id, new, [], desk.now, hold_s=600)

    made = desk.write(send)
    person = signed_in(desk)
    assert "Undo sending" in text(person.page(f"/conversation/{id}").cssselect("article.held")[0])
    assert person.send(f"/conversation/{id}/threads/{made}/undo").status_code == 200
    assert not person.page(f"/conversation/{id}").cssselect("article.held")


def test_a_rating_stands_at_its_reply(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    made = reply(desk, id)
    desk.write(lambda tx: rating.rate(tx, desk.account_id, made, "not_good", "Too <slow>", desk.now))
    (shown,) = signed_in(desk).page(f"/conversation/{id}").cssselect(f"#thread-{made} .rating")
    assert text(shown) == "Not good: Too <slow>"


def test_pictures_from_elsewhere_are_shown_when_asked_on_a_page_that_may_load_them(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[wrote("<p>x<img src='https://shop.example/a.png'></p>")])
    person = signed_in(desk)
    without, with_them = person.get(f"/conversation/{id}"), person.get(f"/conversation/{id}?images=1")
    assert "shop.example" not in without.text and "1 picture from elsewhere left out" in without.text
    assert "https:" not in without.headers["Content-Security-Policy"]
    assert "https://shop.example/a.png" in with_them.text
    assert "img-src 'self' data: blob: https: http:" in with_them.headers["Content-Security-Policy"]


def test_no_page_of_hostile_mails_has_anything_to_run_or_to_load(desk: Desk) -> None:
    inbox, person = desk.add_inbox(), signed_in(desk)
    texts = [one.replace("\x00", "") for one in hostile.SMALL]
    for at in range(0, len(texts), 45):
        given = texts[at : at + 45]
        id = start(desk, inbox, subject=given[0][:200], threads=[wrote(one) for one in given])
        answer = person.get(f"/conversation/{id}")
        assert answer.status_code == 200
        page = person.page(f"/conversation/{id}")
        assert len(page.cssselect(".timeline > article.thread")) == len(given)
        for part in ("#frame", "#side", "#main", "#said", ".customer-column", ".conversation-head", "h1"):
            assert len(page.cssselect(part)) == 1, part
        assert len(page.cssselect("script")) == len(page.cssselect("head script"))
        assert not page.cssselect(
            "iframe, object, embed, base, meta[http-equiv], style, .body form, .body input, svg script"
        )
        for one in page.cssselect("img, link, source, video, audio"):
            assert "evil.example" not in str(dict(one.attrib))
        assert not [one for one in page.iter() if any(name.startswith("on") or name == "style" for name in one.attrib)]


def test_a_merged_conversation_leads_to_the_one_that_goes_on(desk: Desk) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox), start(desk, inbox)
    person = signed_in(desk)
    assert person.send(f"/conversation/{gone}/merge", into=str(stays)).status_code == 200
    answer = person.get(f"/conversation/{gone}")
    assert answer.url.endswith(f"/conversation/{stays}") and answer.status_code == 200


def test_nobody_sees_what_is_not_theirs(desk: Desk) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox()
    id = start(desk, other)
    ines = desk.add_user("Ines", inboxes=(inbox,))
    assert signed_in(desk, ines).get(f"/conversation/{id}").status_code == 403
    stranger = signed_in(open_desk(desk.server))
    for path in ("", "/1", "/threads/1", "/merge?into=1", f"/threads/{first_thread(desk, id)}"):
        assert stranger.get(f"/conversation/{id}{path}").status_code in (400, 404), path
    assert stranger.get("/conversation/x").status_code == 404
    assert stranger.get("/conversation/99999999999999999999999").status_code == 404


def test_a_light_user_reads_and_is_offered_nothing_they_may_not_do(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    light = signed_in(desk, desk.add_user("Lea", role="light user", inboxes=(inbox,)))
    page = light.page(f"/conversation/{id}")
    assert not page.cssselect('form[action$="/delete"], form[action$="/merge"]')
    assert light.send(f"/conversation/{id}/delete").status_code == 403


def test_the_original_of_a_mail_is_shown_as_mere_text(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    blob = desk.server.app._blobs.put(b"Subject: x\r\n\r\n<script>1</script>")
    add_mail(desk, id, first_thread(desk, id), source_sha256=blob.sha256)
    person = signed_in(desk)
    page = person.page(f"/conversation/{id}")
    (link,) = page.cssselect('article a[href$="/source"]')
    answer = person.get(str(link.get("href")))
    assert answer.text == "Subject: x\r\n\r\n<script>1</script>"
    assert (
        answer.headers["Content-Type"].startswith("text/plain")
        and "sandbox" in answer.headers["Content-Security-Policy"]
    )
    assert signed_in(open_desk(desk.server)).get(str(link.get("href"))).status_code == 404
