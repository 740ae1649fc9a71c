"""The composition root: builds every part, wires them, owns start and stop. The only file that knows all rooms."""

from __future__ import annotations

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from functools import cache

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deskhand.admin import openapi as admin_openapi
from deskhand.api.errors import answer_problem
from deskhand.api.health import Health
from deskhand.api.metrics import Metrics
from deskhand.api.openapi import openapi
from deskhand.api.rate_limit import rate_limit_for
from deskhand.api.routes import Api
from deskhand.app import telling
from deskhand.app.gateway import ADMIN_PATH, Gateway, listener, local_desk
from deskhand.app.mail import Counted, taking_mail
from deskhand.catalogue.operations import OPERATIONS
from deskhand.catalogue.problems import NotFound
from deskhand.db.database import hearing, open_database
from deskhand.db.engine import Database
from deskhand.desk import after_work, handlers
from deskhand.desk.call import IMPLEMENTATIONS
from deskhand.desk.conversations.erasure.files import remove_unnamed
from deskhand.desk.conversations.mail.keeping import Keeping
from deskhand.desk.ratings.links import RatingLinks
from deskhand.desk.webhooks import delivering
from deskhand.entrance import mcp
from deskhand.entrance.http import is_agents
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import Clock, SystemClock
from deskhand.mail.captured import Capture
from deskhand.mail.post import Post
from deskhand.mail.smtp_out import SmtpPost
from deskhand.oauth import routes as oauth_pages
from deskhand.oauth.bearer import Bearers
from deskhand.oauth.endpoint import TokenEndpoint
from deskhand.oauth.oidc import Provider, ProviderSettings
from deskhand.oauth.parts import Parts as SignInParts
from deskhand.outbox import events
from deskhand.sandbox.clock import SandboxClock
from deskhand.sandbox.faults import Faults
from deskhand.sandbox.options import Sandbox
from deskhand.settings import Settings, SmtpServer
from deskhand.web import routes as web_pages
from deskhand.web.live import Live
from deskhand.web.parts import MailWays, Web, Welcome
from deskhand.web.reference import pages as reference_pages

TOKEN_PATH = "/v2/oauth2/token"


