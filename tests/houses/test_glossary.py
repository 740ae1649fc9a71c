"""One word per thing: no forbidden word in the names of modules, classes, fields, functions and arguments.

Left out because they have an honest second meaning: post (HTTP), client, label (of a choice or a form field), message,
operator, proxy, role, scope, task.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "deskhand"

SAY_INSTEAD = {
    "agent": "user, if a person of the support staff is meant; agents are the gateway's",
    "bot": "agent",
    "comment": "thread or note",
    "company": "organization",
    "contact": "customer",
    "csat": "rating",
    "macro": "saved reply",
    "mailbox": "inbox",
    "member": "user",
    "permission": "grant or access level",
    "ticket": "conversation",
}
# Words that name a drawer instead of what lies in it. A function or an argument may still be called base_url.
DRAWERS = {"base", "common", "helper", "manager", "util"}

# word: where it may stand all the same, as a path below src/deskhand, and why.
ALLOWED_IN = {
    "agent": [
        # These rooms are about agents.
        "gateway/", "entrance/", "admin/", "web/console/", "web/parts.py", "web/reports/of_agents.py", "sandbox/",
        "testing/",
        "app.py", "app/", "cli.py", "cli/",  # they name them: which credential is whose, `deskhand agents`
        # Where agents reach the desk: as whom they act, and what is looked up for the gateway.
        "desk/for_agents.py", "desk/call.py", "desk/access.py", "oauth/bearer.py", "oauth/endpoint.py",
    ],
    "comment": [  # wire name: `comments` of a rating
        "catalogue/", "desk/ratings/", "desk/conversations/threads/rating.py", "desk/reports/ratings.py", "sandbox/",
        "testing/",
    ],
    "company": [  # wire names: companyId of /users/me; the company report, which is about the account
        "catalogue/", "desk/users/represent.py", "desk/reports/company.py", "desk/reports/handlers",
    ],
    "mailbox": ["catalogue/"],  # wire name: mailboxId
    "member": ["catalogue/teams.py", "desk/teams/"],  # wire path: /teams/{id}/members
    "ticket": ["catalogue/"],  # wire names of the reports
}  # fmt: skip
# Names that hold a word in another sense, by how they begin.
ALLOWED_NAMES = {
    "agent": ("agent_reply", "user_agent"),  # the wire's event, which means a user; the HTTP header
    "comment": ("rating_comment",),
}
ALLOWED_CONSTANTS = {"agent": "AGENT_"}  # the wire's events again

UNTOUCHED = "db/migrations/"  # released ones are never rewritten


def test_the_source_speaks_the_glossary():
    paths = sorted(SOURCE.rglob("*.py"))
    assert paths
    wrong = [name for path in paths for name in wrong_names(path.relative_to(SOURCE).as_posix(), path.read_text())]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("desk/tickets/verbs.py", ""),
        ("desk/users/verbs.py", "def close_ticket(): ..."),
        ("desk/users/verbs.py", "async def close(ticketId): ..."),
        ("desk/users/verbs.py", "def close(*contacts): ..."),
        ("desk/users/verbs.py", "close = lambda ticket: 1"),
        ("desk/users/verbs.py", "class CSATReport: ..."),
        ("desk/users/verbs.py", "class Report:\n    company_name: str"),
        ("desk/users/verbs.py", "class Kind(Enum):\n    TICKET = 1"),
        ("desk/users/verbs.py", "def outer():\n    def by_mailbox(): ..."),
        ("desk/users/verbs.py", "def assign(agent): ..."),
        ("web/inbox/pages.py", "def show_agents(): ..."),
        ("lib/utils.py", ""),
        ("lib/http_helpers.py", ""),
        ("common/__init__.py", ""),
        ("db/engine.py", "class ConnectionManager: ..."),
        ("catalogue/users.py", "class Contact: ..."),
    ],
)
def test_a_forbidden_word_is_found(path: str, source: str):
    assert len(wrong_names(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("catalogue/conversations.py", "class Shape:\n    mailbox_id: int\n    mailboxId: int"),
        ("catalogue/events.py", "class Events:\n    AGENT_REPLY_CREATED = 1\ndef agent_reply_created(): ..."),
        ("gateway/agents.py", "class Agent: ...\ndef pause(agent_id): ..."),
        ("web/console/agents.py", "def show_agents(): ..."),
        ("cli.py", "def add_agent(): ..."),
        ("lib/http.py", "def fetch(base_url, user_agent): ..."),
        ("lib/robots.py", "def reagent(): ...\nclass Bottom: ..."),
        ("db/migrations/versions/0002_agents.py", ""),
        ("desk/users/verbs.py", "def find():\n    ticket = 1  # a local name is nobody else's business"),
    ],
)
def test_other_names_pass(path: str, source: str):
    assert wrong_names(path, source) == []


def wrong_names(path: str, source: str) -> list[str]:
    if path.startswith(UNTOUCHED):
        return []
    return [
        f"{path}:{line}: {name}: not {word}, say {SAY_INSTEAD.get(word, 'what it holds')}"
        for name, line, is_drawer in names(path, ast.parse(source))
        for word in words(name)
        if (word in SAY_INSTEAD or (is_drawer and word in DRAWERS)) and not allowed(word, name, path)
    ]


def names(path: str, tree: ast.Module) -> Iterator[tuple[str, int, bool]]:
    """Every name someone else may have to read: name, line, whether it holds other names."""
    for part in path.removesuffix(".py").split("/"):
        yield part, 1, True
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name, body=body):
                yield name, node.lineno, True
                for statement in body:
                    for target in assigned(statement):
                        yield target, statement.lineno, False
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno, False
            case ast.arg(arg=name):
                yield name, node.lineno, False


def assigned(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
    return []


def words(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case and in the singular."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return [singular(word.lower()) for word in found]


def singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


def allowed(word: str, name: str, path: str) -> bool:
    plain = "_".join(words(name))
    return (
        path.startswith(tuple(ALLOWED_IN.get(word, ())))
        or plain.startswith(ALLOWED_NAMES.get(word, ()))
        or (word in ALLOWED_CONSTANTS and name.startswith(ALLOWED_CONSTANTS[word]))
    )
