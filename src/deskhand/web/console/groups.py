"""All pages of the console: about agents and what they may do, and about what they do."""

from __future__ import annotations

from deskhand.web.console.access import PAGES as ACCESS
from deskhand.web.console.agents import PAGES as AGENTS
from deskhand.web.console.approvals import PAGES as APPROVALS
from deskhand.web.console.budget import PAGES as BUDGET
from deskhand.web.console.connections import PAGES as CONNECTIONS
from deskhand.web.console.explaining import PAGES as EXPLAINING
from deskhand.web.console.granting import PAGES as GRANTING
from deskhand.web.console.log import PAGES as LOG
from deskhand.web.console.log_proof import PAGES as LOG_PROOF
from deskhand.web.console.matrix import PAGES as MATRIX
from deskhand.web.console.start import PAGES as FIRST_STEPS
from deskhand.web.console.stops import PAGES as STOPS
from deskhand.web.console.versions import PAGES as VERSIONS
from deskhand.web.pages import Pages

STEERING: tuple[Pages, ...] = (AGENTS, MATRIX, EXPLAINING, FIRST_STEPS, GRANTING, VERSIONS, ACCESS)
WATCHING: tuple[Pages, ...] = (APPROVALS, LOG_PROOF, LOG, BUDGET, STOPS, CONNECTIONS)
GROUPS = (*STEERING, *WATCHING)
"""In the order in which they are looked for: fixed paths come before those with an id."""
