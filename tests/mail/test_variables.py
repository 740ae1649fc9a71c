"""Signatures and automatic answers name people by variables, whatever these are called."""

from __future__ import annotations

import pytest

from deskhand.mail.variables import filled, filled_line, people

VALUES = people("customer", "Zoë <b>", None, "zoe@x.example") | people("user", "", "", None)


@pytest.mark.parametrize(
    ("template", "html", "line"),
    [
        ("Hi {%customer.firstName%}", "Hi Zoë &lt;b&gt;", "Hi Zoë <b>"),
        ("Hi {% customer.firstName %}!", "Hi Zoë &lt;b&gt;!", "Hi Zoë <b>!"),
        ("{%customer.lastName,fallback=friend%}", "friend", "friend"),
        ("{%customer.lastName,fallback= %}{%user.fullName%}.", ".", "."),
        ("{%customer.shoeSize%} {%%} {%", "{%customer.shoeSize%} {%%} {%", "{%customer.shoeSize%} {%%} {%"),
        ("100 % & more", "100 % & more", "100 % & more"),
    ],
)
def test_variables_are_filled_and_escaped_where_they_must_be(template: str, html: str, line: str) -> None:
    assert (filled(template, VALUES), filled_line(template, VALUES)) == (html, line)
