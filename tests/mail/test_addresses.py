"""Addresses as servers take them, and Message-IDs that nobody guesses."""

from __future__ import annotations

import re

import pytest

from deskhand.mail.addresses import BadAddress, new_message_id, routable


@pytest.mark.parametrize(
    ("address", "sent_to"),
    [
        ("paul@buyer.example", "paul@buyer.example"),
        (" Paul.O'Neil+x@Buyer.Example ", "Paul.O'Neil+x@buyer.example"),
        ("paul@bücher.example", "paul@xn--bcher-kva.example"),
        ("paul@例え。jp", "paul@xn--r8jz45g.jp"),
        ("jörg@buyer.example", "jörg@buyer.example"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_hosts_are_named_in_ascii(address: str, sent_to: str):
    assert routable(address) == sent_to


@pytest.mark.parametrize(
    "address",
    [
        "", "paul", "@buyer.example", "paul@", "paul@.example", "paul@buyer..example", "a b@x.example",
        "paul@x.example>\r\nRCPT TO:<evil@x.example", "paul\x00@x.example", "paul\x7f@x.example", "paul@x_\x01.example",
        "paul@" + "a" * 64 + ".example", "paul@" + "a.b" * 100 + "a", "a" * 65 + "@x.example", "<paul@x.example>",
        "paul@[127.0.0.1]", "paul@-x.example",
    ],
)  # fmt: skip
def test_what_no_mail_can_go_to_is_refused_in_words(address: str):
    with pytest.raises(BadAddress, match="no mail can be sent to"):
        routable(address)


def test_message_ids_are_of_the_inbox_and_all_different():
    made = {new_message_id("help@Bücher.example", 7) for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"<[A-Za-z0-9]{24}\.7@xn--bcher-kva\.example>", one) for one in made)


def test_an_odd_inbox_has_message_ids_too():
    assert new_message_id("help@no where", 7).endswith(".7@deskhand.invalid>")
