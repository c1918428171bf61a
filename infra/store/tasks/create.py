"""How tasks come into Redis: one, or hosts with a task each, and always all of it or nothing."""

from collections.abc import Iterator, Sequence

from core.errors import StoreUnavailable
from core.plan import Plan
from core.record import RECORD_VERSION, Draft, TaskRecord
from core.text import say
from infra.store import keys
from infra.store.codec import audit as auditcodec
from infra.store.connection import Argument
from infra.store.host_values import Adding, AlreadyThere, HostsAdded, NewHost
from infra.store.parse import parse_head
from infra.store.task_values import KeyTaken, Known, Once
from infra.store.tasks.part import TaskPart

NO_KEY = Once("", "0")
"""Of a request that its client gave no key."""


class TaskCreator(TaskPart):
    """Stores tasks, and waits for the replicas that are to have them."""

    async def create(self, draft: Draft) -> TaskRecord:
        """Store a task, its index entry, its first event and its audit entry, at once. Its first step is open."""
        made = await self._store_task(draft, NO_KEY)
        if not isinstance(made, TaskRecord):
            raise TypeError(made)
        return made

    async def create_once(self, draft: Draft, once: Once) -> TaskRecord | Known | KeyTaken:
        """Store a task like `create`, unless a request with the same key was made in the last 24 hours.

        Of any number of requests at the same time with the same key, one is stored.
        """
        made: TaskRecord | Known | KeyTaken | None = None
        while made is None:
            made = await self._store_task(draft, once)
        return made

    async def create_with_hosts(self, hosts: Sequence[NewHost], draft: Draft, once: Once | None) -> Adding:
        """Add hosts (at most `CHUNK`) and store a task for each of them, all at once or none.

        The hosts are NEW, without an agent, and get ids that no host has or had.

        Args:
            hosts: the hosts.
            draft: what the tasks have in common; its host ids and its audit entry do not count.
            once: as for `create_once`, for all of the tasks together.
        """
        made: Adding | None = None
        while made is None:
            made = await self._store_with_hosts(hosts, draft, once or NO_KEY)
        return made

    async def withdraw(self, task_id: int) -> bool:
        """Remove a task that nobody has claimed anything of; False where somebody has."""
        return bool(await self._redis.run("withdraw", task_id))

    async def _store_task(self, draft: Draft, once: Once) -> TaskRecord | Known | KeyTaken | None:
        """Store a task; None where the task that the key stands for went away meanwhile."""
        size = Plan(draft.task_type, len(draft.host_ids)).size
        answer = await self._redis.run("create", *self._words(draft, size, once), *self._entry(draft), *draft.host_ids)
        match answer:
            case ["made", task_id, first]:
                made = draft.to_task(task_id, first)
                await self._replicated((made,), ())
                return made
            case ["known", task_id]:
                found = await self._known((task_id,))
                return Known(found[0]) if found and await self._confirmed((task_id,)) else None
            case _:
                return KeyTaken()

    async def _store_with_hosts(self, hosts: Sequence[NewHost], draft: Draft, once: Once) -> Adding | None:
        """Add hosts and store a task for each; None where the tasks that the key stands for went away meanwhile."""
        words = self._words(draft, Plan(draft.task_type, 1).size, once)
        every = (word for host in hosts for word in _host(host))
        answer = await self._redis.run("create_with_hosts", *words, *every)
        match answer:
            case ["made", task_ids, firsts, host_ids]:
                ids = tuple(map(int, host_ids))
                tasks = tuple(
                    draft.on((host_id,)).to_task(task_id, first)
                    for host_id, task_id, first in zip(ids, task_ids, firsts, strict=True)
                )
                await self._replicated(tasks, ids)
                return HostsAdded(tasks, ids, known=False)
            case ["known", task_id]:
                return await self._known_with_hosts(range(task_id, task_id + len(hosts)))
            case ["there", index, host_id, why]:
                return AlreadyThere(index, int(host_id), by_alias=why == "alias")
            case _:
                return KeyTaken()

    def _words(self, draft: Draft, size: int, once: Once) -> tuple[Argument, ...]:
        return (
            RECORD_VERSION,
            draft.task_type.slug,
            draft.creator.id,
            draft.creator.name,
            draft.executor,
            draft.trace_id,
            draft.at,
            size,
            int(draft.task_type.is_single_host),
            once.key,
            once.digest,
            self._options.keep_once,
        )

    def _entry(self, draft: Draft) -> tuple[Argument, ...]:
        return self._options.keep_audit, auditcodec.encode(draft.entry) if draft.entry else ""

    async def _reached(self, task_ids: Sequence[int], *, keep: bool) -> tuple[int, int]:
        """Wait for replicas to have tasks; return how many of the tasks are there, and how many replicas have them.

        What is to be kept is not withdrawn any more from now on: another request, which made it and may still be
        waiting for the replicas, is not the only one that speaks of it.
        """
        wanted, patience = self._options.replicas, self._options.timeout / 2
        return await self._redis.run_replicated("confirm", int(keep), *task_ids, replicas=wanted, timeout=patience)

    async def _confirmed(self, task_ids: Sequence[int]) -> bool:
        """See that enough replicas have tasks that an earlier request made; return whether all are still there."""
        if not self._options.replicas:
            return True
        there, reached = await self._reached(task_ids, keep=True)
        if there == len(task_ids) and reached < self._options.replicas:
            raise self._goes_on(reached)
        return there == len(task_ids)

    def _goes_on(self, reached: int) -> StoreUnavailable:
        return StoreUnavailable(
            say(
                "Only {reached} of the {wanted} replicas that OCPFLEET_REPLICAS asks for took the task within "
                "{seconds:g} s. It is there all the same, since it was asked for twice or has begun. "
                "Bring the replicas back or lower the setting, then try again.",
                reached=reached,
                wanted=self._options.replicas,
                seconds=self._options.timeout / 2,
            )
        )

    async def _replicated(self, tasks: Sequence[TaskRecord], host_ids: Sequence[int]) -> None:
        """See that enough replicas have what was stored; take it back where they have not."""
        wanted = self._options.replicas
        reached = (await self._reached([task.id for task in tasks], keep=False))[1] if wanted else 0
        if reached >= wanted:
            return
        gone = [bool(await self._redis.run("withdraw", task.id)) for task in tasks]
        members = [
            word
            for host_id, its_task_is_gone in zip(host_ids, gone, strict=False)  # there may be no hosts to take back
            if its_task_is_gone
            for word in (host_id, keys.host_member(host_id))
        ]
        if members:
            await self._redis.run("remove_hosts", "", *members)
        if not all(gone):
            raise self._goes_on(reached)
        raise StoreUnavailable(
            say(
                "Only {reached} of the {wanted} replicas that OCPFLEET_REPLICAS asks for took the task within "
                "{seconds:g} s, so it was withdrawn. "
                "Bring the replicas back or lower the setting, then try again.",
                reached=reached,
                wanted=wanted,
                seconds=self._options.timeout / 2,
            )
        )

    async def _known(self, task_ids: Sequence[int]) -> tuple[TaskRecord, ...]:
        """Return those of some tasks that are still there, as they were accepted."""
        answers = await self._redis.calls([("HGETALL", keys.task(task_id)) for task_id in task_ids])
        pairs = zip(task_ids, answers, strict=True)
        return tuple(parse_head(task_id, fields).to_initial() for task_id, fields in pairs if fields)

    async def _known_with_hosts(self, task_ids: Sequence[int]) -> HostsAdded | None:
        tasks = await self._known(task_ids) if await self._confirmed(task_ids) else ()
        hosts = await self._redis.calls([("LINDEX", keys.task_hosts(task.id), 0) for task in tasks]) if tasks else []
        return HostsAdded(tasks, tuple(map(int, hosts)), known=True) if tasks and all(hosts) else None


def _host(new: NewHost) -> Iterator[Argument]:
    target, details = new.target, new.details
    yield from (target.address, target.port, target.user, target.agent_home, target.agent_prefix, int(target.sudo))
    yield from (new.alias or "", details.kind)
    yield from ("" if number is None else number for number in (details.idc_id, details.type_id))
    yield from (details.publish_ports or "", details.serial_number or "", details.description or "")
