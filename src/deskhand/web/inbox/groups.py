"""All pages of the inbox."""

from __future__ import annotations

from deskhand.web.inbox.aside import PAGES as SIDE
from deskhand.web.inbox.beginning import PAGES as BEGINNING
from deskhand.web.inbox.bulk import PAGES as BULK
from deskhand.web.inbox.changes import PAGES as CHANGES
from deskhand.web.inbox.conversation import PAGES as CONVERSATION
from deskhand.web.inbox.customer import PAGES as CUSTOMERS
from deskhand.web.inbox.drafts import PAGES as DRAFTS
from deskhand.web.inbox.files import PAGES as FILES
from deskhand.web.inbox.forwarding import PAGES as FORWARDING
from deskhand.web.inbox.lists import PAGES as LISTS
from deskhand.web.inbox.palette import PAGES as PALETTE
from deskhand.web.inbox.picking import PAGES as PICKING
from deskhand.web.inbox.searching import PAGES as SEARCHING
from deskhand.web.inbox.staying import PAGES as STAYING
from deskhand.web.inbox.unsent import PAGES as UNSENT
from deskhand.web.inbox.views import PAGES as VIEWS
from deskhand.web.inbox.writing import PAGES as WRITING
from deskhand.web.pages import Pages

LISTING: tuple[Pages, ...] = (LISTS, SEARCHING, VIEWS, BULK, PALETTE, SIDE)
READING: tuple[Pages, ...] = (CONVERSATION, CHANGES, CUSTOMERS, FILES)
WRITTEN: tuple[Pages, ...] = (WRITING, DRAFTS, FORWARDING, BEGINNING, UNSENT, STAYING, PICKING)
GROUPS = (*LISTING, *WRITTEN, *READING)
"""In the order in which they are looked for."""
