"""No body, header, parameter or path, and no sequence of calls, is answered with 500: schemathesis over /openapi.json.

A few examples of each operation in the ordinary run; with `--deep` many more. Answers must be as they are described.
"""

from __future__ import annotations

import os
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deskhand.admin.routes import CALLS, PREFIX
from deskhand.catalogue.operation import AnyOperation, NoBody
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from tests.agents import add_agent, somebody
from tests.contract.isolation.sides import furnish
from tests.live import LiveServer
from tests.world import open_desk

DEEP = bool(os.environ.get("DESKHAND_TEST_DEEP"))
EXAMPLES = {"sqlite": 200, "postgresql": 100} if DEEP else {"sqlite": 4, "postgresql": 2}
SEQUENCES, STEPS = (60, 20) if DEEP else (6, 8)


CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
SETTINGS: dict[str, Any] = {
    "deadline": None, "database": None, "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": list(HealthCheck),
}  # fmt: skip


@schemathesis.serializer("message/rfc822")
def as_it_is(_: Any, value: Any) -> bytes:
    """A raw message goes over the wire as it is."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@pytest.fixture(scope="module")
def schema(server: LiveServer) -> Any:
    """The description as the server gives it, with a token of an account that has one of everything."""
    desk = open_desk(server)
    furnish(desk)
    found = schemathesis.openapi.from_url(server.url + "/openapi.json")
    found.config.headers = {"Authorization": f"Bearer {desk.token}"}
    return found


def can_be_spoiled(operation: AnyOperation) -> bool:
    """Whether there is anything to send that does not fit; any text fits a slug."""
    ids = [name for name in operation.parameters if name != "slug"]
    return bool(ids or operation.query.__struct_fields__ or operation.body is not NoBody)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
@pytest.mark.parametrize("name", [operation.name for operation in OPERATIONS])
def test_whatever_is_sent_the_answer_is_as_described(
    server: LiveServer, schema: Any, name: str, mode: GenerationMode
) -> None:
    operation = schema.find_operation_by_id(name)
    if mode is GenerationMode.NEGATIVE and not can_be_spoiled(BY_NAME[name]):
        return

    @hypothesis.settings(max_examples=EXAMPLES[server.app.database.dialect], **SETTINGS)
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        answer = case.call(timeout=30)
        case.validate_response(answer, checks=CHECKS)

    send()


@pytest.fixture(scope="module")
def admin_token(server: LiveServer) -> str:
    """A token for the administration of an account that has an agent."""
    desk = open_desk(server)
    add_agent(desk, preset="drafter")
    verbs = server.app.gateway.administration
    return server.run(verbs.tokens.make(somebody(desk), "hostile")).token


ADMINISTERED = [
    f"{call.method} {PREFIX}{call.path}" for call in CALLS
    # Whoever names another desk has it called; random addresses stay uncalled.
    if not (call.path.startswith("/connections") and call.method in ("POST", "PUT"))
]  # fmt: skip


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
@pytest.mark.parametrize("call", ADMINISTERED)
def test_whatever_administrators_send_the_answer_is_as_described(
    server: LiveServer, schema: Any, admin_token: str, call: str, mode: GenerationMode
) -> None:
    method, path = call.split()
    operation = schema[path][method]
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.path_parameters):
        return

    @hypothesis.settings(max_examples=EXAMPLES[server.app.database.dialect], **SETTINGS)
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        answer = case.call(timeout=30, headers={"Authorization": f"Bearer {admin_token}"})
        case.validate_response(answer, checks=CHECKS)

    send()


def test_no_sequence_of_calls_ends_in_an_error_of_the_server(schema: Any) -> None:
    """Calls follow the links of the description: what was made is read, changed, deleted, and then asked for again."""
    machine = schema.as_state_machine()

    class Sequence(machine):  # type: ignore[misc,valid-type]
        def validate_response(self, response: Any, case: Any, additional_checks: Any = (), **kwargs: Any) -> None:
            case.validate_response(response, checks=[not_a_server_error, status_code_conformance], **kwargs)

    settings = hypothesis.settings(max_examples=SEQUENCES, stateful_step_count=STEPS, **SETTINGS)
    Sequence.run(settings=settings)
