"""What was done to a workflow, as the audit log is told of it."""

from __future__ import annotations

from deskhand.desk.call import Change
from deskhand.desk.workflows.queries import WorkflowRow


def done(did: str, row: WorkflowRow, change: str) -> Change:
    """What was done to it, in words and by the change's key: `changed the turn of` and `shifted`."""
    particulars: dict[str, str | int] = {"change": f"workflow_{change}", "workflow_id": row.id}
    return Change(did, "workflow", row.name, {**particulars, "inbox_id": row.inbox_id})


def switched(row: WorkflowRow) -> Change:
    """It is on now, or off."""
    on = "on" if row.status == "active" else "off"
    return done(f"switched {on}", row, f"switched_{on}")
