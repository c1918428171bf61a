"""Take hosts for a task, and give them back."""

from collections.abc import Sequence

from core.claim import (
    GivenAway,
    HeldByOther,
    HostClaim,
    Protected,
    Retaking,
    StaleClaim,
    Taken,
    Taking,
)
from core.host import Host, HostState
from core.lease import HostBusy
from core.record import TaskRecord
from infra.store.connection import Reply
from infra.store.host_values import Release
from infra.store.parse import parse_obstacle
from infra.store.tasks.part import TaskPart


class HostHolder(TaskPart):
    """Lets tasks hold hosts."""

    async def take_hosts(self, claims: Sequence[HostClaim], now: int, during: HostState) -> Taking:
        """Give the hosts of the claims (at most `CHUNK`, of one task) to their task: all of them or none.

        Remembers where each host and its agent stood and sets the new state. A host that the task already
        holds counts as taken.
        """
        answer = await self._redis.run("take", **_args(claims, now, during))
        match answer:
            case ["taken"]:
                return Taken()
            case ["stale", series_id]:
                return StaleClaim(int(series_id))
            case _:
                return parse_obstacle(answer)

    async def retake_hosts(self, claims: Sequence[HostClaim], now: int, during: HostState) -> tuple[Retaking, ...]:
        """Take hosts again (at most `CHUNK`, of one task) that the task gave back, and that nobody had since.

        What they were like before the task took them first is remembered again.

        Returns:
            What became of the host of each claim, in order. Taken also where the task holds the host anyway.
        """
        answers = await self._redis.run("retake", **_args(claims, now, during))
        return tuple(_parse_retaking(claim.host_id, holder) for claim, holder in zip(claims, answers, strict=True))

    async def give_back_hosts(self, claims: Sequence[HostClaim], now: int, after: HostState | None) -> tuple[int, ...]:
        """Free the hosts of the claims (at most `CHUNK`, of one task) that their task holds.

        Args:
            claims: which hosts; nothing happens to those whose claim no longer stands.
            now: the time.
            after: where the hosts and their agents stand from now on, but for a host whose agent stands as it did
                before the task took it: such a one is as it was itself. None restores what was before.

        Returns:
            The ids of the hosts that were freed.
        """
        return tuple(map(int, await self._redis.run("give_back", **_args(claims, now, after))))

    async def release_host(
        self, host: Host, task: TaskRecord | None, series_id: int | None, now: int, state: HostState | None
    ) -> Release:
        """Free a host from the task that holds it, whether or not the task is over, unless a run works on the host.

        Args:
            host: the host, as it was read, held.
            task: the holder; None where there is no such task any more.
            series_id: the host's subtask in the step that the task is at; None where that step has none for hosts.
            now: the time.
            state: where host and agent stand from now on; None restores what was before the task took the host.
        """
        answer = await self._redis.run(
            "release",
            host=str(host.target.host_id),
            id=str(host.holder or 0),
            now=now,
            agent=state.agent if state else None,
            status=state.host if state else None,
            step=task.current_step if task else None,
            sid=series_id,
            total=task.plan.size if task else None,
            keep_ms=self._options.keep_tasks,
            events_ms=self._options.keep_events,
        )
        return Release(answer)


def _parse_retaking(host_id: int, answer: Reply) -> Retaking:
    match answer:
        case 0:
            return Taken()
        case "protected":
            return Protected(host_id)
        case [purpose, left]:
            return HostBusy(host_id, purpose, left)
        case holder:
            return HeldByOther(host_id, holder) if holder > 0 else GivenAway(host_id)


def _args(claims: Sequence[HostClaim], now: int, state: HostState | None) -> dict[str, object]:
    """Return what the scripts are told of the hosts of some claims of one task, and where they stand from now on."""
    return {
        "id": str(claims[0].task_id),
        "now": now,
        "agent": state.agent if state else None,
        "status": state.host if state else None,
        "claims": [(claim.series_id, str(claim.token), str(claim.host_id)) for claim in claims],
    }
