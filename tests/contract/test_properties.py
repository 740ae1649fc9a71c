"""Properties of customers and of organizations: what an account defines, and the values.

Facts: 37-40, 42, 45-47 of the wire contract's half B (https://developer.helpscout.com/mailbox-api/endpoints/properties/list).
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.desk.customers.builders import add_conversations, add_customer, events, faults, read
from tests.world import Desk, open_desk

OF_CUSTOMERS = "/v2/customer-properties"
OF_ORGANIZATIONS = "/v2/organizations/properties"
PATHS = (OF_CUSTOMERS, OF_ORGANIZATIONS)
each_path = pytest.mark.parametrize("path", PATHS)
MOST_64 = 2**63 - 1


def define(desk: Desk, path: str, slug: str, type: str = "text", labels: tuple[str, ...] = (), **more: Any) -> None:
    body = {"type": type, "slug": slug, "name": slug.title()} | more
    if labels:
        body["options"] = [{"label": label} for label in labels]
    answer = desk.post(path, body)
    assert (answer.status_code, answer.content) == (201, b""), answer.text


def defined(desk: Desk, path: str) -> list[dict[str, Any]]:
    answer = desk.get(path)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["_embedded"].values()
    assert "page" not in answer.json()
    return list(found)


def change(desk: Desk, customer: int, *steps: tuple[Any, ...]) -> requests.Response:
    """Steps of op, slug and perhaps a value."""
    body = [dict(zip(("op", "path", "value"), (op, f"/{slug}", *value), strict=False)) for op, slug, *value in steps]
    return desk.patch(f"/v2/customers/{customer}/properties", body)


def values(desk: Desk, customer: int) -> dict[str, tuple[str, str]]:
    """The values and texts of a customer's properties by slug."""
    return {one["slug"]: (one["value"], one["text"]) for one in read(desk, customer)["_embedded"]["properties"]}


@pytest.fixture
def mira(desk: Desk) -> int:
    return add_customer(desk, firstName="Mira")


@pytest.fixture
def tea(desk: Desk) -> str:
    """The path of an organization."""
    made = desk.post("/v2/organizations", {"name": "Northwind Tea"})
    return f"/v2/organizations/{made.headers['Resource-ID']}"


def of(desk: Desk, organization: str) -> dict[str, str]:
    """The values of an organization's properties by slug."""
    shown = desk.get(organization, includeProperties="true").json()["properties"]
    return {one["slug"]: one["value"] for one in shown}


# -- Definitions


def test_options_of_customers_dropdowns_get_an_id(desk: Desk) -> None:
    known = str(uuid.uuid4())
    options = [{"label": "Pro"}, {"id": known.upper(), "label": "Free"}, {"id": None, "label": "pro"}]
    answer = desk.post(OF_CUSTOMERS, {"type": "dropdown", "slug": "plan", "name": "Plan", "options": options})
    assert (answer.status_code, answer.content) == (201, b"")
    assert "Resource-ID" not in answer.headers
    define(desk, OF_CUSTOMERS, "born", "date", labels=("ignored",))
    body = desk.get(OF_CUSTOMERS).json()
    assert body["_links"] == {"self": {"href": desk.server.url + OF_CUSTOMERS}}
    plan, born = body["_embedded"]["customer-properties"]
    assert {name: value for name, value in plan.items() if name != "options"} == {
        "type": "dropdown", "slug": "plan", "name": "Plan",
    }  # fmt: skip
    assert [option["label"] for option in plan["options"]] == ["Pro", "Free", "pro"]
    assert plan["options"][1]["id"] == known
    assert len({uuid.UUID(option["id"]) for option in plan["options"]}) == 3
    assert born == {"type": "date", "slug": "born", "name": "Born"}, "other types have no options"


def test_options_of_organizations_dropdowns_have_none(desk: Desk) -> None:
    body = {"type": "dropdown", "slug": "tier", "name": "Tier", "options": [{"label": "Gold", "id": "x"}]}
    answer = desk.post(OF_ORGANIZATIONS, body)
    assert (answer.status_code, answer.content) == (201, b"")
    place = desk.server.url + OF_ORGANIZATIONS + "/tier"
    assert answer.headers["Location"] == place
    (tier,) = desk.get(OF_ORGANIZATIONS).json()["_embedded"]["organization-properties"]
    assert tier == {
        "id": int(answer.headers["Resource-ID"]), "type": "dropdown", "slug": "tier", "name": "Tier",
        "options": [{"label": "Gold"}], "_links": {"self": {"href": place}},
    }  # fmt: skip
    assert desk.get(place).json() == tier
    define(desk, OF_ORGANIZATIONS, "seats", "number")
    assert "options" not in defined(desk, OF_ORGANIZATIONS)[1]


