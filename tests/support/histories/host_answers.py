"""What the record answers about hosts must be seen in them: before the call, after it, or in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from core.claim import GivenAway, HeldByOther, NotInInventory, Protected, StaleClaim, Taken
from core.lease import HostBusy
from core.transition import GOING_ON
from infra.store.host_values import Release

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.claim import HostClaim, Protecting, Retaking, Taking
    from core.host import Host, HostState
    from core.record import TaskRecord
    from tests.support.histories.snapshot import Change, Snapshot


def check_taking(change: Change, claims: Sequence[HostClaim], answer: Taking) -> None:
    """Check that all hosts were taken, or that there is a reason why none was."""
    task_id = claims[0].task_id
    hosts = [claim.host_id for claim in claims]
    if isinstance(answer, Taken):
        assert all(change.before.stands(claim) for claim in claims)
        assert {change.after.hosts[host_id].holder for host_id in hosts} == {task_id}
        _check_others_stay(change, hosts)
        return
    assert change.is_nothing, answer
    match answer:
        case StaleClaim(series_id):
            stale = {claim.series_id for claim in claims if not change.before.stands(claim)}
            assert series_id in stale
        case _:
            assert answer.host_id in hosts
            _check_obstacle(change.before, task_id, answer)


def check_retaking(
    change: Change,
    claims: Sequence[HostClaim],
    last: Mapping[int, int],
    answers: Sequence[Retaking],
) -> None:
    """Check that each host was taken again, or that there is a reason why not.

    Args:
        change: what the call changed.
        claims: whose hosts.
        last: by host, the task that gave it back last, for others to take.
        answers: one for each claim.
    """
    task_id = claims[0].task_id
    for claim, answer in zip(claims, answers, strict=True):
        host = change.before.hosts.get(claim.host_id)
        match answer:
            case Taken():
                assert change.before.stands(claim)
                assert host is not None
                assert host.holder == task_id or (host.holder is None and last.get(claim.host_id) == task_id)
                assert change.after.hosts[claim.host_id].holder == task_id
            case GivenAway(host_id):
                assert host_id == claim.host_id
                was_given_away = host is None or (host.holder is None and last.get(host_id) != task_id)
                assert was_given_away or not change.before.stands(claim), answer
            case _:
                assert answer.host_id == claim.host_id
                _check_obstacle(change.before, task_id, answer)
    taken = [claim.host_id for claim, answer in zip(claims, answers, strict=True) if isinstance(answer, Taken)]
    _check_others_stay(change, taken)


def check_given_back(change: Change, claims: Sequence[HostClaim], freed: Sequence[int]) -> None:
    """Check that the hosts were freed that the task held, of claims that stand, and no others."""
    task_id = claims[0].task_id
    held = {
        claim.host_id
        for claim in claims
        if change.before.stands(claim) and _is_held(change.before, claim.host_id, task_id)
    }
    assert set(freed) == held
    assert len(freed) == len(held), "each of them once"
    _check_others_stay(change, freed)


def _is_held(snapshot: Snapshot, host_id: int, task_id: int) -> bool:
    return host_id in snapshot.hosts and snapshot.hosts[host_id].holder == task_id


def check_freed(host: Host, former: HostState, state: HostState | None) -> None:
    """Check that a host is free: in the state that was given, or as it was where its agent stands as before."""
    assert host.holder is None
    assert host.state == (former if state is None or state.agent is former.agent else state), (host, former)


def check_release(change: Change, host: Host, head: TaskRecord, series_id: int | None, answer: Release) -> None:
    """Check that a host was freed, or that there is a reason why not.

    Args:
        change: what the call changed.
        host: as it was before the call.
        head: of its holder, or of any task where it has none, as the caller knew it.
        series_id: the host's subtask, as the caller knew it.
        answer: the answer.
    """
    now = change.before.heads.get(head.id)
    one = None if series_id is None else change.before.stored.get(head.id, {}).get(series_id)
    is_worked_on = one is not None and one.status in GOING_ON
    match answer:
        case Release.FREED:
            assert host.holder == head.id
            assert not is_worked_on
            _check_others_stay(change, [host.target.host_id])
        case Release.BUSY:
            assert is_worked_on
            assert change.is_nothing
        case Release.MOVED:
            assert host.holder is None or (now is not None and now.current_step != head.current_step)
            assert change.is_nothing
        case _:
            assert_never(answer)


def check_protection(change: Change, host_id: int, answer: Protecting) -> None:
    """Check that a host is protected, or that there is a reason why not."""
    assert answer.host_id == host_id
    if isinstance(answer, Protected):
        assert change.after.hosts[host_id].protected
        _check_others_stay(change, [host_id])
    else:
        assert change.is_nothing
        _check_obstacle(change.before, None, answer)


def _check_obstacle(
    before: Snapshot, task_id: int | None, answer: HeldByOther | HostBusy | Protected | NotInInventory
) -> None:
    host = before.hosts.get(answer.host_id)
    match answer:
        case HeldByOther(_, holder):
            assert host is not None
            assert host.holder == holder != task_id, (host, answer)
        case Protected():
            assert host is not None
            assert host.protected, host
        case NotInInventory():
            assert host is None
        case HostBusy():
            raise AssertionError("nobody leases a host")
        case _:
            assert_never(answer)


def _check_others_stay(change: Change, host_ids: Sequence[int]) -> None:
    """Check that nothing happened to hosts but these."""
    assert {one: host for one, host in change.before.hosts.items() if one not in host_ids} == {
        one: host for one, host in change.after.hosts.items() if one not in host_ids
    }
