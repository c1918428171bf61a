"""Parse what Redis answers into the values of `core`."""

from collections.abc import Mapping, Sequence

from core.claim import HeldByOther, NotInInventory, Protected
from core.host import AgentStatus, Host, HostDetails, HostKind, HostStatus, Target
from core.lease import HostBusy
from core.record import Creator, SubtaskRecord, TaskRecord
from core.status import Operation, Status, TaskStatus
from infra.store.codes import OPERATION_OF, SEEN_OF, STATUS_OF

TARGET_FIELDS = ("ip", "port", "user", "home", "prefix", "sudo", "key")
"""The fields of a host's hash that say how to reach it, in the order of `parse_target`."""

DETAIL_FIELDS = ("kind", "idc", "model", "ports", "serial", "description")
"""The fields of a host's hash that OCP keeps beside, in the order of `_parse_details`."""

STATE_FIELDS = ("alias", "status", "agent", "version", "holder", "created", "updated")

HOST_FIELDS = (*TARGET_FIELDS, *STATE_FIELDS, *DETAIL_FIELDS)
"""The fields of a host's hash, in the order of `parse_host`."""


def parse_obstacle(answer: Sequence[str]) -> HeldByOther | HostBusy | Protected | NotInInventory:
    """Return why hosts were not taken, or not leased, from what a script says."""
    match answer:
        case ["protected", host_id]:
            return Protected(int(host_id))
        case ["held", host_id, holder]:
            return HeldByOther(int(host_id), int(holder))
        case ["busy", host_id, purpose, left]:
            return HostBusy(int(host_id), purpose, int(left))
        case _:
            return NotInInventory(int(answer[1]))


def parse_head(task_id: int, fields: Mapping[str, str]) -> TaskRecord:
    """Return a task's head from its hash."""
    return TaskRecord(
        id=task_id,
        version=int(fields["version"]),
        type_slug=fields["type"],
        host_count=int(fields["hosts"]),
        first_subtask_id=int(fields["first"]),
        creator=Creator(int(fields["creator_id"]), fields["creator"]),
        executor=fields["executor"],
        trace_id=fields["trace"],
        status=TaskStatus(fields["status"]),
        operation=Operation(fields["operation"]),
        started=int(fields["started"]),
        finished=int(fields["finished"]) if "finished" in fields else None,
        opened=int(fields["opened"]),
        rollback_step=int(fields["back"]) if "back" in fields else None,
        changes=int(fields.get("changes", "1")),
        skipped="skipped" in fields,
        cancelled="cancelled" in fields,
        turning="turning" in fields,
        counts=_counts(fields),
    )


def _counts(fields: Mapping[str, str]) -> dict[tuple[int, Status], int]:
    counts: dict[tuple[int, Status], int] = {}
    for name, value in fields.items():
        if name.startswith("n:"):
            _, step, letter = name.split(":")
            if int(value):
                counts[int(step), STATUS_OF[letter]] = int(value)
    return counts


def parse_subtask(raw: str, task_started: int, executors: Mapping[str, str]) -> SubtaskRecord:
    """Return a subtask's record from its string; `executors` maps the record's numbers to names."""
    status, operation, run_time, executor, started, finished, token, seen = raw.split(" ")
    agent_alive, touched = SEEN_OF[seen]
    return SubtaskRecord(
        status=STATUS_OF[status],
        operation=OPERATION_OF[operation],
        run_time=int(run_time),
        executor=executors.get(executor),
        started=None if started == "-" else task_started + int(started),
        finished=None if finished == "-" else task_started + int(finished),
        token=None if token == "-" else int(token),  # noqa: S105 - a claim's number
        agent_alive=agent_alive,
        touched=touched,
    )


def parse_target(host_id: int, values: Sequence[str | None]) -> Target:
    """Return how to reach a host from the values of `TARGET_FIELDS`."""
    ip, port, user, home, prefix, sudo, key = values
    return Target(
        host_id=host_id,
        address=ip or "",
        port=int(port or 0),
        user=user or "",
        agent_home=home or "",
        agent_prefix=prefix or "",
        sudo=sudo == "1",
        host_key=key,
    )


def parse_host(host_id: int, values: Sequence[str | None], *, protected: bool) -> Host:
    """Return a host from the values of `HOST_FIELDS`, and whether it stands among those that are protected."""
    reached, details = len(TARGET_FIELDS), len(HOST_FIELDS) - len(DETAIL_FIELDS)
    alias, status, agent, version, holder, created, updated = values[reached:details]
    return Host(
        target=parse_target(host_id, values[:reached]),
        alias=alias,
        status=HostStatus(status or ""),
        agent_status=AgentStatus(agent or ""),
        agent_version=version,
        holder=int(holder) if holder else None,
        created=int(created or 0),
        updated=int(updated or 0),
        details=_parse_details(values[details:]),
        protected=protected,
    )


def _parse_details(values: Sequence[str | None]) -> HostDetails:
    kind, idc, model, ports, serial, description = values
    return HostDetails(
        kind=HostKind(kind) if kind else HostKind.DEDICATED_PHYSICAL_MACHINE,
        idc_id=int(idc) if idc else None,
        type_id=int(model) if model else None,
        publish_ports=ports,
        serial_number=serial,
        description=description,
    )
