"""The API over real HTTP with everything in it that its document speaks of, and schemathesis, which tries all of it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.main import create_app
from app.tasks.watch.pace import StreamPace
from core.user import Role, User
from infra.clock import now
from infra.settings import ApiSettings
from infra.store import Store
from infra.store.values import StoreOptions
from tests.support import world
from tests.support.api import CHEAP, Api, RecordingDispatcher
from tests.support.contract_hooks import KEY, SECRET
from tests.support.http import listening
from tests.support.signing import Signing, access_key
from tests.support.valkey import ValkeyServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "tests" / "data" / "schemathesis.toml"
MANY = 10**6
SHORT = StreamPace(between=0.01, silence=0.02, lasting=0.05)
"""Streams end by themselves, since schemathesis reads every reply to its end."""


@dataclass
class Counting:
    """Counts what was answered: by operation, whose status it was."""

    app: ASGIApp
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and "endpoint" in scope:
                self.answered[scope["endpoint"].__name__, message["status"]] += 1
            await send(message)

        await self.app(scope, receive, counted)


@dataclass
class Contract:
    """An API that listens, and what it has answered."""

    app: FastAPI
    port: int
    counting: Counting
    signing: Signing
    folder: Path

    async def tried(self, *arguments: str, signed: bool = False) -> tuple[int, str]:
        """Let schemathesis try the API; return its exit code and what it printed."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if signed:
            environment |= {KEY: self.signing.key_id, SECRET: self.signing.secret}
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("schemathesis"),
            *("--config-file", str(CONFIG), "run", f"http://127.0.0.1:{self.port}/openapi.json", *arguments),
            cwd=self.folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            printed, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        return process.returncode or 0, printed.decode()

    @property
    def done(self) -> set[str]:
        """The operations that did what was asked at least once."""
        return {name for name, status in self.counting.answered if 200 <= status < 300}


@asynccontextmanager
async def contract(folder: Path, prepare: Callable[[FastAPI], object] = lambda _: None) -> AsyncIterator[Contract]:
    """Serve an API without rate limits and lock-outs, over the fleet of `tests.support.world`.

    Args:
        folder: for its key file and the store.
        prepare: changes the application before it listens.
    """
    with ValkeyServer(folder / "valkey", appendonly=False) as server:
        store = Store.at(server.url(), StoreOptions(may_forget=True))
        try:
            async with _serve(store, folder, prepare) as served:
                yield served
        finally:
            await store.aclose()


@asynccontextmanager
async def _serve(store: Store, folder: Path, prepare: Callable[[FastAPI], object]) -> AsyncIterator[Contract]:
    dispatcher = RecordingDispatcher()
    generous: dict[str, Any] = {f"login_failures{which}": MANY for which in ("", "_per_user", "_per_address")}
    settings = ApiSettings(server_address="10.9.8.7", rate_limit=False, key_file=folder / "key", **generous)
    app = create_app(settings, store, dispatcher, passwords=CHEAP)
    app.state.hub.pace = SHORT
    prepare(app)
    await store.users.put(User(0, "admin", CHEAP.hash("admin-password"), frozenset({Role.ADMIN})))
    counting = Counting(app)
    async with listening(counting, app.state.hub) as (_, client, port):
        await world.build(Api(client, store, dispatcher, app), now=now())
        counting.answered.clear()
        yield Contract(app, port, counting, await access_key(store, folder / "key", "admin", now()), folder)
