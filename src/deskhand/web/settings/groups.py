"""The pages of the settings, group by group."""

from __future__ import annotations

from deskhand.web.pages import Pages
from deskhand.web.settings import (
    account,
    applications,
    assignment,
    channel_log,
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
    user_access,
    users,
    webhooks,
    workflows,
)

_MODULES = (
    index,
    users,
    user_access,
    teams,
    inboxes,
    assignment,
    channels,
    channel_log,
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
