"""The console's pages about what agents do, in the order in which they are looked for."""

from __future__ import annotations

from deskhand.web.console.approvals import PAGES as APPROVALS
from deskhand.web.console.budget import PAGES as BUDGET
from deskhand.web.console.connections import PAGES as CONNECTIONS
from deskhand.web.console.log import PAGES as LOG
from deskhand.web.console.log_proof import PAGES as LOG_PROOF
from deskhand.web.console.stops import PAGES as STOPS

GROUPS = (APPROVALS, LOG_PROOF, LOG, BUDGET, STOPS, CONNECTIONS)
