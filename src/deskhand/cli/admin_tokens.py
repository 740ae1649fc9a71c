"""`deskhand admin-tokens`: tokens for `/admin/v1`, which are made here and nowhere else."""

from __future__ import annotations

from deskhand.cli.administering import NEVER, bench, run, show, table
from deskhand.settings import Settings


def create(settings: Settings, account: int | None, name: str, expires: str | None, *, json: bool) -> None:
    """Make a token."""
    with bench(settings, account) as here:
        made = run(here.administration.tokens.make(here.who, name, expires))
    lines = (
        f"Admin token {made.id}, {made.name}, which ends {expires or NEVER}:",
        f"  token  {made.token}",
        "It is shown this once: only its hash is kept.",
    )
    show(made, lambda: "\n".join(lines), json=json)


def listed(settings: Settings, account: int | None, *, json: bool) -> None:
    """Show the tokens that there are."""
    with bench(settings, account) as here:
        found = run(here.administration.tokens.listed(here.account_id))
    heads = ("ID", "NAME", "BEGINS", "MADE", "LAST USED", "ENDS")
    rows = [
        (one.id, one.name, f"{one.prefix}…", one.created_at, one.last_used_at or NEVER, one.expires_at or NEVER)
        for one in found
    ]
    show({"admin_tokens": found}, lambda: table(heads, rows, "There are no admin tokens."), json=json)


def revoke(settings: Settings, account: int | None, id: int, *, json: bool) -> None:
    """Take a token away."""
    with bench(settings, account) as here:
        run(here.administration.tokens.revoke(here.who, id))
    show({"revoked": id}, lambda: f"Admin token {id} is revoked.", json=json)
