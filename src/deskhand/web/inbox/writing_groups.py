"""The pages and forms for writing."""

from __future__ import annotations

from deskhand.web.inbox.beginning import PAGES as BEGINNING
from deskhand.web.inbox.drafts import PAGES as DRAFTS
from deskhand.web.inbox.forwarding import PAGES as FORWARDING
from deskhand.web.inbox.picking import PAGES as PICKING
from deskhand.web.inbox.writing import PAGES as WRITING
from deskhand.web.pages import Pages

GROUPS: tuple[Pages, ...] = (WRITING, DRAFTS, FORWARDING, BEGINNING, PICKING)
