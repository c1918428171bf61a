"""A server without memory or without disk refuses writes, and of what it refuses nothing is done."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from typing_extensions import override

from core.audit import AuditEntry, Proof
from core.brake import Brake
from core.claim import require_host_claims
from core.errand import ErrandFailed
from core.errors import StoreUnavailable
from core.host import STOPPED, STOPPING
from core.lease import Lease
from core.user import Role, User
from infra.store import Store
from infra.store.task_values import ClaimRequest, Course, Once
from infra.store.values import StoreOptions
from tests.support.records import (
    FINISH,
    FIRST_WAIT,
    NOW,
    PREPARE,
    SECOND_WAIT,
    STOP,
    claim_step,
    draft,
    entry,
    make_failures,
    make_successes,
    open_log,
    pass_step,
    run_log,
    settle,
)
from tests.support.smalldisk import small_disk
from tests.support.store_contract.errands import LOOK
from tests.support.store_contract.new_hosts import new, request
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from core.claim import Claim, Worker
    from core.record import TaskRecord

BALLAST = 5
"""The database that holds what fills the memory."""


class Fault(Protocol):
    """What is full, and how it is made so."""

    word: str
    """What the server says, in part."""

    gone_through: tuple[str, ...]
    """Which of the writes need nothing of what is full, to begin with."""

    async def begin(self) -> None: ...

    async def end(self) -> None: ...


@dataclass
class NoMemory(Fault):
    """maxmemory is reached, and nothing may be evicted."""

    client: Redis
    word: str = "used memory > 'maxmemory'"
    gone_through: tuple[str, ...] = ("settle and claim", "reopen", "retry", "put hosts")

    @override
    async def begin(self) -> None:
        await self.client.config_set("maxmemory", "30mb")
        for number in range(4):  # the fourth one goes well beyond the limit: the server looks before, not after
            await self.client.setrange(f"ballast:{number}", 8 << 20, "x")
        with pytest.raises(ResponseError, match="maxmemory"):
            await self.client.set("ballast", "x")

    @override
    async def end(self) -> None:
        await self.client.flushdb()


@asynccontextmanager
async def no_memory(directory: Path) -> AsyncIterator[tuple[ValkeyServer, Fault]]:
    with ValkeyServer(directory / "server") as server:
        async with Redis.from_url(server.url(BALLAST)) as client:
            yield server, NoMemory(client)


@dataclass
class NoDisk(Fault):
    """The disk with the append-only file is full; the server found out by a write that it could not keep."""

    client: Redis
    fill: Callable[[], None]
    make_room: Callable[[], None]
    word: str = "Errors writing to the AOF file: No space left on device"
    gone_through: tuple[str, ...] = ()

    @override
    async def begin(self) -> None:
        self.fill()

        async def refused() -> bool:
            try:
                await self.client.set("ballast", bytes(100))
            except ResponseError as error:
                return self.word in str(error)
            return False

        await eventually(refused, 20, "the server to notice that its disk is full")

    @override
    async def end(self) -> None:
        self.make_room()

        async def accepted() -> bool:
            try:
                return bool(await self.client.delete("ballast"))
            except ResponseError:
                return False

        await eventually(accepted, 20, "the server to notice that its disk has room again")


@asynccontextmanager
async def no_disk(directory: Path) -> AsyncIterator[tuple[ValkeyServer, Fault]]:
    with small_disk(directory / "disk", 4) as disk:
        extra = ["--dir", str(disk.place), "--appendfsync", "everysec"]
        with ValkeyServer(directory / "server", extra=extra, within=disk.within) as server:
            async with Redis.from_url(server.url()) as client:
                yield server, NoDisk(client, disk.fill, disk.make_room)


@dataclass
class Scene:
    """A record in which everything that writes has something to write."""

    store: Store
    worker: Worker
    tasks: Mapping[str, TaskRecord]
    claims: Mapping[str, Sequence[Claim]]

    def writes(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """Return everything that writes and needs memory for it, by name, in an order that all of it can be done in."""
        store, tasks, worker = self.store, self.store.tasks, self.worker
        claimed, working, failing = (self.tasks[name] for name in ("claimed", "working", "failing"))
        admin = User(0, "bo", "$argon2id$", frozenset({Role.ADMIN}))
        audited = AuditEntry(NOW, "admin", Proof.PASSWORD, None, "127.0.0.1", "POST", "/x")
        results = make_successes(self.claims["working"][:1])
        return {
            "create": lambda: tasks.create(draft((1, 2))),
            "create with a key": lambda: tasks.create_once(draft((1, 2)), Once("key", "ab12")),
            "create with hosts": lambda: tasks.create_with_hosts((new(1, "web-1"), new(2)), request(), None),
            "take hosts": lambda: tasks.take_hosts(require_host_claims(self.claims["claimed"]), NOW, STOPPING),
            "note logs": lambda: tasks.note_logs([open_log(self.claims["working"][0], "so far")]),
            "claim": lambda: tasks.advance(working, working.plan.steps[STOP], worker, NOW, claim=ClaimRequest(1)),
            "settle and claim": lambda: tasks.advance(
                working, working.plan.steps[STOP], worker, NOW, settled=results, claim=ClaimRequest(1)
            ),
            "reopen": lambda: tasks.reopen(
                claimed, worker, [self.claims["claimed"][0].key], NOW, lost=run_log(1, "lost")
            ),
            "cancel": lambda: tasks.cancel(working, NOW),
            "retry": lambda: tasks.change_course(failing, Course.RETRY, NOW),
            "give back": lambda: tasks.give_back_hosts(require_host_claims(self.claims["finishing"]), NOW, STOPPED),
            "put hosts": lambda: store.hosts.put([entry(one, alias=f"web-{one}") for one in (20, 21)], NOW),
            "lease": lambda: store.hosts.lease((20,), Lease("lease", "look", 60_000)),
            "protect": lambda: store.hosts.protect((21,), NOW),
            "note version": lambda: store.hosts.note_version(20, "4.2.2", NOW),
            "errand": lambda: store.errands.put(LOOK, 60_000),
            "answer": lambda: store.errands.answer(LOOK.id, ErrandFailed("It is not there.")),
            "enrol": lambda: store.workers.enrol("worker-9"),
            "beat": lambda: store.workers.beat(worker, 1000),
            "lead": lambda: store.workers.lead(worker, 1000),
            "brake": lambda: store.brake.pull(Brake("admin", NOW, "smoke")),
            "user": lambda: store.users.put(admin),
            "count": lambda: store.guard.count(("login:x", "login:y"), 1000),
            "mark": lambda: store.guard.mark("sig:x", 1000),
            "audit": lambda: store.audit.append(audited),
        }


async def _scene(store: Store) -> Scene:
    await store.hosts.put((entry(one, alias=f"host-{one}") for one in range(1, 22)), NOW)
    worker = await store.workers.enrol("worker-1")
    await store.workers.beat(worker, 60_000)
    claimed = await store.tasks.create(draft((1, 2)))
    working, _ = await _at(store, STOP, (3, 4, 5, 6), worker)
    _, finishing = await _at(store, FINISH, (7, 8), worker)
    failing = await store.tasks.create(draft((9, 10)))
    await settle(store, failing, PREPARE, make_failures(await claim_step(store, failing, PREPARE, worker=worker)))
    _, claims = await store.tasks.advance(working, working.plan.steps[STOP], worker, NOW, claim=ClaimRequest(2))
    return Scene(
        store,
        worker,
        {"claimed": claimed, "working": working, "failing": failing},
        {
            "claimed": await claim_step(store, claimed, PREPARE, worker=worker),
            "working": claims.granted,
            "finishing": finishing,
        },
    )


async def _at(store: Store, step: int, hosts: tuple[int, ...], worker: Worker) -> tuple[TaskRecord, list[Claim]]:
    """Return a task that has come to a step; at the last one, with all of it claimed."""
    task = await store.tasks.create(draft(hosts))
    taken = await claim_step(store, task, PREPARE, worker=worker)
    await store.tasks.take_hosts(require_host_claims(taken), NOW, STOPPING)
    await settle(store, task, PREPARE, make_successes(taken))
    for passed in (FIRST_WAIT, STOP, SECOND_WAIT)[: step - 1]:
        await pass_step(store, task, passed)
    return task, await claim_step(store, task, step, worker=worker) if step == FINISH else []


async def _everything(server: ValkeyServer) -> dict[bytes, bytes | None]:
    """Return all that is kept, but for events, which bear the server's time, and are counted in the heads."""
    async with Redis.from_url(server.url()) as client:
        kept = [key if isinstance(key, bytes) else key.encode() for key in await client.keys("ocpfleet:*")]
        return {key: await client.dump(key) for key in kept if not key.endswith(b":events")}


