"""How passwords are kept."""

from __future__ import annotations

from argon2 import PasswordHasher

from deskhand.oauth import passwords
from tests.oauth.doors import CHEAP


def test_a_password_fits_its_own_hash_only() -> None:
    stored = passwords.hash("correct horse", CHEAP)
    assert passwords.verify(stored, "correct horse", CHEAP)
    assert not passwords.verify(stored, "correct horse ", CHEAP)
    assert not passwords.verify(stored, "", CHEAP)
    assert stored != passwords.hash("correct horse", CHEAP)


def test_the_library_s_recommended_parameters_are_used() -> None:
    stored = passwords.hash("x")
    assert stored.startswith("$argon2id$")
    assert passwords.verify(stored, "x")
    assert not passwords.outdated(stored)
    assert passwords.outdated(passwords.hash("x", CHEAP))


def test_letters_may_be_composed_in_either_way() -> None:
    assert passwords.verify(passwords.hash("caf\u00e9", CHEAP), "cafe\u0301", CHEAP)


def test_odd_texts_are_passwords_too() -> None:
    for text in ("", "\0", "\ud800", "x" * 100_000):
        assert passwords.verify(passwords.hash(text, CHEAP), text, CHEAP)


def test_what_is_no_hash_fits_nothing() -> None:
    for stored in ("", "plain", "$argon2id$broken", "\u00e9"):
        assert not passwords.verify(stored, stored, CHEAP)
    assert not passwords.verify("", "nobody's", CHEAP)


def test_where_nothing_is_stored_a_verification_is_made_all_the_same() -> None:
    cost = Counting(time_cost=1, memory_cost=8, parallelism=1)
    assert not passwords.verify(None, "x", cost)
    assert not passwords.verify(None, "nobody's", cost)
    assert cost.verified == 2


class Counting(PasswordHasher):
    """Counts verifications."""

    verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        self.verified += 1
        return super().verify(hash, password)