@each_path
def test_nothing_defined_is_an_empty_list(desk: Desk, path: str) -> None:
    assert defined(desk, path) == []


@each_path
def test_every_type_and_kind_of_slug_is_taken(desk: Desk, path: str) -> None:
    for type in ("number", "text", "url", "date"):
        define(desk, path, f"A-{type}_1", type)
    define(desk, path, "x" * 100, "dropdown", labels=tuple(f"l{n}" for n in range(100)))
    assert len(defined(desk, path)) == 5


@each_path
@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"slug": None}, "slug"), ({"slug": ""}, "slug"), ({"slug": "x" * 121}, "slug"), ({"slug": "a b"}, "slug"),
        ({"slug": "é"}, "slug"), ({"slug": "a/b"}, "slug"), ({"slug": "a\n"}, "slug"), ({"slug": 1}, "slug"),
        ({"type": "phone"}, "type"), ({"type": None}, "type"), ({"name": None}, "name"), ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"), ({"type": "dropdown"}, "options"),
        ({"type": "dropdown", "options": []}, "options"),
        ({"type": "dropdown", "options": [{"label": "a"}, {"label": "a"}]}, "options[1].label"),
        ({"type": "dropdown", "options": [{"label": ""}]}, "options[0].label"),
        ({"type": "dropdown", "options": [{"label": " "}]}, "options[0].label"),
        ({"type": "dropdown", "options": [{"label": "x" * 256}]}, "options[0].label"),
        ({"type": "dropdown", "options": [{}]}, "options[0].label"), ({"type": "dropdown", "options": "a"}, "options"),
        ({"type": "dropdown", "options": ["a"]}, "options[0]"),
        ({"type": "dropdown", "options": [{"label": f"l{n}"} for n in range(101)]}, "options"),
    ],
)  # fmt: skip
def test_a_bad_definition_is_named(desk: Desk, path: str, fields: dict[str, Any], fault: str) -> None:
    assert faults(desk.post(path, {"type": "text", "slug": "x", "name": "X"} | fields)) == [fault]
    assert defined(desk, path) == []


@pytest.mark.parametrize("slug", ["email", "name", "company", "jobTitle", "JOBTITLE"])
def test_some_slugs_are_reserved_for_customers(desk: Desk, slug: str) -> None:
    assert faults(desk.post(OF_CUSTOMERS, {"type": "text", "slug": slug, "name": "X"})) == ["slug"]
    define(desk, OF_ORGANIZATIONS, slug)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ([{"id": "x", "label": "a"}], "options[0].id"), ([{"id": 1, "label": "a"}], "options[0].id"),
        ([{"id": str(uuid.UUID(int=1)), "label": label} for label in "ab"], "options[1].id"),
    ],
)  # fmt: skip
def test_an_options_id_is_a_uuid_of_its_own(desk: Desk, options: list[dict[str, Any]], fault: str) -> None:
    body = {"type": "dropdown", "slug": "x", "name": "X", "options": options}
    assert faults(desk.post(OF_CUSTOMERS, body)) == [fault]


@each_path
def test_a_slug_is_unique_in_its_account(desk: Desk, path: str) -> None:
    define(desk, path, "plan")
    assert faults(desk.post(path, {"type": "date", "slug": "plan", "name": "Other"}), 409) == ["slug"]
    define(open_desk(desk.server), path, "plan")
    define(desk, next(other for other in PATHS if other != path), "plan")


@each_path
def test_an_account_defines_50_at_most_however_fast(desk: Desk, path: str) -> None:
    for n in range(47):
        define(desk, path, f"p{n}")

    def one(n: int) -> requests.Response:
        return desk.as_user(desk.user_id).post(path, {"type": "text", "slug": f"q{n}", "name": "X"})

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(one, range(6)))
    assert sorted(answer.status_code for answer in made) == [201] * 3 + [400] * 3
    assert len(defined(desk, path)) == 50
    assert faults(desk.post(path, {"type": "text", "slug": "last", "name": "X"})) == ["slug"]
    assert desk.delete(f"{path}/p0").status_code == 204
    define(desk, path, "last")


