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
    """Takes hosts for tasks, and frees them."""

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
        """Take hosts (at most `CHUNK`, of one task) again that the task gave back, unless another task had them since.

        Their former state is remembered again: the one from before the task took them first.

        Returns:
            The outcome for each claim, in order. It is Taken also for a host that the task still holds.
        """
        answers = await self._redis.run("retake", **_args(claims, now, during))
        return tuple(_parse_retaking(claim.host_id, holder) for claim, holder in zip(claims, answers, strict=True))

    async def give_back_hosts(self, claims: Sequence[HostClaim], now: int, after: HostState | None) -> tuple[int, ...]:
        """Free the hosts of the claims (at most `CHUNK`, of one task) that their task holds.

        Args:
            claims: the claims. The host of a claim that no longer stands stays as it is.
            now: the time.
            after: the new state of hosts and agents; None restores the former one. A host whose agent is in its former
                state again also gets its own former status back.

        Returns:
            The ids of the hosts that were freed.
        """
        return tuple(map(int, await self._redis.run("give_back", **_args(claims, now, after))))

    async def release_host(
        self, host: Host, task: TaskRecord | None, series_id: int | None, now: int, state: HostState | None
    ) -> Release:
        """Free a host from the task that holds it, unless a run works on the host. The task need not be over.

        Args:
            host: the host as the caller read it, with its holder.
            task: the holder; None if the task is gone.
            series_id: the host's subtask in the current step of the task; None if that step is not about hosts.
            now: the time.
            state: the new state of host and agent; None restores the one from before the task took the host.
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
    """Return the arguments of the scripts: the claims of one task, and the new state of their hosts."""
    return {
        "id": str(claims[0].task_id),
        "now": now,
        "agent": state.agent if state else None,
        "status": state.host if state else None,
        "claims": [(claim.series_id, str(claim.token), str(claim.host_id)) for claim in claims],
    }
