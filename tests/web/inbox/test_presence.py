"""Who looks at a conversation and who writes in it, as its page shows it to others."""

from __future__ import annotations

from datetime import timedelta

from tests.desk.conversations.builders import start
from tests.web.people import signed_in
from tests.world import Desk


def test_others_see_who_looks_and_who_writes_until_they_leave(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    owner, ines = signed_in(desk), signed_in(desk, desk.add_user("Ines", "Okafor", inboxes=(inbox,)))

    def seen() -> list[str]:
        here = owner.page(f"/conversation/{id}").cssselect('[data-live="here"] .who-here > span:last-child')
        return [one.text_content() for one in here]

    assert seen() == []
    assert ines.send(f"/conversation/{id}/presence", doing="looking").status_code == 204
    assert seen() == ["Ines looks at this"]
    ines.send(f"/conversation/{id}/presence", doing="writing")
    assert seen() == ["Ines is writing"]
    assert ines.page(f"/conversation/{id}").cssselect(".who-here") == [], "nobody is told of themselves"
    ines.send(f"/conversation/{id}/presence", doing="gone")
    assert seen() == []


def test_who_was_not_heard_of_for_a_while_is_gone(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    ines = signed_in(desk, desk.add_user("Ines", role="admin"))
    ines.send(f"/conversation/{id}/presence", doing="writing")
    desk.server.clock.advance(timedelta(seconds=60))
    assert signed_in(desk).page(f"/conversation/{id}").cssselect(".who-here") == []
