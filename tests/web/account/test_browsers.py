"""What browsers call themselves, in words."""

from __future__ import annotations

import pytest

from deskhand.web.account.browsers import described, is_phone

_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 {}Safari/604.1"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 {}Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "words", "phone"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows", False),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME.format('')} Edg/140.0", "Edge on Windows", False),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_SAFARI.format('')}", "Safari on Mac", False),
        (f"Mozilla/5.0 (X11; Linux x86_64) {_CHROME.format('')}", "Chrome on Linux", False),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_CHROME.format('')}", "Chrome on ChromeOS", False),
        (f"Mozilla/5.0 (Linux; Android 16; K) {_CHROME.format('Mobile ')}", "Chrome on Android", True),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) {_SAFARI.format('Mobile/15E148 ')}", "Safari on iPhone", True),
        ("Mozilla/5.0 (X11; Linux)", "A browser on Linux", False),
        ("curl/8.5", "An unknown browser", False),
        ("", "An unknown browser", False),
        (None, "An unknown browser", False),
    ],
)  # fmt: skip
def test_a_browser_in_words(user_agent: str | None, words: str, phone: bool) -> None:
    assert described(user_agent) == words
    assert is_phone(user_agent) is phone
