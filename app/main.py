"""The API process: what it is built of, and how it runs."""

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
from app.agents.errand_client import Desk
from app.audit import recorder as audit
from app.audit import routes as audit_routes
from app.auth.authenticator import Authenticator
from app.auth.first_admin import ensure_admin
from app.auth.lockout import Lockout, LockoutRules
from app.auth.passwords import Argon2, Passwords
from app.auth.rates import RateRules, Rates
from app.auth.signature_checker import AccessChecker
from app.auth.vault import Vault
from app.brake import routes as brake
from app.context import Fleet
from app.health import routes as health
from app.hosts import routes as hosts
from app.http import errors
from app.http.methods import answer_head
from app.http.request_state import Exchanges
from app.http.server import Server, bound_socket, local_address
from app.iam import routes as iam
from app.openapi.document import described
from app.tasks import host_routes as task_hosts
from app.tasks import routes as tasks
from app.tasks.outbox import publish_posted
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

_WORTH_IT: Final = 1024
"""Bytes from which on a reply is compressed for a client that takes gzip; archives and event streams never are."""
_LEVEL: Final = 2
"""How hard: a task of 10,000 hosts becomes a fourteenth of its size; more makes it slower, but not much smaller."""

log = structlog.get_logger("ocpfleet.api")


def create_app(
    settings: ApiSettings,
    store: Store,
    dispatcher: Dispatcher,
    *,
    clock: Callable[[], int] = now,
    passwords: Passwords | None = None,
) -> FastAPI:
    """Return the API over a store and a dispatcher; it closes the store when it shuts down."""
    hub = Hub(store, settings.max_watchers)
    passwords, vault = passwords or Argon2(), Vault(settings.key_file)

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
    app.state.fleet = Fleet(
        store=store,
        dispatcher=dispatcher,
        authenticator=Authenticator(store.users, passwords, Lockout(store.guard, _lockout_rules(settings))),
        access=AccessChecker(store, vault, clock),
        passwords=passwords,
        vault=vault,
        rates=Rates(_rate_rules(settings)) if settings.rate_limit else None,
        clock=clock,
        server=settings.server_address or local_address(),
        max_hosts=settings.max_hosts,
        hub=hub,
        desk=Desk(store, dispatcher, settings.max_errands, settings.errand_timeout),
        inventory=load_settings(InventorySettings),
        withdraws=settings.replicas > 0,
        reach_failpoint=make_failpoint_hook(settings.failpoint),
    )
    errors.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=_WORTH_IT, compresslevel=_LEVEL)
    app.add_middleware(Exchanges, on_fault=errors.unexpected, on_reply=audit.record, on_sent=publish_posted)
    for router in (
        agents.router,
        processes.router,
        hosts.router,
        tasks.router,
        task_hosts.router,
        brake.router,
        iam.router,
        audit_routes.router,
        health.router,
    ):
        answer_head(router)
        app.include_router(router)
    _describe(app, settings.max_hosts)
    return app


def _describe(app: FastAPI, max_hosts: int) -> None:
    """Let the document be completed when somebody first asks for it."""
    read_off_the_routes = app.openapi
    complete = cache(lambda: described(read_off_the_routes(), max_hosts))
    app.openapi = complete  # type: ignore[method-assign] # FastAPI's own way to extend its document


def _lockout_rules(settings: ApiSettings) -> LockoutRules:
    return LockoutRules(
        per_pair=settings.login_failures,
        per_address=settings.login_failures_per_address,
        per_user=settings.login_failures_per_user,
        lapses=settings.login_lockout,
    )


def _rate_rules(settings: ApiSettings) -> RateRules:
    return RateRules(
        per_10_seconds=settings.rate_limit_10_seconds,
        per_minute=settings.rate_limit_minute,
        per_hour=settings.rate_limit_hour,
        per_day=settings.rate_limit_day,
    )


def serve(settings: ApiSettings) -> None:
    """Answer requests until told to stop: SIGTERM and SIGINT let those that are under way finish, within a limit.

    Raises:
        FleetError: it cannot start; the sentence says why.
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
        fleet: Fleet = app.state.fleet
        collector.tune_collector()
        with bound_socket(settings.api_host, settings.api_port) as listener:
            await Server(app, fleet.hub.stop, grace=settings.request_grace).run_on(listener)
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
