"""Store tasks: one, or new hosts with a task each. Each call stores all of it or nothing."""

from collections.abc import Sequence

from core.errors import StoreUnavailable
from core.plan import Plan
from core.record import RECORD_VERSION, Draft, TaskRecord
from core.text import say
from infra.store import keys
from infra.store.codec import audit as auditcodec
from infra.store.host_values import Adding, AlreadyThere, HostsAdded, NewHost
from infra.store.parse import parse_head
from infra.store.task_values import KeyTaken, Known, Once
from infra.store.tasks.part import TaskPart


class TaskCreator(TaskPart):
    """Stores tasks, and waits until enough replicas have them."""

    async def create(self, draft: Draft) -> TaskRecord:
        """Store a task, its index entry, its first event and its audit entry, at once. Its first step is open."""
        made = await self._store_task(draft, None)
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
            made = await self._store_with_hosts(hosts, draft, once)
        return made

    async def withdraw(self, task_id: int) -> bool:
        """Remove a task unless somebody has claimed a subtask of it. Return whether it is gone."""
        return bool(await self._redis.run("withdraw", id=str(task_id)))

    async def _store_task(self, draft: Draft, once: Once | None) -> TaskRecord | Known | KeyTaken | None:
        """Store a task; None if the task of the key went away meanwhile."""
        size = Plan(draft.task_type, len(draft.host_ids)).size
        answer = await self._redis.run(
            "create",
            **self._args(draft, size, once),
            hosts=[str(host_id) for host_id in draft.host_ids],
            keep_audit=self._options.keep_audit,
            entry=auditcodec.encode(draft.entry) if draft.entry else None,
        )
        match answer:
            case ["made", task_id, first]:
                made = draft.to_task(task_id, first)
                await self._require_replicas((made,), ())
                return made
            case ["known", task_id]:
                found = await self._read_initial((task_id,))
                return Known(found[0]) if found and await self._confirm((task_id,)) else None
            case _:
                return KeyTaken()

    async def _store_with_hosts(self, hosts: Sequence[NewHost], draft: Draft, once: Once | None) -> Adding | None:
        """Add hosts and store a task for each; None if the tasks of the key went away meanwhile."""
        args = self._args(draft, Plan(draft.task_type, 1).size, once)
        answer = await self._redis.run("create_with_hosts", **args, hosts=[_fields(host) for host in hosts])
        match answer:
            case ["made", task_ids, firsts, host_ids]:
                ids = tuple(map(int, host_ids))
                tasks = tuple(
                    draft.on((host_id,)).to_task(task_id, first)
                    for host_id, task_id, first in zip(ids, task_ids, firsts, strict=True)
                )
                await self._require_replicas(tasks, ids)
                return HostsAdded(tasks, ids, known=False)
            case ["known", task_id]:
                return await self._read_known(range(task_id, task_id + len(hosts)))
            case ["there", index, host_id, why]:
                return AlreadyThere(index, int(host_id), by_alias=why == "alias")
            case _:
                return KeyTaken()

    def _args(self, draft: Draft, size: int, once: Once | None) -> dict[str, object]:
        """Return the arguments of the scripts: a task with so many subtasks, and its client's key."""
        return {
            "version": RECORD_VERSION,
            "type": draft.task_type.slug,
            "creator_id": str(draft.creator.id),
            "creator": draft.creator.name,
            "executor": draft.executor,
            "trace": draft.trace_id,
            "now": draft.at,
            "total": size,
            "single_host": draft.task_type.is_single_host,
            "key": once.key if once else None,
            "digest": once.digest if once else None,
            "keep_once": self._options.keep_once,
        }

    async def _wait_for_replicas(self, task_ids: Sequence[int], *, keep: bool) -> tuple[int, int]:
        """Wait until replicas have some tasks; return how many of the tasks exist, and how many replicas have them.

        With `keep` nobody can withdraw the tasks any more. Two requests speak of them then: this one, and the one that
        made them and may still wait for the replicas.
        """
        wanted, patience = self._options.replicas, self._options.timeout / 2
        args = {"keep": keep, "ids": [str(task_id) for task_id in task_ids]}
        return await self._redis.run_replicated("confirm", args, replicas=wanted, timeout=patience)

    async def _confirm(self, task_ids: Sequence[int]) -> bool:
        """Wait until enough replicas have the tasks of an earlier request; return whether all of them still exist."""
        if not self._options.replicas:
            return True
        there, reached = await self._wait_for_replicas(task_ids, keep=True)
        if there == len(task_ids) and reached < self._options.replicas:
            raise self._build_kept_error(reached)
        return there == len(task_ids)

    def _build_kept_error(self, reached: int) -> StoreUnavailable:
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

    async def _require_replicas(self, tasks: Sequence[TaskRecord], host_ids: Sequence[int]) -> None:
        """Wait until enough replicas have what was stored; take it back if they do not."""
        wanted = self._options.replicas
        reached = (await self._wait_for_replicas([task.id for task in tasks], keep=False))[1] if wanted else 0
        if reached >= wanted:
            return
        gone = [bool(await self._redis.run("withdraw", id=str(task.id))) for task in tasks]
        hosts = [
            (str(host_id), keys.host_member(host_id))
            for host_id, its_task_is_gone in zip(host_ids, gone, strict=False)  # there may be no hosts to take back
            if its_task_is_gone
        ]
        if hosts:
            await self._redis.run("remove_hosts", hosts=hosts)
        if not all(gone):
            raise self._build_kept_error(reached)
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

    async def _read_initial(self, task_ids: Sequence[int]) -> tuple[TaskRecord, ...]:
        """Return the tasks that still exist, as they were accepted."""
        answers = await self._redis.calls([("HGETALL", keys.task(task_id)) for task_id in task_ids])
        pairs = zip(task_ids, answers, strict=True)
        return tuple(parse_head(task_id, fields).to_initial() for task_id, fields in pairs if fields)

    async def _read_known(self, task_ids: Sequence[int]) -> HostsAdded | None:
        tasks = await self._read_initial(task_ids) if await self._confirm(task_ids) else ()
        hosts = await self._redis.calls([("LINDEX", keys.task_hosts(task.id), 0) for task in tasks]) if tasks else []
        return HostsAdded(tasks, tuple(map(int, hosts)), known=True) if tasks and all(hosts) else None


def _fields(new: NewHost) -> dict[str, str]:
    """Return the fields of a new host that have a value."""
    target, details = new.target, new.details
    fields = {
        "ip": target.address,
        "port": target.port,
        "user": target.user,
        "home": target.agent_home,
        "prefix": target.agent_prefix,
        "sudo": int(target.sudo),
        "alias": new.alias,
        "kind": details.kind,
        "idc": details.idc_id,
        "model": details.type_id,
        "ports": details.publish_ports,
        "serial": details.serial_number,
        "description": details.description,
    }
    return {name: str(value) for name, value in fields.items() if value not in {None, ""}}
