"""Makes docs/pictures: the eight main pages in both themes, out of a sandbox that is the same each time.

Every picture is of 1280 × 800 pixels with at most 256 colours, so that all of them together stay small.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import requests
from playwright.sync_api import Browser, Page

from bench.palette_png import reduced
from tests.clients.live_sandbox import LiveSandbox
from tests.web import chromium

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
SEED, CONVERSATIONS, NOW = 42, 1000, datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
WIDTH, HEIGHT = 1280, 800
LARGEST, LARGEST_TOGETHER = 150 * 1024, 1536 * 1024
THEMES = ("light", "dark")
UNASSIGNED = 5011
ADDRESS, GIFT, ACCOUNTS = "Change of address", "Gift wrapping?", "Our accounts department"
"""What the subjects of the conversations that are shown begin with."""
REPLY = "Hello Bronte,\nof course: they reach me best in the mornings. I have sent the invoice once more. "
DRAFTED = (
    "<p>Hello Bruno,</p><p>thank you for telling us in time. The new address stands in the order, and the parcel leaves"
    " us tomorrow.</p><p>Kind regards<br>Brindlewick Lamps</p>"
)
HELD = (
    "<p>Dear Imogen,</p><p>yes: every lamp can be wrapped as a gift, with a card in your words. Just answer this mail"
    " with what it should say.</p><p>Kind regards<br>Brindlewick Lamps</p>"
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=FOLDER)
    folder: Path = options.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="deskhand-pictures-") as kept:
        sandbox = LiveSandbox(Path(kept), seed=SEED, conversations=CONVERSATIONS, now=NOW)
        try:
            shown = _prepare(sandbox)
            with chromium.running() as browser:
                sizes = [_take(browser, sandbox, theme, shown, folder) for theme in THEMES]
        finally:
            sandbox.stop()
    together = sum(map(sum, sizes))
    sys.stdout.write(f"{together / 1024:.0f} KB together\n")
    assert together <= LARGEST_TOGETHER, "the pictures are too large"


Go = Callable[[Page], None]


class Shown(NamedTuple):
    """A conversation with an agent's draft, one to be answered, and a call that waits."""

    drafted: int
    answered: int
    approval: int


def _pages(shown: Shown) -> dict[str, Go]:
    """How to come to what is shown, by the pictures' names."""

    def to(path: str, ready: Callable[[Page], Any] = lambda page: None) -> Go:
        def go(page: Page) -> None:
            page.goto(path)
            page.wait_for_load_state("load")
            ready(page)

        return go

    def stand(page: Page) -> None:
        page.keyboard.press("j")
        page.keyboard.press("j")

    def write(page: Page) -> None:
        page.keyboard.press("r")
        page.keyboard.press("Control+a")  # what the picture before has left as a draft
        page.keyboard.type(REPLY)

    def fill(page: Page) -> None:
        fields = page.locator("main input[type=text]:visible, main input:not([type]):visible")
        fields.nth(0).fill("Refunds first")
        fields.nth(1).fill("refund")

    return {
        "list": to(f"/folder/{UNASSIGNED}", stand),
        "conversation": to(f"/conversation/{shown.drafted}?from=/folder/{UNASSIGNED}"),
        "writing": to(f"/conversation/{shown.answered}?from=/folder/{UNASSIGNED}", write),
        "approvals": to(f"/console/approvals/{shown.approval}"),
        "matrix": to("/console/matrix"),
        "log": to("/console/log"),
        "workflow": to("/settings/workflows/new", fill),
        "report": to("/reports/conversations"),
    }


def _take(browser: Browser, sandbox: LiveSandbox, theme: Any, shown: Shown, folder: Path) -> list[int]:
    """All pictures in one theme; their sizes."""
    sizes = []
    for name, go in _pages(shown).items():
        with _window(browser, sandbox, theme) as page:
            go(page)
            page.wait_for_timeout(400)
            content = reduced(page.screenshot(animations="disabled", caret="hide"))
        path = folder / f"{name}-{theme}.png"
        path.write_bytes(content)
        sizes.append(len(content))
        sys.stdout.write(f"{path.name}: {len(content) / 1024:.0f} KB\n")
        assert len(content) <= LARGEST, f"{path.name} is too large"
    return sizes


@contextmanager
def _window(browser: Browser, sandbox: LiveSandbox, theme: Any) -> Iterator[Page]:
    context = browser.new_context(
        base_url=sandbox.url, viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1, color_scheme=theme,
        reduced_motion="reduce", timezone_id="UTC", locale="en-GB",
    )  # fmt: skip
    context.clock.set_fixed_time(NOW)
    try:
        page = context.new_page()
        page.goto("/")
        page.get_by_role("button", name="Open the inbox").click()
        page.wait_for_url("**/folder/**")
        yield page
    finally:
        context.close()


def _prepare(sandbox: LiveSandbox) -> Shown:
    """What agents have done this morning; and what is to be shown of it."""
    agents = {one["name"]: one["key"] for one in sandbox.description["agents"]}
    admin = sandbox.description["admin_token"]

    def call(key: str, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(
            method, sandbox.url + path, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30
        )
        assert answer.status_code < 500, (path, answer.text)
        return answer.json() if answer.content else None

    drafter, triage, closer = (agents[name] for name in ("Drafter", "Triage", "Closer"))
    listed = f"/v2/conversations?folder={UNASSIGNED}&status=active&page="
    found = [one for page in (1, 2) for one in call(drafter, "GET", f"{listed}{page}")["_embedded"]["conversations"]]
    address, gift, accounts = (
        next(one for one in found if one["subject"].startswith(words)) for words in (ADDRESS, GIFT, ACCOUNTS)
    )

    def reply(key: str, one: Any, text: str) -> Any:
        customer = {"id": one["primaryCustomer"]["id"]}
        return call(key, "POST", f"/v2/conversations/{one['id']}/reply", {"text": text, "customer": customer})

    for one in found:
        if max(one["subject"]) > "\u2e80":  # few machines have the letters to draw them
            close = {"op": "replace", "path": "/status", "value": "closed"}
            call(closer, "PATCH", f"/v2/conversations/{one['id']}", close)
    for one in [one for one in found if "BW-65147" in one["subject"] or "Haymaker" in one["subject"]]:
        call(triage, "PUT", f"/v2/conversations/{one['id']}/tags", {"tags": ["delivery"]})
        call(triage, "POST", f"/v2/conversations/{one['id']}/notes", {"text": "The parcel was scanned in Hamburg."})
    call(triage, "DELETE", f"/v2/conversations/{accounts['id']}")
    reply(drafter, address, DRAFTED)
    grants = next(one for one in call(admin, "GET", "/admin/v1/agents")["agents"] if one["name"] == "Closer")
    grants["grants"]["actions"]["reply_to_conversation"] = "hold"
    call(admin, "PUT", f"/admin/v1/agents/{grants['id']}/grants", grants["grants"])
    call(drafter, "PUT", f"/v2/conversations/{address['id']}/tags", {"tags": ["address change", "vip"]})
    waits = reply(closer, gift, HELD)
    assert waits["state"] == "held", waits
    return Shown(int(address["id"]), int(accounts["id"]), int(waits["approval_id"]))


if __name__ == "__main__":
    main()
