"""Which form of an answer a caller prefers."""

from __future__ import annotations

import pytest

from deskhand.api.accept import prefers


@pytest.mark.parametrize(
    ("accept", "raw"),
    [
        ("", False), ("*/*", False), ("application/json", False), ("text/html", False),
        ("message/rfc822", True), ("Message/RFC822", True), (" message/rfc822 ; charset=utf-8", True),
        ("message/*", True), ("message/rfc822, */*", True), ("message/rfc822;q=0.9, */*;q=0.8", True),
        # By the rules, */* without a quality asks for JSON as much as can be.
        ("message/rfc822;q=0.9, */*", False),
        ("message/rfc822, application/json", False), ("application/json;q=0.5, message/rfc822", True),
        ("application/json, message/rfc822;q=0.5", False), ("application/hal+json, message/rfc822;q=0.9", False),
        ("message/rfc822;q=0", False), ("message/rfc822;q=0, */*", False), ("message/rfc822;q=", False),
        ("message/rfc822;q=nan", False), ("message/rfc822;q=-1", False), ("message/rfc822;q=inf", False),
        (",,;q=1;,message/rfc822", True), ("application/*;q=0.2, message/rfc822;q=0.3", True),
    ],
)  # fmt: skip
def test_the_raw_form_is_for_those_who_ask_for_it(accept: str, raw: bool) -> None:
    assert prefers(accept, "message/rfc822", "application/json", "application/hal+json") is raw
