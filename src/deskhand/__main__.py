"""`python -m deskhand` is the command `deskhand`."""

from __future__ import annotations

from deskhand.cli import main

if __name__ == "__main__":
    main()
