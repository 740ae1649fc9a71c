"""The invented account: the same every time, true to itself, and varied enough to look at."""

import json
import struct
import time
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import msgspec
import pytest

from deskhand.sandbox import people, plots, shop, texts_inside, texts_project, texts_spam
from deskhand.sandbox.cast import TONGUES, Cast
from deskhand.sandbox.contents import KEYS
from deskhand.sandbox.phrasing import BREAKS, PARAGRAPHS, PLAIN, matching, say
from deskhand.sandbox.world import LEAST, account, attachment_bytes, conversations

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
WORLD = account(42, NOW)
THOUSAND = tuple(conversations(WORLD, 1_000))
THREADS = [(conversation, thread) for conversation in THOUSAND for thread in conversation.threads]
PUBLIC = ("customer", "message", "chat", "beaconchat", "phone")
TOLD = [one for one in THOUSAND if one.merged_into is None]


def test_the_same_seed_and_moment_give_the_same_account():
    again = account(42, NOW)
    assert again == WORLD
    assert tuple(conversations(again, 120)) == THOUSAND[:120]
    assert json.dumps(msgspec.to_builtins(again)) == json.dumps(msgspec.to_builtins(WORLD))


def test_another_seed_gives_another_account():
    other = account(7, NOW)
    assert other.customers != WORLD.customers
    assert next(conversations(other, 1)) != THOUSAND[0]


@pytest.mark.parametrize("count", [0, 1, 300])
def test_a_conversation_is_the_same_however_many_are_asked_for(count):
    assert tuple(conversations(WORLD, count)) == THOUSAND[:count]


def test_a_moment_with_a_fraction_and_another_zone_is_the_same_moment():
    given = NOW.replace(microsecond=7).astimezone(tz=UTC)
    assert account(42, given) == WORLD


def test_ids_are_unique_and_grow():
    assert [one.id for one in THOUSAND] == list(range(3_100_000_001, 3_100_001_001))
    assert [one.number for one in THOUSAND] == list(range(1_001, 2_001))
    thread_ids = [thread.id for _, thread in THREADS]
    assert thread_ids == list(range(9_100_000_001, 9_100_000_001 + len(THREADS)))
    file_ids = [file.id for _, thread in THREADS for file in thread.attachments]
    assert file_ids[0] >= 640_001
    assert all(one < other for one, other in pairwise(file_ids))
    staff = [one.id for one in (*WORLD.users, *WORLD.system_users)] + [one.id for one in WORLD.teams]
    assert sorted(staff) == list(range(2, 13))
    assert [one.id for one in WORLD.tags] == list(range(301, 301 + len(WORLD.tags)))
    entry_ids = [
        entry.id
        for one in WORLD.customers
        for entries in (one.emails, one.phones, one.chats, one.social_profiles, one.websites)
        for entry in entries
    ]
    assert entry_ids == list(range(90_001, 90_001 + len(entry_ids)))


def test_the_account_has_what_a_small_shop_has():
    assert [one.role for one in WORLD.users].count("owner") == 1
    assert {one.role for one in WORLD.users} == {"owner", "admin", "user", "light user"}
    assert len(WORLD.users) == 8
    assert [one.accepted for one in WORLD.users].count(False) == 1
    assert {one.type for one in WORLD.system_users} == {"system_user"}
    assert min(len(one.inbox_ids) for one in WORLD.users) == 1
    assert [one.id for one in WORLD.inboxes] == [501, 502, 503]
    fields = [field for inbox in WORLD.inboxes for field in inbox.fields]
    assert [field.id for field in fields] == list(range(11, 11 + len(fields)))
    assert {field.type for field in fields} == {"dropdown", "singleline", "multiline", "number", "date"}
    assert {field.required for field in fields} == {True, False}
    assert all(2 <= len(inbox.fields) <= 4 for inbox in WORLD.inboxes)
    assert all(bool(field.options) == (field.type == "dropdown") for field in fields)
    assert len(WORLD.tags) >= 25
    assert len({one.name for one in WORLD.tags}) == len(WORLD.tags)


def test_customers_are_many_kinds_of_people():
    customers = WORLD.customers
    assert [one.id for one in customers] == list(range(88_001, 88_301))
    mails = [entry.value for one in customers for entry in one.emails]
    assert len(set(mails)) == len(mails)
    assert all(mail.endswith(".example") and mail.isascii() for mail in mails)
    names = [(one.first_name, one.last_name) for one in customers if one.first_name]
    assert len(set(names)) == len(names)
    assert len({one.address.country for one in customers if one.address}) >= 10
    assert {one.language for one in customers} == set(TONGUES)
    assert {len(one.emails) for one in customers} == {1, 2}
    for has in ("phones", "chats", "social_profiles", "websites", "organization", "job_title", "address", "age"):
        assert {bool(getattr(one, has)) for one in customers} == {True, False}, has
    assert any(one.first_name is None for one in customers)
    assert all(len(one.background or "") <= 200 and len(one.organization or "") <= 60 for one in customers)
    assert all(one.created_at < NOW for one in customers)


