"""Codes of authenticator apps, by the examples of the RFC."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from deskhand.oauth import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()


# RFC 6238 appendix B has eight digits; six are the last of them.
@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
        (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_the_codes_are_those_of_the_rfc(at: int, code: str) -> None:
    assert totp.code(SECRET, at // 30) == code[2:]
    assert totp.step_of(SECRET, code[2:], at) == at // 30


def test_a_code_holds_one_step_early_and_late_and_no_longer() -> None:
    at = 1_111_111_111
    step = at // 30
    found = {away: totp.step_of(SECRET, totp.code(SECRET, step + away), at) for away in range(-3, 4)}
    assert found == {-3: None, -2: None, -1: step - 1, 0: step, 1: step + 1, 2: None, 3: None}


@pytest.mark.parametrize("given", ["", "28708", "2870822", "28708２", "abcdef", " 287082", "-87082"])
def test_what_is_no_code_fits_nothing(given: str) -> None:
    assert totp.step_of(SECRET, given, 59) is None


def test_a_secret_is_random_and_long_enough() -> None:
    made = {totp.new_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(len(base64.b32decode(one)) == 20 for one in made)


def test_apps_are_told_all_they_need() -> None:
    parts = urlsplit(totp.uri(SECRET, "mina@desk.example", "Deskhand: north"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parts.path == "/Deskhand%20%20north:mina%40desk.example"
    assert parse_qs(parts.query) == {
        "secret": [SECRET], "issuer": ["Deskhand  north"], "digits": ["6"], "period": ["30"],
    }  # fmt: skip
    assert totp.grouped("ABCDEFGHIJ") == "ABCD EFGH IJ"
