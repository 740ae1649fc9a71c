"""Which folder a conversation lies in."""

from __future__ import annotations

import pytest

from deskhand.desk.inboxes.folders import TYPES, Folder, folder_id, home


@pytest.mark.parametrize(
    ("state", "status", "assigned", "snoozed", "folder"),
    [
        ("published", "active", False, False, Folder.UNASSIGNED),
        ("published", "pending", False, False, Folder.UNASSIGNED),
        ("published", "active", True, False, Folder.ASSIGNED),
        ("published", "pending", True, False, Folder.ASSIGNED),
        ("published", "active", True, True, Folder.SNOOZED),
        ("published", "closed", True, True, Folder.CLOSED),
        ("published", "spam", True, False, Folder.SPAM),
        ("draft", "closed", True, False, Folder.DRAFTS),
    ],
)
def test_a_conversation_has_one_home(state: str, status: str, assigned: bool, snoozed: bool, folder: Folder) -> None:
    assert home(state=state, status=status, assigned=assigned, snoozed=snoozed) is folder


def test_every_kind_has_a_type_and_ids_never_meet() -> None:
    assert set(TYPES) == set(Folder)
    assert len({folder_id(inbox, kind) for inbox in range(1, 50) for kind in Folder}) == 49 * len(Folder)
