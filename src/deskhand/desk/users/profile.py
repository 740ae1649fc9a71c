"""What users change about themselves: their name, what they do, their phone and their time zone."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, empty
from deskhand.catalogue.users import JOB_TITLE_MOST, LINE_MOST, NAME_MOST
from deskhand.db.engine import Writer
from deskhand.db.statements import P, command
from deskhand.desk.call import Actor
from deskhand.desk.users.tables import staff

_REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


class Profile(msgspec.Struct, frozen=True):
    """Everything that a user may change about themselves."""

    first_name: str
    last_name: str
    job_title: str
    phone: str
    timezone: str


_CHANGE = command(
    sa.update(staff)
    .where(
        staff.c.account_id == P("account_id"),
        staff.c.id == P("id"),
        staff.c.type == sa.literal_column("'user'"),
        staff.c.state == sa.literal_column("'active'"),
    )
    .values(**{name: P(name) for name in Profile.__struct_fields__}, updated_at=P("now"))
)


def change(tx: Writer, actor: Actor, wanted: Profile, now: str) -> None:
    """Change the caller's own profile; raises BadRequest, and NotFound for callers who are no users."""
    faults = [
        *([] if wanted.first_name else [empty("first_name")]),
        *(
            FieldError(name, f"must have at most {most} characters", "Size")
            for name, most in _MOST.items()
            if len(getattr(wanted, name)) > most
        ),
        *([] if wanted.timezone in zones() else [FieldError("timezone", "is no time zone", "EnumValue")]),
    ]
    if faults:
        raise BadRequest(*faults)
    changed = tx.run(_CHANGE, account_id=actor.account_id, id=actor.user_id, now=now, **msgspec.structs.asdict(wanted))
    if changed != 1:
        raise NotFound


@cache
def zones() -> frozenset[str]:
    """The time zones that can be chosen by name."""
    return frozenset(available_timezones()) | {"UTC"}


@cache
def zones_of_regions() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The time zones that people choose from, by region: those named after places."""
    found = sorted(zones())
    return tuple((region, tuple(one for one in found if one.startswith(f"{region}/"))) for region in _REGIONS)


_MOST = {"first_name": NAME_MOST, "last_name": NAME_MOST, "job_title": JOB_TITLE_MOST, "phone": LINE_MOST}