def test_nothing_lies_in_the_future_but_plans():
    for conversation in THOUSAND:
        moments = [conversation.created_at, conversation.modified_at, conversation.user_updated_at]
        moments += [conversation.closed_at, conversation.waiting_since, conversation.merged_at]
        for thread in conversation.threads:
            moments += [thread.created_at, thread.opened_at, thread.rating and thread.rating.at]
            assert thread.scheduled is None or thread.scheduled.scheduled_for > NOW
        assert all(moment is None or moment <= NOW for moment in moments)
        assert all(moment is None or (moment.tzinfo, moment.microsecond) == (UTC, 0) for moment in moments)
        assert conversation.snooze is None or conversation.snooze.until > NOW


def test_conversations_come_oldest_first_and_cover_ninety_days():
    created = [one.created_at for one in THOUSAND]
    assert created == sorted(created)
    assert NOW - created[0] > timedelta(days=88)
    assert NOW - created[-1] < timedelta(days=1)
    office = sum(1 for one in created if one.weekday() < 5 and 7 <= one.hour < 18)
    assert office > 600
    assert all(one.created_at > _customer(one).created_at for one in THOUSAND)


def test_threads_follow_each_other():
    for conversation in TOLD:
        moments = [thread.created_at for thread in conversation.threads]
        assert moments == sorted(moments)
        assert moments[0] == conversation.created_at
        assert moments[-1] == conversation.modified_at
        assert conversation.created_by == conversation.threads[0].created_by
    assert all(thread.opened_at is None or thread.opened_at > thread.created_at for _, thread in THREADS)


def test_status_owner_and_waiting_are_what_the_threads_say():
    for conversation in TOLD:
        status, closed_at, closed_by, waiting, latest = "active", None, None, None, None
        for thread in conversation.threads:
            if thread.state == "draft":
                assert thread.status == conversation.status
                continue
            if thread.status != "nochange":
                status = thread.status
                closed = status == "closed"
                closed_at, closed_by = (thread.created_at, thread.created_by.id) if closed else (None, None)
            if thread.type in PUBLIC:
                latest = thread.created_by.kind
                waiting = (waiting or thread.created_at) if latest == "customer" else None
            if status in ("closed", "spam"):
                waiting = None
        told = (conversation.closed_at, conversation.closed_by, conversation.waiting_since)
        assert (conversation.status, *told) == (status, closed_at, closed_by, waiting), conversation.number
        assert conversation.latest_reply_from == latest
        assert conversation.assignee_id == conversation.threads[-1].assigned_to


def test_only_those_who_see_an_inbox_work_in_it():
    sees = {one.id: one.inbox_ids for one in (*WORLD.users, *WORLD.system_users)}
    sees |= {one.id: one.inbox_ids for one in WORLD.teams}
    light = {one.id for one in WORLD.users if one.role == "light user"}
    for conversation, thread in THREADS:
        assert conversation.assignee_id is None or conversation.inbox_id in sees[conversation.assignee_id]
        if thread.created_by.kind == "user":
            assert conversation.inbox_id in sees[thread.created_by.id]
            assert thread.type in ("note", "lineitem") or thread.created_by.id not in light


def test_every_language_is_answered_in_every_inbox():
    assert all(Cast(WORLD).answering.values())


def test_custom_values_and_tags_belong_to_the_inbox():
    tag_ids = {one.id for one in WORLD.tags}
    fields = {field.id: field for inbox in WORLD.inboxes for field in inbox.fields}
    used = Counter(field_id for one in THOUSAND for field_id, _ in one.fields)
    assert set(used) == set(fields)
    for conversation in THOUSAND:
        assert set(conversation.tag_ids) <= tag_ids
        assert len(set(conversation.tag_ids)) == len(conversation.tag_ids)
        for field_id, value in conversation.fields:
            field = fields[field_id]
            assert field.inbox_id == conversation.inbox_id
            if field.type == "dropdown":
                assert value in {str(option.id) for option in field.options}
            elif field.type == "number":
                assert value.isdigit()
            elif field.type == "date":
                assert datetime.fromisoformat(value)
            assert 0 < len(value) <= (15_000 if field.type == "multiline" else 255)


