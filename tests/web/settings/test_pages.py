"""Every settings page is there, for administrators alone, and is sound HTML."""

from __future__ import annotations

import pytest

from tests.web.people import signed_in
from tests.world import Desk

LISTS = (
    "/settings", "/settings/users", "/settings/users/new", "/settings/teams", "/settings/teams/new",
    "/settings/inboxes", "/settings/inboxes/new", "/settings/tags", "/settings/fields", "/settings/fields/new",
    "/settings/saved-replies", "/settings/saved-replies/new", "/settings/ratings", "/settings/properties",
    "/settings/properties/customers/new", "/settings/properties/organizations/new", "/settings/account",
    "/settings/hours", "/settings/applications", "/settings/applications/new",
)  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_page_is_for_administrators(desk: Desk, path: str) -> None:
    page = signed_in(desk).page(path)
    assert len(page.cssselect("h1")) == 1
    for form in page.cssselect("form[method=post]"):
        assert form.cssselect("input[name=csrf]"), path
    ids = [element.get("id") for element in page.cssselect("[id]")]
    assert len(ids) == len(set(ids))
    assert not page.cssselect("[style], [onclick], script:not([src])")
    assert signed_in(desk, desk.add_user()).get(path).status_code == 403
