"""Random calls against a model in memory: every list, filter, count, folder, search and report agrees with it."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests

from deskhand.desk.checking import counters, tags
from deskhand.lib.clock import from_wire, to_wire
from tests.live import LiveServer
from tests.proof.model import Model, Said, Talk
from tests.world import Desk, open_desk

DEEP = bool(os.environ.get("DESKHAND_TEST_DEEP"))
STEPS = 8_000 if DEEP else 1_000
LOOK_EVERY = 100
WORDS = ("lantern", "harbour", "violet", "copper", "thimble", "orchard", "gravel", "saffron")
TAGS = ("vip", "refund", "late", "bug")
STATUSES = ("active", "pending", "closed", "spam")
PAGE_MOST = 100  # threads that a conversation can have

Fits = Callable[[Talk], bool]


@dataclass
class Played:
    """The same story told twice: to a real desk and to the model."""

    desk: Desk
    rng: random.Random
    model: Model
    inboxes: tuple[int, int]
    users: tuple[int, ...]
    names: dict[int, str]
    customers: tuple[str, ...]
    began: str

    # -- Steps: each makes one call and tells the model what must have come of it

    def step(self) -> None:
        talks = list(self.model.talks.values())
        if not talks or self.rng.random() < 0.16:
            self.create()
            return
        steps = (
            (self.reply, 4), (self.note, 2), (self.customer_writes, 2), (self.set_tags, 3), (self.set_status, 3),
            (self.assign, 2), (self.move, 1), (self.rename, 1), (self.snooze, 2), (self.publish, 1), (self.delete, 1),
        )  # fmt: skip
        (chosen,) = self.rng.choices([step for step, _ in steps], [weight for _, weight in steps])
        chosen(self.rng.choice(talks))

    def create(self) -> None:
        subject, inbox, status = self.some(1, 3), self.rng.choice(self.inboxes), self.rng.choice(STATUSES[:3])
        customer, owner = self.rng.choice(self.customers), self.rng.choice((None, *self.users))
        marks = frozenset(self.rng.sample(TAGS, self.rng.randrange(3)))
        draft = self.rng.random() < 0.15
        said = [Said("reply", self.some(1, 4), draft=True)] if draft else [
            Said(self.rng.choice(("customer", "note", "reply")), self.some(1, 4))
            for _ in range(self.rng.randrange(1, 4))
        ]  # fmt: skip
        body = {
            "subject": " ".join(subject), "type": "email", "mailboxId": inbox, "status": status,
            "customer": {"email": customer}, "assignTo": owner, "tags": sorted(marks),
            "threads": [
                {"type": one.type, "text": " ".join(one.words), "customer": {"email": customer}, "draft": one.draft}
                for one in said
            ],
        }  # fmt: skip
        answer = self.done(self.desk.post("/v2/conversations", body), 201)
        id = int(answer.headers["Resource-ID"])
        number = self.desk.get(f"/v2/conversations/{id}").json()["number"]
        self.model.talks[id] = Talk(id, number, inbox, subject, customer, status, owner, marks, draft, said=said)

    def reply(self, talk: Talk) -> None:
        status, draft = self.rng.choice((None, *STATUSES[:3])), self.rng.random() < 0.2
        said = Said("reply", self.some(1, 4), draft=draft or talk.draft)
        body = {"text": " ".join(said.words), "customer": {"email": talk.customer}, "draft": said.draft}
        if not self.add(talk, "reply", body | ({"status": status} if status else {}), said) or said.draft:
            return
        talk.status = status or "active"

    def note(self, talk: Talk) -> None:
        said = Said("note", self.some(1, 4))
        self.add(talk, "notes", {"text": " ".join(said.words)}, said)

    def customer_writes(self, talk: Talk) -> None:
        said = Said("customer", self.some(1, 4))
        body = {"text": " ".join(said.words), "customer": {"email": talk.customer}}
        if self.add(talk, "customer", body, said):
            talk.status = "active"
            if talk.wakes_on_reply:
                talk.snoozed = talk.wakes_on_reply = False

    def add(self, talk: Talk, kind: str, body: Any, said: Said) -> bool:
        full = len(talk.said) >= PAGE_MOST
        self.done(self.desk.post(f"/v2/conversations/{talk.id}/{kind}", body), 412 if full else 201)
        if not full:
            talk.said.append(said)
        return not full

    def set_tags(self, talk: Talk) -> None:
        talk.tags = frozenset(self.rng.sample(TAGS, self.rng.randrange(4)))
        self.done(self.desk.put(f"/v2/conversations/{talk.id}/tags", {"tags": sorted(talk.tags)}))

    def set_status(self, talk: Talk) -> None:
        talk.status = self.rng.choice(STATUSES)
        self.patch(talk, "replace", "/status", talk.status)

    def assign(self, talk: Talk) -> None:
        talk.assignee = self.rng.choice((None, *self.users))
        if talk.assignee is None:
            self.patch(talk, "remove", "/assignTo", None)
        else:
            self.patch(talk, "replace", "/assignTo", talk.assignee)

    def move(self, talk: Talk) -> None:
        talk.inbox = self.rng.choice(self.inboxes)
        self.patch(talk, "move", "/mailboxId", talk.inbox)

    def rename(self, talk: Talk) -> None:
        talk.subject = self.some(1, 3)
        self.patch(talk, "replace", "/subject", " ".join(talk.subject))

    def snooze(self, talk: Talk) -> None:
        path = f"/v2/conversations/{talk.id}/snooze"
        if talk.snoozed and self.rng.random() < 0.5:
            self.done(self.desk.delete(path))
            talk.snoozed = talk.wakes_on_reply = False
            if talk.status != "spam":
                talk.status = "active"
            return
        talk.snoozed, talk.wakes_on_reply = True, self.rng.random() < 0.5
        body = {"snoozedUntil": "2099-01-01T00:00:00Z", "unsnoozeOnCustomerReply": talk.wakes_on_reply}
        self.done(self.desk.put(path, body))

    def publish(self, talk: Talk) -> None:
        if not talk.draft:
            return
        # A draft reply carries the status that the conversation is to have once it is out.
        before = self.desk.get(f"/v2/conversations/{talk.id}").json()["status"]
        assert before == talk.status
        self.patch(talk, "replace", "/draft", False)
        talk.draft = False
        for one in talk.said:
            one.draft = False
        shown = self.desk.get(f"/v2/conversations/{talk.id}").json()
        talk.status = shown["status"]
        talk.assignee = shown.get("assignee", {}).get("id")

    def delete(self, talk: Talk) -> None:
        self.done(self.desk.delete(f"/v2/conversations/{talk.id}"))
        del self.model.talks[talk.id]

    def patch(self, talk: Talk, op: str, path: str, value: Any) -> None:
        self.done(self.desk.patch(f"/v2/conversations/{talk.id}", {"op": op, "path": path, "value": value}))

    def done(self, answer: requests.Response, status: int = 204) -> requests.Response:
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer

    def some(self, least: int, most: int) -> tuple[str, ...]:
        return tuple(self.rng.choices(WORDS, k=self.rng.randrange(least, most + 1)))

    # -- Looks: each asks the desk something and compares

    def look(self) -> None:
        self.look_at_conversations()
        for _ in range(6):
            self.look_at_a_list()
        for _ in range(8):
            self.look_at_a_search()
        self.look_at_folders()
        self.look_at_tags()
        self.look_at_the_report()
        database = self.desk.server.app.database
        found = [*database.read_now(counters.check, "slow"), database.read_now(tags.check, "slow")]
        ours = f"of account {self.desk.account_id}:"  # tests of the check itself leave others in disorder
        assert [words for finding in found for words in finding.differences if ours in words] == []

    def look_at_conversations(self) -> None:
        for talk in self.rng.sample(list(self.model.talks.values()), min(5, len(self.model.talks))):
            shown = self.desk.get(f"/v2/conversations/{talk.id}", embed="threads").json()
            assert shown["subject"].split() == list(talk.subject)
            assert (shown["number"], shown["mailboxId"], shown["status"]) == (talk.number, talk.inbox, talk.status)
            assert shown["threads"] == talk.published
            assert shown.get("assignee", {}).get("id") == talk.assignee
            assert ("snooze" in shown, shown["state"] == "draft") == (talk.snoozed, talk.draft)
            assert {tag["tag"] for tag in shown["tags"]} == talk.tags
            texts = [one["body"].split() for one in reversed(shown["_embedded"]["threads"]) if "body" in one]
            assert sorted(texts) == sorted(list(one.words) for one in talk.said)

    def look_at_a_list(self) -> None:
        params: dict[str, Any] = {"status": self.rng.choice(("all", "open", *STATUSES))}
        fits: list[Fits] = []
        match params["status"]:
            case "open":
                fits.append(lambda talk: talk.status in ("active", "pending"))
            case status if status != "all":
                fits.append(lambda talk: talk.status == status)
        if self.rng.random() < 0.5:
            params["mailbox"] = inbox = self.rng.choice(self.inboxes)
            fits.append(lambda talk: talk.inbox == inbox)
        if self.rng.random() < 0.4:
            marks = set(self.rng.sample(TAGS, self.rng.randrange(1, 3)))
            params["tag"] = ",".join(marks)
            fits.append(lambda talk: bool(marks & talk.tags))
        if self.rng.random() < 0.4:
            params["assigned_to"] = owner = self.rng.choice(self.users)
            fits.append(lambda talk: talk.assignee == owner)
        if self.rng.random() < 0.1:
            params["number"] = number = self.rng.choice(list(self.model.talks.values())).number
            fits.append(lambda talk: talk.number == number)
        params["sortField"], params["sortOrder"] = self.rng.choice(("createdAt", "number")), "desc"
        expected = self.model.newest_first(lambda talk: all(one(talk) for one in fits))
        assert self.listed(**params) == expected, params

    def look_at_a_search(self) -> None:
        query, fits = self.some_query(2)
        assert self.listed(status="all", query=f"({query})") == self.model.newest_first(fits), query

    def some_query(self, depth: int) -> tuple[str, Fits]:
        draw = self.rng.random()
        if depth and draw < 0.45:
            (left, fits_left), (right, fits_right) = self.some_query(depth - 1), self.some_query(depth - 1)
            if draw < 0.15:
                return f"({left} OR {right})", lambda talk: fits_left(talk) or fits_right(talk)
            joined = f"({left} AND {right})" if draw < 0.3 else f"({left} {right})"
            return joined, lambda talk: fits_left(talk) and fits_right(talk)
        if depth and draw < 0.55:
            inner, fits_inner = self.some_query(depth - 1)
            return f"NOT {inner}", lambda talk: not fits_inner(talk)
        return self.some_term()

    def some_term(self) -> tuple[str, Fits]:
        word, mark = self.rng.choice(WORDS), self.rng.choice(TAGS)
        owner, email = self.rng.choice(self.users), self.rng.choice(self.customers)
        status, inbox = self.rng.choice(STATUSES), self.rng.choice(self.inboxes)
        number = self.rng.choice(list(self.model.talks.values())).number
        terms: tuple[tuple[str, Fits], ...] = (
            (word, lambda talk: word in talk.words),
            (f"{word[:4]}*", lambda talk: word in talk.words),
            (f"subject:{word}", lambda talk: word in talk.subject),
            (f'body: "{word}"', lambda talk: word in talk.body),
            (f'tag:"{mark}"', lambda talk: mark in talk.tags),
            (f"email:{email}", lambda talk: talk.customer == email),
            (f'assigned:"{self.names[owner]}"', lambda talk: talk.assignee == owner),
            ('assigned:"Unassigned"', lambda talk: talk.assignee is None),
            (f"status:{status}", lambda talk: talk.status == status),
            (f"mailboxid:{inbox}", lambda talk: talk.inbox == inbox),
            (f"number:{number}", lambda talk: talk.number == number),
            ("createdAt:[* TO NOW]", lambda talk: True),
        )
        return self.rng.choice(terms)

    def listed(self, **params: Any) -> list[int]:
        return [row["id"] for page in self.pages("/v2/conversations", "conversations", **params) for row in page]

    def pages(self, path: str, key: str, **params: Any) -> Iterator[list[Any]]:
        number, seen = 1, 0
        while True:
            content = self.done(self.desk.get(path, page=number, **params), 200).json()
            rows, page = content["_embedded"][key], content["page"]
            seen += len(rows)
            yield rows
            if number >= page["totalPages"]:
                assert seen == page["totalElements"]
                return
            number += 1

    def look_at_folders(self) -> None:
        for inbox in self.inboxes:
            shown = self.desk.get(f"/v2/mailboxes/{inbox}/folders").json()["_embedded"]["folders"]
            counted = {
                row["type"]: (row["totalCount"], row["activeCount"]) for row in shown
                if row["type"] != "mytickets" and row["totalCount"]
            }  # fmt: skip
            assert counted == self.model.folders(inbox)
            folder = self.rng.choice([row for row in shown if row["type"] not in ("mytickets", "needsattention")])
            expected = self.model.newest_first(lambda talk: talk.inbox == inbox and talk.folder == folder["type"])  # noqa: B023
            assert self.listed(status="all", folder=folder["id"]) == expected

    def look_at_tags(self) -> None:
        shown = {row["name"]: row["ticketCount"] for page in self.pages("/v2/tags", "tags") for row in page}
        assert {name: count for name, count in shown.items() if count} == dict(self.model.tags())

    def look_at_the_report(self) -> None:
        end = to_wire(from_wire(self.desk.now) + timedelta(days=1))
        report = self.done(self.desk.get("/v2/reports/conversations", start=self.began, end=end), 200).json()
        counted = [talk for talk in self.model.talks.values() if not talk.draft and talk.status != "spam"]
        assert report["current"]["newConversations"] == len(counted)
        assert report["current"]["customers"] == len({talk.customer for talk in counted})
        tops = {row["name"]: row["count"] for row in report["tags"]["top"]}
        marks = Counter(tag for talk in counted for tag in talk.tags or ("untagged",))
        assert tops == dict(marks)


@pytest.fixture(params=range(2 if DEEP else 1))
def played(server: LiveServer, request: pytest.FixtureRequest) -> Played:
    desk = open_desk(server, plan="plus")
    inboxes = desk.add_inbox("One"), desk.add_inbox("Two")
    names = {desk.add_user(first, "Okafor", inboxes=inboxes): f"{first} Okafor" for first in ("Ines", "Lea", "Tom")}
    seed = int(os.environ.get("DESKHAND_TEST_SEED", 20 + request.param))
    customers = tuple(f"{name}@buyer.example" for name in ("ada", "bo", "cy", "di", "ed", "flo", "gus"))
    began = to_wire(from_wire(desk.now) - timedelta(days=1))
    return Played(desk, random.Random(seed), Model(), inboxes, tuple(names), names, customers, began)


def test_the_desk_and_the_model_never_disagree(played: Played) -> None:
    for number in range(1, STEPS + 1):
        played.step()
        if number % LOOK_EVERY == 0 and played.model.talks:
            played.look()