class App:
    """Deskhand as one ASGI application: the API under /v2 and /v3, everything else by pages' routes."""

    def __init__(self, settings: Settings, clock: Clock | None = None, sandbox: Sandbox | None = None) -> None:
        require_handlers()
        self.settings = settings
        if sandbox is not None:
            clock = SandboxClock(settings.data_dir, sandbox.offset)
        self.clock: Clock = clock or SystemClock()
        elsewhere = frozenset({events.WAKE} if settings.worker == "separate" else ())
        several = settings.worker == "separate" or settings.workers > 1
        announced = elsewhere | events.FOR_PAGES if several else elsewhere
        self.database: Database = open_database(settings.database_url, settings.data_dir, announced)
        self._ear = hearing(settings.database_url, self.database) if several and settings.database_url else None
        self.rate_limit = rate_limit_for(settings.workers, self.clock, self.database)
        self.metrics = Metrics((operation.name for operation in OPERATIONS), self.database.lanes)
        bearers = Bearers(self.database, self.clock)
        self._blobs = blobs = BlobStore(settings.data_dir / "blobs")
        self.api: ASGIApp = Api(
            OPERATIONS,
            IMPLEMENTATIONS,
            self.database,
            bearers,
            self.rate_limit,
            blobs,
            self.clock,
            settings.base_url,
            self.metrics,
            remove_unnamed,
            lambda tx, actor, change: telling.tell(self.gateway.audit, tx, actor, change),
        )
        around = None
        if sandbox is not None:
            from deskhand.app.sandbox import Around  # noqa: PLC0415 - with its texts in seven languages, for it alone

            assert isinstance(self.clock, SandboxClock)
            around = Around(sandbox, settings.data_dir, self.clock, self.database)
        local = local_desk(self._api, self.database, self.rate_limit, settings.base_url)
        self.keeper = Counted(Keeping(self.database, blobs, self.clock), self.metrics)
        self.gateway = Gateway(settings, self.database, self.clock, local, keeper=self.keeper)
        self.tools = after_work.Tools(
            self.database,
            self.clock,
            blobs,
            settings.base_url,
            allow_loopback=sandbox is not None,
            keep_files=sandbox is not None,
            allow_private=settings.webhook_private_addresses,
            post=self._post(captured=sandbox is not None),
            sealer=self.gateway.sealer,
            trusted_server=settings.mail_trusted_server,
            also=(listener(settings, self.database, self.clock),),
            deliver=delivering.carrier if around is None else around.webhook_faults.carrier,
        )
        self.tokens: ASGIApp = TokenEndpoint(self.database, self.clock, self.gateway.sign_ins)
        self._front: ASGIApp = self._doors
        start: Sequence[BaseRoute] = ()
        welcome = None
        if around is not None:
            self.api = faults = Faults(self.api)
            self._front = journal = around.remembered(self._doors, self.gateway)
            start = around.routes(self.tools, self.keeper, faults, journal, self.rate_limit, self.gateway)
            welcome = around.welcome
        self._sign_in = SignInParts(
            self.database, self.clock, settings.base_url, self.gateway.sealer, provider=_provider(settings)
        )
        self.live = Live(self.database, self.clock)
        self.web = self._web(welcome, captured=sandbox is not None)
        self.pages: ASGIApp = Starlette(
            routes=[*self._pages(), *start], lifespan=self._lifespan, exception_handlers={404: _missing}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._front(scope, receive, send)

    async def _doors(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(("/v2", "/v3")):
            await self._door(scope)(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in mcp.PATHS:
            await self.gateway.mcp(scope, receive, send)
        else:
            await self.pages(scope, receive, send)

    def _door(self, scope: Scope) -> ASGIApp:
        """Which part of the API a request is for: the credential alone decides between the desk and the gateway."""
        if scope["path"].rstrip("/") == TOKEN_PATH:
            return self.tokens
        return self.gateway.rest if is_agents(scope["headers"]) else self.api

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The desk's API as the gateway calls it, with whatever the sandbox has put around it."""
        await self.api(scope, receive, send)

    def _pages(self) -> Sequence[BaseRoute]:
        return [
            *oauth_pages.routes(self._sign_in),
            *web_pages.routes(self.web),
            *reference_pages.routes(OPERATIONS, self.settings.base_url),
            *self.gateway.routes,
            *Health(self.database, self.metrics).routes,
            _openapi(self.settings.base_url),
        ]

    def _web(self, welcome: Welcome | None, *, captured: bool) -> Web:
        """What pages are made with."""
        return Web(
            database=self.database,
            clock=self.clock,
            blobs=self._blobs,
            base_url=self.settings.base_url,
            links=RatingLinks(self.gateway.sealer, self.settings.base_url),
            sealer=self.gateway.sealer,
            passwords=self._sign_in.passwords,
            provider=self._sign_in.provider_name,
            administration=self.gateway.administration,
            approvals=self.gateway.approvals,
            agents=self.gateway.agents,
            budget=self.gateway.budget,
            connections=self.gateway.remotes.connections,
            audit=self.gateway.audit,
            signing_key=self.gateway.signing_key,
            explain=self.gateway.explain,
            live=self.live,
            mail=MailWays(self.tools.post, self._smtp_of, self.settings.mail_imap_every_s),
            welcome=welcome,
            allow_private=self.settings.webhook_private_addresses or captured,
            captured=captured,
        )

    def _smtp_of(self, email: str) -> SmtpServer | None:
        """By which server mail from an inbox's address leaves that has none of its own."""
        return self.settings.smtp_by_inbox.get(email.casefold(), self.settings.smtp_url)

    def _post(self, *, captured: bool) -> Post:
        """Where mail goes."""
        if captured:
            return Capture(self.clock)
        return SmtpPost(self.settings.smtp_url, self.settings.smtp_by_inbox, self.settings.base_url)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        # What is there now stays, so the garbage collector need not go through it again and again.
        gc.freeze()
        async with self._working(), self.gateway.running(), self.live.running():
            with self._ear or nullcontext():
                yield
        self.database.close()

    @asynccontextmanager
    async def _working(self) -> AsyncIterator[None]:
        """Carry out jobs meanwhile, unless that is another process's business."""
        if self.settings.worker == "separate":
            yield
            return
        mail = taking_mail(self.settings, self.database, self.keeper, self.clock)
        async with after_work.working(self.tools) as worker, mail:
            running = asyncio.create_task(worker.run(), name="worker")
            try:
                yield
            finally:
                worker.stop()
                await running


def _provider(settings: Settings) -> Provider | None:
    """The OpenID provider by which people may sign in."""
    if not settings.oidc_issuer:
        return None
    given = settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, settings.oidc_name
    return Provider(ProviderSettings(*given), settings.base_url)


def require_handlers() -> None:
    """Refuse to start while an operation of the catalogue has no handler."""
    assert handlers.SLICES
    missing = [operation.name for operation in OPERATIONS if operation.name not in IMPLEMENTATIONS]
    if missing:
        raise RuntimeError(f"operations without a handler: {', '.join(missing)}")


def _missing(request: Request, _: Exception) -> Response:
    """The answer where no route fits a path, which may hold what no route has, such as line breaks."""
    if request.url.path.startswith(ADMIN_PATH):
        answer = answer_problem(NotFound(), uuid.uuid4().hex)
        return Response(answer.body, answer.status, dict(answer.headers), answer.media_type)
    return web_pages.missing(request)


def _openapi(base_url: str) -> Route:
    @cache
    def document() -> bytes:
        return msgspec.json.encode(admin_openapi.add_to(openapi(OPERATIONS, base_url)))

    async def show(_: Request) -> Response:
        made = await asyncio.to_thread(document)  # the first time, it takes a while
        return Response(made, media_type="application/json", headers={"Access-Control-Allow-Origin": "*"})

    return Route("/openapi.json", show)
