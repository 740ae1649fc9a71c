"""Folders: every inbox has the same ones, and which one a conversation is in follows from its state.

A folder's id is its inbox's id followed by one digit, so that a conversation's folder is known without looking it up.
"""

from __future__ import annotations

from enum import IntEnum


class Folder(IntEnum):
    """The kinds of folder by the last digit of their ids."""

    UNASSIGNED = 1
    MINE = 2
    NEEDS_ATTENTION = 3
    DRAFTS = 4
    ASSIGNED = 5
    CLOSED = 6
    SPAM = 7
    SNOOZED = 8


TYPES = {
    Folder.UNASSIGNED: ("open", "Unassigned"),
    Folder.MINE: ("mytickets", "Mine"),
    Folder.NEEDS_ATTENTION: ("needsattention", "Needs Attention"),
    Folder.DRAFTS: ("drafts", "Drafts"),
    Folder.ASSIGNED: ("assigned", "Assigned"),
    Folder.CLOSED: ("closed", "Closed"),
    Folder.SPAM: ("spam", "Spam"),
    Folder.SNOOZED: ("custom", "Snoozed"),
}
"""The type on the wire and the name that people see. Source: B §4 of the wire contract (v1 page for the types)."""


def folder_id(inbox_id: int, kind: Folder) -> int:
    """The id of an inbox's folder."""
    return inbox_id * 10 + kind


def home(*, state: str, status: str, assigned: bool, snoozed: bool) -> Folder:
    """The one folder that a conversation lies in; Mine is a view of Assigned."""
    if state == "draft":
        return Folder.DRAFTS
    if status == "spam":
        return Folder.SPAM
    if status == "closed":
        return Folder.CLOSED
    if snoozed:
        return Folder.SNOOZED
    return Folder.ASSIGNED if assigned else Folder.UNASSIGNED
