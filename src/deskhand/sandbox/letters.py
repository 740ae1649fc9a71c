"""Mails as people and their programs write them: greeting, text, signature, and below it what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from deskhand.sandbox import shop
from deskhand.sandbox.phrasing import PLAIN, Tongue, paragraph, say
from deskhand.sandbox.records import AttachmentRecord, Customer
from deskhand.sandbox.shop import Person

_QUOTED_AT_MOST = 1_500


class Letters:
    """The mails between one customer and one user, in one language."""

    def __init__(self, rng: Random, tongue: Tongue, slots: dict[str, str], customer: Customer, staff: Person) -> None:
        self._rng = rng
        self._tongue = tongue
        self._slots = slots
        self._customer = customer
        self._staff = staff
        self._style = customer.id % 3
        self._last_reply, self._replied_on = "", ""

    def from_customer(self, pool: Sequence[str], quote: float = 0.0, files: tuple[AttachmentRecord, ...] = ()) -> str:
        """One text of the pool as a mail of the customer; `quote` is how likely it has our last reply below it."""
        rng, style = self._rng, self._style
        parts = [self._hello(), say(rng, pool, self._slots, style)]
        if files and files[0].width and rng.random() < 0.3:
            name = files[0].filename
            parts.append(paragraph(style, f'<img src="cid:{name}" alt="{name}" width="{files[0].width}">'))
        parts.append(paragraph(style, self._signature()))
        if rng.random() < 0.07:
            parts.append(paragraph(style, self._tongue.phone_line))
        if self._last_reply and rng.random() < quote:
            wrote = self._tongue.wrote.format(date=self._replied_on, staff=self._staff.first_name)
            parts.append(f'<blockquote type="cite">{paragraph(style, wrote)}{self._last_reply}</blockquote>')
        return "".join(parts)

    def from_staff(self, pool: Sequence[str], on: str) -> str:
        """One text of the pool as a reply; `on` is its date in words, for the customer to quote."""
        rng, tongue, slots = self._rng, self._tongue, self._slots
        dear = tongue.dear if self._customer.first_name else tongue.dear_nobody
        body = f"{say(rng, (dear,), slots)}{say(rng, pool, slots)}"
        self._last_reply = body if len(body) <= _QUOTED_AT_MOST else ""
        self._replied_on = on
        regards = say(rng, tongue.regards, slots, PLAIN)
        return f"{body}<p>{regards}<br>{self._staff.first_name}<br>{shop.NAME}</p>"

    def _hello(self) -> str:
        if self._last_reply and self._rng.random() < 0.5:
            names = {"first": self._staff.first_name, "last": self._staff.last_name}
            return say(self._rng, (self._tongue.dear,), names, self._style)
        return say(self._rng, self._tongue.hello, self._slots, self._style)

    def _signature(self) -> str:
        customer = self._customer
        byes = self._tongue.bye[:-1] if self._last_reply else self._tongue.bye
        lines = [say(self._rng, byes, self._slots, PLAIN)]
        if customer.first_name:
            lines.append(self._slots["full"])
        if customer.organization and not self._last_reply:
            lines.append(f"{customer.job_title}, {customer.organization}")
        return "<br>".join(lines)
