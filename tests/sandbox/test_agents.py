"""The sandbox's agents: there from the beginning, the same for the same seed, and doing what is said of them."""

from __future__ import annotations

from pathlib import Path

import requests

from deskhand.sandbox.options import Options
from deskhand.sandbox.setup import prepare
from tests.clients.live_sandbox import LiveSandbox

EACH = {"Reader", "Drafter", "Triage", "Closer", "Analyst"}


def test_the_same_seed_gives_the_same_agents(tmp_path: Path) -> None:
    one, other, another = (
        prepare(Options(tmp_path / name, seed, 20, None, None), "http://127.0.0.1:1").description
        for name, seed in (("one", 7), ("other", 7), ("another", 8))
    )
    assert one["agents"] == other["agents"]
    assert one["admin_token"] == other["admin_token"]
    assert one["agents"][0]["key"] != another["agents"][0]["key"]
    assert {agent["name"] for agent in one["agents"]} == EACH
    again = prepare(Options(tmp_path / "one", 7, 20, None, None), "http://127.0.0.1:2").description
    assert again["agents"] == one["agents"]


def test_agents_and_the_token_work_also_after_a_reset(tmp_path: Path) -> None:
    sandbox = LiveSandbox(tmp_path)
    try:
        agents = {agent["name"]: agent for agent in sandbox.description["agents"]}
        for _ in range(2):
            _use(sandbox.url, agents["Drafter"]["key"], sandbox.description["admin_token"])
            sandbox.control("reset")
    finally:
        sandbox.stop()


def _use(url: str, key: str, admin_token: str) -> None:
    """What the drafter may and may not do, and what the log says of it."""
    agent = requests.Session()
    agent.headers["Authorization"] = f"Bearer {key}"
    assert [one["name"] for one in agent.get(f"{url}/v2/mailboxes").json()["_embedded"]["mailboxes"]] == ["Orders"]
    assert agent.delete(f"{url}/v2/conversations/3100000001").status_code == 403
    headers = {"Authorization": f"Bearer {admin_token}"}
    told = requests.get(f"{url}/admin/v1/audit", headers=headers, timeout=30).json()["entries"]
    assert told[0]["sentence"].startswith("Drafter was refused to delete conversation #")
    assert told[1]["sentence"] == "Drafter was allowed to list inboxes in Orders"
    assert requests.get(f"{url}/admin/v1/audit/verify", headers=headers, timeout=30).json()["ok"]
