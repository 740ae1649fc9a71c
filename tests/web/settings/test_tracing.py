"""Changes of workflows, webhooks and mail servers stand in the audit log: a sentence each, no secret, a sound chain."""

from __future__ import annotations

import re

from lxml import html

from deskhand.desk.workflows import queries
from tests.agents import log_of
from tests.web.people import Person, signed_in
from tests.web.settings.test_channels import own_smtp
from tests.web.settings.test_webhooks import add
from tests.web.settings.test_workflows import FILLED
from tests.world import Desk, open_desk

NAME = "Ines Okafor"


def ines_of(desk: Desk) -> Person:
    return signed_in(desk, desk.add_user("Ines", role="admin"))


def traces(desk: Desk) -> list[str]:
    """What the log says that she did, the oldest first."""
    found = [one for one in log_of(desk, type="admin") if one.sentence.startswith(NAME)]
    assert all(one.actor is not None and one.actor["type"] == "user" for one in found)
    return [one.sentence.removeprefix(NAME).strip() for one in reversed(found)]


def sound(person: Person) -> bool:
    page = html.fromstring(person.send("/console/log/verify").text)
    return "Nothing was changed." in "".join(one.text_content() for one in page.cssselect(".message.good"))


def test_what_is_done_to_workflows_is_logged(desk: Desk) -> None:
    inbox, ines = desk.add_inbox(), ines_of(desk)
    given = {**FILLED, "inbox_id": str(inbox), "do": "save"}
    assert ines.send("/settings/workflows/new", **given).status_code == 200
    assert ines.send("/settings/workflows/new", **{**given, "name": "Late"}).status_code == 200
    ids = {
        one.name: one.id
        for one in desk.server.app.database.read_now(lambda db: queries.every(db, desk.account_id, inbox))
    }
    one = f"/settings/workflows/{ids['Refunds']}"
    assert ines.send(one, **given).status_code == 200
    assert ines.send(one, **{**given, "name": ""}).status_code == 400  # nothing was changed by that
    for status in ("inactive", "inactive", "active"):
        ines.send(f"{one}/switch", status=status)
    for by in ("up", "down"):  # the first one can't come earlier
        ines.send(f"{one}/shift", by=by)
    ines.send(f"{one}/delete")
    assert traces(desk) == [
        "made the workflow 'Refunds'", "made the workflow 'Late'", "changed the workflow 'Refunds'",
        "switched off the workflow 'Refunds'", "switched on the workflow 'Refunds'",
        "changed the turn of the workflow 'Refunds'", "deleted the workflow 'Refunds'",
    ]  # fmt: skip
    assert sound(ines)
    stranger = signed_in(open_desk(desk.server))
    for path in ("switch", "shift", "delete"):
        assert stranger.send(f"/settings/workflows/{ids['Late']}/{path}", status="inactive").status_code == 404


def test_what_is_done_to_webhooks_is_logged_without_secrets(desk: Desk) -> None:
    ines = ines_of(desk)
    id, secret = add(ines, "https://hooks.example/in?token=hushhush")
    path = f"/settings/webhooks/{id}"
    fields = {"events": ["convo.created"], "payload_version": "V3"}
    ines.send(f"{path}/change", url="https://hooks.example/in?token=hushhush", label="Ledger", **fields)
    ines.send(f"{path}/switch", state="disabled")
    renewed = html.fromstring(ines.send(f"{path}/secret").text).get_element_by_id("secret").text_content()
    ines.send(f"{path}/delete")
    assert traces(desk) == [
        "added the webhook 'hooks.example'", "changed the webhook 'Ledger'", "switched off the webhook 'Ledger'",
        "gave another secret to the webhook 'Ledger'", "deleted the webhook 'Ledger'",
    ]  # fmt: skip
    told = str([(one.sentence, one.particulars) for one in log_of(desk)])
    assert secret and not re.search(f"hushhush|{secret}|{renewed.strip()}", told)
    assert sound(ines)


def test_what_is_changed_about_mail_is_logged_without_passwords(desk: Desk) -> None:
    inbox, ines = desk.add_inbox("Support"), ines_of(desk)
    path = f"/settings/inboxes/{inbox}/mail"
    server = own_smtp(2525, smtp_password="hushhush")
    assert ines.send(path, **server).status_code == 200
    assert ines.send(path, **{**server, "undo_s": "nonsense"}).status_code == 400
    ines.send(path, **own_smtp(2525, smtp_password="", signature="Kind regards"))
    ines.send(path, **own_smtp(2525, smtp_password="", signature="Kind regards"))  # nothing is different
    assert traces(desk) == [
        "changed the mail of the inbox 'Support': the server that sends",
        "changed the mail of the inbox 'Support': the signature",
    ]
    assert "hushhush" not in str([(one.sentence, one.particulars) for one in log_of(desk)])
    assert sound(ines)


def test_a_trace_is_kept_with_its_change_or_not_at_all(desk: Desk) -> None:
    ines = ines_of(desk)
    before = traces(desk)
    answer = ines.send("/settings/webhooks/new", url="nonsense", events=["convo.created"], payload_version="V3")
    assert answer.status_code == 400 and traces(desk) == before == []
