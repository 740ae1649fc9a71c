"""What customers thought of replies, and in which inboxes they are asked."""

from __future__ import annotations

from starlette.responses import Response

from deskhand.db.engine import Reader, Writer
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.mail_settings import MailChange
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.ratings import listing
from deskhand.desk.ratings.listing import RATINGS
from deskhand.desk.ratings.queries import RatingRow
from deskhand.outbox import events
from deskhand.web import words
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import page_number

PAGES = Pages("administrator")
_HERE = "/settings/ratings"
NAMES = {"great": "Great", "okay": "Okay", "not_good": "Not good", "unknown": "Not known"}


@PAGES.get(_HERE)
async def show(asked: Asked) -> Response:
    """The latest ratings, and where customers are asked for them."""
    page, wanted, words_only = page_number(asked), asked.query("rating"), asked.query("comments") == "1"
    such = wanted if wanted in RATINGS else ""

    def read(db: Reader) -> tuple[list[InboxRow], set[int], list[RatingRow], bool]:
        found = inboxes.all_of(db, asked.account_id)
        ids = [one.id for one in found]
        rated, more = listing.recent(db, asked.account_id, ids, page, rating=such, with_words=words_only)
        return found, mail_settings.asking(db, asked.account_id), rated, more

    found, asking, rated, more = await asked.read(read)
    return await asked.page(
        "settings/ratings.html", inboxes=found, asking=asking, ratings=rated, more=more, number=page, such=such,
        words_only=words_only, names=NAMES, inbox_names={one.id: one.name for one in found},
    )  # fmt: skip


@PAGES.post(_HERE)
async def change(asked: Asked) -> Response:
    """Decide in which inboxes replies ask how they were."""
    chosen = set(asked.form.ids("inboxes"))

    def work(tx: Writer) -> list[str]:
        before = mail_settings.asking(tx, asked.account_id)
        found = inboxes.all_of(tx, asked.account_id)
        for one in found:
            if (one.id in chosen) != (one.id in before):
                wanted = MailChange(ratings=one.id in chosen)
                mail_settings.change(tx, asked.account_id, one.id, wanted, asked.web.sealer, asked.now)
        tx.changed(events.PAGES)
        return [one.name for one in found if one.id in chosen]

    names = await asked.write(work)
    said = f"Replies from {words.joined(names)} ask how they were." if names else "No reply asks how it was."
    return asked.go(_HERE, said)
