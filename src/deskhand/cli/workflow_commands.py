"""The commands about workflows: names, options and help. Each is a verb of `/admin/v1` as well."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deskhand.cli.options import Account, Json, group, module, settings

workflows = group("workflows", "Make workflows, change them, and try what they would do.")

Workflow = Annotated[int, typer.Argument(help="The workflow's id.", min=1)]
File = Annotated[Path, typer.Option("--file", help="A file with the workflow as JSON; - reads stdin.", allow_dash=True)]
Most = Annotated[int, typer.Option(help="How many of the inbox's newest conversations.", min=1, max=1000)]


@workflows.command("list")
def workflows_list(
    inbox: Annotated[int | None, typer.Option(help="Only those of this inbox, by id.", min=1)] = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """All workflows by inbox, in their order."""
    module("workflows").listed(settings(), account, inbox, json=json)


@workflows.command("show")
def workflows_show(workflow: Workflow, account: Account = None, json: Json = False) -> None:
    """A workflow, when it runs and what it does."""
    module("workflows").show_one(settings(), account, workflow, json=json)


@workflows.command("add")
def workflows_add(file: File, account: Account = None, json: Json = False) -> None:
    """Add a workflow; docs/workflows.md tells how one is written."""
    module("workflows").add(settings(), account, file, json=json)


@workflows.command("change")
def workflows_change(workflow: Workflow, file: File, account: Account = None, json: Json = False) -> None:
    """Put what a file says in the place of a workflow; on which it ran, it does not run again."""
    module("workflows").change(settings(), account, workflow, file, json=json)


@workflows.command("enable")
def workflows_enable(workflow: Workflow, account: Account = None, json: Json = False) -> None:
    """Switch a workflow on."""
    module("workflows").switch(settings(), account, workflow, "active", json=json)


@workflows.command("disable")
def workflows_disable(workflow: Workflow, account: Account = None, json: Json = False) -> None:
    """Switch a workflow off."""
    module("workflows").switch(settings(), account, workflow, "inactive", json=json)


@workflows.command("delete")
def workflows_delete(workflow: Workflow, account: Account = None, json: Json = False) -> None:
    """Delete a workflow; what it did stays."""
    module("workflows").delete(settings(), account, workflow, json=json)


@workflows.command("dry-run")
def workflows_dry_run(
    workflow: Annotated[int | None, typer.Argument(help="The workflow's id.", min=1, show_default=False)] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file with one that is not saved; - reads stdin.", allow_dash=True)
    ] = None,
    conversations: Most = 100,
    account: Account = None,
    json: Json = False,
) -> None:
    """Tell what a workflow would have done to the newest conversations of its inbox, and why; nothing is changed."""
    if (workflow is None) == (file is None):
        raise typer.BadParameter("give a workflow's id, or a file by --file")
    module("workflows").dry_run(settings(), account, workflow, file, conversations, json=json)
