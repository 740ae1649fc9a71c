"""The pages of the settings, group by group."""

from __future__ import annotations

from deskhand.web.pages import Pages
from deskhand.web.settings import (
    account,
    applications,
    channels,
    fields,
    hours,
    inboxes,
    index,
    jobs,
    properties,
    ratings,
    saved_replies,
    tags,
    teams,
    users,
    webhooks,
    workflows,
)

_MODULES = (
    index,
    users,
    teams,
    inboxes,
    channels,
    tags,
    fields,
    saved_replies,
    ratings,
    properties,
    account,
    hours,
    applications,
    jobs,
    webhooks,
    workflows,
)
GROUPS: tuple[Pages, ...] = tuple(module.PAGES for module in _MODULES)
