"""The own account without a script: profile, preferences, password, sessions, second factor."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import pytest
import requests
import sqlalchemy as sa
from lxml import html

from deskhand.db.engine import Writer
from deskhand.db.statements import P, value
from deskhand.desk.users import preferences, queries, security_notices
from deskhand.desk.users.preferences import Preferences
from deskhand.desk.users.queries import UserRow
from deskhand.desk.users.security_notices import Notice
from deskhand.lib.secrets import digest
from deskhand.oauth import second_factor, totp
from deskhand.oauth.tables import web_session
from tests.oauth.doors import PASSWORD, add_person
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.0 Mobile/15E148 Safari/604.1"
)
PROFILE = {"first_name": "Mina", "last_name": "Voss", "job_title": "", "phone": "", "timezone": "UTC"}
NEW = "seven calm harbours"
_SEEN = value(str, sa.select(web_session.c.seen_at).where(web_session.c.user_id == P("id")), keep=False)


@pytest.fixture
def mina(desk: Desk) -> Person:
    """Somebody with a password, signed in."""
    return signed_in(desk, add_person(desk).user_id)


def id_of(desk: Desk, mina: Person) -> int:
    return desk.server.app.database.read_now(lambda db: db.first(_USER, hash=digest(mina.cookie)))


_USER = value(int, sa.select(web_session.c.user_id).where(web_session.c.session_hash == P("hash")), keep=False)


def row(desk: Desk, id: int) -> UserRow:
    found = desk.server.app.database.read_now(lambda db: queries.by_id(db, desk.account_id, id))
    assert found is not None
    return found


def enter(desk: Desk, email: str, password: str, user_agent: str = "") -> requests.Session:
    """Sign in by the real pages; a new browser."""
    http = requests.Session()
    http.headers["User-Agent"] = user_agent
    token = html.fromstring(http.get(f"{desk.url}/sign-in", timeout=30).text).xpath("//input[@name='csrf']/@value")[0]
    fields = {"csrf": token, "email": email, "password": password, "next": "/account"}
    http.post(f"{desk.url}/sign-in", data=fields, timeout=30)
    return http


def is_in(desk: Desk, http: requests.Session) -> bool:
    return http.get(f"{desk.url}/account", allow_redirects=False, timeout=30).status_code == 200


def said(answer: requests.Response) -> str:
    return " ".join(html.fromstring(answer.text).xpath("//*[@id='said']//text()")).strip()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Notice]:
    """What users are told of by mail from now on."""
    found: list[Notice] = []
    queue = security_notices.tell_all

    def tell_all(tx: Writer, account_id: int, notices: list[Notice]) -> None:
        found.extend(notices)
        queue(tx, account_id, notices)

    monkeypatch.setattr(security_notices, "tell_all", tell_all)
    return found


def alert(answer: requests.Response, name: str) -> str:
    return "".join(html.fromstring(answer.text).xpath(f"//*[@id='{name}-hint']//text()"))


# -- Profile and preferences


def test_a_profile_is_changed_and_shown_everywhere(desk: Desk, mina: Person) -> None:
    changed = {
        "first_name": " Ana ",
        "last_name": "Ruiz",
        "job_title": "Lead",
        "phone": "+1 2",
        "timezone": "Asia/Tokyo",
    }
    assert said(mina.send("/account", **changed)) == "Your profile is saved."
    found = row(desk, id_of(desk, mina))
    assert (found.first_name, found.last_name, found.job_title, found.phone, found.timezone) == (
        "Ana", "Ruiz", "Lead", "+1 2", "Asia/Tokyo",
    )  # fmt: skip
    page = mina.page("/account")
    assert page.xpath("//*[@id='timezone']/optgroup/option[@selected]/@value") == ["Asia/Tokyo"]
    assert "Ana Ruiz" in page.xpath("string(//*[@id='side'])")
    assert desk.get(f"/v2/users/{found.id}").json()["firstName"] == "Ana"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"first_name": " "}, "first_name"), ({"last_name": "x" * 41}, "last_name"),
        ({"job_title": "x" * 51}, "job_title"), ({"phone": "1" * 101}, "phone"),
        ({"timezone": "Mars/Base"}, "timezone"), ({"timezone": "../etc"}, "timezone"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_what_was_typed_is_kept(
    desk: Desk, mina: Person, wrong: dict[str, str], field: str
) -> None:
    answer = mina.send("/account", **PROFILE | {"job_title": "Kept"} | wrong)
    assert answer.status_code == 400 and alert(answer, field)
    if field != "job_title":
        assert html.fromstring(answer.text).xpath("//*[@id='job_title']/@value") == ["Kept"]
    assert row(desk, id_of(desk, mina)).job_title == ""


def test_the_email_address_and_role_are_not_ones_own_to_change(desk: Desk, mina: Person) -> None:
    before = row(desk, id_of(desk, mina))
    mina.send("/account", **PROFILE, email="boss@desk.example", role="owner", state="active")
    after = row(desk, before.id)
    assert (after.email, after.role) == (before.email, before.role)


def test_preferences_are_kept_and_the_theme_is_on_every_page(desk: Desk, mina: Person) -> None:
    fields = {"theme": "dark", "undo_s": "0", "after_send": "list"}
    assert said(mina.send("/account/preferences", **fields)) == "Your preferences are saved."
    id = id_of(desk, mina)
    found = desk.server.app.database.read_now(lambda db: preferences.preferences(db, desk.account_id, id))
    assert found == Preferences("dark", 0, "list")
    assert mina.page("/account").get("data-theme") == "dark"
    mina.send("/account/preferences", **fields | {"undo_s": ""})
    found = desk.server.app.database.read_now(lambda db: preferences.preferences(db, desk.account_id, id))
    assert found.undo_s is None and mina.page("/account/preferences").xpath("//*[@id='undo_s']/@value") == [""]


@pytest.mark.parametrize("undo", ["61", "-1", "ten", "1.5", "٣", "99999999999"])
def test_a_time_that_makes_no_sense_is_refused_where_it_stands(mina: Person, undo: str) -> None:
    answer = mina.send("/account/preferences", theme="dark", undo_s=undo, after_send="stay")
    assert answer.status_code == 400 and "0 to 60" in alert(answer, "undo_s")
    assert mina.page("/account").get("data-theme") == "system"


# -- Password


def test_changing_the_password_takes_the_present_one_and_ends_other_sessions(desk: Desk, mina: Person) -> None:
    email = row(desk, id_of(desk, mina)).email or ""
    elsewhere = enter(desk, email, PASSWORD)
    assert is_in(desk, elsewhere)
    wrong = mina.send("/account/security/password", current="not it", password=NEW, again=NEW)
    assert wrong.status_code == 400 and "not your password" in alert(wrong, "current")
    done = mina.send("/account/security/password", current=PASSWORD, password=NEW, again=NEW)
    assert said(done).startswith("Your password is changed")
    assert not is_in(desk, elsewhere)
    assert is_in(desk, enter(desk, email, NEW)) and not is_in(desk, enter(desk, email, PASSWORD))


@pytest.mark.parametrize(
    ("password", "again", "field"),
    [("short", "short", "password"), (NEW, "other", "again"), ("12345678", "12345678", "password")],
)  # fmt: skip
def test_a_poor_new_password_is_refused(mina: Person, password: str, again: str, field: str) -> None:
    answer = mina.send("/account/security/password", current=PASSWORD, password=password, again=again)
    assert answer.status_code == 400 and alert(answer, field)


def test_an_open_session_is_no_way_to_guess_the_password_faster(desk: Desk, mina: Person) -> None:
    sent = [mina.send("/account/security/password", current="x", password=NEW, again=NEW) for _ in range(6)]
    assert "Too many attempts" in alert(sent[-1], "current")
    right = mina.send("/account/security/password", current=PASSWORD, password=NEW, again=NEW)
    assert right.status_code == 400


# -- Sessions


def test_sessions_are_listed_in_words_and_ended_one_by_one(desk: Desk, mina: Person) -> None:
    email = row(desk, id_of(desk, mina)).email or ""
    phone = enter(desk, email, PASSWORD, IPHONE)
    places = mina.page("/account/security").xpath("//ul[@class='places']/li")
    texts = [" ".join(one.text_content().split()) for one in places]
    assert len(texts) == 2
    assert any("Safari on iPhone" in one and "127.0.0.1" in one and "This one" not in one for one in texts)
    [action] = mina.page("/account/security").xpath("//ul[@class='places']//form/@action")
    assert said(mina.send(action)) == "Signed out there."
    assert not is_in(desk, phone)
    assert mina.get("/account").status_code == 200


def test_all_other_sessions_end_at_once(desk: Desk, mina: Person) -> None:
    email = row(desk, id_of(desk, mina)).email or ""
    others = [enter(desk, email, PASSWORD) for _ in range(2)]
    assert said(mina.send("/account/security/sessions/others/end")) == "Signed out in 2 other places."
    assert [is_in(desk, one) for one in others] == [False, False]
    assert "Sign out everywhere else" not in mina.get("/account/security").text


def test_nobody_ends_or_sees_sessions_of_others(desk: Desk, mina: Person) -> None:
    colleague, stranger = signed_in(desk), signed_in(open_desk(desk.server))
    for other in (colleague, stranger):
        id = desk.server.app.database.read_now(lambda db, one=other: db.first(_ID, hash=digest(one.cookie)))  # type: ignore[misc]
        assert mina.send(f"/account/security/sessions/{id}/end").status_code == 404
        assert other.get("/account").status_code == 200
    assert len(mina.page("/account/security").xpath("//ul[@class='places']/li")) == 1


_ID = value(int, sa.select(web_session.c.id).where(web_session.c.session_hash == P("hash")), keep=False)


def test_when_a_session_was_used_is_noted_every_few_minutes_at_most(desk: Desk, mina: Person) -> None:
    clock, id = desk.server.clock, id_of(desk, mina)
    before = clock.offset
    try:

        def seen() -> list[str]:
            mina.get("/account")
            return desk.server.app.database.read_now(lambda db: db.all(_SEEN, id=id))

        first = seen()
        clock.advance(timedelta(minutes=4))
        assert seen() == first
        clock.advance(timedelta(minutes=2))
        assert seen() > first
    finally:
        clock.offset = before


def test_one_signs_out_from_any_page(desk: Desk, mina: Person) -> None:
    form = mina.page("/account/preferences").xpath("//*[@id='side']//form[@action='/sign-out']")[0]
    assert form.get("method") == "post"
    mina.http.post(f"{desk.url}/sign-out", data={"csrf": form.xpath(".//input[@name='csrf']/@value")[0]}, timeout=30)
    assert mina.get("/account", allow_redirects=False).status_code == 303


# -- Second factor


def set_up(desk: Desk, mina: Person) -> tuple[str, requests.Response]:
    """Begin, and give the app's first code; gives the secret, and the page that follows."""
    assert mina.send("/account/second-factor/begin").status_code == 200
    page = mina.page("/account/second-factor")
    secret = page.xpath("string(//*[contains(@class, 'key')])").replace(" ", "")
    assert len(base64.b32decode(secret)) == 20
    assert page.xpath("//div[@role='img']/*[local-name()='svg']")
    [uri] = page.xpath("//a/@href[starts-with(., 'otpauth:')]")
    assert f"secret={secret}" in uri
    step = int(desk.server.clock.now().timestamp()) // totp.STEP_S
    return secret, mina.send("/account/second-factor", code=totp.code(secret, step), current=PASSWORD)


