"""The API process: how it is built, and how it runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from operator import attrgetter
from typing import Final

import structlog
import uvloop
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.gzip import GZipMiddleware

from app.agents import process_routes as processes
from app.agents import routes as agents
from app.agents.errand_client import ErrandClient
from app.audit import routes as audit
from app.audit.recorder import record_reply
from app.auth.first_admin import ensure_admin
from app.auth.passwords import Argon2, Passwords
from app.auth.services import build_auth
from app.auth.vault import Vault
from app.brake import routes as brake
from app.context import Context
from app.health import routes as health
from app.hosts import routes as hosts
from app.http.errors import add_error_handlers, refuse_unexpected
from app.http.methods import add_head_routes
from app.http.middleware import RequestMiddleware
from app.http.server import Server, find_local_address, open_listener
from app.iam import routes as iam
from app.openapi.document import complete_document
from app.tasks import host_routes as task_hosts
from app.tasks import routes as tasks
from app.tasks.outbox import Outbox, publish_posted
from app.tasks.watch.hub import Hub
from core.errors import Misconfigured, Unavailable
from infra import collector
from infra.celery import make_celery
from infra.clock import now
from infra.dispatch import CeleryDispatcher, Dispatcher
from infra.failpoint import make_failpoint_hook
from infra.logs import configure_logging
from infra.settings import ApiSettings, InventorySettings, load_settings
from infra.store import Store

_MIN_COMPRESSED: Final = 1024
"""Bytes from which a reply is compressed for a client that takes gzip. Archives and event streams never are."""
_LEVEL: Final = 2
"""The level of compression. A task of 10,000 hosts shrinks to a fourteenth. A higher level saves hardly more."""

log = structlog.get_logger("ocpfleet.api")


def create_app(
    settings: ApiSettings,
    store: Store,
    dispatcher: Dispatcher,
    *,
    clock: Callable[[], int] = now,
    passwords: Passwords | None = None,
) -> FastAPI:
    """Return the API. It closes the store when it shuts down."""
    hub = Hub(store, settings.max_watchers)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await hub.aclose()
        await store.aclose()

    app = FastAPIOffline(
        title="ocpfleet",
        summary="Stops, restarts and starts the OCP agents of a fleet of hosts, each request as one durable task.",
        version="2",
        redirect_slashes=False,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=attrgetter("name"),
    )
    reach_failpoint = make_failpoint_hook(settings.failpoint)
    app.state.context = Context(
        store=store,
        dispatcher=dispatcher,
        clock=clock,
        server_address=settings.server_address or find_local_address(),
        max_hosts=settings.max_hosts,
        inventory=load_settings(InventorySettings),
        may_withdraw=settings.replicas > 0,
        reach_failpoint=reach_failpoint,
    )
    app.state.auth = build_auth(settings, store, passwords or Argon2(), clock)
    app.state.outbox = Outbox(dispatcher, reach_failpoint)
    app.state.hub = hub
    app.state.errand_client = ErrandClient(store, dispatcher, settings.max_errands, settings.errand_timeout)
    add_error_handlers(app)
    app.add_middleware(GZipMiddleware, minimum_size=_MIN_COMPRESSED, compresslevel=_LEVEL)
    app.add_middleware(RequestMiddleware, on_fault=refuse_unexpected, on_reply=record_reply, on_sent=publish_posted)
    for router in (
        agents.router,
        processes.router,
        hosts.router,
        tasks.router,
        task_hosts.router,
        brake.router,
        iam.router,
        audit.router,
        health.router,
    ):
        add_head_routes(router)
        app.include_router(router)
    _complete_document_lazily(app, settings.max_hosts)
    return app


def _complete_document_lazily(app: FastAPI, max_hosts: int) -> None:
    """Let the OpenAPI document be completed when it is first requested."""
    generate = app.openapi
    complete = cache(lambda: complete_document(generate(), max_hosts))
    app.openapi = complete  # type: ignore[method-assign] # FastAPI's own way to extend its document


def serve(settings: ApiSettings) -> None:
    """Answer requests until SIGTERM or SIGINT. Then open requests may finish, within a limit.

    Raises:
        FleetError: the API cannot start; the sentence says why.
    """
    configure_logging(settings.log_format, settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: ApiSettings) -> None:
    store = Store.at(settings.redis_url, settings.store_options)
    passwords = Argon2()
    try:
        await _prepare(settings, store, passwords)
        app = create_app(settings, store, CeleryDispatcher(make_celery(settings)), passwords=passwords)
        collector.tune_collector()
        with open_listener(settings.api_host, settings.api_port) as listener:
            await Server(app, app.state.hub.stop, grace=settings.request_grace).run_on(listener)
    finally:
        await store.aclose()


async def _prepare(settings: ApiSettings, store: Store, passwords: Passwords) -> None:
    try:
        Vault(settings.key_file).check()
        await store.check()
        await ensure_admin(store.users, passwords, settings.admin_password_file)
    except Misconfigured:
        raise
    except Unavailable as error:
        raise Unavailable(f"The API did not start: {error.sentence}") from error
