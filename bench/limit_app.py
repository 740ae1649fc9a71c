"""The limit: the same answers with next to nothing between the socket and the database, for the product to be held to.

Bare ASGI, SQL by hand on the raw driver in the event loop's own thread, msgspec. There is no sign-in, no rate limit, no
correlation id, no routing beyond three paths, and nothing is kept from one request to the next. Who asks is told by two
headers, `user` and `inboxes` (comma-separated ids; empty: all).

What is stored of a text, its preview and its search words, is made by the product's own pure functions.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import psycopg
from msgspec import UNSET, Raw, Struct, UnsetType, field

from deskhand.desk.search.tokens import stored
from deskhand.lib.text import plain, preview

ACCOUNT = 1
PAGE_SIZE = 25
MOST_THREADS = 100
STATUS_CODES = {"active": 1, "pending": 2, "closed": 3, "spam": 4}
BIGGEST_PART = 2**12 - 1
HEADERS = [(b"content-type", b"application/hal+json")]


class Link(Struct):
    href: str


class Person(Struct, rename="camel"):
    id: int
    type: str | UnsetType
    first: str | UnsetType
    last: str | UnsetType
    photo_url: str | UnsetType
    email: str | UnsetType


class Source(Struct):
    type: str
    via: str


class Waiting(Struct, rename="camel"):
    time: str
    friendly: str
    latest_reply_from: str


class Snooze(Struct, rename="camel"):
    snoozed_by: int
    snoozed_until: str
    unsnooze_on_customer_reply: bool


class NextEvent(Struct, rename="camel"):
    time: str
    event_type: str
    user_id: int
    cancel_on_customer_reply: bool


class ConversationLinks(Struct, rename="camel"):
    self: Link
    mailbox: Link
    primary_customer: Link
    created_by_customer: Link | UnsetType
    created_by_user: Link | UnsetType
    closed_by: Link | UnsetType
    threads: Link
    assignee: Link | UnsetType
    web: Link


class Threads(Struct):
    threads: Sequence[Thread]


class Conversation(Struct, rename="camel"):
    id: int
    number: int
    threads: int
    type: str
    folder_id: int
    status: str
    state: str
    subject: str | UnsetType
    preview: str | UnsetType
    mailbox_id: int
    assignee: Person | UnsetType
    created_by: Person
    created_at: str
    closed_by: int
    closed_by_user: Person | UnsetType
    closed_at: str | UnsetType
    user_updated_at: str
    customer_waiting_since: Waiting | UnsetType
    source: Source
    tags: Raw
    cc: Raw
    bcc: Raw
    primary_customer: Person
    snooze: Snooze | UnsetType
    next_event: NextEvent | UnsetType
    custom_fields: Raw
    embedded: Threads = field(name="_embedded")
    links: ConversationLinks = field(name="_links")


class Action(Struct, rename="camel"):
    type: str
    text: str | UnsetType
    associated_entities: Raw


class Rating(Struct, rename="camel"):
    customer_id: int
    rating: str
    comments: str


class Scheduled(Struct, rename="camel"):
    scheduled_by: int
    send_as_id: int | UnsetType
    created_at: str
    scheduled_for: str
    unschedule_on_customer_reply: bool


class AttachmentLinks(Struct):
    self: Link
    data: Link


class Attachment(Struct, rename="camel"):
    id: int
    filename: str
    mime_type: str
    width: int | UnsetType
    height: int | UnsetType
    size: int
    state: str
    links: AttachmentLinks = field(name="_links")


class Attachments(Struct):
    attachments: Sequence[Attachment]


class ThreadLinks(Struct, rename="camel"):
    assigned_to: Link | UnsetType
    created_by_customer: Link | UnsetType
    created_by_user: Link | UnsetType
    customer: Link | UnsetType


class Thread(Struct, rename="camel"):
    id: int
    type: str
    status: str
    state: str
    action: Action
    body: str | UnsetType
    source: Source
    customer: Person | UnsetType
    created_by: Person
    assigned_to: Person | UnsetType
    saved_reply_id: int
    to: Raw
    cc: Raw
    bcc: Raw
    created_at: str
    opened_at: str | UnsetType
    linked_conversation_id: str | UnsetType
    rating: Rating | UnsetType
    scheduled: Scheduled | UnsetType
    embedded: Attachments = field(name="_embedded")
    links: ThreadLinks = field(name="_links")


class Found(Struct):
    conversations: list[Conversation]


class PageLink(Struct):
    href: str
    templated: bool


class PageLinks(Struct):
    self: Link
    next: Link | UnsetType
    previous: Link | UnsetType
    first: Link
    last: Link
    page: PageLink


class PageNumbers(Struct, rename="camel"):
    size: int
    total_elements: int
    total_pages: int
    number: int


class Page(Struct):
    embedded: Found = field(name="_embedded")
    links: PageLinks = field(name="_links")
    page: PageNumbers


class ReplyCustomer(Struct):
    id: int


class Reply(Struct):
    text: str
    customer: ReplyCustomer
    status: str = "active"
    cc: list[str] = []
    bcc: list[str] = []


NO_THREADS = Threads(())
NO_ATTACHMENTS = Attachments(())

SHOWN = """
    c.id, c.number, c.threads, c.type, c.folder_id, c.status, c.state, c.subject, c.preview, c.inbox_id,
    c.created_by_type, c.created_by_id, c.created_at, c.closed_by, c.closed_at, c.user_updated_at, c.waiting_since,
    c.latest_reply_from, c.source_type, c.source_via, c.tags, c.cc, c.bcc, c.customer_id, c.custom_fields,
    c.snoozed_by, c.snoozed_until, c.unsnooze_on_reply, c.scheduled_for, c.scheduled_by, c.unschedule_on_reply,
    c.assignee_id, c.customer_email, customer.first_name, customer.last_name, customer.photo_url,
    assignee.type, assignee.first_name, assignee.last_name, assignee.email,
    closer.type, closer.first_name, closer.last_name, closer.photo_url, closer.email,
    creator.type, creator.email, creating.email"""
PEOPLE = """
    LEFT JOIN customer ON customer.id = c.customer_id
    LEFT JOIN staff AS assignee ON assignee.id = c.assignee_id
    LEFT JOIN staff AS closer ON closer.id = c.closed_by
    LEFT JOIN staff AS creator ON creator.id = c.created_by_id AND c.created_by_type <> 'customer'
    LEFT JOIN customer AS creating ON creating.id = c.created_by_id AND c.created_by_type = 'customer'"""
LIST = f"""
    SELECT {SHOWN} FROM conversation AS c {PEOPLE}
    WHERE c.account_id = ? AND c.merged_into IS NULL AND c.status = ?
    ORDER BY c.created_at DESC, c.id DESC LIMIT 25"""
LIST_OF_INBOX = LIST.replace("ORDER BY", "AND c.inbox_id = ? ORDER BY")
COUNT = "SELECT sum(n) FROM counter WHERE account_id = ? AND kind = 'status' AND key = ?"
COUNT_OF_INBOX = "SELECT n FROM counter WHERE account_id = ? AND kind = 'status' AND key = ? AND inbox_id = ?"
ONE = f"SELECT {SHOWN} FROM conversation AS c {PEOPLE} WHERE c.id = ? AND c.account_id = ? AND c.merged_into IS NULL"
THREADS = """
    SELECT
        t.id, t.type, t.status, t.state, t.action_type, t.action_text, t.associated, t.body, t.source_type,
        t.source_via, t.customer_id, t.created_by_type, t.created_by_id, t.assigned_to, t.saved_reply_id,
        t.recipients, t.cc, t.bcc, t.created_at, t.opened_at, t.linked_conversation_id, t.rating, t.rating_comments,
        t.scheduled_by, t.scheduled_at, t.scheduled_for, t.unschedule_on_reply, t.send_as_id, t.attachments,
        customer.first_name, customer.last_name, customer.photo_url, customer.email,
        author.type, author.first_name, author.last_name, author.photo_url, author.email,
        writer.first_name, writer.last_name, writer.photo_url, writer.email,
        owner.type, owner.first_name, owner.last_name, owner.email
    FROM thread AS t
    LEFT JOIN customer ON customer.id = t.customer_id
    LEFT JOIN staff AS author ON author.id = t.created_by_id AND t.created_by_type <> 'customer'
    LEFT JOIN customer AS writer ON writer.id = t.created_by_id AND t.created_by_type = 'customer'
    LEFT JOIN staff AS owner ON owner.id = t.assigned_to
    WHERE t.account_id = ? AND t.conversation_id = ?
    ORDER BY t.created_at DESC, t.id DESC"""
ATTACHMENTS = """
    SELECT id, thread_id, filename, mime_type, size, width, height, state FROM attachment
    WHERE account_id = ? AND conversation_id = ? ORDER BY id"""

HEAD = """
    SELECT c.inbox_id, c.status, c.assignee_id, c.folder_id, c.capped_threads, c.closed_at, c.closed_by,
        c.snoozed_until, c.state, c.cc, c.bcc, c.replies, inbox.email, customer.email, customer.id
    FROM conversation AS c JOIN inbox ON inbox.id = c.inbox_id
    LEFT JOIN customer ON customer.id = ? AND customer.account_id = c.account_id
    WHERE c.id = ? AND c.account_id = ? AND c.merged_into IS NULL"""
ADD_THREAD = """
    INSERT INTO thread (
        account_id, conversation_id, type, status, state, action_type, action_text, associated, body, source_type,
        source_via, customer_id, created_by_type, created_by_id, assigned_to, saved_reply_id, recipients, cc, bcc,
        created_at, on_publish, imported, attachments, waited_since, first_reply)
    VALUES (?, ?, 'message', ?, 'published', 'default', '', '{}', ?, 'api', 'user', ?, 'user', ?, ?, 0, ?, ?, ?, ?,
        '{}', 0, 0, (
            SELECT MIN(created_at) FROM thread AS before
            WHERE conversation_id = ? AND type = 'customer' AND state = 'published' AND created_at > COALESCE((
                SELECT MAX(created_at) FROM thread AS reply
                WHERE conversation_id = before.conversation_id AND type = 'message' AND state = 'published'
                    AND created_by_type = 'user'), '')
        ), ?)
    RETURNING id"""
CHANGE = """
    UPDATE conversation SET status = ?, closed_at = ?, closed_by = ?, folder_id = ?, preview = ?,
        threads = threads + 1, capped_threads = capped_threads + 1, cc = ?, bcc = ?, modified_at = ?,
        user_updated_at = ?, waiting_since = NULL, latest_reply_from = 'user', replies = replies + 1,
        first_reply_at = COALESCE(first_reply_at, ?)
    WHERE id = ?"""
ADD_SEARCH = """
    INSERT INTO conversation_search (id, account_id, text)
    SELECT max(id) + 1, ?, ? FROM conversation_search WHERE account_id = ? AND id BETWEEN ? AND ?
    HAVING max(id) < ?"""
ADD_EVENT = """
    INSERT INTO event (
        account_id, name, subject_id, inbox_id, thread_id, actor_type, actor_id, at, particulars, handled)
    VALUES (?, ?, ?, ?, ?, 'user', ?, ?, ?, 0)"""
ADD_MAIL = """
    INSERT INTO thread_mail (account_id, thread_id, conversation_id, direction, message_id, state, error, at)
    VALUES (?, ?, ?, 'out', ?, 'waiting', '', ?)"""
ADD_JOB = """
    INSERT INTO job (
        account_id, kind, target, payload, state, due_at, claim, attempts, last_error, created_at)
    VALUES (?, 'send_email', ?, ?, 'waiting', ?, 0, 0, '', ?)"""
COUNT_UP = """
    INSERT INTO counter (account_id, kind, key, inbox_id, n) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (account_id, kind, key, inbox_id) DO UPDATE SET n = counter.n + excluded.n"""


class Sqlite:
    """The file, read and written in the event loop."""

    begin = "BEGIN IMMEDIATE"

    def __init__(self, file: Path) -> None:
        self.connection = sqlite3.connect(file, isolation_level=None, cached_statements=512)
        self.connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA mmap_size = 268435456;"
            "PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY;"
        )
        self.execute = self.connection.execute
        self.executemany = self.connection.executemany


class Postgresql:
    """One connection, waited for in the event loop: what asyncio would add is not in the limit."""

    begin = "BEGIN"

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.cursor = self.connection.cursor(binary=True)
        self.texts: dict[str, str] = {}

    def execute(self, text: str, values: Sequence[Any] = ()) -> Any:
        return self.cursor.execute(self._text(text), values, prepare=True)

    def executemany(self, text: str, values: Sequence[Sequence[Any]]) -> None:
        self.cursor.executemany(self._text(text), values)

    def _text(self, text: str) -> str:
        known = self.texts.get(text)
        if known is None:
            locked = text + " FOR UPDATE OF c" if text == HEAD else text
            known = self.texts[text] = locked.replace("?", "%s")
        return known


class LimitApp:
    """Three operations, as an ASGI application."""

    def __init__(self, database_url: str, file: Path, base_url: str) -> None:
        self.db: Sqlite | Postgresql = Postgresql(database_url) if database_url else Sqlite(file)
        self.base = base_url
        self.encode = msgspec.json.Encoder().encode
        self.reply_of = msgspec.json.Decoder(Reply).decode

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        headers = dict(scope["headers"])
        inboxes = tuple(map(int, headers[b"inboxes"].split(b","))) if headers[b"inboxes"] else None
        query = dict(parse_qsl(scope["query_string"].decode()))
        if scope["method"] == "POST":
            body = b""
            while True:
                message = await receive()
                body += message["body"]
                if not message["more_body"]:
                    break
            status, answer, more = self.reply(int(path.split("/")[3]), body, int(headers[b"user"]), inboxes)
        elif path == "/v2/conversations":
            status, answer, more = self.page(query.get("status", "active"), int(query.get("page", 1)), inboxes)
        else:
            status, answer, more = self.one(int(path.split("/")[3]), "embed" in query, inboxes)
        more = [*more, (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": more})
        await send({"type": "http.response.body", "body": answer})

    def page(self, status: str, number: int, inboxes: tuple[int, ...] | None) -> Any:
        # An offset as a parameter would make PostgreSQL plan the list anew for each request.
        execute, start = self.db.execute, f" OFFSET {(number - 1) * PAGE_SIZE}" if number > 1 else ""
        if inboxes is None:
            rows = execute(LIST + start, (ACCOUNT, status)).fetchall()
            counted = execute(COUNT, (ACCOUNT, STATUS_CODES[status])).fetchall()
        else:
            [inbox] = inboxes
            rows = execute(LIST_OF_INBOX + start, (ACCOUNT, status, inbox)).fetchall()
            counted = execute(COUNT_OF_INBOX, (ACCOUNT, STATUS_CODES[status], inbox)).fetchall()
        total = int(counted[0][0]) if counted and counted[0][0] else 0
        now = datetime.now(UTC)
        found = [self.conversation(row, now, NO_THREADS) for row in rows]
        pages = -(-total // PAGE_SIZE)
        url = f"{self.base}/v2/conversations?status={status}"
        links = PageLinks(
            Link(f"{url}&page={number}"),
            Link(f"{url}&page={number + 1}") if number < pages else UNSET,
            Link(f"{url}&page={number - 1}") if number > 1 else UNSET,
            Link(f"{url}&page=1"),
            Link(f"{url}&page={max(pages, 1)}"),
            PageLink(f"{url}{{&page}}", True),
        )
        return 200, self.encode(Page(Found(found), links, PageNumbers(PAGE_SIZE, total, pages, number))), HEADERS

    def one(self, id: int, embed: bool, inboxes: tuple[int, ...] | None) -> Any:
        rows = self.db.execute(ONE, (id, ACCOUNT)).fetchall()
        if not rows:
            return 404, b"", ()
        if inboxes is not None and rows[0][9] not in inboxes:
            return 403, b"", ()
        threads = Threads(self.threads(id)) if embed else NO_THREADS
        return 200, self.encode(self.conversation(rows[0], datetime.now(UTC), threads)), HEADERS

    def conversation(self, row: Any, now: datetime, threads: Threads) -> Conversation:
        (
            id, number, count, type, folder_id, status, state, subject, preview, inbox_id,
            by_type, by_id, created_at, closed_by, closed_at, user_updated_at, waiting_since,
            latest_reply_from, source_type, source_via, tags, cc, bcc, customer_id, custom_fields,
            snoozed_by, snoozed_until, unsnooze, scheduled_for, scheduled_by, unschedule,
            assignee_id, customer_email, customer_first, customer_last, customer_photo,
            assignee_type, assignee_first, assignee_last, assignee_email,
            closer_type, closer_first, closer_last, closer_photo, closer_email,
            creator_type, creator_email, creating_email,
        ) = row  # fmt: skip
        base = self.base
        here = f"{base}/v2/conversations/{id}"
        by_customer = by_type == "customer"
        waiting: Waiting | UnsetType = UNSET
        if waiting_since is not None:
            waiting = Waiting(waiting_since, friendly(waiting_since, now), latest_reply_from or "customer")
        snooze: Snooze | UnsetType = UNSET
        next_event: NextEvent | UnsetType = UNSET
        if snoozed_until is not None:
            snooze = Snooze(snoozed_by or 0, snoozed_until, bool(unsnooze))
            next_event = NextEvent(snoozed_until, "snooze", snoozed_by or 0, bool(unsnooze))
        if scheduled_for is not None and (snoozed_until is None or scheduled_for <= snoozed_until):
            next_event = NextEvent(scheduled_for, "scheduled", scheduled_by or 0, bool(unschedule))
        assignee: Person | UnsetType = UNSET
        closer: Person | UnsetType = UNSET
        assignee_link: Link | UnsetType = UNSET
        customer_link: Link | UnsetType = UNSET
        user_link: Link | UnsetType = UNSET
        if assignee_id is not None:
            assignee_link = Link(f"{base}/v2/{'teams' if assignee_type == 'team' else 'users'}/{assignee_id}")
            if assignee_type is not None:
                assignee = Person(
                    assignee_id, user_type(assignee_type), assignee_first or UNSET, assignee_last or UNSET, UNSET,
                    assignee_email or UNSET,
                )  # fmt: skip
        if closed_by and closer_type is not None:
            closer = Person(
                closed_by, user_type(closer_type), closer_first or UNSET, closer_last or UNSET, closer_photo or UNSET,
                closer_email or UNSET,
            )  # fmt: skip
        if by_customer:
            creator = Person(by_id, "customer", UNSET, UNSET, UNSET, creating_email or UNSET)
            customer_link = Link(f"{base}/v2/customers/{by_id}")
        else:
            creator = Person(by_id, user_type(creator_type), UNSET, UNSET, UNSET, creator_email or UNSET)
            user_link = Link(f"{base}/v2/users/{by_id}")
        return Conversation(
            id, number, count, type, folder_id, status, state, subject or UNSET, preview or UNSET, inbox_id,
            assignee, creator, created_at, closed_by or 0, closer, closed_at or UNSET, user_updated_at, waiting,
            Source(source_type, source_via), Raw(tags), Raw(cc), Raw(bcc),
            Person(
                customer_id, "customer", customer_first or UNSET, customer_last or UNSET, customer_photo or UNSET,
                customer_email or UNSET,
            ),
            snooze, next_event, Raw(custom_fields), threads,
            ConversationLinks(
                Link(here),
                Link(f"{base}/v2/mailboxes/{inbox_id}"),
                Link(f"{base}/v2/customers/{customer_id}"),
                customer_link,
                user_link,
                Link(f"{base}/v2/users/{closed_by}") if closed_by else UNSET,
                Link(f"{here}/threads"),
                assignee_link,
                Link(f"{base}/conversation/{id}/{number}"),
            ),
        )  # fmt: skip

    def threads(self, id: int) -> list[Thread]:
        rows = self.db.execute(THREADS, (ACCOUNT, id)).fetchall()
        files: dict[int, list[Attachment]] = defaultdict(list)
        if any(row[28] for row in rows):
            for file_id, thread_id, *rest in self.db.execute(ATTACHMENTS, (ACCOUNT, id)).fetchall():
                files[thread_id].append(self.attachment(id, file_id, *rest))
        return [self.thread(row, files) for row in rows]

    def thread(self, row: Any, files: dict[int, list[Attachment]]) -> Thread:
        (
            id, type, status, state, action_type, action_text, associated, body, source_type,
            source_via, customer_id, by_type, by_id, assigned_to, saved_reply_id,
            recipients, cc, bcc, created_at, opened_at, linked, rating, comments,
            scheduled_by, scheduled_at, scheduled_for, unschedule, send_as, attachments,
            customer_first, customer_last, customer_photo, customer_email,
            author_type, author_first, author_last, author_photo, author_email,
            writer_first, writer_last, writer_photo, writer_email,
            owner_type, owner_first, owner_last, owner_email,
        ) = row  # fmt: skip
        base = self.base
        customer: Person | UnsetType = UNSET
        owner: Person | UnsetType = UNSET
        customer_link: Link | UnsetType = UNSET
        owner_link: Link | UnsetType = UNSET
        by_customer: Link | UnsetType = UNSET
        by_user: Link | UnsetType = UNSET
        if customer_id is not None:
            customer_link = Link(f"{base}/v2/customers/{customer_id}")
            customer = Person(
                customer_id, UNSET, customer_first or UNSET, customer_last or UNSET, customer_photo or UNSET,
                customer_email or UNSET,
            )  # fmt: skip
        if by_type == "customer":
            by_customer = Link(f"{base}/v2/customers/{by_id}")
            author = Person(
                by_id, "customer", writer_first or UNSET, writer_last or UNSET, writer_photo or UNSET,
                writer_email or UNSET,
            )  # fmt: skip
        else:
            by_user = Link(f"{base}/v2/users/{by_id}")
            author = Person(
                by_id, user_type(author_type), author_first or UNSET, author_last or UNSET, author_photo or UNSET,
                author_email or UNSET,
            )  # fmt: skip
        if assigned_to is not None:
            owner_link = Link(f"{base}/v2/{'teams' if owner_type == 'team' else 'users'}/{assigned_to}")
            if owner_type is not None:
                owner = Person(
                    assigned_to, user_type(owner_type), owner_first or UNSET, owner_last or UNSET, UNSET,
                    owner_email or UNSET,
                )  # fmt: skip
        scheduled: Scheduled | UnsetType = UNSET
        if scheduled_for is not None:
            at = scheduled_at or created_at
            scheduled = Scheduled(scheduled_by or 0, send_as or UNSET, at, scheduled_for, bool(unschedule))
        return Thread(
            id, type, status, state, Action(action_type, action_text or UNSET, Raw(associated)),
            UNSET if type == "lineitem" or body is None else body, Source(source_type, source_via), customer, author,
            owner, saved_reply_id, Raw(recipients), Raw(cc), Raw(bcc), created_at, opened_at or UNSET,
            str(linked) if linked else UNSET,
            UNSET if rating is None else Rating(customer_id or 0, rating, comments or ""), scheduled,
            Attachments(files[id]) if attachments else NO_ATTACHMENTS,
            ThreadLinks(owner_link, by_customer, by_user, customer_link),
        )  # fmt: skip

    def attachment(self, conversation: int, id: int, name: str, kind: str, size: int, *rest: Any) -> Attachment:
        width, height, state = rest
        here = f"{self.base}/v2/conversations/{conversation}/attachments/{id}"
        links = AttachmentLinks(Link(here), Link(f"{here}/data"))
        return Attachment(id, name, kind, width or UNSET, height or UNSET, size, state, links)

    def reply(self, id: int, body: bytes, user: int, inboxes: tuple[int, ...] | None) -> Any:
        reply = self.reply_of(body)
        self.db.execute(self.db.begin)
        try:
            status, thread_id = self.written(id, reply, user, inboxes)
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT" if thread_id else "ROLLBACK")
        if not thread_id:
            return status, b"", ()
        where = f"{self.base}/v2/conversations/{id}/threads/{thread_id}"
        return status, b"", ((b"resource-id", str(thread_id).encode()), (b"location", where.encode()))

    def written(self, id: int, reply: Reply, user: int, inboxes: tuple[int, ...] | None) -> tuple[int, int]:
        execute = self.db.execute
        found = execute(HEAD, (reply.customer.id, id, ACCOUNT)).fetchall()
        if not found:
            return 404, 0
        inbox, before, assignee, folder, capped, closed_at, closed_by, snoozed, state, cc, bcc, *more = found[0]
        replies, address, email, known = more
        if inboxes is not None and inbox not in inboxes:
            return 403, 0
        if capped >= MOST_THREADS:
            return 412, 0
        if known is None:
            return 400, 0
        moment = int(time.time())
        now, status = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), reply.status
        reply_cc, reply_bcc = self.encode(reply.cc).decode(), self.encode(reply.bcc).decode()
        [(thread_id,)] = execute(
            ADD_THREAD,
            (
                ACCOUNT, id, "nochange" if status == before else status, reply.text, reply.customer.id, user, assignee,
                self.encode([email] if email else []).decode(), reply_cc, reply_bcc, now,
                id, int(not replies),
            ),
        ).fetchall()  # fmt: skip
        if words := stored(plain(reply.text)):
            first, last = id << 12, id << 12 | BIGGEST_PART
            execute(ADD_SEARCH, (ACCOUNT, words, ACCOUNT, first, last, last))
        if status != before:
            closed_at, closed_by = (now, user) if status == "closed" else (None, None)
        home = folder_of(inbox, state, status, assignee, snoozed)
        execute(
            CHANGE,
            (
                status, closed_at, closed_by, home, preview(reply.text), reply_cc if reply.cc else cc,
                reply_bcc if reply.bcc else bcc, now, now, now, id,
            ),
        )  # fmt: skip
        event = (ACCOUNT, "convo.agent.reply.created", id, inbox, thread_id, user, now, '{"imported":false}')
        execute(ADD_EVENT, event)
        if status != before:
            particulars = self.encode({"before": before, "after": status}).decode()
            execute(ADD_EVENT, (ACCOUNT, "convo.status", id, inbox, None, user, now, particulars))
            self.count(inbox, assignee, (before, folder), (status, home))
        message_id = f"<{secrets.token_urlsafe(24)}.{thread_id}@{address.rpartition('@')[2]}>"
        execute(ADD_MAIL, (ACCOUNT, thread_id, id, message_id, now))
        handover = self.encode({"thread_id": thread_id, "inbox_id": inbox, "only": [], "known": ""}).decode()
        execute(ADD_JOB, (ACCOUNT, f"mail:{inbox}", handover, moment * 1000, now))
        return 201, thread_id

    def count(self, inbox: int, owner: int | None, before: tuple[str, int], after: tuple[str, int]) -> None:
        counts: Counter[tuple[str, int]] = Counter()
        for (status, folder), by in ((before, -1), (after, 1)):
            active, assigned = status == "active", folder % 10 == 5
            counts["status", STATUS_CODES[status]] += by
            counts["folder", folder] += by
            if active:
                counts["folder_active", folder] += by
            if owner is not None and assigned:
                counts["owner", owner] += by
                if active:
                    counts["owner_active", owner] += by
        changed = [(ACCOUNT, kind, key, inbox, by) for (kind, key), by in sorted(counts.items()) if by]
        self.db.executemany(COUNT_UP, changed)


def user_type(kind: str | None) -> str:
    return kind if kind and kind != "system_user" else "user"


def folder_of(inbox: int, state: str, status: str, assignee: int | None, snoozed: str | None) -> int:
    if state == "draft":
        return inbox * 10 + 4
    if status == "spam":
        return inbox * 10 + 7
    if status == "closed":
        return inbox * 10 + 6
    if snoozed is not None:
        return inbox * 10 + 8
    return inbox * 10 + (5 if assignee is not None else 1)


def friendly(since: str, now: datetime) -> str:
    seconds = int((now - datetime.fromisoformat(since)).total_seconds())
    for length, unit in UNITS:
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


UNITS = ((365 * 86400, "year"), (30 * 86400, "month"), (86400, "day"), (3600, "hour"), (60, "minute"))