def test_a_second_factor_is_set_up_with_ten_codes_shown_once(desk: Desk, mina: Person) -> None:
    assert mina.send("/account/second-factor/begin").status_code == 200
    wrong = mina.send("/account/second-factor", code="000000", current=PASSWORD)
    assert wrong.status_code == 400 and "not right" in alert(wrong, "code")
    secret, page = set_up(desk, mina)
    codes = html.fromstring(page.text).xpath("//ol[contains(@class, 'codes')]/li/text()")
    assert len(set(codes)) == 10 and all(re.fullmatch("([a-z2-9]{4}-){3}[a-z2-9]{4}", one) for one in codes)
    email = row(desk, id_of(desk, mina)).email or ""
    assert not is_in(desk, enter(desk, email, PASSWORD))
    text = mina.get("/account/security").text
    assert "10 recovery codes" in text and codes[0] not in text
    assert secret not in mina.get("/account/second-factor").text  # it leads on, and shows nothing
    assert mina.send("/account/second-factor/begin").status_code == 200
    id = id_of(desk, mina)
    assert desk.server.app.database.read_now(lambda db: second_factor.is_on(db, desk.account_id, id))


def test_switching_on_takes_the_password_besides_the_code(desk: Desk, mina: Person, told: list[Notice]) -> None:
    mina.send("/account/second-factor/begin")
    secret = mina.page("/account/second-factor").xpath("string(//*[contains(@class, 'key')])").replace(" ", "")
    code = totp.code(secret, int(desk.server.clock.now().timestamp()) // totp.STEP_S)
    for given in ({}, {"current": "wrong"}):
        answer = mina.send("/account/second-factor", code=code, **given)
        assert answer.status_code == 400 and "password" in alert(answer, "current")
    assert told == []
    assert mina.send("/account/second-factor", code=code, current=PASSWORD).status_code == 200
    assert [(one.what, one.user_id) for one in told] == [("factor_on", id_of(desk, mina))]


def test_who_has_no_password_must_have_signed_in_within_minutes(desk: Desk) -> None:
    clock, before = desk.server.clock, desk.server.clock.offset
    guest = signed_in(desk, desk.add_user())  # by another service
    try:
        guest.send("/account/second-factor/begin")
        page = guest.page("/account/second-factor")
        assert not page.xpath("//*[@name='current']")
        secret = page.xpath("string(//*[contains(@class, 'key')])").replace(" ", "")
        clock.advance(timedelta(minutes=11))
        code = totp.code(secret, int(clock.now().timestamp()) // totp.STEP_S)
        late = guest.send("/account/second-factor", code=code)
        assert late.status_code == 400
        [form] = html.fromstring(late.text).xpath("//div[@id='account']//form")
        assert (form.get("action"), form.xpath("./input[@name='next']/@value")) == (
            "/sign-out", ["/account/second-factor"],
        )  # fmt: skip
        anew = signed_in(desk, id_of(desk, guest))
        assert anew.send("/account/second-factor", code=code).status_code == 200
        for what in ("off", "recovery-codes"):  # now they have an app that shows it is them
            assert guest.send(f"/account/second-factor/{what}").status_code == 400
            assert "A code from your app" in guest.get(f"/account/second-factor/{what}").text
            assert guest.send(f"/account/second-factor/{what}", current="000000").status_code == 400
        assert said(anew.send("/account/second-factor/off")) == "The second factor is off."
    finally:
        clock.offset = before


def test_switching_off_and_new_codes_take_the_password(desk: Desk, mina: Person) -> None:
    _, first = set_up(desk, mina)
    before = html.fromstring(first.text).xpath("//ol[contains(@class, 'codes')]/li/text()")
    for what in ("off", "recovery-codes"):
        assert "Your password" in mina.get(f"/account/second-factor/{what}").text
        refused = mina.send(f"/account/second-factor/{what}", current="wrong")
        assert refused.status_code == 400 and "not your password" in alert(refused, "current")
    renewed = mina.send("/account/second-factor/recovery-codes", current=PASSWORD)
    codes = html.fromstring(renewed.text).xpath("//ol[contains(@class, 'codes')]/li/text()")
    assert len(codes) == 10 and not set(codes) & set(before)
    user = id_of(desk, mina)
    assert not desk.write(lambda tx: second_factor.use_recovery_code(tx, desk.account_id, user, before[0]))
    assert said(mina.send("/account/second-factor/off", current=PASSWORD)) == "The second factor is off."
    assert is_in(desk, enter(desk, row(desk, user).email or "", PASSWORD))
    assert not desk.write(lambda tx: second_factor.use_recovery_code(tx, desk.account_id, user, codes[0]))


def test_what_changes_how_one_signs_in_is_told_by_mail(desk: Desk, mina: Person, told: list[Notice]) -> None:
    _, page = set_up(desk, mina)
    codes = html.fromstring(page.text).xpath("//ol[contains(@class, 'codes')]/li/text()")
    user, now, sealer = id_of(desk, mina), desk.server.clock.now(), desk.server.app.gateway.sealer
    assert desk.write(lambda tx: second_factor.check(tx, sealer, desk.account_id, user, codes[0], now))
    assert not desk.write(lambda tx: second_factor.check(tx, sealer, desk.account_id, user, codes[0], now))
    mina.send("/account/second-factor/recovery-codes", current=PASSWORD)
    mina.send("/account/second-factor/off", current=PASSWORD)
    mina.send("/account/security/password", current=PASSWORD, password=NEW, again=NEW)
    assert [one.what for one in told] == ["factor_on", "code_used", "codes", "factor_off", "password"]
    email = row(desk, user).email
    assert {(one.user_id, one.email, one.by) for one in told} == {(user, email, "")}
    assert told[1].left == 9


def test_who_has_no_second_factor_is_not_asked_about_it(desk: Desk, mina: Person) -> None:
    for what in ("", "/off", "/recovery-codes"):
        answer = mina.get(f"/account/second-factor{what}", allow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/security")
    assert mina.send("/account/second-factor/recovery-codes", current=PASSWORD).status_code == 412


# -- All of them


PAGES = ("/account", "/account/preferences", "/account/security")
FORMS = (
    "/account", "/account/preferences", "/account/security/password", "/account/security/sessions/others/end",
    "/account/security/sessions/1/end", "/account/second-factor/begin", "/account/second-factor",
    "/account/second-factor/off", "/account/second-factor/recovery-codes",
)  # fmt: skip


def test_every_form_must_come_from_a_page_of_ours(mina: Person) -> None:
    token = mina.csrf
    for path in FORMS:
        for data, sent_from in (({"csrf": "x" * 32}, "same-origin"), ({"csrf": token}, "cross-site"), ({}, "none")):
            headers = {"Sec-Fetch-Site": sent_from}
            answer = mina.http.post(mina.server.url + path, data=data, headers=headers, timeout=30)
            assert answer.status_code == 403, (path, sent_from)


def test_every_page_needs_signing_in(desk: Desk) -> None:
    for path in PAGES:
        answer = requests.get(desk.url + path, allow_redirects=False, timeout=30)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next=")
