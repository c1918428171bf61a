"""Builds and publishes all messages: the only code that makes Celery canvases.

A task becomes one small message: the head of a chain that has an immutable signature for each step, by name, with ids
as arguments. The message of a step that works on hosts publishes a group of lanes. Whoever settles the step's last host
publishes the rest of the chain. Every message is a hint: one that comes twice, late or for nothing changes nothing.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

from celery import Celery, chain, group
from celery.canvas import Signature
from kombu.exceptions import KombuError
from typing_extensions import override

from core.errand import Errand
from core.errors import BrokerUnavailable
from core.plan import PlannedStep
from core.record import TaskRecord
from core.step import Action
from core.text import say
from infra.celery import HOSTS_QUEUE, STEPS_QUEUE, queue_for

PREFIX: Final = "ocpfleet"
_MIN_LANES: Final = 8
"""The fewest lanes of a step that has at least as many hosts."""
ERRAND: Final = f"{PREFIX}.errand"
"""The name of the Celery task that does an errand."""


def step_name(action: Action) -> str:
    """Return the name of the Celery task that runs a step."""
    return f"{PREFIX}.{action}"


def lane_name(action: Action) -> str:
    """Return the name of the Celery task that is a lane of a step."""
    return f"{PREFIX}.{action}.lane"


def lane_count(hosts: int, most: int, each: int = 64) -> int:
    """Return into how many lanes a step fans out.

    A lane is a message, which costs as much as many hosts. But workers do not share a lane.

    Args:
        hosts: the number of hosts.
        most: the most lanes.
        each: the most hosts that one lane works on at a time.

    Returns:
        For a few hosts, a lane for each. For more, a few lanes, so that several workers get one. For many, as many
        lanes as can work on all hosts at a time, up to `most`.
    """
    return min(hosts, most, max(_MIN_LANES, -(-hosts // each)))


def build_chain(celery: Celery, task: TaskRecord, index: int, *, backwards: bool = False) -> Signature[Any]:
    """Return the chain of a task's steps from the one at `index` to the last, or `backwards` to the first."""
    steps = task.plan.steps[index::-1] if backwards else task.plan.steps[index:]
    return chain(*(_step_signature(celery, task, planned) for planned in steps), app=celery)


def find_next_step(rest: Sequence[Any] | None) -> int | None:
    """Return the index of the next step in the rest of the chain that a message carries; None if there is none."""
    match rest:
        case [*_, {"args": [_, int(index)]}]:
            return index
        case _:
            return None


def build_lanes(celery: Celery, task: TaskRecord, planned: PlannedStep, count: int) -> Signature[Any]:
    """Return the group of `count` lanes of a step."""
    return group(*(_lane_signature(celery, task, planned, lane, count) for lane in range(count)), app=celery)


def _step_signature(celery: Celery, task: TaskRecord, planned: PlannedStep) -> Signature[Any]:
    queue = queue_for(STEPS_QUEUE, task.version)
    name, description = step_name(planned.step.action), _describe(task, planned)
    return _signature(celery, queue, name, (task.id, planned.index), description)


def _lane_signature(celery: Celery, task: TaskRecord, planned: PlannedStep, lane: int, count: int) -> Signature[Any]:
    queue = queue_for(HOSTS_QUEUE, task.version)
    name, description = lane_name(planned.step.action), _describe(task, planned, f"lane {lane + 1} of {count}, ")
    return _signature(celery, queue, name, (task.id, planned.index, lane), description)


def _signature(celery: Celery, queue: str, name: str, args: tuple[int | str, ...], description: str) -> Signature[Any]:
    options = {"queue": queue, "argsrepr": description, "kwargsrepr": "{}", "ignore_result": True}
    return celery.signature(name, args=args, options=options, immutable=True)


def _describe(task: TaskRecord, planned: PlannedStep, which: str = "") -> str:
    """Return the arguments the way Flower shows them. What tells messages apart comes first."""
    hosts = f"{task.host_count} host" + "s" * (task.host_count != 1)
    step = f"step {planned.index + 1} of {len(task.plan.steps)}: {planned.step.name}"
    return f"(task {task.id}, {hosts}, {which}{step})"


def publish(signature: Signature[Any]) -> None:
    """Send a canvas to the broker.

    Raises:
        BrokerUnavailable: the broker did not accept it.
    """
    try:
        signature.apply_async()
    except (KombuError, OSError, ConnectionError) as error:
        raise _unavailable(error) from error
    except Exception as error:
        if not _is_transport_error(signature.app, error):
            raise
        raise _unavailable(error) from error


def _is_transport_error(celery: Celery, error: Exception) -> bool:
    """Return whether the error comes from the broker's transport, whichever that is."""
    connection = celery.connection_for_write()
    return isinstance(error, tuple(connection.connection_errors) + tuple(connection.channel_errors))


def _unavailable(error: Exception) -> BrokerUnavailable:
    return BrokerUnavailable(
        say(
            "The broker does not take messages ({kind}: {reason}). "
            "Check that it runs at OCPFLEET_BROKER_URL, then try again.",
            kind=type(error).__name__,
            reason=error,
        )
    )


def errand_signature(celery: Celery, errand: Errand) -> Signature[Any]:
    """Return the message that has a worker do an errand. It carries the errand's id; the store has the errand."""
    return _signature(celery, HOSTS_QUEUE, ERRAND, (errand.id,), f"(host {errand.host_id}, {errand.purpose})")


class Dispatcher(Protocol):
    """Publishes the messages of tasks and errands."""

    async def submit(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
        """Publish the task's chain from a step to the last one, or `backwards` to the first.

        Raises:
            BrokerUnavailable: as far as can be known, it was not published.
        """

    async def send(self, errand: Errand) -> None:
        """Publish an errand that is already in the store. Raises like `submit`."""

    async def count_waiting(self) -> int:
        """Return how many messages wait in the queues.

        Raises:
            BrokerUnavailable: the broker does not answer.
        """

    async def ping(self) -> None:
        """Check that the broker answers.

        Raises:
            BrokerUnavailable: it does not.
        """


class CeleryDispatcher(Dispatcher):
    """Publishes through Celery, in threads, because Celery's calls block."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery

    @override
    async def submit(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
        await asyncio.to_thread(publish, build_chain(self._celery, task, step, backwards=backwards))

    @override
    async def send(self, errand: Errand) -> None:
        await asyncio.to_thread(publish, errand_signature(self._celery, errand))

    @override
    async def count_waiting(self) -> int:
        return await asyncio.to_thread(self._count_waiting)

    def _count_waiting(self) -> int:
        try:
            with self._celery.connection_for_write() as connection:
                channel = connection.default_channel
                declared = (queue(channel).queue_declare() for queue in self._celery.conf.task_queues)
                return sum(int(queue.message_count) for queue in declared)
        except (KombuError, OSError) as error:
            raise _unavailable(error) from error

    @override
    async def ping(self) -> None:
        await asyncio.to_thread(self._ping)

    def _ping(self) -> None:
        connection = self._celery.connection_for_write()
        try:
            with connection:
                connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=5)
        except (KombuError, OSError) as error:
            raise _unavailable(error) from error
