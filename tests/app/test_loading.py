"""What a server loads: nothing large that only some deployments need."""

from __future__ import annotations

import subprocess
import sys

import pytest

LATER = (
    "aiohttp", "aiosmtpd", "alembic", "cryptography.x509", "deskhand.sandbox.http", "joserfc", "psycopg", "regex",
    "segno", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm",
)  # fmt: skip
"""PostgreSQL's side, the HTTP client, what takes mail by SMTP, signing in by OpenID, and the like."""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that there are after the server's own was imported."""
    asked = [sys.executable, "-c", "import sys, deskhand.app, deskhand.cli.serving; print(*sys.modules)"]
    return set(subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120).stdout.split())


@pytest.mark.parametrize("name", LATER)
def test_what_few_need_is_loaded_when_it_is_needed(loaded: set[str], name: str) -> None:
    assert "deskhand.app" in loaded
    assert name not in loaded