def test_the_mix_is_that_of_a_help_desk():
    share = {kind: count / 10 for kind, count in Counter(one.status for one in THOUSAND).items()}
    assert 20 <= share["active"] <= 30
    assert 11 <= share["pending"] <= 19
    assert 48 <= share["closed"] <= 62
    assert 3 <= share["spam"] <= 8
    languages = Counter(one.language for one in THOUSAND)
    assert set(languages) == set(TONGUES)
    assert 650 <= languages["en"] <= 770
    assert {one.type for one in THOUSAND} == {"email", "chat", "phone"}
    assert {one.state for one in THOUSAND} == {"published", "draft"}
    assert {one.created_by.kind for one in THOUSAND} == {"customer", "user"}
    sources = {thread.source_type for _, thread in THREADS}
    assert (
        {"email", "web", "api", "beacon", "chat", "mobile", "emailfwd"} >= sources >= {"email", "web", "api", "beacon"}
    )
    owners = {one.assignee_id for one in THOUSAND}
    assert {None, shop.WORKSHOP, shop.ORDERS_DESK, 4} <= owners
    assert sum(1 for one in THOUSAND if one.imported) >= 5
    assert any(one.cc for one in THOUSAND)
    assert any(one.bcc for one in THOUSAND)
    assert Counter(one.customer_id for one in THOUSAND).most_common(1)[0][0] == WORLD.examples.busy_customer


def test_threads_come_in_all_kinds():
    assert {thread.type for _, thread in THREADS} == {
        *PUBLIC,
        "note",
        "lineitem",
        "forwardparent",
        "forwardchild",
    }
    assert {thread.state for _, thread in THREADS} == {"published", "draft", "hidden"}
    assert {thread.rating.rating for _, thread in THREADS if thread.rating} == {"great", "okay", "not_good"}
    assert {thread.action_type for _, thread in THREADS} >= {"default", "merged", "imported-external"}
    assert any(thread.created_by.id == shop.HELPER for _, thread in THREADS)
    assert all(thread.rating is None or thread.type == "message" for _, thread in THREADS)
    assert all((thread.action_text is not None) == (thread.type == "lineitem") for _, thread in THREADS)
    assert all(bool(thread.body) == (thread.type != "lineitem") for _, thread in THREADS)


def test_conversations_are_mostly_short():
    lengths = Counter(len([one for one in each.threads if one.type != "lineitem"]) for each in TOLD)
    assert lengths[100] == 1
    assert lengths[40] == 5
    assert max(length for length in lengths if length not in (40, 100)) <= 15
    assert len(THREADS) / len(THOUSAND) < 4


def test_bodies_read_like_mails():
    bodies = [thread.body for _, thread in THREADS if thread.body]
    for sign in ("<p>", "<br>", "<div>", "<ul><li>", "<blockquote", '<img src="cid:'):
        assert any(sign in body for body in bodies), sign
    openings = Counter(
        one.threads[0].body for one in TOLD if one.status != "spam" and one.threads[0].type == "customer"
    )
    assert len(openings) > 0.97 * openings.total()
    assert not any(sign in body for body in bodies for sign in ("{", "}", "[", "]", "  ", " .", " <", "None"))
    subjects = [one.subject for one in THOUSAND if one.subject]
    assert len(set(subjects)) > 500
    assert not any(sign in subject for subject in subjects for sign in "{}[]<>&|")


def test_examples_are_what_they_say():
    found = {one.id: one for one in THOUSAND[:LEAST]}
    examples = WORLD.examples
    merged, survivor = found[examples.merged], found[examples.merged_into]
    assert merged.merged_into == survivor.id
    assert merged.merged_at is not None
    assert merged.threads == ()
    assert NOW - merged.merged_at < timedelta(days=60)
    assert any(one.associated == {"originalConversation": merged.id} for one in survivor.threads)
    assert found[examples.draft_conversation].state == "draft"
    assert found[examples.without_subject].subject is None
    assert found[examples.snoozed_conversation].snooze is not None
    full = [one for one in found[examples.full_conversation].threads if one.type != "lineitem"]
    assert len(full) == 100
    threads = {thread.id: thread for one in found.values() for thread in one.threads}
    assert threads[examples.rated_thread].rating is not None
    assert threads[examples.scheduled_thread].state == "draft"
    assert threads[examples.scheduled_thread].scheduled is not None
    assert examples.busy_customer in {one.id for one in WORLD.customers}


