"""Chromium for browser tests: Debian's, or whatever Chromium or Chrome the machine has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

expect.set_options(timeout=20_000)  # a machine that does other work as well takes its time
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find() -> str:
    """Where it is; says how to get it if it is not there."""
    named = os.environ.get("DESKHAND_TEST_CHROMIUM")
    found = named or next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise RuntimeError(
            "the browser tests need Chromium: apt-get install chromium, or name it in DESKHAND_TEST_CHROMIUM"
        )
    return found


@contextmanager
def running() -> Iterator[Browser]:
    """A browser without a window. While it runs, this thread has an event loop: close it before other tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()
