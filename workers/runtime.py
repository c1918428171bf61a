"""The event loop of a worker process: one thread with one loop, which does all SSH and all calls to the store.

Celery's threads hand coroutines to it and wait for them. The heartbeat runs on it too.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import structlog
import uvloop

from core.errors import StoreUnavailable
from infra.clock import now
from infra.dispatch import Dispatcher
from infra.failpoint import make_failpoint_hook
from infra.settings import WorkerSettings
from infra.store import Store
from workers.agent.timing import Timing
from workers.context import WorkerContext
from workers.executor.factory import make_executor
from workers.executor.slots import Slots
from workers.reconcile.reconciler import Reconciler
from workers.reconcile.timing import ReconcileTiming
from workers.record.heartbeat import Heartbeat

log = structlog.get_logger(__name__)
T = TypeVar("T")

_GRACE_BEATS: Final = 2
"""Beats that a worker has time for once the store is back, before it can be called lost."""
_LEAVE_TIMEOUT: Final = 5.0
"""Seconds that leaving the record may take."""


class Runtime:
    """A started worker process: its loop, its place in the record, and its context.

    Args:
        settings: the process's settings.
        name: its Celery node name.

    Raises:
        FleetError: the store cannot be used; the sentence says why.
    """

    def __init__(self, settings: WorkerSettings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._draining = False
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ssh-and-store", daemon=True)
        self._thread.start()
        try:
            self.context = self.call(self._start())
        except BaseException:
            self._stop_loop()
            raise

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it, from any other thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def reconcile(self, dispatcher: Dispatcher) -> None:
        """Begin to reconcile; at any time only one worker does."""
        settings = self._settings
        timing = ReconcileTiming(
            every=settings.reconcile_every, lost_after=settings.lost_after, grace=_GRACE_BEATS * settings.beat_every
        )
        reconciler = Reconciler(self.context, dispatcher, timing)

        def begin() -> None:
            self._background.append(self._loop.create_task(reconciler.run_forever()))

        self._loop.call_soon_threadsafe(begin)

    def drain(self) -> None:
        """Let lanes finish the hosts that they have and claim no more; after the grace time hand over what is left."""
        self._draining = True
        hand_over = self.context.heartbeat.runs.hand_over_all
        self._loop.call_soon_threadsafe(self._loop.call_later, self._settings.shutdown_grace, hand_over)

    def stop(self) -> None:
        """Leave the record and end the loop."""
        try:
            self.call(asyncio.wait_for(self._leave(), _LEAVE_TIMEOUT))
        except (StoreUnavailable, TimeoutError) as error:  # the reconciler finds out by itself
            log.warning("could not leave the record", error=str(error))
        finally:
            self._stop_loop()

    async def _start(self) -> WorkerContext:
        settings = self._settings
        store = Store.at(settings.redis_url, settings.store_options)
        await store.check()
        worker = await store.workers.enrol(self._name)
        heartbeat = Heartbeat(store, worker, every=settings.beat_every, alive_for=settings.alive_for)
        await heartbeat.beat()
        context = self._make_context(store, heartbeat)
        self._background = [
            self._loop.create_task(heartbeat.beat_forever()),
            self._loop.create_task(context.open_logs.write_forever()),
        ]
        return context

    def _make_context(self, store: Store, heartbeat: Heartbeat) -> WorkerContext:
        settings = self._settings

        async def pin(host_id: int, key: str) -> None:
            await store.hosts.pin(host_id, key, now(), replace=False)

        return WorkerContext(
            store=store,
            executor=make_executor(settings, pin, heartbeat.may_send),
            heartbeat=heartbeat,
            slots=Slots(settings.max_in_flight),
            clock=now,
            timing=Timing(command_timeout=settings.command_timeout, kill_allowed=settings.allow_kill),
            max_lanes=settings.max_lanes,
            lane_window=settings.lane_window,
            host_time_limit=settings.host_time_limit,
            is_draining=lambda: self._draining,
            reach_failpoint=make_failpoint_hook(settings.failpoint),
        )

    async def _leave(self) -> None:
        for task in self._background:
            task.cancel()
        await self.context.executor.aclose()
        await self.context.store.workers.leave(self.context.heartbeat.worker)
        await self.context.store.aclose()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LEAVE_TIMEOUT)


def make_node_name(settings: WorkerSettings, process_id: int) -> str:
    """Return the process's Celery node name: what Flower lists, and what subtasks show as their executor."""
    return f"{settings.worker_name or f'worker-{process_id}'}@{socket.gethostname()}"
