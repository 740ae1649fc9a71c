"""The web addresses of signing in and of approving applications."""

from __future__ import annotations

from argon2 import PasswordHasher
from starlette.routing import Route

from deskhand.db.engine import Database
from deskhand.lib.clock import Clock
from deskhand.oauth import passwords
from deskhand.oauth.authorize import AUTHORIZE_PATH, Authorize
from deskhand.oauth.pages import SIGN_IN_PATH, SIGN_OUT_PATH, STYLESHEET_PATH, guarded, stylesheet
from deskhand.oauth.sign_in import SignIn


def routes(database: Database, clock: Clock, base_url: str, cost: PasswordHasher = passwords.COST) -> list[Route]:
    """The pages as routes; cookies are for https alone where the base URL is."""
    sign_in = SignIn(database, clock, secure=base_url.startswith("https://"), cost=cost)
    authorize = Authorize(database, clock)
    return [
        Route(SIGN_IN_PATH, guarded(sign_in.show)),
        Route(SIGN_IN_PATH, guarded(sign_in.submit), methods=["POST"]),
        Route(SIGN_OUT_PATH, guarded(sign_in.leave), methods=["POST"]),
        Route(AUTHORIZE_PATH, guarded(authorize.show)),
        Route(AUTHORIZE_PATH, guarded(authorize.decide), methods=["POST"]),
        Route(STYLESHEET_PATH, stylesheet),
    ]
