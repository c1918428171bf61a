"""What the replies look like, for the OpenAPI document. Replies are not built of these, but tested against them."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core.audit import Proof
from core.host import AgentStatus, HostKind, HostStatus
from core.status import Operation, Status, TaskStatus

Long = Annotated[int | str, Field(description="64 bits; a JSON string beyond ±(2^53-1)")]
Moment = Annotated[str, Field(description="ISO-8601 with the server's offset, such as 2026-01-31T15:01:10.636+08:00")]


class Wire(BaseModel):
    """A JSON object with camelCase names and no others."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class Envelope(Wire):
    """What every reply carries."""

    duration: int = Field(description="milliseconds that the server took")
    server: str = Field(description="the address of the server that answered")
    status: int = Field(description="the HTTP status")
    successful: bool = Field(description="whether the request was done")
    timestamp: Moment = Field(description="when the reply was made")
    trace_id: str = Field(description="finds the request in the logs; `x-trace-id` of the request where it was sent")


D = TypeVar("D")


class Reply(Envelope, Generic[D]):
    """A reply to a request that was done."""

    data: D = Field(description="what was asked for")


class SubError(Wire):
    """One field that is wrong."""

    field: str = Field(description="its name as the client wrote it")
    message: str = Field(description="what is wrong with it, and what would be right")
    place: str = Field(alias="object", description="where it stands: body or parameter")
    rejected_value: Any = Field(description="what it held; the beginning of it where that is long")


class Error(Wire):
    """What is wrong."""

    code: int = Field(description="OCP's error code; 0 where OCP has none")
    message: str = Field(description="what is wrong, and the way out")
    sub_errors: list[SubError] | None = Field(None, description="the fields at fault, where the request is invalid")


class ErrorReply(Envelope):
    """A reply to a request that was refused or failed."""

    error: Error = Field(description="what is wrong")


class Context(Wire):
    """What a task was asked to do."""

    list_map: dict[str, list[str]] = Field(
        description="host_ids: the hosts, in the order of parallelIdx; empty for one host"
    )
    parallel: bool = Field(description="false for a task")
    parallel_idx: int = Field(description="-1 for a task")
    string_map: dict[str, str] = Field(
        description="prohibit_rollback: whether it may not be rolled back; host_id: the one host"
    )


class Subtask(Wire):
    """One step on one host, or one wait node."""

    class_name: str | None = Field(None, description="opaque; only in the reply to the request that made the task")
    description: str = Field(description="the same as name")
    downstreams: list[Long] = Field(description="ids of the subtasks that wait for this one")
    executor: str | None = Field(None, description="the worker that runs or ran it")
    finish_time: Moment | None = Field(None, description="when its last run ended")
    id: Long = Field(description="unique among all subtasks")
    name: str = Field(description="what it does")
    node_type: Literal["JAVA_TASK"] = Field(description="always JAVA_TASK")
    operation: Operation = Field(description="why it runs or ran")
    parallel_idx: int = Field(
        description="index of its host in the task's host_ids; -1 for a wait node and in a task for one host"
    )
    prohibit_rollback: bool = Field(description="whether it may not be rolled back")
    run_time: int = Field(description="how many times it has been run, from 1")
    series_id: int = Field(description="its number in the task, from 0")
    start_time: Moment | None = Field(None, description="when its last run began")
    status: Status = Field(description="where it stands")
    timeout: int = Field(description="seconds that one run may take")
    upstreams: list[Long] = Field(description="ids of the subtasks that it waits for")


class _Task(Wire):
    executor: str = Field(description="the address of the server that accepted it")
    id: Long = Field(description="unique among all tasks")
    name: str = Field(description="what it does")
    operation: Operation = Field(description="why it runs")
    start_time: Moment = Field(description="when it was accepted")
    status: TaskStatus = Field(description="where it stands")
    subtasks: list[Subtask] = Field(description="for N hosts: 3N+2 for a stop or start, 5N+4 for a restart")
    task_definition_id: int = Field(description="-1: no schedule made it")
    type: Literal["MANUAL"] = Field(description="how it came about")


class TaskInstance(_Task):
    """A task as it was accepted."""

    context: Context = Field(description="what it was asked to do")
    creator: str = Field(description="the user who asked for it")
    host_id: Long | None = Field(None, description="the host of a task for one host; absent in any other")


class Creator(Wire):
    """Who asked for a task."""

    id: Long = Field(description="the user's number")
    name: str = Field(description="the user's name")


class BasicSubtask(Wire):
    """A subtask, as lists show it."""

    description: str = Field(description="the same as name")
    id: Long = Field(description="unique among all subtasks")
    name: str = Field(description="what it does")
    operation: Operation = Field(description="why it runs or ran")
    status: Status = Field(description="where it stands")


class StepProgress(Wire):
    """How far one step is."""

    name: str = Field(description="what its subtasks do")
    subtasks: dict[Status, int] = Field(description="how many subtasks have each status; absent where none has it")


