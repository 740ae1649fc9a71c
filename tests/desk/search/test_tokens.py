"""The search index's words: what is one word, what is found by a piece of it, and that no text is too much."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskhand.desk.search.tokens import LONGEST_TOKEN, MOST_CHARACTERS, MOST_TOKENS, stored, wanted


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", ""),
        (" \t\n?!…", ""),
        ("Refund my ORDER, please!", "refund my order please"),
        ("ORD-2024_17 #1874 €9.50", "ord 2024 17 1874 9 50"),
        ("ada.holm+x@Shop.example", "ada holm x shop example"),
        ("don't O\u2019Brien", "don t o brien"),
        ("Größe GROSSE ﬁn ½", "grosse grosse fin 1 2"),
        ("Café cafe\u0301 CAFÉ", "cafe cafe cafe"),
        ("İstanbul Ёлка Ὀδυσσεύς", "istanbul елка οδυσσευσ"),
        ("שָׁלוֹם مُحَمَّد", "שלום محمد"),
        ("नमस्ते दुनिया।", "नमस्ते दुनिया"),
        ("in\u00advis\u200dible", "invisible"),
        ("検索", "検索 索"),
        ("検", "検"),
        ("全文検索abcテスト。ガ", "全文 文検 検索 索 abc テス スト ト ガ"),
        ("ｶﾞ ガ か\u3099", "ガ ガ が"),
        ("환불 요청", "환불 불 요청 청"),
        ("ไทย x", "ไท ทย ย x"),
        ("𠮷野家", "𠮷野 野家 家"),
        ("a" * 65, "a" * 64),
    ],
)
def test_a_text_has_the_tokens(text: str, tokens: str) -> None:
    assert stored(text).split() == tokens.split()
    assert stored(text) == "".join(f" {token}" for token in tokens.split())


@pytest.mark.parametrize(
    ("text", "prefix", "piece"),
    [
        ("", False, ""),
        ("*!", True, ""),
        ("Refund", False, " refund "),
        ("refun", True, " refun"),
        ("paul@buyer.example", False, " paul buyer example "),
        ("paul@buy", True, " paul buy"),
        ("検索", False, " 検索 "),
        ("検索語", False, " 検索 索語 "),
        ("検", False, " 検"),
        ("abc検", False, " abc 検"),
        ("検索 abc", False, " 検索 索 abc "),
        ("환불 요청", False, " 환불 불 요청 "),
    ],
)
def test_a_value_asks_for_the_piece(text: str, prefix: bool, piece: str) -> None:
    assert wanted(text, prefix) == piece


unspaced = st.text(alphabet="検索語会話テスト환불요청ไทย", min_size=1, max_size=8)
mixed = st.text(alphabet="検索テ환불 ab-ÄI\u0307ßがｶﾞ\u3099\u0301", max_size=20)


@given(unspaced, unspaced, unspaced)
def test_any_piece_of_a_text_without_spaces_is_found(before: str, piece: str, after: str) -> None:
    assert wanted(piece) in stored(before + piece + after) + " "
    assert wanted(piece) in stored(piece + after) + " "
    assert wanted(piece) in stored(before + piece) + " "


@given(unspaced, st.sampled_from(["", "abc ", "-"]), st.text(alphabet="xyz検索 ", max_size=9))
def test_what_a_text_ends_with_is_found(before: str, between: str, end: str) -> None:
    assert wanted(end) in stored(before + between + end) + " "


@given(st.text() | mixed)
def test_tokens_are_letters_and_digits_and_stay_what_they_are(text: str) -> None:
    tokens = stored(text)
    assert tokens == tokens.casefold()
    assert "  " not in tokens
    assert not set(tokens) & set("'\"\\*:&|!()<>{}^+-._%\0")
    for token in tokens.split():
        assert 1 <= len(token) <= LONGEST_TOKEN
        assert wanted(token).split() == [token]


def test_no_text_is_too_long() -> None:
    assert len(stored("word " * 2 * MOST_TOKENS).split()) == MOST_TOKENS
    assert len(stored("検" * 2 * MOST_TOKENS).split()) == MOST_TOKENS
    assert len(stored("\ufdfa" * MOST_CHARACTERS)) <= MOST_CHARACTERS  # folds to eighteen characters
    began = time.thread_time()
    for text in ("x" * 10**7, "é " * 10**6, "検" * 10**6, "\u0301" * 10**6):
        stored(text)
        wanted(text[:8192])
    assert time.thread_time() - began < 4


def test_every_letter_and_digit_is_found_by_itself() -> None:
    letters = [character for character in map(chr, range(0x20000)) if character.isalnum()]
    lost = [letter for letter in letters if not wanted(letter) or wanted(letter) not in stored(f"a {letter} b") + " "]
    # Arabic vowel signs standing alone: inside words they are dropped.
    assert all("\ufc5e" <= letter <= "\ufe7e" for letter in lost)
