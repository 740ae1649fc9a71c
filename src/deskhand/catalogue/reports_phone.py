"""The report about phone calls. No public sample shows it, so it mirrors that about e-mail."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from deskhand.catalogue.needs import need, places
from deskhand.catalogue.operation import HS, Action, Asked, Need, Operation, Report, Resource
from deskhand.catalogue.reports import AskChannel
from deskhand.catalogue.reports_productivity import (
    EmailResolutions,
    EmailResolutionsDeltas,
    EmailResponses,
    EmailResponsesDeltas,
)
from deskhand.catalogue.values import Shape


class PhoneVolume(Shape, kw_only=True):
    """How many phone conversations there was something to do in, and how many began."""

    phone_conversations: int
    phones_created: int


class PhoneNumbers(Shape, kw_only=True):
    """The phone conversations of one span."""

    start_date: str
    end_date: str
    volume: PhoneVolume
    resolutions: EmailResolutions
    responses: EmailResponses


class PhoneVolumeDeltas(Shape, kw_only=True):
    """Changes against the previous span in percent."""

    phone_conversations: float
    phones_created: float


class PhoneDeltas(Shape, kw_only=True):
    """Changes against the previous span, in the same places as the numbers."""

    volume: PhoneVolumeDeltas
    resolutions: EmailResolutionsDeltas
    responses: EmailResponsesDeltas


class PhoneReport(Shape, kw_only=True):
    """How many phone conversations there were, and how they were answered."""

    current: PhoneNumbers
    previous: PhoneNumbers | UnsetType = UNSET
    deltas: PhoneDeltas | UnsetType = UNSET


def _numbers(asked: Asked) -> tuple[Need, ...]:
    query: AskChannel = asked.query
    return tuple(need(asked, place) for place in places(query.mailboxes, query.folders))


get_phone_report = Operation(
    name="get_phone_report", method="GET", path="/v2/reports/phone",
    resource=Resource.REPORTS, action=Action.READ, needs=_numbers, query=AskChannel, returns=Report(PhoneReport),
    phrase="read the phone report",
    summary="How many phone conversations there were, how quickly they were answered by mail and how they were "
    "resolved. The share resolved on the first reply is a fraction here, from 0 to 1.",
    errors=((403, "the account's plan has no reports; Plus and Pro do"),), source=HS + "reports/phone",
)  # fmt: skip

OPERATIONS = (get_phone_report,)