class BasicTaskInstance(Wire):
    """A task, as lists show it."""

    creator: Creator = Field(description="the user who asked for it")
    finish_time: Moment | None = Field(None, description="when it ended")
    id: Long = Field(description="unique among all tasks")
    name: str = Field(description="what it does")
    progress: list[StepProgress] | None = Field(
        None, description="its steps in order; absent where a newer ocpfleet made the task"
    )
    start_time: Moment = Field(description="when it was accepted")
    status: TaskStatus = Field(description="where it stands")
    subtasks: list[BasicSubtask] | None = Field(
        None,
        description="absent for a task of more than 100 hosts, and on pages of more than 100 tasks: see progress",
    )


class WrappedTaskInstance(_Task):
    """A task as it stands."""

    create_time: Moment = Field(description="when it was accepted, in whole seconds")
    creator: Creator = Field(description="the user who asked for it")
    finish_time: Moment | None = Field(None, description="when it ended")
    prohibit_rollback: bool = Field(description="whether it may not be rolled back")


class Log(Wire):
    """The log of a subtask."""

    log: str = Field(
        description="every run, oldest first: a separator row with operation and time, then its lines; "
        "of a run that goes on, what it has done so far"
    )


class Host(Wire):
    """A host. Null is what the inventory does not know."""

    agent_home: str = Field(description="the agent's directory on the host")
    agent_prefix: str = Field(description="what the names of its programs start with: ocp or ob")
    alias: str | None = Field(description="a name for people")
    architecture: str | None
    create_time: Moment = Field(description="when it was imported")
    description: str | None = Field(description="what people noted of it when they added it")
    holder_task_id: Long | None = Field(description="the task that works on it; null where it is free")
    host_agent_id: Long | None = Field(description="the same as id; null where no agent was found")
    host_agent_status: AgentStatus = Field(description="where its agent stands")
    host_agent_version: str | None
    host_key_fingerprint: str | None = Field(description="of the pinned SSH host key; null where none is pinned")
    id: Long = Field(description="its id in the inventory")
    idc_description: str | None
    idc_id: Long | None
    idc_name: str | None
    inner_ip_address: str = Field(description="where it is reached")
    kind: HostKind = Field(description="what kind of machine it is")
    name: str | None
    operating_system: str | None
    operating_system_release: str | None
    protected: bool = Field(description="whether no request touches it")
    publish_ports: str | None = Field(description="a container's port mapping")
    region_description: str | None
    region_id: Long | None
    region_name: str | None
    serial_number: str | None
    services: list[object]
    ssh_port: int = Field(description="the TCP port of its sshd")
    ssh_user: str = Field(description="whom workers log in as")
    status: HostStatus = Field(description="where it stands")
    sudo: bool = Field(description="whether commands run through sudo -n")
    type_description: str | None
    type_id: Long | None
    type_name: str | None
    update_time: Moment = Field(description="when it last changed")


class PageNumber(Wire):
    """Where a page lies."""

    number: int = Field(description="its number, from 1")
    size: int = Field(description="entries a page")
    total_elements: int = Field(description="entries in all")
    total_pages: int = Field(description="pages in all")


class HostPage(Wire):
    """A page of hosts, in id order."""

    contents: list[Host] = Field(description="the hosts")
    page: PageNumber = Field(description="where the page lies")


class AuditEntry(Wire):
    """A change or a refusal. Null is what is not known of it."""

    access_key: str | None = Field(description="the AK that signed the request")
    code: int = Field(description="OCP's error code; 0 where there was no error or OCP has none")
    fields: dict[str, str] = Field(description="what the request named beside its path, shortened")
    id: Long = Field(description="its number, rising")
    message: str | None = Field(description="of an error: what was wrong")
    method: str = Field(description="the HTTP method; COMMAND for a command")
    path: str = Field(description="without the query; a command's words")
    proof: Proof = Field(description="how it was proved that the user made the request")
    source: str = Field(description="the address that the request came from; a command's machine")
    status: int = Field(description="the HTTP status of the reply")
    task_id: Long | None = Field(description="the task that was made or acted on")
    time: Moment = Field(description="when the reply was made")
    trace_id: str | None = Field(description="finds the request in the logs")
    user: str | None = Field(description="who; without a proof it is whom the request named")


class AuditPage(Wire):
    """A page of the audit, newest first."""

    contents: list[AuditEntry] = Field(description="the entries")
    page: PageNumber = Field(description="where the page lies")


class TaskPage(Wire):
    """A page of tasks."""

    contents: list[BasicTaskInstance] = Field(description="the tasks")
    page: PageNumber = Field(description="where the page lies")


class Health(Wire):
    """That the process is up."""

    status: Literal["UP"] = Field(description="always UP")


class Ready(Wire):
    """What is needed to accept and do a request, and whether it is done at once."""

    brake: str = Field(description="off; or on: what is accepted waits until the fleet's brake is released")
    broker: str = Field(description="ok, or what is wrong")
    store: str = Field(description="ok, or what is wrong")
    workers: str = Field(description="ok, or what is wrong")


class NotReadyReply(ErrorReply):
    """Something that is needed is missing."""

    data: Ready = Field(description="each check")