@each_path
def test_a_light_user_may_read_definitions_and_no_more(desk: Desk, path: str) -> None:
    define(desk, path, "plan")
    light, user = (desk.as_user(desk.add_user(role=role)) for role in ("light user", "user"))
    assert [one["slug"] for one in defined(light, path)] == ["plan"]
    assert light.post(path, {"type": "text", "slug": "x", "name": "X"}).status_code == 403
    assert light.put(f"{OF_ORGANIZATIONS}/plan", {"name": "X"}).status_code == 403
    assert light.delete(f"{path}/plan").status_code == 403
    define(user, path, "x")
    assert user.delete(f"{path}/x").status_code == 204
    assert [one["slug"] for one in defined(desk, path)] == ["plan"]


@each_path
def test_an_unknown_slug_is_a_404(desk: Desk, path: str, tea: str) -> None:
    define(open_desk(desk.server), path, "plan")
    for slug in ("plan", "a%20b", "%C3%A9", "1", "x" * 500, "%00", "%ED%A0%80"):
        assert desk.delete(f"{path}/{slug}").status_code == 404
        assert desk.get(f"{OF_ORGANIZATIONS}/{slug}").status_code == 404
        assert desk.put(f"{OF_ORGANIZATIONS}/{slug}", {"name": "X"}).status_code == 404
        assert desk.put(f"{tea}/properties/{slug}", {"value": "x"}).status_code == 404
        assert desk.delete(f"{tea}/properties/{slug}").status_code == 404


# -- Values of customers


def test_a_dropdown_takes_an_options_id_or_label(desk: Desk, mira: int) -> None:
    define(desk, OF_CUSTOMERS, "plan", "dropdown", labels=("Free", "Pro"))
    free, pro = defined(desk, OF_CUSTOMERS)[0]["options"]
    answer = change(desk, mira, ("replace", "plan", "Pro"))
    assert (answer.status_code, answer.content) == (204, b"")
    (shown,) = read(desk, mira)["_embedded"]["properties"]
    assert shown == {
        "type": "dropdown", "slug": "plan", "name": "Plan", "value": pro["id"], "text": "Pro",
        "source": {"name": "api"},
    }  # fmt: skip
    assert change(desk, mira, ("replace", "plan", free["id"])).status_code == 204
    assert values(desk, mira) == {"plan": (free["id"], "Free")}
    for wrong in ("Gold", "pro", str(uuid.uuid4()), 1, True, ["Pro"], {"id": pro["id"]}):
        assert faults(change(desk, mira, ("replace", "plan", wrong))) == ["[0].value"]
    assert values(desk, mira) == {"plan": (free["id"], "Free")}


@pytest.mark.parametrize(
    ("type", "given", "kept"),
    [
        ("number", 7, "7"), ("number", "-7", "-7"), ("number", MOST_64, str(MOST_64)),
        ("number", -(2**63), str(-(2**63))), ("number", 0, "0"), ("text", "x" * 255, "x" * 255),
        ("text", "é 🚀", "é 🚀"), ("url", "google.com", "google.com"), ("url", "bücher.example", "bücher.example"),
        ("url", "https://a.example:8080/p?q=1#f", "https://a.example:8080/p?q=1#f"),
        ("date", "2024-02-29", "2024-02-29"), ("date", "0001-01-01", "0001-01-01"),
    ],
)  # fmt: skip
def test_a_value_that_fits_is_kept(desk: Desk, mira: int, tea: str, type: str, given: Any, kept: str) -> None:
    for path in PATHS:
        define(desk, path, "p", type)
    assert change(desk, mira, ("replace", "p", given)).status_code == 204
    assert values(desk, mira) == {"p": (kept, kept)}
    assert desk.put(f"{tea}/properties/p", {"value": given}).status_code == 204
    assert of(desk, tea) == {"p": kept}


