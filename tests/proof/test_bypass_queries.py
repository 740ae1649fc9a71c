"""Query strings and searches that reach for another inbox: none finds what lies there."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from deskhand.catalogue.needs import reads_texts
from deskhand.desk.search.language import SyntaxProblem, fields, parse
from tests.proof.bypass_world import World, alike, everything_in

LISTED: list[tuple[str, str, tuple[int, ...]]] = [
    ("both inboxes with a comma", "mailbox={a},{b}", (403,)),
    ("both inboxes with an encoded comma", "mailbox={a}%2C{b}", (403,)),
    ("both inboxes one after another", "mailbox={a}&mailbox={b}", (403,)),
    ("the other inbox first", "mailbox={b}&mailbox={a}", (403,)),
    ("a space in front of the other", "mailbox={a},%20{b}", (403,)),
    ("zeros in front of the other", "mailbox=000{b}", (403,)),
    ("nothing but a comma", "mailbox=,", (200,)),
    ("an empty filter", "mailbox=", (200,)),
    ("an empty filter behind a full one", "mailbox={a}&mailbox=", (200,)),
    ("the filter as a list", "mailbox[]={b}", (200,)),
    ("the filter as an object", "mailbox[id]={b}", (200,)),
    ("the filter in capitals", "MAILBOX={b}", (200,)),
    ("the filter by another name", "mailboxId={b}&inbox={b}&mailboxes={b}&mailbox_id={b}", (200,)),
    ("the filter's name encoded", "%6dailbox={b}", (403,)),
    ("a zero byte", "mailbox={a}%00{b}", (400,)),
    ("a semicolon", "mailbox={a};mailbox={b}", (400,)),
    ("a text", "mailbox={b}x", (400,)),
    ("a minus", "mailbox=-{b}", (400,)),
    ("a plus", "mailbox=%2B{b}", (400,)),
    ("digits of another script", "mailbox=%D9%A5%D9%A0%D9%A2", (400,)),
    ("a wildcard", "mailbox=*", (400,)),
    ("a foreign folder", "folder={b_folder}", (403,)),
    ("a foreign folder in an own inbox", "mailbox={a}&folder={b_folder}", (403,)),
    ("an own folder in a foreign inbox", "mailbox={b}&folder={a_folder}", (403,)),
    ("a folder twice", "folder={a_folder}&folder={b_folder}", (400,)),
    ("a status twice", "status=all&status=active", (400,)),
    ("threads embedded twice", "embed=threads&embed=threads", (400,)),
    ("two queries", "query=(tag:everybody)&query=(mailboxid:{b})", (400,)),
    ("a page twice", "page=1&page=2", (400,)),
    ("bytes that are no UTF-8", "query=%ff", (400,)),
    ("a foreign number", "number={b_number}&status=all", (200,)),
    ("a foreign field", "customFieldsByIds={b_field}:{b_option}&mailbox={a}&status=all", (200,)),
    ("a foreign field without an inbox", "customFieldsByIds={b_field}:{b_option}&status=all", (200, 400)),
    ("a foreign tag", "tag={b_tag}&status=all", (200,)),
    ("sorted by inbox", "status=all&sortField=mailboxid&sortOrder=asc", (200,)),
    ("sorted by customer", "status=all&sortField=customerName&sortOrder=asc", (200,)),
    ("sorted by what can't be sorted by", "sortField=preview", (400,)),
    ("changed since ever", "status=all&modifiedSince=1970-01-01T00:00:00Z", (200,)),
    ("all with their threads", "status=all&embed=threads", (200,)),
    ("a query of twenty thousand characters", "query={long}", (414,)),
]


@pytest.mark.parametrize(("query", "statuses"), [one[1:] for one in LISTED], ids=[one[0] for one in LISTED])
def test_no_filter_opens_another_inbox(world: World, query: str, statuses: tuple[int, ...]) -> None:
    def asked(side: Any) -> str:
        return query.format(
            a=world.own.inbox, a_folder=world.own.folder, b=side.inbox, b_folder=side.folder, b_number=side.number,
            b_field=side.field, b_option=side.option, b_tag=side.words["tag"], long="a" * 20_000,
        )  # fmt: skip

    with world.watched(world.narrow) as attempt:
        answer = attempt.raw(f"GET /v2/conversations?{asked(world.foreign)} HTTP/1.1")
        assert answer.status in statuses, answer.everything[:1000]
        other = attempt.raw(f"GET /v2/conversations?{asked(world.nothing)} HTTP/1.1")
        if answer.status != 200:
            assert alike(answer) == alike(other)
            return
        found, none = answer.json(), other.json()
        assert {one["mailboxId"] for one in found["_embedded"]["conversations"]} <= {world.own.inbox}
        assert found["page"] == none["page"]


QUERIES = [
    "(mailboxid:{b})", "(mailboxid:{a} OR mailboxid:{b})", "(NOT mailboxid:{a})", "(-mailboxid:{a})",
    "(mailboxid:[0 TO 999999])", "mailboxid:{b}", '(mailbox:"Inbox {word[inbox]}")', "(mailbox:Inbox)",
    "(subject:{word[subject]})", '(subject:"{word[subject]}" OR status:active)', "(body:{word[body]})", "{word[body]}",
    '"{word[body]}"', "({word[note]})", "({word[draft]})", "{word[reply]}", "(subject:{word[shared]})",
    '(email:"{word[email]}@buyer.example")', "(email:{word[email]})", "(tag:{word[tag]})", "(customerIds:{customer})",
    "(id:{conversation})", "(number:{number})", "(id:{conversation} OR id:1)", "(assigned:{word[user]})",
    "(attachments:true)", "(attachmentFileName:{word[file]})", "(modifiedAt:[* TO *])", "(status:*)", "*", "**",
    "(mailboxid:{a}) OR (mailboxid:{b})", "mailboxid:{a}) OR (mailboxid:{b}", "(((((mailboxid:{b})))))",
    '(subject:"a" OR mailboxid:"{b}")', "(mailboxid:{a} AND (NOT mailboxid:{a} OR mailboxid:{b}))",
    "(mailboxid:{b} AND NOT subject:nothing)", "NOT subject:nothing", "-subject:nothing", "(",
    ")", '"', "(subject:*)", "(subject:z*)", "(SUBJECT:{word[subject]})", "(subject :{word[subject]})",
    "(customFields:{word[option]})", "(createdAt:[2000-01-01T00:00:00Z TO *])", "\\(mailboxid:{b}\\)",
    "{word[first]}", "{word[mail]}", "{word[cc]}", "' OR 1=1 --", "(subject:\"' OR 1=1 --\")", "%", "_",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_no_search_finds_what_lies_elsewhere(world: World, query: str) -> None:
    def asked(side: Any) -> str:
        return query.format(
            a=world.own.inbox, b=side.inbox, word=side.words, customer=side.customer, conversation=side.conversation,
            number=side.number,
        )  # fmt: skip

    with world.watched(world.narrow) as attempt:
        for more in ({}, {"embed": "threads"}):
            there = attempt.get("/v2/conversations", query=asked(world.foreign), status="all", **more)
            nowhere = attempt.get("/v2/conversations", query=asked(world.nothing), status="all", **more)
            assert (there.status, there.reason) == (nowhere.status, nowhere.reason)
            if there.status != 200:
                assert there.status in (400, 403), there.everything
                continue
            found, none = there.json(), nowhere.json()
            assert {one["mailboxId"] for one in found["_embedded"]["conversations"]} <= {world.own.inbox}
            assert found["page"] == none["page"]
            assert len(found["_embedded"]["conversations"]) == min(found["page"]["totalElements"], 25)


def test_only_threads_that_may_be_read_can_be_searched(world: World) -> None:
    scope = everything_in(world.own.inbox)
    del scope["threads"]
    agent = world.standing("without threads", resources=scope)
    queries = [one for one in QUERIES if "{word[body]}" in one or one in ("*", "{word[first]}", "(attachments:true)")]
    with world.watched(agent) as attempt:
        for query in queries:
            given = query.format(word=world.own.words)
            answer = attempt.get("/v2/conversations", query=given, status="all")
            assert (answer.status, answer.json().get("missing")) == (403, {"resource": "threads", "level": "read"})
        assert attempt.get("/v2/conversations", embed="threads").status == 403
        assert attempt.get(f"/v2/conversations/{world.own.conversation}", embed="threads").status == 403
        for embed in ("THREADS", "threads,customers", "threads ", "customers"):
            assert attempt.get(f"/v2/conversations/{world.own.conversation}", embed=embed).status == 400
        shown = attempt.get(f"/v2/conversations/{world.own.conversation}")
        assert world.own.words["body"] not in shown.text and world.own.words["note"] not in shown.text


PIECES = (
    "(", ")", " ", '"', "'", ":", "subject:", "SUBJECT:", "body:", "tag:", "id:", "mailboxid:", "+", "-", "NOT ",
    "AND ", "OR ", "NOT", "AND", "OR", "TO", "[", "]", "{", "}", "*", "\\", "\u201c", "\u201d", "\u201e", "a", "secret",
    "5", "NOW", "2020-01-01", "[1 TO 2]", "{* TO 5}", '"a b"', "\t", "\n", "\u00a0", "\u2003", "\u017fubject:",
    "\u0131d:", "email:a@b", "x.y:", "//", "http://", ",", "!", "&", "|", "~", "^", ".", "\uff41", "subject :",
    "subject: ", "\u200b", "\ufeff", "number:[", 'tag:"', "attachments:true",
)  # fmt: skip


def test_what_the_gateway_takes_for_no_search_of_texts_the_desk_takes_for_none_too() -> None:
    random = Random(4)
    queries = ["".join(random.choices(PIECES, k=random.randint(1, 8))) for _ in range(20_000)]
    for query in (one for one in queries if not reads_texts(one)):
        try:
            found = list(fields(parse(query)))
        except SyntaxProblem:
            continue
        assert all((one.field or "").lower() in ANSWERED_BY_CONVERSATIONS for one in found), query


ANSWERED_BY_CONVERSATIONS = {
    "assigned", "createdat", "customerids", "email", "id", "mailbox", "mailboxid", "modifiedat", "number", "status",
    "subject", "tag",
}  # fmt: skip
