"""Workflows in their wire form."""

from __future__ import annotations

from deskhand.catalogue.links import Link
from deskhand.catalogue.workflows import Workflow
from deskhand.desk.workflows.queries import WorkflowRow


def workflow(row: WorkflowRow, base: str, *, broken: bool) -> Workflow:
    """A workflow as the API shows it; a `broken` one is invalid, whatever it was switched to."""
    return Workflow(
        id=row.id,
        mailbox_id=row.inbox_id,
        type=row.type,
        status="invalid" if broken else row.status,
        order=row.position,
        name=row.name,
        created_at=row.created_at,
        modified_at=row.modified_at,
        links={"self": Link(f"{base}/v2/workflows/{row.id}")},
    )
