"""How tasks come into Redis: one, or hosts with a task each, and always all of it or nothing."""

from collections.abc import Iterator, Sequence

from core.errors import StoreUnavailable
from core.plan import Plan
from core.record import RECORD_VERSION, Draft, TaskRecord
from core.words import say
from infra.store import auditcodec
from infra.store.base import Adding, AlreadyThere, HostsAdded, KeyTaken, Known, NewHost, Once, StoreOptions
from infra.store.redis import keys
from infra.store.redis.connection import Argument, Connection, Reply
from infra.store.redis.heads import parse_head

NO_KEY = Once("", "0")
"""Of a request that its client gave no key."""


class Creation:
    """Stores tasks, and waits for the replicas that are to have them."""

    def __init__(self, connection: Connection, options: StoreOptions) -> None:
        self._redis = connection
        self._options = options

    async def task(self, draft: Draft, once: Once) -> TaskRecord | Known | KeyTaken | None:
        """Store a task; None where the task that the key stands for went away meanwhile."""
        size = Plan(draft.task_type, len(draft.host_ids)).size
        answer, reached = await self._run(
            "create", *self._words(draft, size, once), *self._entry(draft), *draft.host_ids
        )
        match answer:
            case ["made", task_id, first]:
                made = draft.accepted(task_id, first)
                await self._replicated((made,), (), reached)
                return made
            case ["known", task_id]:
                found = await self._known((task_id,))
                return Known(found[0]) if found else None
            case _:
                return KeyTaken()

    async def with_hosts(self, hosts: Sequence[NewHost], draft: Draft, once: Once) -> Adding | None:
        """Add hosts and store a task for each; None where the tasks that the key stands for went away meanwhile."""
        words = self._words(draft, Plan(draft.task_type, 1).size, once)
        every = (word for host in hosts for word in _host(host))
        answer, reached = await self._run("create_with_hosts", *words, *every)
        match answer:
            case ["made", task_ids, firsts, host_ids]:
                ids = tuple(map(int, host_ids))
                tasks = tuple(
                    draft.on((host_id,)).accepted(task_id, first)
                    for host_id, task_id, first in zip(ids, task_ids, firsts, strict=True)
                )
                await self._replicated(tasks, ids, reached)
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
            int(draft.task_type.single_host),
            once.key,
            once.digest,
            self._options.keep_once,
        )

    def _entry(self, draft: Draft) -> tuple[Argument, ...]:
        return self._options.keep_audit, auditcodec.encode(draft.entry) if draft.entry else ""

    async def _run(self, script: str, *words: Argument) -> tuple[Reply, int]:
        """Run a script that stores; return its answer and how many replicas have what it stored."""
        wanted, patience = self._options.replicas, self._options.timeout / 2
        if wanted:
            return await self._redis.run_replicated(script, *words, replicas=wanted, timeout=patience)
        return await self._redis.run(script, *words), 0

    async def _replicated(self, tasks: Sequence[TaskRecord], host_ids: Sequence[int], reached: int) -> None:
        """See that enough replicas have what was stored; take it back where they have not."""
        wanted = self._options.replicas
        if reached >= wanted:
            return
        for task in tasks:
            await self._redis.run("withdraw", task.id)
        if host_ids:
            members = (word for host_id in host_ids for word in (host_id, keys.host_member(host_id)))
            await self._redis.run("remove_hosts", "", *members)
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
        return tuple(parse_head(task_id, fields).as_accepted() for task_id, fields in pairs if fields)

    async def _known_with_hosts(self, task_ids: Sequence[int]) -> HostsAdded | None:
        tasks = await self._known(task_ids)
        hosts = await self._redis.calls([("LINDEX", keys.task_hosts(task.id), 0) for task in tasks]) if tasks else []
        return HostsAdded(tasks, tuple(map(int, hosts)), known=True) if tasks and all(hosts) else None


def _host(new: NewHost) -> Iterator[Argument]:
    target, details = new.target, new.details
    yield from (target.address, target.port, target.user, target.agent_home, target.agent_prefix, int(target.sudo))
    yield from (new.alias or "", details.kind)
    yield from ("" if number is None else number for number in (details.idc_id, details.type_id))
    yield from (details.publish_ports or "", details.serial_number or "", details.description or "")
