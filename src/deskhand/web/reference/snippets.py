"""The pieces of code that the guides show; each is complete enough to be run."""

from __future__ import annotations

from typing import Any

from deskhand.web.reference.examples import pretty

_UUID = "0b1c2f64-7a55-4f6e-9c3a-2f1f7c1d9e10"
_ABOUT = "http://developer.helpscout.net/mailbox-api/overview/errors"

VECTOR = {
    "secret": "s3cret",
    "body": '{"id":42}',
    "signature": "JT03G7KdWGtGMUbbZKfbEBhv6nY=",
    "shell": "printf %s '{\"id\":42}' | openssl dgst -sha1 -hmac s3cret -binary | base64",
}
"""A signature to try a receiver with."""

SIGNATURE = """import base64, hashlib, hmac

def is_genuine(body: bytes, signature: str, secret: str) -> bool:
    digest = hmac.new(secret.encode(), body, hashlib.sha1).digest()
    return hmac.compare_digest(base64.b64encode(digest), signature.encode())"""

DELIVERY = """POST /desk HTTP/1.1
Host: hooks.brindlewick.example
Content-Type: application/json
X-HelpScout-Event: convo.tags
X-HelpScout-Signature: 8cHhbVdD3nVbC0tWwzQTn2ZBLyY=

{"id": 3100000187, "number": 1187, "subject": "Order BW-50329 arrived broken", …}"""

HEADERS = """X-RateLimit-Limit-Minute: 400
X-RateLimit-Remaining-Minute: 397"""

TOO_MANY = """X-RateLimit-Retry-After: 17
Retry-After: 17

{"message": "API rate limit exceeded"}"""


def guide_snippets(base_url: str) -> dict[str, Any]:
    """All of them for a desk at `base_url`, by the names that the templates use."""
    token_url = f"{base_url}/v2/oauth2/token"
    return {
        "first_call": _first_call(base_url),
        "credentials_call": _token_call(token_url, "client_credentials"),
        "credentials_answer": pretty({"token_type": "bearer", "access_token": "Zp4tB8wEo1YkM6xRj3QhVs9uLc5nDa7f",
                                      "expires_in": 172800}),
        "authorize_url": f"{base_url}/authentication/authorizeClientApplication?client_id=$CLIENT_ID&state=$STATE",
        "code_call": _token_call(token_url, "authorization_code", "code=$CODE"),
        "code_answer": pretty({"refresh_token": "k3uV0mQ1bXy7rT5zLw9aPd2eHs6nCf8g", "token_type": "bearer",
                               "access_token": "Zp4tB8wEo1YkM6xRj3QhVs9uLc5nDa7f", "expires_in": 172800}),
        "refresh_call": _token_call(token_url, "refresh_token", "refresh_token=$REFRESH_TOKEN"),
        "client_code": _client(base_url),
        "page_answer": pretty(_page(f"{base_url}/v2/conversations?status=all")),
        "walk_code": _walk(base_url),
        "wait_code": _WAIT,
        "headers": HEADERS,
        "too_many": TOO_MANY,
        "error_answer": pretty(_error()),
        "delivery": DELIVERY,
        "signature_code": SIGNATURE,
        "vector": VECTOR,
    }  # fmt: skip


def _first_call(base_url: str) -> str:
    return f"""TOKEN=$(curl -s \\
  {base_url}/v2/oauth2/token \\
  -d grant_type=client_credentials \\
  -d client_id=$CLIENT_ID \\
  -d client_secret=$CLIENT_SECRET \\
  | python3 -c 'import json, sys
print(json.load(sys.stdin)["access_token"])')

curl -s {base_url}/v2/users/me \\
  -H "Authorization: Bearer $TOKEN\""""


def _token_call(url: str, grant: str, more: str = "") -> str:
    lines = [f"curl {url}", f"-d grant_type={grant}", "-d client_id=$CLIENT_ID", "-d client_secret=$CLIENT_SECRET"]
    return " \\\n  ".join([*lines, *([f"-d {more}"] if more else [])])


def _client(base_url: str) -> str:
    return f"""from helpscout.client import HelpScout

desk = HelpScout(CLIENT_ID, CLIENT_SECRET, base_url="{base_url}/v2/")
for conversation in desk.conversations.get(params={{"status": "active"}}):
    print(conversation.number, conversation.subject)"""


def _walk(base_url: str) -> str:
    return f"""import requests

def walk(url, token):
    while url:
        answer = requests.get(url, headers={{"Authorization": f"Bearer {{token}}"}})
        answer.raise_for_status()
        page = answer.json()
        for items in page["_embedded"].values():
            yield from items
        url = page["_links"].get("next", {{}}).get("href")

for conversation in walk("{base_url}/v2/conversations?status=all", TOKEN):
    print(conversation["number"], conversation.get("subject", ""))"""


_WAIT = """import time, requests

def call(method, url, token, **more):
    headers = {"Authorization": f"Bearer {token}"}
    while True:
        answer = requests.request(method, url, headers=headers, **more)
        if answer.status_code != 429:
            return answer
        time.sleep(int(answer.headers["X-RateLimit-Retry-After"]))"""


def _page(url: str) -> dict[str, Any]:
    links = {"self": 2, "next": 3, "previous": 1, "first": 1, "last": 11}
    return {
        "_embedded": {"conversations": [{"id": 3100000187, "number": 1187, "status": "active"}]},
        "_links": {name: {"href": f"{url}&page={number}"} for name, number in links.items()},
        "page": {"size": 25, "totalElements": 262, "totalPages": 11, "number": 2},
    }


def _error() -> dict[str, Any]:
    refused = {
        "path": "status",
        "message": "Expected one of these: 'active', 'closed', 'open', 'pending', 'spam'",
        "rejectedValue": "done",
        "source": "JSON",
        "_links": {"about": {"href": f"{_ABOUT}#EnumValue"}},
    }
    return {
        "logRef": f"{_UUID}#48213",
        "message": "Bad request",
        "_embedded": {"errors": [refused]},
        "_links": {"about": {"href": _ABOUT}},
    }
