"""Sandboxes for tests of programs that work with a help desk: in this process, fresh for each test.

`with sandbox() as desk:` works anywhere. With pytest, `pytest_plugins = ["deskhand.testing"]` in the topmost
conftest.py gives the fixture `deskhand_sandbox`. docs/sandbox.md tells how to use them.
"""

from __future__ import annotations

from deskhand.testing.calls import Answer
from deskhand.testing.desk import CallFailed, SandboxDesk, Written
from deskhand.testing.servers import Made, sandbox

__all__ = ["Answer", "CallFailed", "Made", "SandboxDesk", "Written", "pytest_plugins", "sandbox"]

pytest_plugins = ["deskhand.testing.fixtures"]
"""Read by pytest alone, so that nobody else needs it to be installed."""
