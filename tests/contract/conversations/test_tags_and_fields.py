"""A conversation's tags and custom fields as clients set them.

Facts: §3 and facts 69 and 70 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/).
"""

from __future__ import annotations

import pytest

from deskhand.desk.inboxes import verbs as inboxes
from tests.contract.conversations.builders import PATH, faults, read, start
from tests.world import Desk


def test_tags_are_set_as_a_whole(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, tags=["old"])
    for tags in (["a", "b"], ["b", "c"], [], ["a"]):
        answer = desk.put(f"{PATH}/{id}/tags", {"tags": tags})
        assert (answer.status_code, answer.content) == (204, b"")
        assert sorted(tag["tag"] for tag in read(desk, id)["tags"]) == tags


def test_tags_are_matched_whatever_their_case(desk: Desk, inbox: int) -> None:
    (first,) = read(desk, start(desk, inbox, tags=["VIP"]))["tags"]
    id = start(desk, inbox)
    desk.put(f"{PATH}/{id}/tags", {"tags": ["vip", "Vip"]})
    assert read(desk, id)["tags"] == [first]
    assert desk.get("/v2/tags").json()["page"]["totalElements"] == 1


def test_tags_must_be_a_list_of_names(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, tags=["keep"])
    for body, path in (
        ({}, "tags"),
        ({"tags": "vip"}, "tags"),
        ({"tags": [5]}, "tags[0]"),
        ({"tags": [""]}, "tags[0]"),
    ):
        assert faults(desk.put(f"{PATH}/{id}/tags", body)) == [path]
    assert [tag["tag"] for tag in read(desk, id)["tags"]] == ["keep"]


def test_custom_fields_are_set_as_a_whole(desk: Desk, inbox: int) -> None:
    order, city = desk.add_field(inbox, "Order", "number"), desk.add_field(inbox, "City", "singleline")
    id = start(desk, inbox, fields=[{"id": order, "value": "1"}])
    for given, shown in (
        ([{"id": city, "value": "Leeds"}], {city: "Leeds"}),
        (
            [{"id": order, "name": "ignored", "value": "2", "text": "ignored"}, {"id": city, "value": "York"}],
            {order: "2", city: "York"},
        ),
        ([], {}),
        ([{"id": order, "value": 17}], {order: "17"}),
    ):
        assert desk.put(f"{PATH}/{id}/fields", {"fields": given}).status_code == 204
        assert {field["id"]: field["value"] for field in read(desk, id)["customFields"]} == shown


FORMATS: list[tuple[inboxes.FieldType, list[str], list[str]]] = [
    ("number", ["0", "5521", "-3", "9" * 255], ["x", "1.5", "1e3", "9" * 256, "٣", " 1"]),
    ("date", ["2026-01-31", "2024-02-29"], ["2026/01/01", "2026-13-01", "2026-02-30", "01-01-2026", "2026-1-1", "now"]),
    ("singleline", ["x", "é" * 255], ["x" * 256]),
    ("multiline", ["a\nb", "x" * 15_000], ["x" * 15_001]),
    ("dropdown", [], ["Pro", "0", "999999999", "x"]),
]


@pytest.mark.parametrize(("kind", "good", "bad"), FORMATS, ids=[kind for kind, _, _ in FORMATS])
def test_each_kind_of_field_has_its_format(
    desk: Desk, inbox: int, kind: inboxes.FieldType, good: list[str], bad: list[str]
) -> None:
    field = desk.add_field(inbox, "Some", kind, ("Free", "Pro") if kind == "dropdown" else ())
    if kind == "dropdown":
        (shown,) = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"]
        good = [str(option["id"]) for option in shown["options"]]
    id = start(desk, inbox)
    for value in good:
        answer = desk.put(f"{PATH}/{id}/fields", {"fields": [{"id": field, "value": value}]})
        assert answer.status_code == 204, (value[:20], answer.text)
        (found,) = read(desk, id)["customFields"]
        assert found["value"] == value
    for value in bad:
        answer = desk.put(f"{PATH}/{id}/fields", {"fields": [{"id": field, "value": value}]})
        assert faults(answer) == ["fields[0].value"], value[:20]


def test_a_field_of_another_inbox_is_400(desk: Desk, inbox: int) -> None:
    stranger = desk.add_field(desk.add_inbox(), "Order", "number")
    body = {"fields": [{"id": stranger, "value": "1"}]}
    assert faults(desk.put(f"{PATH}/{start(desk, inbox)}/fields", body)) == ["fields[0].id"]
