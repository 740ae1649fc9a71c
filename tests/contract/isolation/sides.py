"""An account, or an inbox of one, with one of everything in it, each called by a word that nobody else uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deskhand.desk.conversations.threads.rating import rate
from deskhand.desk.workflows.actions import Assign
from tests.world import Desk, unique

EVERYBODY = "everybody@writes.example"
IN_MANY_YEARS = {"scheduledFor": "2099-01-01T00:00:00Z", "unscheduleOnCustomerReply": True}


@dataclass(frozen=True)
class Side:
    """One account, or one inbox of it, with one of everything, as somebody sees it.

    What has no number of its own, such as a subject or an address, is called by `word`, which nobody else uses.
    """

    desk: Desk
    word: str
    inbox: int
    folder: int
    field: int
    option: int
    user: int
    team: int
    conversation: int
    number: int
    thread: int
    attachment: int
    customer: int
    tag: int
    entries: dict[str, int]
    system_user: int
    workflow: int
    saved_reply: int
    webhook: int
    rating: int

    organization: int

    @property
    def slug(self) -> str:
        """What a property of customers is called, and one of organizations."""
        return self.word

    @property
    def email(self) -> str:
        return f"{self.word}@buyer.example"


def furnish(desk: Desk, earlier: int = 0) -> Side:
    """An inbox in which everything has happened once, and `earlier` conversations before that."""
    word = unique("word")
    inbox = desk.add_inbox(f"Inbox {word}")
    user = desk.add_user(f"First{word}", "Okafor", inboxes=(inbox,))
    team = desk.add_team(f"Team {word}", members=(user,))
    field = desk.add_field(inbox, "Plan", "dropdown", ("Free", "Pro"))
    (shown,) = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"]
    option = shown["options"][1]["id"]
    for _ in range(earlier):
        created(desk, "/v2/conversations", plain(inbox))
    customer = {"email": f"{word}@buyer.example", "firstName": f"First{word}", "lastName": "Meyer"}
    conversation = created(
        desk, "/v2/conversations",
        plain(inbox) | {
            "subject": f"Subject {word}", "customer": customer, "assignTo": user, "tags": [word, "everybody"],
            "fields": [{"id": field, "value": str(option)}],
            "threads": [
                {
                    "type": "customer", "text": f"Body {word}", "customer": customer,
                    "attachments": [{"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}],
                },
                {"type": "reply", "text": "Here", "customer": customer, "user": user},
            ],
        },
    )  # fmt: skip
    whole = desk.get(f"/v2/conversations/{conversation}", embed="threads").json()
    # A draft that goes out in many years; it is there to be changed.
    reply = {"text": "x", "customer": {"id": whole["primaryCustomer"]["id"]}, "draft": True}
    draft = created(desk, f"/v2/conversations/{conversation}/reply", reply)
    assert desk.put(f"/v2/conversations/{conversation}/threads/{draft}/schedule", IN_MANY_YEARS).status_code == 204
    place = whole["_links"]["primaryCustomer"]["href"]
    known = [step("add", f"/{kind}", {"value": "x"}) for kind in ("phones", "chats", "social-profiles", "websites")]
    assert desk.patch(place, [*known, step("replace", "/address/city", "Leeds")]).status_code == 204
    organization = created(desk, "/v2/organizations", {"name": f"Organization {word}", "domain": f"{word}.example"})
    assert desk.patch(place, [step("replace", "/organizationId", organization)]).status_code == 204
    for path in ("/v2/customer-properties", "/v2/organizations/properties"):
        assert desk.post(path, {"type": "text", "slug": word, "name": word}).status_code == 201
    person = desk.get(place).json()
    return Side(
        desk=desk, word=word, inbox=inbox, folder=whole["folderId"], field=field, option=option, user=user, team=team,
        conversation=conversation, number=whole["number"], thread=draft,
        attachment=whole["_embedded"]["threads"][-1]["_embedded"]["attachments"][0]["id"], customer=person["id"],
        tag=next(tag["id"] for tag in whole["tags"] if tag["tag"] == word),
        entries={
            kind.replace("_", "-"): found[0]["id"]
            for kind, found in person["_embedded"].items() if kind not in ("properties", "address")
        },
        organization=organization, system_user=desk.add_system_user(f"System {word}"),
        workflow=desk.add_workflow(inbox, Assign(user), name=f"Workflow {word}"),
        saved_reply=created(desk, f"/v2/mailboxes/{inbox}/saved-replies", {"name": f"Reply {word}", "text": word}),
        webhook=created(desk, "/v2/webhooks", new_webhook(label=word)),
        rating=desk.write(lambda tx: rate(tx, desk.account_id, reply_in(whole), "great", word, desk.now)),
    )  # fmt: skip


def reply_in(conversation: dict[str, Any]) -> int:
    """The thread that can be rated."""
    return int(next(thread["id"] for thread in conversation["_embedded"]["threads"] if thread["type"] == "message"))


def plain(inbox: int) -> dict[str, Any]:
    """The body of a conversation such as every account has."""
    return {
        "subject": "Everybody asks", "type": "email", "mailboxId": inbox, "status": "active", "tags": ["everybody"],
        "customer": {"email": EVERYBODY},
        "threads": [{"type": "customer", "text": "Everybody", "customer": {"email": EVERYBODY}}],
    }  # fmt: skip


def created(desk: Desk, path: str, body: Any) -> int:
    """Make something, and give its id."""
    answer = desk.post(path, body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def step(op: str, path: str, value: Any) -> dict[str, Any]:
    """A step of JSON Patch."""
    return {"op": op, "path": path, "value": value}


def new_webhook(**changes: Any) -> dict[str, Any]:
    """A webhook for what never happens."""
    return {"url": "http://127.0.0.1:9/", "events": ["convo.merged"], "secret": "x"} | changes
