"""One press on a sandbox's start page signs a browser in."""

from __future__ import annotations

import re

import requests

from deskhand.testing import SandboxDesk


def test_the_start_pages_buttons_open_the_inbox(fresh: SandboxDesk) -> None:
    browser = requests.Session()
    page = browser.get(fresh.base_url + "/", timeout=30)
    users = re.findall(r'name="user_id" value="(\d+)"', page.text)
    assert len(users) > 1
    for user in users:
        entered = browser.post(fresh.base_url + "/sandbox/enter", {"user_id": user}, timeout=30)
        assert entered.status_code == 200 and "/folder/" in entered.url, user


def test_nobody_else_is_signed_in_and_no_other_site_may_do_it(fresh: SandboxDesk) -> None:
    url = fresh.base_url + "/sandbox/enter"
    for given in ("", "0", "x", "999999"):
        answer = requests.post(url, {"user_id": given}, timeout=30)
        assert answer.status_code == 400 and not answer.cookies
    elsewhere = requests.post(url, {"user_id": "2"}, headers={"Sec-Fetch-Site": "cross-site"}, timeout=30)
    assert elsewhere.status_code == 403 and not elsewhere.cookies
