"""The pages of the own account."""

from __future__ import annotations

from deskhand.web.account.preferring import PAGES as PREFERENCES
from deskhand.web.account.profile import PAGES as PROFILE
from deskhand.web.account.second_factor import PAGES as SECOND_FACTOR
from deskhand.web.account.security import PAGES as SECURITY
from deskhand.web.pages import Pages

GROUPS: tuple[Pages, ...] = (PROFILE, PREFERENCES, SECURITY, SECOND_FACTOR)
