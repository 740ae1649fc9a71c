"""The web addresses of signing in and of approving applications."""

from __future__ import annotations

from starlette.routing import Route

from deskhand.desk.sign_in_mail import PATHS
from deskhand.oauth.authorize import AUTHORIZE_PATH, Authorize
from deskhand.oauth.code_page import CodePage
from deskhand.oauth.confirm_page import ConfirmPage
from deskhand.oauth.forgotten import ChoosePassword, Forgotten
from deskhand.oauth.oidc import CALLBACK_PATH
from deskhand.oauth.oidc_pages import ByProvider
from deskhand.oauth.pages import (
    CODE_PATH,
    CONFIRM_PATH,
    FORGOT_PATH,
    PROVIDER_PATH,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
    STYLESHEET_PATH,
    Handler,
    guarded,
    stylesheet,
)
from deskhand.oauth.parts import Parts
from deskhand.oauth.sign_in import SignIn


def routes(parts: Parts) -> list[Route]:
    """The pages as routes."""
    sign_in, code, forgotten = SignIn(parts), CodePage(parts), Forgotten(parts)
    reset, welcome = ChoosePassword(parts, "reset"), ChoosePassword(parts, "welcome")
    by_provider = [] if parts.provider is None else _by_provider(ByProvider(parts, parts.provider))
    confirm, authorize = ConfirmPage(parts), Authorize(parts.database, parts.clock)
    return [
        *_form(SIGN_IN_PATH, sign_in.show, sign_in.submit),
        *_form(CODE_PATH, code.show, code.submit),
        *_form(FORGOT_PATH, forgotten.show, forgotten.submit),
        *_form(CONFIRM_PATH, confirm.show, confirm.submit),
        *_form(PATHS["reset"] + "{token}", reset.show, reset.submit),
        *_form(PATHS["welcome"] + "{token}", welcome.show, welcome.submit),
        *by_provider,
        Route(SIGN_OUT_PATH, guarded(sign_in.leave), methods=["POST"]),
        *_form(AUTHORIZE_PATH, authorize.show, authorize.decide),
        Route(STYLESHEET_PATH, stylesheet),
    ]


def _by_provider(doors: ByProvider) -> list[Route]:
    return [
        Route(PROVIDER_PATH, guarded(doors.begin)),
        Route(CALLBACK_PATH, guarded(doors.back)),
        Route(f"{PROVIDER_PATH}/confirm", guarded(doors.begin_again)),
        Route(f"{PROVIDER_PATH}/account", guarded(doors.choose), methods=["POST"]),
    ]


def _form(path: str, show: Handler, take: Handler) -> list[Route]:
    """A page and the form on it."""
    return [Route(path, guarded(show)), Route(path, guarded(take), methods=["POST"])]
