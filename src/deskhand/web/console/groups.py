"""All pages about agents and what they may do; those that watch them are in oversight.py."""

from __future__ import annotations

from deskhand.web.console.access import PAGES as ACCESS
from deskhand.web.console.agents import PAGES as AGENTS
from deskhand.web.console.explaining import PAGES as EXPLAINING
from deskhand.web.console.granting import PAGES as GRANTING
from deskhand.web.console.matrix import PAGES as MATRIX
from deskhand.web.console.start import PAGES as FIRST_STEPS
from deskhand.web.console.versions import PAGES as VERSIONS
from deskhand.web.pages import Pages

GROUPS: tuple[Pages, ...] = (AGENTS, MATRIX, EXPLAINING, FIRST_STEPS, GRANTING, VERSIONS, ACCESS)
"""In the order in which they are looked for: fixed paths come before those with an agent's id."""
