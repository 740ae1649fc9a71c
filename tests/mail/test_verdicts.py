"""Only what the receiving server says of a sender counts, wherever others have put the same words."""

from __future__ import annotations

import pytest

from tests.mail.reading import fixture, read

HOP = "Received: from outside.example by mx.desk.example with ESMTPS; Mon, 23 Nov 2026 10:00:00 +0000"
FOREIGN = "Received: from laptop by out.evil.example; Mon, 23 Nov 2026 09:59:00 +0000"
REST = "From: a@evil.example\n\nHello"


def verdicts(*headers: str, trusted: str | None = "") -> dict[str, str]:
    return read("\n".join([*headers, REST]), trusted).verdicts


def says(server: str, spf: str = "pass", dkim: str = "pass", dmarc: str = "pass") -> str:
    return (
        f"Authentication-Results: {server}; spf={spf} (a; b) smtp.mailfrom=x; dkim={dkim} header.d=x;\n dmarc={dmarc}"
    )


def test_google_and_microsoft_are_understood():
    assert fixture("replies/gmail-web").verdicts == {"spf": "pass", "dkim": "pass", "dmarc": "pass"}
    assert fixture("replies/outlook-desktop").verdicts == {"spf": "pass", "dkim": "none", "dmarc": "none"}


def test_the_receiving_server_is_believed():
    fails = says("mx.desk.example", "softfail", "fail", "fail")
    expected = {"spf": "softfail", "dkim": "fail", "dmarc": "fail"}
    assert verdicts(HOP, fails, FOREIGN) == expected
    assert verdicts(fails, HOP, FOREIGN) == expected


def test_what_lies_below_the_line_of_another_server_is_not_believed():
    assert verdicts(HOP, FOREIGN, says("mx.desk.example")) == {}
    assert verdicts(HOP, says("mx.desk.example", "fail", "fail", "fail"), FOREIGN, says("mx.desk.example")) == {
        "spf": "fail", "dkim": "fail", "dmarc": "fail",
    }  # fmt: skip


def test_another_server_is_not_believed_even_at_the_top():
    assert verdicts(says("mx.evil.example"), HOP, FOREIGN) == {}


def test_without_any_server_nobody_is_believed():
    assert verdicts(says("mx.desk.example"), "Received-SPF: pass") == {}


def test_where_no_server_stands_between_the_sender_is_not_believed():
    """What our own listener takes has only headers that its sender wrote."""
    assert verdicts(HOP, says("mx.desk.example"), "Received-SPF: pass", trusted=None) == {}


def test_a_domain_that_only_ends_like_microsofts_is_not_microsofts():
    hop = "Received: from outside.example by mx.notoutlook.com; Mon, 23 Nov 2026 10:00:00 +0000"
    assert verdicts(hop, "Authentication-Results: spf=pass; dkim=pass; dmarc=pass") == {}


@pytest.mark.parametrize(
    "senders",
    ["From: paul@bank.example\nFrom: a@evil.example", "From: paul@bank.example, a@evil.example",
     "From: <paul@bank.example> <a@evil.example>"],
)  # fmt: skip
def test_of_several_senders_none_is_proved(senders: str):
    """The verdict may be that of the other one."""
    incoming = read("\n".join([HOP, says("mx.desk.example"), senders, "", "Hello"]))
    assert incoming.verdicts["dmarc"] == "fail"
    assert "it names several senders" in incoming.faults


@pytest.mark.parametrize(
    "sender",
    ['"paul@bank.example"@evil.example', '<"paul@bank.example"@evil.example>', '"paul@bank.example" <@evil.example>',
     'Paul <"paul@bank.example" @evil.example>'],
)  # fmt: skip
def test_a_name_before_an_at_sign_is_nobodys_address(sender: str):
    """Anybody at evil.example may call themselves so, and the server finds that it is true."""
    incoming = read("\n".join([HOP, says("mx.desk.example"), f"From: {sender}", "", "Hello"]))
    assert (incoming.sender.email, incoming.verdicts["dmarc"]) == ("", "fail")


@pytest.mark.parametrize("header", ["Sender", "Reply-To", "Return-Path"])
def test_who_is_not_in_from_is_not_proved(header: str):
    sender = f'From: "p q"@evil.example\n{header}: <paul@bank.example>'
    incoming = read("\n".join([HOP, says("mx.desk.example"), sender, "", "Hello"]))
    assert (incoming.sender.email, incoming.verdicts["dmarc"]) == ("paul@bank.example", "fail")


@pytest.mark.parametrize("sender", ["paul@bank.example, eve@bank.example", '"paul@bank.example" <a@evil.example>'])
def test_several_senders_of_one_domain_or_a_name_like_an_address_change_no_verdict(sender: str):
    incoming = read("\n".join([HOP, says("mx.desk.example"), f"From: {sender}", "", "Hello"]))
    assert (incoming.verdicts["dmarc"], "it names several senders" in incoming.faults) == ("pass", False)


def test_a_named_server_is_believed_by_its_whole_name():
    assert verdicts(HOP, says("mx.desk.example"), FOREIGN, trusted="mx.desk.example")["spf"] == "pass"
    assert verdicts(HOP, says("other.desk.example"), FOREIGN, trusted="mx.desk.example") == {}
    assert verdicts("Received: by evil.example", says("mx.desk.example"), trusted="mx.desk.example") == {}


def test_one_signature_that_holds_is_enough_and_the_topmost_verdict_counts():
    header = "Authentication-Results: mx.desk.example 1; dkim=fail header.d=a; dkim=pass header.d=b; spf=none"
    assert verdicts(HOP, header, says("mx.desk.example", "pass", "fail"))["dkim"] == "pass"
    assert verdicts(HOP, header, says("mx.desk.example", "pass", "fail"))["spf"] == "none"


def test_received_spf_helps_where_nothing_else_tells():
    assert verdicts("Received-SPF: SoftFail (mx: not designated) client-ip=192.0.2.1", HOP) == {"spf": "softfail"}
    assert verdicts(HOP, says("mx.desk.example", "fail"), "Received-SPF: pass")["spf"] == "fail"


def test_words_that_are_no_verdicts_are_passed_over():
    assert verdicts(HOP, "Authentication-Results: mx.desk.example; spf=<script>; dkim; =; arc=pass; none") == {}