@pytest.mark.parametrize(
    ("type", "given"),
    [
        ("number", "x"), ("number", "1.5"), ("number", 1.5), ("number", 2**63), ("number", str(-(2**63) - 1)),
        ("number", True), ("number", [1]), ("number", "1e3"), ("number", "١"), ("number", "9" * 5_000),
        ("text", "x" * 256), ("text", 1), ("text", ["x"]), ("text", " "),
        ("url", "google"), ("url", "no spaces.example"), ("url", "http://"), ("url", "https://a.example:99999"),
        ("url", 1), ("url", "javascript:alert(1)"), ("url", "http://[::1"), ("url", "a" * 2_100 + ".example"),
        ("date", "2026-13-40"), ("date", "2026-02-30"), ("date", "20260101"), ("date", "2026-1-1"), ("date", 20260101),
        ("date", "2026-01-01T00:00:00Z"), ("date", "٢٠٢٦-٠١-٠١"), ("date", "2026-W01-1"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named(desk: Desk, mira: int, tea: str, type: str, given: Any) -> None:
    for path in PATHS:
        define(desk, path, "p", type)
    assert faults(change(desk, mira, ("replace", "p", given))) == ["[0].value"]
    assert faults(desk.put(f"{tea}/properties/p", {"value": given})) == ["value"]
    assert values(desk, mira) == {}


def test_all_steps_happen_or_none(desk: Desk, mira: int) -> None:
    for slug, type in (("born", "date"), ("seats", "number"), ("note", "text")):
        define(desk, OF_CUSTOMERS, slug, type)
    assert change(desk, mira, ("replace", "seats", 3), ("replace", "note", "x")).status_code == 204
    before = read(desk, mira)
    assert faults(change(desk, mira, ("remove", "seats"), ("replace", "born", "2026-13-40"))) == ["[1].value"]
    assert faults(change(desk, mira, ("remove", "seats"), ("replace", "unknown", "x"))) == ["[1].path"]
    assert read(desk, mira) == before
    assert change(desk, mira, ("remove", "seats"), ("remove", "born"), ("replace", "note", "y")).status_code == 204
    assert values(desk, mira) == {"note": ("y", "y")}
    assert change(desk, mira, ("replace", "note", "z"), ("replace", "note", None), ("replace", "seats", 1)).ok
    assert values(desk, mira) == {"seats": ("1", "1")}, "null is none, and the last step counts"


def test_a_change_tells_of_the_customer_once(desk: Desk, mira: int) -> None:
    define(desk, OF_CUSTOMERS, "note")
    assert change(desk, mira, ("replace", "note", "x")).status_code == 204
    assert change(desk, mira, ("replace", "note", "x")).status_code == 204
    assert change(desk, mira).status_code == 204
    assert events(desk) == [("customer.created", mira), ("customer.updated", mira)], "the others changed nothing"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ([{"op": "add", "path": "/note", "value": "x"}], "[0].op"), ([{"path": "/note"}], "[0].op"),
        ([{"op": "remove"}], "[0].path"), ([{"op": "remove", "path": ""}], "[0].path"),
        ([{"op": "remove", "path": "/note/x"}], "[0].path"), ([{"op": "remove", "path": 1}], "[0].path"),
        ([{"op": "remove", "path": "/note"}] * 501, ""), ([None], "[0]"),
    ],
)  # fmt: skip
def test_a_bad_step_is_named(desk: Desk, mira: int, body: Any, fault: str) -> None:
    define(desk, OF_CUSTOMERS, "note")
    assert faults(desk.patch(f"/v2/customers/{mira}/properties", body)) == [fault]


@pytest.mark.parametrize("body", [{"op": "remove", "path": "/note"}, None, "x", 1])
def test_the_body_is_a_list(desk: Desk, mira: int, body: Any) -> None:
    define(desk, OF_CUSTOMERS, "note")
    assert desk.patch(f"/v2/customers/{mira}/properties", body).status_code == 400


def test_values_of_unknown_and_locked_customers_cannot_be_changed(desk: Desk, mira: int) -> None:
    define(desk, OF_CUSTOMERS, "note")
    assert change(desk, 999_999_999, ("replace", "note", "x")).status_code == 404
    add_conversations(desk, mira, count=5_000)
    assert change(desk, mira, ("replace", "note", "x")).status_code == 423


def test_a_customer_is_created_with_properties(desk: Desk) -> None:
    define(desk, OF_CUSTOMERS, "plan", "dropdown", labels=("Free", "Pro"))
    define(desk, OF_CUSTOMERS, "seats", "number")
    given = [{"slug": "plan", "value": "Pro"}, {"slug": "seats", "value": 3}]
    made = add_customer(desk, "mira@b.example", properties=given)
    assert {slug: text for slug, (_, text) in values(desk, made).items()} == {"plan": "Pro", "seats": "3"}
    (listed,) = desk.get("/v2/customers").json()["_embedded"]["customers"]
    assert listed == read(desk, made)
    for wrong, fault in (
        ([{"slug": "unknown", "value": "x"}], "properties[0].slug"), ([{"value": "x"}], "properties[0].slug"),
        ([given[0], {"slug": "seats", "value": "x"}], "properties[1].value"), ("x", "properties"),
    ):  # fmt: skip
        assert faults(desk.post("/v2/customers", {"properties": wrong})) == [fault]
    assert desk.get("/v2/customers").json()["page"]["totalElements"] == 1


def test_a_deleted_property_takes_its_values_along(desk: Desk, mira: int) -> None:
    define(desk, OF_CUSTOMERS, "note")
    define(desk, OF_CUSTOMERS, "seats", "number")
    assert change(desk, mira, ("replace", "note", "x"), ("replace", "seats", 1)).status_code == 204
    assert desk.delete(f"{OF_CUSTOMERS}/note").status_code == 204
    assert values(desk, mira) == {"seats": ("1", "1")}
    define(desk, OF_CUSTOMERS, "note")
    assert values(desk, mira) == {"seats": ("1", "1")}, "a new one of the same name begins empty"


# -- Values of organizations


def test_an_organizations_value_is_set_and_cleared(desk: Desk, tea: str) -> None:
    define(desk, OF_ORGANIZATIONS, "tier", "dropdown", labels=("Gold", "Silver"))
    (tier,) = defined(desk, OF_ORGANIZATIONS)
    place = f"{tea}/properties/tier"
    answer = desk.put(place, {"value": "Gold"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert desk.get(tea, includeProperties="true").json()["properties"] == [
        {
            "definitionId": tier["id"], "slug": "tier", "name": "Tier", "type": "dropdown", "value": "Gold",
            "options": [{"label": "Gold"}, {"label": "Silver"}],
        }
    ]  # fmt: skip
    strange: tuple[Any, ...] = ("Bronze", "gold", 1, "", None, True, ["Gold"])
    for wrong in strange:
        assert faults(desk.put(place, {"value": wrong})) == ["value"]
    assert faults(desk.put(place, {})) == ["value"]
    assert of(desk, tea) == {"tier": "Gold"}
    assert desk.put(place, {"value": "Gold"}).status_code == 204
    assert desk.delete(place).status_code == 204
    assert of(desk, tea) == {}
    assert desk.delete(place).status_code == 204, "there is none already"
    id = int(tea.rpartition("/")[2])
    assert events(desk) == [("organization.created", id), ("organization.updated", id), ("organization.updated", id)]
    assert desk.put("/v2/organizations/999999999/properties/tier", {"value": "Gold"}).status_code == 404


def test_values_that_are_no_option_any_more_disappear(desk: Desk, tea: str) -> None:
    define(desk, OF_ORGANIZATIONS, "tier", "dropdown", labels=("Gold", "Silver"))
    other = f"/v2/organizations/{desk.post('/v2/organizations', {'name': 'Other'}).headers['Resource-ID']}"
    assert desk.put(f"{tea}/properties/tier", {"value": "Gold"}).status_code == 204
    assert desk.put(f"{other}/properties/tier", {"value": "Silver"}).status_code == 204
    place = f"{OF_ORGANIZATIONS}/tier"
    assert desk.put(place, {"name": "Level"}).status_code == 204
    assert (of(desk, tea), of(desk, other)) == ({"tier": "Gold"}, {"tier": "Silver"}), "options that are not given stay"
    body = {"name": "Level", "type": "text", "slug": "other", "options": [{"label": "Silver"}, {"label": "Iron"}]}
    answer = desk.put(place, body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (of(desk, tea), of(desk, other)) == ({}, {"tier": "Silver"})
    shown = desk.get(place).json()
    assert (shown["name"], shown["type"], shown["slug"]) == ("Level", "dropdown", "tier")
    assert [option["label"] for option in shown["options"]] == ["Silver", "Iron"]
    for wrong, fault in (
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        (body | {"options": []}, "options"),
    ):
        assert faults(desk.put(place, wrong)) == [fault]


def test_a_deleted_definition_takes_its_values_along(desk: Desk, tea: str) -> None:
    define(desk, OF_ORGANIZATIONS, "note")
    assert desk.put(f"{tea}/properties/note", {"value": "x"}).status_code == 204
    assert desk.delete(f"{OF_ORGANIZATIONS}/note").status_code == 204
    define(desk, OF_ORGANIZATIONS, "note")
    assert of(desk, tea) == {}


def test_properties_is_no_organization(desk: Desk) -> None:
    assert desk.get(OF_ORGANIZATIONS).json()["_embedded"] == {"organization-properties": []}
    for method in ("PUT", "DELETE"):
        answer = desk.request(method, OF_ORGANIZATIONS, json={"name": "x"})
        assert answer.status_code == 400 and "not supported" in answer.json()["message"]