def _store_on(server: ValkeyServer) -> AbstractAsyncContextManager[Store]:
    return aclosing(Store.at(server.url(), StoreOptions()))


@pytest.mark.parametrize("full", [no_memory, no_disk])
async def test_what_is_refused_is_not_begun_and_can_be_done_once_there_is_room(
    full: Callable[[Path], AbstractAsyncContextManager[tuple[ValkeyServer, Fault]]], tmp_path: Path
) -> None:
    async with full(tmp_path) as (server, fault), _store_on(server) as store:
        scene = await _scene(store)
        await fault.begin()
        before = await _everything(server)
        for name, write in scene.writes().items():
            if name in fault.gone_through:
                continue
            with pytest.raises(StoreUnavailable) as refusal:
                await write()
            assert fault.word in refusal.value.sentence, name
            assert refusal.value.sentence.startswith("The store refuses ("), name
            assert "script" not in refusal.value.sentence, name
            assert await _everything(server) == before, name
        working = scene.tasks["working"]
        assert (await store.tasks.head(working.id), await store.tasks.host_ids(working.id)) != (None, ()), "it reads"

        await fault.end()
        for name, write in scene.writes().items():
            former = await _everything(server)
            await write()
            assert await _everything(server) != former, name


async def test_what_begins_by_letting_something_go_is_done_to_its_end_without_memory(tmp_path: Path) -> None:
    async with (
        no_memory(tmp_path / "full") as (full, fault),
        no_memory(tmp_path / "other") as (other, _),
        _store_on(full) as store,
        _store_on(other) as with_memory,
    ):
        scene, same = await _scene(store), await _scene(with_memory)
        await fault.begin()
        for name in fault.gone_through:
            assert await scene.writes()[name]() == await same.writes()[name]()
            assert await _everything(full) == await _everything(other), name
