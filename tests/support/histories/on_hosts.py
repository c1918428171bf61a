"""What is done to hosts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.claim import HostClaim
from core.host import STOPPING
from tests.support.histories import host_answers
from tests.support.histories.actions import (
    Action,
    Free,
    GiveBack,
    Retake,
    Take,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.host import HostState
    from core.record import TaskRecord
    from tests.support.histories.history import History
    from tests.support.histories.snapshot import Change


@dataclass
class OnHosts:
    """Does things to hosts, and checks what the record answers."""

    history: History
    former: dict[tuple[int, int], HostState] = field(default_factory=dict)
    """By task and host: the host's state before the task took it."""
    returned_by: dict[int, int] = field(default_factory=dict)
    """By host: the task that gave it back last, with what is true after the work."""

    async def do(self, task: TaskRecord, action: Action) -> None:
        match action:
            case Take(_, others, forged):
                await self.take(self._claims_on_hosts(task, others), forged=forged)
            case GiveBack(_, others, after):
                await self._give_back(self._claims_on_hosts(task, others), after)
            case Retake(_, others):
                await self._retake(self._claims_on_hosts(task, others))
            case Free():
                await self._free(task, action)
            case _:
                pass

    def _claims_on_hosts(self, task: TaskRecord, others: Sequence[int]) -> list[HostClaim]:
        known = [claim for claim in self.history.claims if claim.task_id == task.id and isinstance(claim, HostClaim)]
        standing = [claim for claim in known if self.history.seen.stands(claim)]
        return standing + [known[index % len(known)] for index in others if known]

    async def take(self, claims: list[HostClaim], *, forged: bool) -> None:
        if not claims:
            return
        if forged:
            claims[-1] = replace(claims[-1], token=claims[-1].token + 1)
        answer = await self.history.record.tasks.take_hosts(claims, self.history.now, STOPPING)
        change = await self.history.look()
        host_answers.check_taking(change, claims, answer)
        for host_id, host in change.after.hosts.items():
            was = change.before.hosts[host_id]
            if host.holder is not None and was.holder is None:
                self.former[host.holder, host_id] = was.state
                self.returned_by.pop(host_id, None)

    async def _give_back(self, claims: list[HostClaim], state: HostState | None) -> None:
        if not claims:
            return
        freed = await self.history.record.tasks.give_back_hosts(claims, self.history.now, state)
        change = await self.history.look()
        host_answers.check_given_back(change, claims, freed)
        for host_id in freed:
            self._check_freed(change, host_id, state)
            if state is not None:
                self.returned_by[host_id] = claims[0].task_id

    async def _retake(self, claims: list[HostClaim]) -> None:
        if not claims:
            return
        said = await self.history.record.tasks.retake_hosts(claims, self.history.now, STOPPING)
        change = await self.history.look()
        host_answers.check_retaking(change, claims, self.returned_by, said)
        for host_id, host in change.after.hosts.items():
            if host.holder is not None:
                self.returned_by.pop(host_id, None)

    async def _free(self, task: TaskRecord, action: Free) -> None:
        host = self.history.seen.hosts[action.host]
        task = self.history.task(host.holder or task.id)
        head = task if action.outdated else self.history.seen.heads.get(task.id, task)
        host_ids = await self.history.record.tasks.host_ids(task.id)
        planned = head.plan.steps[head.current_step]
        has_host = planned.step.per_host and action.host in host_ids
        series_id = planned.first + host_ids.index(action.host) if has_host else None
        answer = await self.history.record.tasks.release_host(host, head, series_id, self.history.now, action.state)
        change = await self.history.look()
        host_answers.check_release(change, host, head, series_id, answer)
        if answer is answer.FREED:
            self._check_freed(change, action.host, action.state)

    def _check_freed(self, change: Change, host_id: int, state: HostState | None) -> None:
        was, now = change.before.hosts[host_id], change.after.hosts[host_id]
        assert was.holder is not None
        host_answers.check_freed(now, self.former[was.holder, host_id], state)

    async def protect(self, host_id: int, *, on: bool) -> None:
        hosts = self.history.record.hosts
        if on:
            answer = await hosts.protect((host_id,), self.history.now)
            change = await self.history.look()
            host_answers.check_protection(change, host_id, answer)
        else:
            lifted = await hosts.unprotect((host_id,), self.history.now)
            change = await self.history.look()
            was = change.before.hosts.get(host_id)
            assert lifted == ((host_id,) if was and was.protected else ())
            assert not any(host.protected for one, host in change.after.hosts.items() if one == host_id)
