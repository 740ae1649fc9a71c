"""Telling a conversation: who writes, why, and what is said at each step of its plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from deskhand.sandbox import plots, shop
from deskhand.sandbox.cast import TONGUES, Cast, say_date
from deskhand.sandbox.contents import INVOICES, LISTS, PHOTOS, PRICES, SHEETS
from deskhand.sandbox.hours import DAY, HOUR, MINUTE, awake, utc, working
from deskhand.sandbox.letters import Letters
from deskhand.sandbox.phrasing import PLAIN, Chat, Scenario, Tongue, matching, pick, say
from deskhand.sandbox.records import AttachmentRecord, Customer, Schedule, Snooze
from deskhand.sandbox.story import Ids, Story
from deskhand.sandbox.texts_en import ENGLISH
from deskhand.sandbox.texts_inside import HELPER_NOTES, TRIED

_STATUS = {"!": "closed", "~": "pending", ".": "active"}
_FILES = {
    "photo": (PHOTOS, "IMG_{n}.png"),
    "invoice": (INVOICES, "invoice-{invoice}.pdf"),
    "sheet": (SHEETS, "{product}-assembly.pdf"),
    "prices": (PRICES, "prices-for-resellers.pdf"),
    "list": (LISTS, "rooms-{n}.txt"),
}


class Telling:
    """One conversation being told: the story so far, and the material it is told with."""

    def __init__(
        self,
        cast: Cast,
        ids: Ids,
        n: int,
        *,
        customer: Customer | None = None,
        inbox: int | None = None,
        arrival: str | None = None,
        reason: str | None = None,
    ) -> None:
        self.cast = cast
        self.rng = rng = Random(f"{cast.seed}:conversation:{n}")
        at = cast.created(n)
        code = customer.language if customer else cast.language(rng)
        self.place = cast.inbox(rng) if inbox is None else inbox
        self.customer = customer or cast.writer(rng, code, self.place, at)
        self.tongue: Tongue = TONGUES[code]
        self.arrival = arrival or plots.arrival(rng, code, staffed=working(at) == at)
        self.scenario, self.chat = self._reason(reason)
        inbox_id = shop.INBOX_IDS[self.place]
        self.slots = cast.slots(rng, self.customer, self.tongue, inbox_id, at)
        self.staff = cast.answerer(rng, inbox_id, code)
        self.slots["staff"] = self.staff.first_name
        self.slots["other"] = cast.colleague(rng, self.staff.id, inbox_id)
        self.opened_with = int(rng.random() * len(self.scenario.opening))
        self.came_back = False
        self.letters = Letters(rng, self.tongue, self.slots, self.customer, self.staff)
        self.rate = 0.16
        self.story = Story(
            cast=cast,
            ids=ids,
            rng=rng,
            n=n,
            customer=self.customer,
            email=self.customer.emails[-1 if rng.random() < 0.1 else 0].value,
            inbox_id=inbox_id,
            language=code,
            subject=self.new_subject(),
            type=self.arrival if self.arrival in ("phone", "chat") else "email",
            source=self._source(),
            at=at,
        )

    def tell(self, steps: Sequence[str]) -> None:
        """Go through the steps until they end or the present is reached; then file and tidy."""
        for step in steps:
            if not STEPS[step[0]](self, _STATUS.get(step[1:], "")):
                break
        self.story.tags = self._tags()
        self.story.fields = self._fields()

    def plot(self) -> tuple[str, ...]:
        """A likely plot for a conversation of this age and arrival; empty for spam."""
        age_days = (self.cast.now - self.story.at) / DAY
        status = plots.status(self.rng, age_days)
        return () if status == "spam" else plots.plot(self.rng, self.arrival, status)

    # The steps. Each answers whether it still fitted before the present.

    def opening(self, _: str) -> bool:
        rng, story = self.rng, self.story
        if rng.random() < 0.07:
            story.cc = self._copied()
        if rng.random() < 0.02:
            story.bcc = (f"archive@{shop.DOMAIN}",)
        files = self._enclosed(self.scenario.enclosed, 0.7)
        story.customer_writes(
            self.letters.from_customer(self.fitting(self.scenario.opening), files=files), attachments=files
        )
        if rng.random() < 0.02:
            story.imported = True
            story.line("Imported from the old shop mail", shop.OWNER, action="imported-external")
        elif rng.random() < 0.015:
            self._moved_here()
        return True

    def outreach(self, status: str) -> bool:
        self.story.staff_writes(self.staff_mail(self.fitting(self.scenario.opening)), self.staff.id, status)
        return True

    def call(self, status: str) -> bool:
        self.story.staff_writes(say(self.rng, self.scenario.calls, self.slots), self.staff.id, status, kind="phone")
        return True

    def chatting(self, _: str) -> bool:
        chat = self.chat
        lines = [(line[0], say(self.rng, (line[2:],), self.slots)) for line in chat.lines]
        if self.rng.random() < 0.25:
            whole = "".join(f"<p><b>{self._speaker(who)}</b></p>{text}" for who, text in lines)
            self.story.customer_writes(whole, kind="beaconchat")
            return self._line("ended the chat", self.staff.id, minutes=9)
        for who, text in lines:
            if who == "C":
                self.story.customer_writes(text, kind="chat")
            else:
                self.story.staff_writes(text, self.staff.id, "active", kind="chat")
            if not self.story.passes(8 + self.rng.random() * 80):
                return False
        return True

    def asking(self, _: str) -> bool:
        return self._reply(self.fitting(self.scenario.ask), "pending")

    def informing(self, _: str) -> bool:
        files = self._enclosed(self.scenario.enclosed, 0.8)
        return self._answer(self.fitting(self.scenario.info), files=files)

    def fixing(self, status: str) -> bool:
        files = self._enclosed(self.scenario.sent, 0.9)
        return self._reply(self.fitting(self.scenario.fix), status, files=files, rate=self.rate)

    def thanking(self, _: str) -> bool:
        return self._answer(self.tongue.delighted if self._about_light() else self.tongue.thanks, quote=0.3)

    def grumbling(self, _: str) -> bool:
        return self._answer(self.tongue.failed if self.scenario.inbox == 1 else self.tongue.grumble)

    def soothing(self, status: str) -> bool:
        return self._reply(self.tongue.soothe, status, rate=0.2)

    def nudging(self, _: str) -> bool:
        return self._answer(self.tongue.nudge, quote=0.0)

    def coming_back(self, _: str) -> bool:
        at = self.cast.hours.recent(self.rng, 6.5)
        if at <= max(self.story.at, self.story.opened):
            return False
        self.story.at = at
        self.came_back = True
        pool = self.scenario.again or self.tongue.again
        self.story.customer_writes(self.letters.from_customer(pool, quote=0.2))
        return True

    def greeting_back(self, status: str) -> bool:
        return self._reply(self.tongue.back, status)

    def noting(self, _: str) -> bool:
        by = pick(self.rng, self.cast.noting[self.story.inbox_id])
        if not self._staff_time(0.3):
            return False
        other = self.cast.colleague(self.rng, by.id, self.story.inbox_id)
        pool = _PLAIN_NOTES if self.arrival == "chat" or self.came_back else self.scenario.notes or _PLAIN_NOTES
        self.story.notes(say(self.rng, pool, self.slots | {"other": other}), by.id)
        return True

    def helping(self, _: str) -> bool:
        if not self.story.passes(MINUTE * (1 + self.rng.random() * 3)):
            return False
        english = {"asked": say_date(ENGLISH, self.story.at)}
        self.story.notes(say(self.rng, HELPER_NOTES[self.place], self.slots | english), shop.HELPER)
        return True

    def drafting(self, _: str) -> bool:
        by_helper = self.rng.random() < 0.5
        if not (self.story.passes(MINUTE * 3) if by_helper else self._staff_time(0.5)):
            return False
        scheduled = None if by_helper or self.rng.random() < 0.4 else self._schedule()
        body = self.staff_mail(self.tongue.back if self.came_back else self.fitting(self.scenario.fix))
        self.story.drafts(body, shop.HELPER if by_helper else self.staff.id, scheduled)
        return True

    def assigning(self, _: str) -> bool:
        rng, story = self.rng, self.story
        if not story.passes(MINUTE * (2 + rng.random() * 50)):
            return False
        draw = rng.random()
        if draw < 0.55:
            story.assignee = shop.WORKSHOP if story.inbox_id == shop.PRODUCTS else shop.ORDERS_DESK
        else:
            story.assignee = self.staff.id
        name = self.cast.names[story.assignee]
        if draw < 0.06 and story.inbox_id == shop.ORDERS:
            text, by = f"ran a workflow that assigned the conversation to {name}", 3
            story.line(
                f"{self.cast.names[by]} {text}", by, action="manual-workflow", associated={"workflow": shop.WORKFLOW}
            )
            return True
        by = shop.HELPER if draw > 0.8 else 3 if draw > 0.5 else self.staff.id
        text = "took the conversation" if by == story.assignee else f"assigned the conversation to {name}"
        story.line(f"{self.cast.names[by]} {text}", by, associated={"user": story.assignee})
        return True

    def closing(self, status: str) -> bool:
        return self._staff_time(0.3) and self._line(
            f"changed the status to {status.capitalize()}", self.staff.id, status
        )

    # Extras that can follow any plot.

    def snooze(self) -> None:
        """Put the conversation aside until some days after now."""
        story = self.story
        if not story.passes(HOUR * (1 + self.rng.random() * 3)):
            return
        until = (self.cast.now // DAY + 1 + int(self.rng.random() * 20)) * DAY + 8 * HOUR
        story.snooze = Snooze(self.staff.id, utc(until), self.rng.random() < 0.8)
        self._line(f"snoozed the conversation until {say_date(ENGLISH, until)}", self.staff.id)

    def schedule_reply(self) -> int:
        """Leave a reply that will be sent some days after now; the answer is its id."""
        self._staff_time(0.2)
        return self.story.drafts(self.staff_mail(self.tongue.back), self.staff.id, self._schedule())

    # What is said, and by when.

    def _reply(
        self, pool: Sequence[str], status: str, files: tuple[AttachmentRecord, ...] = (), rate: float = 0.0
    ) -> bool:
        if not self._staff_time(1.0):
            return False
        self.slots["later"] = say_date(self.tongue, self.story.at + (6 + int(self.rng.random() * 8)) * DAY)
        body = self.staff_mail(pool or self.tongue.soothe)
        tongue = self.tongue
        comments = tuple(
            say(self.rng, words, self.slots, PLAIN) for words in (tongue.great, tongue.okay, tongue.not_good)
        )
        state = "hidden" if self.rng.random() < 0.006 else "published"
        self.story.staff_writes(
            body,
            self.staff.id,
            status,
            state=state,
            rate=rate,
            comments=(comments[0], comments[1], comments[2]),
            attachments=files,
        )
        return True

    def _answer(self, pool: Sequence[str], files: tuple[AttachmentRecord, ...] = (), quote: float = 0.45) -> bool:
        draw = self.rng.random()
        then = max(awake(self.story.at + 20 * MINUTE + int(draw * draw * 45 * HOUR)), self.story.opened + 5 * MINUTE)
        if not self.story.passes(then - self.story.at):
            return False
        state = "hidden" if self.rng.random() < 0.006 else "published"
        body = self.letters.from_customer(pool, quote=quote, files=files)
        self.story.customer_writes(body, state=state, attachments=files)
        self.slots["asked"] = say_date(self.tongue, self.story.at)
        return True

    def _staff_time(self, haste: float) -> bool:
        draw = self.rng.random()
        then = working(self.story.at + 6 * MINUTE + int(draw * draw * draw * 26 * HOUR * haste))
        return self.story.passes(then - self.story.at)

    def staff_mail(self, pool: Sequence[str]) -> str:
        """One text of the pool as a reply written now."""
        return self.letters.from_staff(pool, say_date(self.tongue, self.story.at))

    def _line(self, text: str, by: int, status: str = "nochange", minutes: float = 0.0) -> bool:
        if minutes and not self.story.passes(minutes * MINUTE):
            return False
        self.story.line(f"{self.cast.names[by]} {text}", by, status=status)
        return True

    # What the conversation starts with.

    def _reason(self, key: str | None) -> tuple[Scenario, Chat]:
        rng, tongue = self.rng, self.tongue
        chat = pick(rng, tongue.chats)
        if self.arrival == "outreach":
            self.place = 0
            return tongue.heads_up, chat
        if self.arrival == "chat":
            self.place = chat.inbox
        known = self.cast.scenarios[tongue.code, self.place]
        scenario = next(one for one in known if one.key == key) if key else pick(rng, known)
        if self.arrival == "phone" and not scenario.calls:
            self.arrival = "email"
        return scenario, chat

    def new_subject(self) -> str:
        pool = (self.chat.subject,) if self.arrival == "chat" else self.fitting(self.scenario.subjects)
        return say(self.rng, pool, self.slots, PLAIN)

    def _source(self) -> str:
        draw = self.rng.random()
        if self.arrival == "chat":
            return "beacon" if draw < 0.7 else "chat"
        if draw < 0.84:
            return "email"
        return "beacon" if draw < 0.92 else "web" if draw < 0.96 else "api" if draw < 0.98 else "mobile"

    def _speaker(self, who: str) -> str:
        return self.slots["full"] if who == "C" else self.slots["staff"]

    def fitting(self, pool: tuple[str, ...]) -> tuple[str, ...]:
        return matching(pool, self.opened_with, len(self.scenario.opening))

    def _about_light(self) -> bool:
        return self.arrival != "chat" and (self.scenario.inbox == 1 or self.scenario.key in _ABOUT_LIGHT)

    def _copied(self) -> tuple[str, ...]:
        name, _, domain = self.story.email.partition("@")
        second = [entry.value for entry in self.customer.emails if entry.value != self.story.email]
        return (
            second[0] if second else f"accounts@{domain}" if self.customer.organization else f"{name}.family@{domain}",
        )

    def _moved_here(self) -> None:
        origin = shop.INBOX_IDS[(self.place + 1) % 3]
        name = next(inbox[1] for inbox in shop.INBOXES if inbox[0] == origin)
        if self._staff_time(0.2):
            self.story.line(
                f"{self.cast.names[3]} moved the conversation here from {name}",
                3,
                action="moved-from-mailbox",
                associated={"mailbox": origin},
            )

    def _enclosed(self, kind: str, likely: float) -> tuple[AttachmentRecord, ...]:
        rng = self.rng
        if not kind or rng.random() > likely:
            return ()
        if kind == "prices" and rng.random() < 0.2:
            kind = "list"
        keys, pattern = _FILES[kind]
        return tuple(
            self.story.file(pick(rng, keys), pattern.format(n=int(rng.random() * 9_000) + 1_000, **self.slots))
            for _ in range(2 if kind == "photo" and rng.random() < 0.25 else 1)
        )

    def _schedule(self) -> Schedule:
        later = working(self.cast.now + 4 * HOUR + int(self.rng.random() * 4 * DAY))
        return Schedule(self.staff.id, utc(self.story.at), utc(later), self.rng.random() < 0.8)

    def _tags(self) -> tuple[int, ...]:
        rng, ids = self.rng, self.cast.tag_ids
        names = list(self.chat.tags if self.arrival == "chat" else self.scenario.tags)
        if rng.random() < 0.13:
            names = []
        if self.tongue.tag and rng.random() < 0.8:
            names.append(self.tongue.tag)
        if self.came_back:
            names.append("came back")
        return tuple(ids[name] for name in names)

    def _fields(self) -> tuple[tuple[int, str], ...]:
        if len(self.story.threads) == 1 and self.rng.random() < 0.5:
            return ()
        tried = pick(self.rng, TRIED)
        return self.cast.field_values(self.rng, self.story.inbox_id, self.scenario, self.slots, self.story.at, tried)


_ABOUT_LIGHT = ("late parcel", "wrong item", "damaged parcel")
_PLAIN_NOTES = (
    "{other}, could you have a quick look at this one? I know you know the answer.",
    "I have read this twice and [agree with both sides|still like the lamp]. {other}, what do you think?",
    "Waiting for the workshop. [They have it on the bench.|They have it under the bench.]",
)

STEPS: dict[str, Callable[[Telling, str], bool]] = {
    "O": Telling.opening,
    "M": Telling.outreach,
    "C": Telling.call,
    "K": Telling.chatting,
    "A": Telling.asking,
    "I": Telling.informing,
    "F": Telling.fixing,
    "T": Telling.thanking,
    "G": Telling.grumbling,
    "S": Telling.soothing,
    "X": Telling.nudging,
    "Z": Telling.coming_back,
    "B": Telling.greeting_back,
    "N": Telling.noting,
    "H": Telling.helping,
    "D": Telling.drafting,
    "@": Telling.assigning,
    "L": Telling.closing,
}
