"""Grants: what may be written down, its one long form, versions of it, and how it is told in words."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from deskhand.catalogue.operation import Resource
from deskhand.catalogue.operations import BY_NAME
from deskhand.catalogue.problems import NotFound, Problem
from deskhand.db.statements import P, command
from deskhand.gateway import grants, tables
from deskhand.gateway.audit import By
from deskhand.gateway.grant_words import diff, in_words
from deskhand.gateway.grants import as_json, read_grants
from deskhand.gateway.limits import Hours, Limits
from deskhand.gateway.policy import OWN, WITHOUT_INBOXES, Granted, Grants, Rule
from deskhand.gateway.presets import preset
from tests.gateway.builders import add_agent
from tests.world import Desk, open_desk

ADA = By("user", 2)
NAMES = {501: "Orders", 502: "Products"}


# -- Reading


def test_grants_are_read_as_interfaces_show_them() -> None:
    raw = {
        "resources": {
            "conversations": {"level": "read", "inboxes": [501]}, "threads": {"level": "write", "inboxes": "all"},
            "tags": {"level": "read"}, "saved_replies": {"level": "off"},
        },
        "actions": {
            "reply_to_conversation": "draft", "set_conversation_tags": "hold", "delete_conversation": "off",
            "add_note": {"setting": "allow", "limits": {"max_text": 500}},
        },
        "limits": {
            "statuses": ["active", "open", "closed"], "assign_to": [7, 7], "tags": ["VIP ", "Straße"],
            "recipient_domains": ["Buyer.Example", "@shop.example"], "max_text": 2000,
            "patch_paths": ["/status", "assignTo", "/emails/"], "speak_for_others": False,
            "hours": {"from": "08:00", "to": "18:00", "zone": "Europe/Berlin", "days": [1, 2, 3, 4, 5]},
        },
        "expires_at": "2027-01-01T00:00:00Z",
    }  # fmt: skip
    assert read_grants(raw) == Grants(
        0,
        {
            Resource.CONVERSATIONS: Granted(1, frozenset((501,))), Resource.THREADS: Granted(2),
            Resource.TAGS: Granted(1), Resource.SAVED_REPLIES: Granted(0),
        },
        {
            "reply_to_conversation": Rule("draft"), "set_conversation_tags": Rule("hold"),
            "delete_conversation": Rule("off"), "add_note": Rule("allow", Limits(max_text=500)),
        },
        Limits(
            statuses=frozenset(("active", "closed")), assign_to=frozenset((7,)), tags=frozenset(("vip", "strasse")),
            recipient_domains=frozenset(("buyer.example", "shop.example")), max_text=2000,
            patch_paths=frozenset(("/status", "/assignTo", "/emails")), speak_for_others=False,
            hours=Hours(480, 1080, "Europe/Berlin", frozenset((1, 2, 3, 4, 5))),
        ),
        "2027-01-01T00:00:00Z",
    )  # fmt: skip


def test_nothing_written_down_is_nothing_granted() -> None:
    empty: list[dict[str, Any] | bytes] = [{}, b"{}", {"resources": {}, "actions": {}, "limits": None}]
    assert [read_grants(raw) for raw in empty] == [Grants()] * 3


def resource(name: str = "conversations", **granted: Any) -> dict[str, Any]:
    return {"resources": {name: {"level": "read"} | granted}}


def action(name: str, chosen: Any) -> dict[str, Any]:
    return {"resources": {OWN[name].key: {"level": "read"}} if name in OWN else {}, "actions": {name: chosen}}


def limited(**limits: Any) -> dict[str, Any]:
    return {"limits": limits}


def hours(**given: Any) -> dict[str, Any]:
    return limited(hours={"from": "08:00", "to": "18:00", "zone": "UTC"} | given)


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ({"resourses": {}}, "resourses", "no such field; did you mean resources?"),
        ({"resources": []}, "resources", "must be an object"),
        ({"resources": {"conversation": {"level": "read"}}}, "resources.conversation", "did you mean conversations?"),
        ({"resources": {"saved replies": {"level": "read"}}}, "resources.saved replies", "did you mean saved_replies?"),
        ({"resources": {"attachments": {"level": "read"}}}, "resources.attachments", "are granted with threads"),
        ({"resources": {"CONVERSATIONS": {"level": "read"}}}, "resources.CONVERSATIONS", "no such resource"),
        ({"resources": {"threads": "read"}}, "resources.threads", "must be an object"),
        ({"resources": {"threads": {}}}, "resources.threads.level", "may not be empty"),
        (resource(level="admin"), "resources.conversations.level", "off, read, write, full"),
        (resource(level="writes"), "resources.conversations.level", "did you mean write?"),
        (resource(level=1), "resources.conversations.level", "Expected one of these"),
        (resource(inbox=[501]), "resources.conversations.inbox", "did you mean inboxes?"),
        (resource(inboxes=[]), "resources.conversations.inboxes", "may not be empty"),
        (resource(inboxes=None), "resources.conversations.inboxes", 'must be "all" or a list'),
        (resource(inboxes="every"), "resources.conversations.inboxes", 'must be "all" or a list'),
        (resource(inboxes=501), "resources.conversations.inboxes", 'must be "all" or a list'),
        (resource(inboxes=["501"]), "resources.conversations.inboxes[0]", "whole number"),
        (resource(inboxes=[501, True]), "resources.conversations.inboxes[1]", "whole number"),
        (resource(inboxes=[0]), "resources.conversations.inboxes[0]", "whole number"),
        (resource(inboxes=[2**63]), "resources.conversations.inboxes[0]", "whole number"),
        (resource(inboxes=[501.0]), "resources.conversations.inboxes[0]", "whole number"),
        (resource(inboxes=[501, 504]), "resources.conversations.inboxes[1]", "no such inbox"),
        (resource(inboxes=[*range(1, 1002)]), "resources.conversations.inboxes", "at most 1000"),
        (action("reply_to_conversaton", "hold"), "actions.reply_to_conversaton", "did you mean reply_to_conversation?"),
        (action("get_conversation_v3", "off"), "actions.get_conversation_v3", "both versions of it go by get_conv"),
        (action("add_note", "draft"), "actions.add_note", "only reply_to_conversation can be set to draft"),
        (action("add_note", "allowed"), "actions.add_note", "did you mean allow?"),
        (action("add_note", None), "actions.add_note", "may not be empty"),
        (action("add_note", {"limits": {}}), "actions.add_note.setting", "may not be empty"),
        (action("add_note", {"setting": "no"}), "actions.add_note.setting", "off, allow, draft, hold"),
        (action("add_note", {"setting": "allow", "limit": {}}), "actions.add_note.limit", "did you mean limits?"),
        (
            action("add_note", {"setting": "allow", "limits": {"max_text": 0}}),
            "actions.add_note.limits.max_text", "from 1",
        ),
        ({"actions": {"add_note": "allow"}}, "actions.add_note", "without threads among the resources"),
        ({"actions": {"add_attachment": "hold"}}, "actions.add_attachment", "without threads among the resources"),
        (limited(status=["active"]), "limits.status", "did you mean statuses?"),
        (limited(statuses=["actve"]), "limits.statuses[0]", "did you mean active?"),
        (limited(statuses=[]), "limits.statuses", "must be a list that names something"),
        (limited(statuses="active"), "limits.statuses", "must be a list"),
        (limited(assign_to=["7"]), "limits.assign_to[0]", "whole number"),
        (limited(tags=["vip", " "]), "limits.tags[1]", "1 to 255 characters"),
        (limited(tags=["x" * 256]), "limits.tags[0]", "1 to 255 characters"),
        (limited(recipient_domains=["a@buyer.example"]), "limits.recipient_domains[0]", "must be a domain"),
        (limited(max_text="5"), "limits.max_text", "whole number"),
        (limited(max_text=True), "limits.max_text", "whole number"),
        (limited(patch_paths=["/"]), "limits.patch_paths[0]", "must be a path"),
        (limited(speak_for_others="no"), "limits.speak_for_others", "true or false"),
        (limited(hours="9-5"), "limits.hours", "must be an object"),
        (hours(to="18:60"), "limits.hours.to", "must be a time of day"),
        (hours(to="25:00"), "limits.hours.to", "must be a time of day"),
        (hours(to="٠٨:٠٠"), "limits.hours.to", "must be a time of day"),
        (hours(to="08:00"), "limits.hours.to", "must differ"),
        (hours(zone="Europe/Atlantis"), "limits.hours.zone", "no such time zone"),
        (hours(zone="../../etc/passwd"), "limits.hours.zone", "no such time zone"),
        (hours(zone=None), "limits.hours.zone", "must be a text"),
        (hours(days=[0]), "limits.hours.days[0]", "from 1 to 7"),
        (hours(days=[]), "limits.hours.days", "names something"),
        (hours(day=[1]), "limits.hours.day", "did you mean days?"),
        ({"expires_at": "tomorrow"}, "expires_at", "not of the form"),
        ({"expires_at": "2027-01-01T00:00:00+01:00"}, "expires_at", "not of the form"),
        ({"expires_at": 5}, "expires_at", "must be a text"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_path(raw: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(Problem) as caught:
        read_grants(raw, (501, 502))
    assert caught.value.status == 400
    [error] = caught.value.errors
    assert error.path == path
    assert words in error.message


@pytest.mark.parametrize("one", [one for one in Resource if one in WITHOUT_INBOXES])
def test_what_belongs_to_no_inbox_is_granted_whole(one: Resource) -> None:
    with pytest.raises(Problem) as caught:
        read_grants(resource(one.key, inboxes=[501]))
    assert caught.value.errors[0].path == f"resources.{one.key}.inboxes"
    assert read_grants(resource(one.key, inboxes="all")).resources == {one: Granted(1)}


def test_an_action_may_be_off_without_its_resource() -> None:
    assert read_grants({"actions": {"add_note": "off"}}).actions == {"add_note": Rule("off")}


def test_every_operation_can_be_set_by_its_name() -> None:
    for name in BY_NAME:
        if not name.endswith("_v3"):
            assert read_grants(action(name, "hold")).actions == {name: Rule("hold")}


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[", b"\xff{}", b"\xef\xbb\xbf{}", b'{"resources":{},"resources":{}}', b'{"limits":{"max_text":NaN}}',
        b'{"limits":{"tags":["\\ud800"]}}', b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"limits":{"max_text":' + b"9" * 5_000 + b"}}",
    ],
)  # fmt: skip
def test_bytes_that_are_not_clean_are_refused(raw: bytes) -> None:
    with pytest.raises(Problem) as caught:
        read_grants(raw)
    assert caught.value.status == 400


def test_there_is_an_end_to_what_can_be_written_down() -> None:
    many = {"tags": [f"{number}{'x' * 240}" for number in range(1000)]}
    raw = action("add_note", {"setting": "allow", "limits": many}) | {"limits": many}
    for form in (raw, json.dumps(raw).encode(), b'{"x":' + b" " * 300_000 + b"1}"):
        with pytest.raises(Problem) as caught:
            read_grants(form)
        assert caught.value.status == 413


keys = st.text(max_size=8) | st.sampled_from(["resources", "actions", "limits", "hours", "level", "inboxes", "threads"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(keys, anything, max_size=3))
def test_nothing_written_down_breaks_the_reader(raw: dict[str, Any]) -> None:
    try:
        read_grants(raw)
    except Problem as problem:
        assert problem.status in (400, 413)


# -- The long form


def test_the_long_form_says_what_was_left_out() -> None:
    raw = {
        "resources": {"threads": {"level": "write"}, "conversations": {"level": "read", "inboxes": [502, 501, 502]}},
        "actions": {
            "set_conversation_tags": {"setting": "hold"}, "add_note": {"setting": "allow", "limits": {"max_text": 5}},
        },
        "limits": {"hours": {"from": "22:00", "to": "24:00", "zone": "UTC"}, "statuses": ["open"]},
    }  # fmt: skip
    long = as_json(read_grants(raw))
    assert long == {
        "resources": {
            "conversations": {"level": "read", "inboxes": [501, 502]}, "threads": {"level": "write", "inboxes": "all"},
        },
        "actions": {"add_note": {"setting": "allow", "limits": {"max_text": 5}}, "set_conversation_tags": "hold"},
        "limits": {
            "statuses": ["active"],
            "hours": {"from": "22:00", "to": "24:00", "zone": "UTC", "days": [1, 2, 3, 4, 5, 6, 7]},
        },
        "expires_at": None,
    }  # fmt: skip
    assert list(long["resources"]) == ["conversations", "threads"]
    assert as_json(Grants()) == {"resources": {}, "actions": {}, "limits": {}, "expires_at": None}


limits_given = st.fixed_dictionaries(
    {},
    optional={
        "statuses": st.lists(st.sampled_from(["active", "closed", "spam"]), min_size=1),
        "assign_to": st.lists(st.integers(1, 2**63 - 1), min_size=1),
        "tags": st.lists(st.text("abcßÉ 🚀", min_size=1).filter(str.strip), min_size=1, max_size=3),
        "max_text": st.integers(1, 10_000),
        "speak_for_others": st.booleans(),
    },
)
settings_given = st.sampled_from(["off", "allow", "hold"]) | st.fixed_dictionaries(
    {"setting": st.sampled_from(["off", "allow", "hold"])}, optional={"limits": limits_given}
)
given_grants = st.fixed_dictionaries(
    {
        "resources": st.fixed_dictionaries(
            {
                name: st.fixed_dictionaries(
                    {"level": st.sampled_from(["off", "read", "write", "full"])},
                    optional={"inboxes": st.just("all") | st.lists(st.integers(1, 9), min_size=1)},
                )
                for name in ("conversations", "threads")
            }
        )
    },
    optional={
        "actions": st.dictionaries(st.sampled_from(["add_note", "delete_conversation", "list_tags"]), settings_given),
        "limits": limits_given,
        "expires_at": st.none() | st.just("2027-01-01T00:00:00Z"),
    },
)


@given(given_grants)
def test_the_long_form_reads_back_as_the_same(raw: dict[str, Any]) -> None:
    if "list_tags" in raw.get("actions", {}):
        raw["resources"]["tags"] = {"level": "read"}
    first = read_grants(raw)
    long = as_json(first)
    assert read_grants(json.dumps(long).encode()) == first
    assert as_json(read_grants(long | {"version": 7})) == long


# -- Versions


def put(desk: Desk, agent_id: int, raw: dict[str, Any]) -> int:
    held = read_grants(raw)
    return desk.write(lambda tx: grants.put(tx, desk.account_id, agent_id, held, ADA, desk.server.clock.now()))


READING, WRITING = resource(), resource(level="write")


def test_an_agent_holds_what_was_granted_last(desk: Desk) -> None:
    agent = add_agent(desk)
    database = desk.server.app.database
    assert database.read_now(lambda db: grants.current(db, desk.account_id, agent.id)) == Grants()
    assert [put(desk, agent.id, raw) for raw in (READING, WRITING, READING)] == [1, 2, 3]
    held = database.read_now(lambda db: grants.current(db, desk.account_id, agent.id))
    assert held == msgspec.structs.replace(read_grants(READING), version=3)
    versions = database.read_now(lambda db: grants.history(db, desk.account_id, agent.id))
    assert [(one.version, as_json(one.grants)) for one in versions] == [
        (3, as_json(read_grants(READING))), (2, as_json(read_grants(WRITING))), (1, as_json(read_grants(READING))),
    ]  # fmt: skip
    assert versions[0].made_by == ADA
    assert versions[0].made_at <= desk.now
    few = database.read_now(lambda db: grants.history(db, desk.account_id, agent.id, most=1))
    assert [one.version for one in few] == [3]


def test_an_old_version_comes_back_as_a_new_one(desk: Desk) -> None:
    agent, now = add_agent(desk), desk.server.clock.now()
    put(desk, agent.id, READING)
    put(desk, agent.id, WRITING)
    assert desk.write(lambda tx: grants.revert(tx, desk.account_id, agent.id, 1, ADA, now)) == 3
    read = desk.server.app.database.read_now
    assert read(lambda db: grants.current(db, desk.account_id, agent.id)).version == 3
    first = read(lambda db: grants.at_version(db, desk.account_id, agent.id, 1))
    third = read(lambda db: grants.at_version(db, desk.account_id, agent.id, 3))
    assert first is not None
    assert third is not None
    assert as_json(first.grants) == as_json(third.grants)
    with pytest.raises(NotFound):
        desk.write(lambda tx: grants.revert(tx, desk.account_id, agent.id, 9, ADA, now))


def test_nobody_elses_grants_are_seen_or_changed(desk: Desk) -> None:
    agent, now = add_agent(desk), desk.server.clock.now()
    put(desk, agent.id, READING)
    other = open_desk(desk.server)
    read = desk.server.app.database.read_now
    assert read(lambda db: grants.current(db, other.account_id, agent.id)) == Grants()
    assert read(lambda db: grants.history(db, other.account_id, agent.id)) == []
    assert read(lambda db: grants.at_version(db, other.account_id, agent.id, 1)) is None
    with pytest.raises(NotFound):
        desk.write(lambda tx: grants.put(tx, other.account_id, agent.id, Grants(), ADA, now))
    with pytest.raises(NotFound):
        desk.write(lambda tx: grants.put(tx, desk.account_id, 2**40, Grants(), ADA, now))


def test_a_deleted_agent_is_granted_nothing_any_more(desk: Desk) -> None:
    agent = add_agent(desk)
    row = tables.agent
    delete = command(sa.update(row).where(row.c.id == P("id")).values(state=P("state")), keep=False)
    desk.write(lambda tx: tx.run(delete, id=agent.id, state="deleted"))
    with pytest.raises(NotFound):
        put(desk, agent.id, READING)


def test_two_who_grant_at_once_make_two_versions(desk: Desk) -> None:
    agent = add_agent(desk)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: put(desk, agent.id, READING), range(8)))
    assert sorted(made) == list(range(1, 9))


def test_a_change_is_told_to_whoever_remembers_agents(desk: Desk) -> None:
    agent = add_agent(desk)
    versions = desk.server.app.database.versions
    before = versions["agents"]
    put(desk, agent.id, READING)
    assert versions["agents"] != before


@pytest.mark.parametrize("text", ['{"resources":{"rockets":{"level":"full"}}}', "", "[]"])
def test_what_was_stored_and_is_not_understood_any_more_grants_nothing(desk: Desk, text: str) -> None:
    agent = add_agent(desk)
    put(desk, agent.id, WRITING)
    row = tables.grant_version
    spoil = command(sa.update(row).where(row.c.agent_id == P("id")).values(grants=P("text")), keep=False)
    desk.write(lambda tx: tx.run(spoil, id=agent.id, text=text))
    held = desk.server.app.database.read_now(lambda db: grants.current(db, desk.account_id, agent.id))
    assert held == Grants(version=1)


# -- In words


def words(raw: dict[str, Any]) -> str:
    return in_words(read_grants(raw), NAMES)


def test_grants_are_told_in_plain_words() -> None:
    assert words({}) == "may do nothing"
    assert words(preset("reader")) == "reads everything"
    assert words(preset("drafter", [501])) == (
        "reads everything in Orders; writes threads in Orders; its replies become drafts; "
        "tag changes wait for a person; rewriting texts waits for a person"
    )
    assert words(preset("triage", [502, 501])) == (
        "reads everything in Orders and Products; writes threads in Orders and Products; may not reply; "
        "may change tags; may change conversations (may change the owner or the status only); "
        "rewriting texts waits for a person"
    )
    assert words(preset("analyst", [501])) == (
        "reads reports in Orders; reads tags; may not read the ratings of the happiness report"
    )
    raw = {
        "resources": {
            "conversations": {"level": "full", "inboxes": [501, 999]}, "threads": {"level": "read"},
            "webhooks": {"level": "off"},
        },
        "actions": {"add_note": {"setting": "hold", "limits": {"max_text": 1000}}},
        "limits": {"assign_to": [7]},
        "expires_at": "2027-01-01T00:00:00Z",
    }  # fmt: skip
    assert words(raw) == (
        "reads conversations in Orders and inbox 999; reads threads in every inbox; "
        "writes conversations in Orders and inbox 999; deletes conversations in Orders and inbox 999; "
        "may add a note to a conversation once a person agrees (may write 1,000 characters at a time); "
        "may assign to user 7 only; "
        "until 2027-01-01T00:00:00Z"
    )


def test_what_changed_is_told_line_by_line() -> None:
    old = read_grants(
        {
            "resources": {"conversations": {"level": "read", "inboxes": [501]}, "tags": {"level": "read"}},
            "actions": {"delete_conversation": "off"},
        }
    )
    new = read_grants(
        {
            "resources": {"conversations": {"level": "write"}, "threads": {"level": "read", "inboxes": [502]}},
            "actions": {"set_conversation_tags": {"setting": "hold", "limits": {"tags": ["vip"]}}},
            "limits": {"max_text": 10},
            "expires_at": "2027-01-01T00:00:00Z",
        }
    )
    assert diff(old, new, NAMES) == [
        "conversations: read in Orders → write in every inbox",
        "threads: off → read in Products",
        "tags: read → off",
        "delete_conversation: off → by its level",
        "set_conversation_tags: by its level → hold (may set the tags vip only)",
        "limits: none → may write 10 characters at a time",
        "end: never → 2027-01-01T00:00:00Z",
    ]
    assert diff(old, old) == []
