"""The npm package node-helpscout, as it is: reads, makes and changes things in a sandbox.

It has Help Scout's address built in; a script that Node loads first turns that into the sandbox's, as a proxy would.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.installed import NODE, node_modules
from tests.clients.live_sandbox import CONVERSATIONS, LiveSandbox

REBASED = """
const axios = require(require.resolve("axios", { paths: [process.env.MODULES] }));
axios.interceptors.request.use((request) => {
  request.url = request.url.replace("https://api.helpscout.net", process.env.DESK);
  return request;
});
"""
CLIENT = """
const Client = require(process.env.MODULES + "/node-helpscout");
const [clientId, clientSecret] = process.env.APP.split(" ");
const client = new Client({ clientId, clientSecret });
const say = (value) => console.log(JSON.stringify(value === undefined ? null : value));
const given = JSON.parse(process.env.GIVEN);
const failed = (error) => ({ status: error.response.status, ...error.response.data });
(async () => { SCRIPT })().catch((error) => { console.error(error); process.exit(1); });
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSandbox]:
    live = LiveSandbox(tmp_path_factory.mktemp("sandbox"), rate_limit=0)
    yield live
    live.stop()


@pytest.fixture
def sandbox(running: LiveSandbox) -> LiveSandbox:
    """The sandbox as it began."""
    running.control("reset")
    return running


def run(sandbox: LiveSandbox, folder: Path, script: str, **given: int) -> list[Any]:
    """What a script with a `client` and what it is `given` says, a value for each `say`."""
    (folder / "rebased.js").write_text(REBASED)
    (folder / "script.js").write_text(CLIENT.replace("SCRIPT", script))
    environment = {
        **os.environ, "MODULES": str(node_modules()), "DESK": sandbox.url, "APP": " ".join(sandbox.credentials),
        "GIVEN": json.dumps(given),
    }  # fmt: skip
    done = subprocess.run(
        [NODE, "--require", "./rebased.js", "script.js"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_lists_every_page(sandbox: LiveSandbox, tmp_path: Path) -> None:
    conversations, users, workflows = run(sandbox, tmp_path, """
        say(await client.list("conversations", "status=all"));
        say(await client.list("users"));
        say(await client.list("workflows"));
    """)  # fmt: skip
    assert len({row["id"] for row in conversations}) == len(conversations) > CONVERSATIONS * 0.95
    assert {row["id"] for row in users} >= {user["id"] for user in sandbox.description["users"]}
    assert sandbox.description["manual_workflow"]["id"] in {row["id"] for row in workflows}


def test_it_makes_a_conversation_adds_to_it_changes_and_deletes_it(sandbox: LiveSandbox, tmp_path: Path) -> None:
    inbox = sandbox.description["inboxes"][0]["id"]
    id, note, shown, gone = run(sandbox, tmp_path, """
        const customer = { email: "nora@buyer.example" };
        const id = await client.create("conversations", {
          subject: "From Node", type: "email", mailboxId: given.inbox, status: "active", customer,
          threads: [{ type: "customer", customer, text: "Hello" }],
        });
        say(id);
        say(await client.addNoteToConversation(id, "A note"));
        await client.updatePatch("conversations", id, { op: "replace", path: "/subject", value: "Changed" });
        await client.updatePut("tags", "", { tags: ["from node"] }, "conversations", id);
        say(await client.get("conversations", id, ["threads"]));
        await client.delete("conversations", id);
        say(await client.get("conversations", id).catch(failed));
    """, inbox=inbox)  # fmt: skip

    assert shown["id"] == int(id)
    assert shown["subject"] == "Changed"
    assert [tag["tag"] for tag in shown["tags"]] == ["from node"]
    texts = {thread["id"]: thread.get("body") for thread in shown["_embedded"]["threads"]}
    assert texts[int(note)] == "A note"
    assert gone["status"] == 404


def test_it_makes_and_changes_a_customer_and_runs_a_workflow(sandbox: LiveSandbox, tmp_path: Path) -> None:
    workflow = sandbox.description["manual_workflow"]
    customer, conversation, refused = run(sandbox, tmp_path, """
        const emails = [{ type: "work", value: "n@buyer.example" }];
        const id = await client.create("customers", { firstName: "Nora", emails });
        await client.updatePatch("customers", id, [{ op: "replace", path: "/firstName", value: "Eleonora" }]);
        say(await client.get("customers", id));
        const [first] = await client.list("conversations", "mailbox=" + given.inbox);
        await client.create("run", { conversationIds: [first.id] }, "workflows", given.workflow);
        say(await client.get("conversations", first.id, ["threads"]));
        await client.rawApi("POST", "https://api.helpscout.net/v2/customers", { firstName: "x".repeat(41) })
          .catch((error) => say(failed(error)));
    """, inbox=workflow["inbox_id"], workflow=workflow["id"])  # fmt: skip

    assert (customer["firstName"], customer["_embedded"]["emails"][0]["value"]) == ("Eleonora", "n@buyer.example")
    assert "manual-workflow" in {thread["action"]["type"] for thread in conversation["_embedded"]["threads"]}
    assert (refused["status"], refused["_embedded"]["errors"][0]["path"]) == (400, "firstName")
