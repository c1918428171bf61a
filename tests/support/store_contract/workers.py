"""The worker processes and the users."""

from dataclasses import replace

from core.user import Role, User
from tests.support.keepers import Keeper
from tests.support.waiting import eventually


class People:
    async def test_every_worker_that_starts_gets_a_number_of_its_own(self, keeper: Keeper) -> None:
        store = keeper.open()
        first, again = await store.workers.enrol("worker-1"), await store.workers.enrol("worker-1")
        assert (again.id, again.name) == (first.id + 1, first.name)

    async def test_a_worker_is_alive_once_it_beats_until_it_leaves(self, keeper: Keeper) -> None:
        store = keeper.open()
        first, second = await store.workers.enrol("worker-1"), await store.workers.enrol("worker-2")
        assert await store.workers.alive() == ()
        assert (await store.workers.beat(second, 60_000)).known
        assert (await store.workers.beat(first, 60_000)).known
        assert await store.workers.alive() == (first, second)
        await store.workers.leave(first)
        assert await store.workers.alive() == (second,)
        assert not (await store.workers.beat(first, 60_000)).known, "the record does not know it any more"
        assert await store.workers.alive() == (second,)

    async def test_a_worker_that_stops_beating_lapses_and_comes_back_with_a_beat(self, keeper: Keeper) -> None:
        store = keeper.open()
        worker = await store.workers.enrol("worker-1")
        await store.workers.beat(worker, 60)

        async def lapsed() -> bool:
            return not await store.workers.alive()

        await eventually(lapsed, 10, "the worker does not count as alive any more")
        assert (await store.workers.beat(worker, 60_000)).known
        assert await store.workers.alive() == (worker,)

    async def test_users_are_numbered_from_a_hundred_and_names_are_given_once(self, keeper: Keeper) -> None:
        store = keeper.open()
        admin = User(0, "admin", "$argon2id$1", frozenset({Role.ADMIN}))
        assert await store.users.count() == 0
        assert await store.users.get("admin") is None
        assert await store.users.put(admin)
        assert not await store.users.put(replace(admin, password_hash="$argon2id$2"))
        both = frozenset({Role.HOST_VIEWER, Role.TASK_VIEWER})
        assert await store.users.put(User(0, "bo", "$argon2id$3", both))
        assert await store.users.get("admin") == replace(admin, id=100)
        other = await store.users.get("bo")
        assert other is not None
        assert (other.name, other.roles) == ("bo", both)
        assert other.id > 100
        assert await store.users.count() == 2

    async def test_a_store_that_is_there_answers(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.ping()
