"""The schemas of replies about tasks, for the OpenAPI document."""

from typing import Literal

from pydantic import Field

from app.http.schemas import Long, Moment, Page, Wire
from core.status import Operation, Status, TaskStatus


class Context(Wire):
    """What a task was asked to do."""

    list_map: dict[str, list[str]] = Field(
        description="host_ids: the hosts, in the order of parallelIdx; empty for one host"
    )
    parallel: bool = Field(description="false for a task")
    parallel_idx: int = Field(description="-1 for a task")
    string_map: dict[str, str] = Field(
        description="prohibit_rollback: whether rollback is prohibited; host_id: the one host"
    )


class Subtask(Wire):
    """One step on one host, or one wait node."""

    class_name: str | None = Field(
        None, description="an opaque name; only in the reply to the request that made the task"
    )
    description: str = Field(description="the same as name")
    downstreams: list[Long] = Field(description="ids of the subtasks that wait for this one")
    executor: str | None = Field(None, description="the worker that runs or ran it")
    finish_time: Moment | None = Field(None, description="when its last run ended")
    id: Long = Field(description="unique among all subtasks")
    name: str = Field(description="what it does")
    node_type: Literal["JAVA_TASK"] = Field(description="always JAVA_TASK")
    operation: Operation = Field(description="the reason for its last run")
    parallel_idx: int = Field(
        description="index of its host in the task's host_ids; -1 for a wait node and in a task for one host"
    )
    prohibit_rollback: bool = Field(description="whether rollback is prohibited")
    run_time: int = Field(description="how many times it has run, from 1")
    series_id: int = Field(description="its number in the task, from 0")
    start_time: Moment | None = Field(None, description="when its last run began")
    status: Status = Field(description="its status")
    timeout: int = Field(description="seconds that one run may take")
    upstreams: list[Long] = Field(description="ids of the subtasks that it waits for")


class _Task(Wire):
    executor: str = Field(description="the address of the server that accepted it")
    id: Long = Field(description="unique among all tasks")
    name: str = Field(description="what it does")
    operation: Operation = Field(description="the reason for its current run")
    start_time: Moment = Field(description="when it was accepted")
    status: TaskStatus = Field(description="its status")
    subtasks: list[Subtask] = Field(description="for N hosts: 3N+2 for a stop or start, 5N+4 for a restart")
    task_definition_id: int = Field(description="-1, since no schedule made it")
    type: Literal["MANUAL"] = Field(description="how it was created; always MANUAL")


class TaskInstance(_Task):
    """A task as it was accepted."""

    context: Context = Field(description="what the request asked for")
    creator: str = Field(description="the user who made the request")
    host_id: Long | None = Field(None, description="the host of a task for one host; absent in any other")


class Creator(Wire):
    """The user who requested a task."""

    id: Long = Field(description="the user's number")
    name: str = Field(description="the user's name")


class BasicSubtask(Wire):
    """A subtask, as lists show it."""

    description: str = Field(description="the same as name")
    id: Long = Field(description="unique among all subtasks")
    name: str = Field(description="what it does")
    operation: Operation = Field(description="the reason for its last run")
    status: Status = Field(description="its status")


class StepProgress(Wire):
    """The progress of one step."""

    name: str = Field(description="what its subtasks do")
    subtasks: dict[Status, int] = Field(description="how many subtasks have each status; a status of none is absent")


class BasicTaskInstance(Wire):
    """A task, as lists show it."""

    creator: Creator = Field(description="the user who made the request")
    finish_time: Moment | None = Field(None, description="when it ended")
    id: Long = Field(description="unique among all tasks")
    name: str = Field(description="what it does")
    progress: list[StepProgress] | None = Field(
        None, description="its steps in order; absent where a newer ocpfleet made the task"
    )
    start_time: Moment = Field(description="when it was accepted")
    status: TaskStatus = Field(description="its status")
    subtasks: list[BasicSubtask] | None = Field(
        None,
        description="absent for a task of more than 100 hosts and on pages of more than 100 tasks; see progress",
    )


class WrappedTaskInstance(_Task):
    """A task as it is now."""

    create_time: Moment = Field(description="when it was accepted, in whole seconds")
    creator: Creator = Field(description="the user who made the request")
    finish_time: Moment | None = Field(None, description="when it ended")
    prohibit_rollback: bool = Field(description="whether rollback is prohibited")


class Log(Wire):
    """The log of a subtask."""

    log: str = Field(
        description="every run, oldest first: a separator row with operation and time, then its lines; "
        "of a run that goes on, what it has done so far"
    )


class TaskPage(Page[BasicTaskInstance]):
    """A page of tasks."""


class TaskHost(Wire):
    """A host of a task."""

    alias: str | None = Field(description="a name for people; null where it has none, or is no longer in the inventory")
    id: Long = Field(description="its id in the inventory")
    parallel_idx: int = Field(description="the parallelIdx of its subtasks; -1 in a task for one host")


class TaskHostPage(Page[TaskHost]):
    """A page of the hosts of a task, in the order of parallelIdx."""
