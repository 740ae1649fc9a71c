"""All pages of the reports."""

from __future__ import annotations

from deskhand.web.pages import Pages
from deskhand.web.reports.of_agents import PAGES as OF_AGENTS
from deskhand.web.reports.pages import PAGES as REPORTS

GROUPS: tuple[Pages, ...] = (OF_AGENTS, REPORTS)
"""In the order in which they are looked for."""
