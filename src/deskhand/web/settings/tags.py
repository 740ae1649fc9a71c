"""Tags: renaming, colouring, merging and deleting the labels on conversations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import relabelling
from deskhand.desk.tags import managing as tags
from deskhand.desk.tags import verbs
from deskhand.desk.tags.queries import CountedTag
from deskhand.desk.workflows.mentioning import mentioning, replace_tag
from deskhand.lib.text import fold
from deskhand.web import words
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, ask_first, page_number, tried

PAGES = Pages("administrator")
_HERE = "/settings/tags"
_SHOWN = 100


@PAGES.get(_HERE)
async def show_all(asked: Asked) -> Response:
    """All tags; `q` looks in their names, `sort` puts the most used first."""
    return await _list(asked, "", {})


@PAGES.post(_HERE)
async def create(asked: Asked) -> Response:
    """Make a tag."""
    name = asked.form.text("name")

    def work(tx: Writer) -> str:
        (made,) = verbs.named(tx, asked.account_id, [name], asked.now, actor_id=asked.visitor.id)
        return made.name

    made, wrong = await tried(asked, work)
    if made is None:
        return await _list(asked, name, {"name": next(iter(wrong.values()))})
    return asked.go(_HERE, f"The tag {made} is added.")


async def _list(asked: Asked, name: str, wrong: Wrong) -> Response:
    q, used = asked.query("q"), asked.query("sort") == "used"
    found = await asked.read(lambda db: tags.all_of(db, asked.account_id))
    found = [one for one in found if fold(q) in fold(one.name)]
    if used:
        found.sort(key=lambda one: -one.conversations)
    last = max(1, -(-len(found) // _SHOWN))
    page = min(page_number(asked), last)
    return await asked.page(
        "settings/tags/list.html", 400 if wrong else 200, tags=found[(page - 1) * _SHOWN : page * _SHOWN],
        total=len(found), q=q, used=used, number=page, last=last, name=name, wrong=wrong,
    )  # fmt: skip


@PAGES.get(_HERE + "/{id}")
async def show(asked: Asked) -> Response:
    """A tag, to be changed."""
    return await _form(asked, {}, {})


@PAGES.post(_HERE + "/{id}")
async def change(asked: Asked) -> Response:
    """Give a tag another name and colour, on all conversations."""
    id, name, color = asked.id(), asked.form.text("name"), asked.form.text("color")
    _, wrong = await tried(asked, lambda tx: relabelling.change_tag(tx, asked.actor, id, name, color, asked.now))
    if wrong:
        return await _form(asked, {"name": name, "color": color}, wrong)
    return asked.go(_HERE, f"The tag {name} is saved.")


@PAGES.post(_HERE + "/{id}/merge")
async def merge(asked: Asked) -> Response:
    """Put another tag in its place on all conversations, and delete it."""
    id, into = asked.id(), asked.form.id("into") or 0

    def work(tx: Writer) -> str:
        before = relabelling.merge_tag(tx, asked.actor, id, into, asked.now)
        replace_tag(tx, asked.account_id, id, into, asked.now)
        return f"{before.name} is merged into {tags.one(tx, asked.account_id, into).name}."

    said, wrong = await tried(asked, work)
    if said is None:
        return await _form(asked, {}, {"into": "Choose another tag."} if "into" in wrong else wrong)
    return asked.go(_HERE, said)


@PAGES.get(_HERE + "/{id}/delete")
async def ask_delete(asked: Asked) -> Response:
    """What deleting a tag would do."""
    id, account_id = asked.id(), asked.account_id

    def read(db: Reader) -> tuple[CountedTag, list[str]]:
        return _counted(db, account_id, id), [one.name for one in mentioning(db, account_id, "tag", id)]

    tag, workflows = await asked.read(read)
    does = [f"The tag is taken from {words.counted(tag.conversations, 'conversation')}. None is deleted."]
    if workflows:
        does.append(f"These workflows name it and stop until they are changed: {words.joined(workflows)}.")
    return await ask_first(
        asked, f"Delete the tag {tag.name}?", does, up=f"{_HERE}/{id}", above=tag.name, button="Delete tag"
    )  # fmt: skip


@PAGES.post(_HERE + "/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Delete a tag."""
    id = asked.id()
    before = await asked.write(lambda tx: relabelling.delete_tag(tx, asked.actor, id, asked.now))
    return asked.go(_HERE, f"The tag {before.name} is deleted.")


async def _form(asked: Asked, given: Mapping[str, Any], wrong: Wrong) -> Response:
    id, account_id = asked.id(), asked.account_id

    def read(db: Reader) -> tuple[CountedTag, list[CountedTag], list[str]]:
        found = tags.all_of(db, account_id)
        others = [one for one in found if one.id != id]
        return _counted(db, account_id, id), others, [one.name for one in mentioning(db, account_id, "tag", id)]

    tag, others, workflows = await asked.read(read)
    colours = dict(tags.COLOURS)
    colours.setdefault(tag.color.lower(), "As it is")
    return await asked.page(
        "settings/tags/form.html", 400 if wrong else 200, tag=tag, others=others, colours=colours, wrong=wrong,
        given={**msgspec.structs.asdict(tag), **given}, workflows=workflows,
    )  # fmt: skip


def _counted(db: Reader, account_id: int, id: int) -> CountedTag:
    found = next((one for one in tags.all_of(db, account_id) if one.id == id), None)
    if found is None:
        raise NotFound
    return found
