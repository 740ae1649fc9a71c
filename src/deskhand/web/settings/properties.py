"""What is kept about each customer and each organization."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from starlette.responses import Response

from deskhand.catalogue.customers import PROPERTIES_MOST
from deskhand.catalogue.organizations import GivenOption, NewOrganizationProperty, OverwrittenOrganizationProperty
from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.properties import NewCustomerProperty, NewPropertyOption
from deskhand.db.engine import Reader, Writer
from deskhand.desk.customers import properties as of_customers
from deskhand.desk.organizations import properties as of_organizations
from deskhand.outbox import events
from deskhand.web.forms import Form
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, ask_first, shaped, tried

PAGES = Pages("administrator")
_HERE = "/settings/properties"
_EMPTY_CHOICES = 3
Whose = Literal["customers", "organizations"]
KINDS = {
    "text": "Text",
    "number": "Number",
    "date": "Date",
    "url": "Web address",
    "dropdown": "Choice from a list",
}
"""The kinds of property by what people call them."""


class _Property(msgspec.Struct, frozen=True):
    """A property as these pages show it; choices are pairs of id and label, where organizations' have no ids."""

    slug: str
    name: str
    type: str
    choices: list[tuple[str, str]]


@PAGES.get(_HERE)
async def show_all(asked: Asked) -> Response:
    """The properties of customers and those of organizations."""

    def read(db: Reader) -> dict[str, list[_Property]]:
        return {"customers": _all(db, asked, "customers"), "organizations": _all(db, asked, "organizations")}

    return await asked.page(
        "settings/properties/list.html", found=await asked.read(read), kinds=KINDS, most=PROPERTIES_MOST
    )  # fmt: skip


@PAGES.get(_HERE + "/{whose}/new")
async def ask_new(asked: Asked) -> Response:
    """The form that defines a property."""
    return await _form(asked, None, {}, {})


@PAGES.post(_HERE + "/{whose}/new")
async def create(asked: Asked) -> Response:
    """Define a property."""
    whose, form = _whose(asked), asked.form
    name, kind = form.text("name"), form.text("type")
    slug, labels = form.text("slug") or _slug(name), [label for _, label in _choices(form)]
    given: dict[str, Any] = {"name": name, "type": kind, "slug": slug}
    if kind == "dropdown":
        given["options"] = [{"label": label} for label in labels]

    def work(tx: Writer) -> None:
        tx.changed(events.PAGES)
        if whose == "customers":
            of_customers.define(tx, asked.actor, shaped(NewCustomerProperty, given))
        else:
            of_organizations.define(tx, asked.actor, shaped(NewOrganizationProperty, given))

    _, wrong = await tried(asked, work)
    if wrong:
        return await _form(asked, None, given | {"slug": form.text("slug"), "choices": _choices(form)}, wrong)
    return asked.go(_HERE, f"The property {name} is added.")


@PAGES.get(_HERE + "/{whose}/{slug}")
async def show(asked: Asked) -> Response:
    """A property, to be changed."""
    return await _form(asked, await _one(asked), {}, {})


@PAGES.post(_HERE + "/{whose}/{slug}")
async def change(asked: Asked) -> Response:
    """Change a property's name and its choices."""
    whose, found, form = _whose(asked), await _one(asked), asked.form
    name, choices = form.text("name"), _choices(form)

    def work(tx: Writer) -> None:
        tx.changed(events.PAGES)
        if whose == "customers":
            options = [NewPropertyOption(id=id or None, label=label) for id, label in choices]
            of_customers.redefine(tx, asked.actor, found.slug, name, options)
        else:
            given: dict[str, Any] = {"name": name, "options": [{"label": label} for _, label in choices]}
            wanted = shaped(OverwrittenOrganizationProperty, given)
            assert all(isinstance(one, GivenOption) for one in wanted.options or ())
            of_organizations.redefine(tx, asked.actor, found.slug, wanted)

    _, wrong = await tried(asked, work)
    if wrong:
        return await _form(asked, found, {"name": name, "choices": choices}, wrong)
    return asked.go(_HERE, f"The property {name} is saved.")


@PAGES.get(_HERE + "/{whose}/{slug}/delete")
async def ask_delete(asked: Asked) -> Response:
    """What deleting a property would do."""
    whose, found = _whose(asked), await _one(asked)
    singular = whose.removesuffix("s")
    does = [
        f"Every {singular} loses what is kept in it.",
        f"No {singular} is deleted. Programs that use the property {found.slug} in the API are refused.",
    ]
    return await ask_first(
        asked, f"Delete the property {found.name}?", does, up=f"{_HERE}/{whose}/{found.slug}", above=found.name,
        button="Delete property",
    )  # fmt: skip


@PAGES.post(_HERE + "/{whose}/{slug}/delete")
async def delete(asked: Asked) -> Response:
    """Delete a property with all values of it."""
    whose, found = _whose(asked), await _one(asked)

    def work(tx: Writer) -> None:
        (of_customers if whose == "customers" else of_organizations).delete(tx, asked.actor, found.slug)
        tx.changed(events.PAGES)

    await asked.write(work)
    return asked.go(_HERE, f"The property {found.name} is deleted.")


async def _form(asked: Asked, found: _Property | None, given: Mapping[str, Any], wrong: Wrong) -> Response:
    stored: dict[str, Any] = {"name": "", "slug": "", "type": "text", "choices": []}
    if found is not None:
        stored = msgspec.structs.asdict(found)
    values = stored | dict(given)
    values["choices"] = [*values["choices"], *(("", "") for _ in range(_EMPTY_CHOICES))]
    wrong = {"choices" if name == "options" else name: text for name, text in wrong.items()}
    if "choices" in wrong and not any(label for _, label in values["choices"]):
        wrong["choices"] = "The choices must be at least one."
    return await asked.page(
        "settings/properties/form.html", 400 if wrong else 200, whose=_whose(asked), found=found, given=values,
        wrong=wrong, kinds=KINDS,
    )  # fmt: skip


def _whose(asked: Asked) -> Whose:
    match asked.request.path_params["whose"]:
        case "customers":
            return "customers"
        case "organizations":
            return "organizations"
    raise NotFound


async def _one(asked: Asked) -> _Property:
    whose, slug = _whose(asked), asked.request.path_params["slug"]
    found = await asked.read(lambda db: next((one for one in _all(db, asked, whose) if one.slug == slug), None))
    if found is None:
        raise NotFound
    return found


def _all(db: Reader, asked: Asked, whose: Whose) -> list[_Property]:
    if whose == "customers":
        return [
            _Property(one.slug, one.name, one.type, [(choice.id, choice.label) for choice in one.choices])
            for one in of_customers.all_defined(db, asked.account_id)
        ]
    return [
        _Property(one.slug, one.name, one.type, [("", label) for label in one.labels])
        for one in of_organizations.all_defined(db, asked.account_id)
    ]


def _choices(form: Form) -> list[tuple[str, str]]:
    """The choices of a form, as ids and labels; those without a label are left out."""
    places = [name.removeprefix("choice-") for name in form.names() if name.startswith("choice-")]
    found = [(form.text(f"option-{place}"), form.text(f"choice-{place}")) for place in places]
    return [(id, label) for id, label in found if label]


def _slug(name: str) -> str:
    """A slug out of a name, such as `customer-since`."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:100]