@pytest.mark.parametrize("seed", [1, 2, 3, 99])
@pytest.mark.parametrize("now", [NOW, datetime(2024, 2, 29, 3, 0, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)])
def test_examples_exist_for_any_seed_and_moment(seed, now):
    world = account(seed, now)
    first = {one.id: one for one in conversations(world, LEAST)}
    assert first[world.examples.merged].merged_into == world.examples.merged_into
    assert first[world.examples.snoozed_conversation].snooze is not None
    assert len(first[world.examples.full_conversation].threads) == 100
    assert all(thread.created_at <= now for one in first.values() for thread in one.threads)


def test_merged_and_forwarded_ones_know_each_other():
    by_id = {one.id: one for one in THOUSAND}
    merged = [one for one in THOUSAND if one.merged_into]
    assert len(merged) == 5
    for one in merged:
        survivor = by_id[one.merged_into or 0]
        assert (survivor.customer_id, survivor.inbox_id) == (one.customer_id, one.inbox_id)
        assert one.created_at in {thread.created_at for thread in survivor.threads if thread.type == "customer"}
    linked = {thread.linked_conversation_id: one.id for one, thread in THREADS if thread.linked_conversation_id}
    assert len(linked) == 6
    assert all(linked[other] == one for one, other in linked.items())


def test_attachments_are_small_real_files():
    contents = {key: attachment_bytes(key) for key in KEYS}
    assert len(set(contents.values())) == len(KEYS) >= 36
    assert all(0 < len(data) < 20_000 for data in contents.values())
    used = {file.content_key: file for _, thread in THREADS for file in thread.attachments}
    assert len(used) > 36
    for key, file in used.items():
        assert file.size == len(contents[key])
        assert "/" not in file.filename
    assert all(contents[key].startswith(b"%PDF-1.4") for key in KEYS if used[key].mime_type == "application/pdf")


def test_pictures_can_be_decoded():
    for key in (key for key in KEYS if key.startswith("photo")):
        data = attachment_bytes(key)
        width, height = struct.unpack(">II", data[16:24])
        pixels = data[data.index(b"IDAT") + 4 : data.index(b"IEND") - 8]
        assert len(zlib.decompress(pixels)) == height * (width + 1)


def test_every_text_can_be_said():
    cast = Cast(WORLD)
    rng = Random("42:texts:0")
    for tongue in TONGUES.values():
        slots = cast.slots(rng, WORLD.customers[0], tongue, shop.ORDERS, cast.now)
        slots |= {"day": "1", "month": "May", "whole": "1", "cents": "00"}
        assert not any(sign in value for value in slots.values() for sign in "&<>")
        for text in _texts(tongue):
            for style in (PARAGRAPHS, BREAKS, PLAIN):
                assert not set("{}[]|") & set(say(rng, (text,), slots, style)), text
    for text in _texts((texts_project, texts_inside, texts_spam)):
        assert say(rng, (text,), slots)


def test_texts_name_only_reserved_domains():
    for tongue in TONGUES.values():
        assert not any("http" in text or "@" in text for text in _texts(tongue))
    domains = [one.domain for several in people.ORGANIZATIONS.values() for one in several]
    domains += [domain for several in people.DOMAINS.values() for domain in several]
    assert all(domain.endswith(".example") for domain in (shop.DOMAIN, *domains, *people.SPAM_SENDERS))


def test_every_step_of_every_plot_is_known():
    from_plots = {
        step[0] for plot in plots.PLOTS.values() for several in plot.values() for steps in several for step in steps
    }
    assert from_plots == set("OMCKAIFTGSXZBNHD@L")


@pytest.mark.parametrize(
    ("pool", "chosen", "fitting"),
    [("abc", 1, "b"), ("ab", 2, "a"), ("abcde", 0, "ad"), ("abcde", 2, "c"), ("a", 2, "a"), ("", 1, "")],
)
def test_answers_fit_what_was_asked(pool, chosen, fitting):
    assert matching(tuple(pool), chosen, of=3) == tuple(fitting)


def test_ten_thousand_take_a_few_seconds_of_computing():
    started = time.thread_time()
    assert sum(1 for _ in conversations(WORLD, 10_000)) == 10_000
    assert time.thread_time() - started < 10


def _customer(conversation):
    return WORLD.customers[conversation.customer_id - 88_001]


def _texts(material):
    if isinstance(material, str):
        if " " in material:
            yield material.removeprefix("C ").removeprefix("S ")
    elif hasattr(material, "__dict__"):
        for name, value in vars(material).items():
            if name.isupper():
                yield from _texts(value)
    elif isinstance(material, tuple):
        for one in material:
            yield from _texts(one)
