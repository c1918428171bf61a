"""What is published, and when: the only code that builds Celery canvases.

A task becomes one small message, the head of a chain with one immutable signature for each step, by name, with ids as
arguments. A step that works on hosts publishes a group of lanes when its message runs; whoever settles its last host
publishes the rest of the chain. Every message is a hint: sent twice, late or for nothing, it changes nothing.
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
_A_FEW: Final = 8
"""So many lanes every step has that has as many hosts."""
ERRAND: Final = f"{PREFIX}.errand"
"""The name of the Celery task that does an errand."""


def step_name(action: Action) -> str:
    """Return the name of the Celery task that runs a step."""
    return f"{PREFIX}.{action}"


def lane_name(action: Action) -> str:
    """Return the name of the Celery task that is a lane of a step."""
    return f"{PREFIX}.{action}.lane"


def lane_count(hosts: int, most: int, each: int = 64) -> int:
    """Return into how many lanes a step over so many hosts fans out.

    Each lane is a message, and costs as much as many hosts do; but one worker gets no part of another one's lane.

    Args:
        hosts: how many.
        most: lanes at the most.
        each: hosts that one lane works on at a time, at the most.

    Returns:
        One a host for a few hosts; for more a few, that several workers get some; for many as many as work on all of
        them at a time, up to `most`.
    """
    return min(hosts, most, max(_A_FEW, -(-hosts // each)))


def build_chain(celery: Celery, task: TaskRecord, index: int, *, backwards: bool = False) -> Signature[Any]:
    """Return the chain of a task's steps from the step at `index` on, or `back` from there to the first."""
    steps = task.plan.steps[index::-1] if backwards else task.plan.steps[index:]
    return chain(*(_step_signature(celery, task, planned) for planned in steps), app=celery)


def find_next_step(rest: Sequence[Any] | None) -> int | None:
    """Return the index of the step that comes next in what a message carries of its chain; None where none does."""
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
    """Return the arguments the way Flower shows them to people; what tells messages apart comes first."""
    hosts = f"{task.host_count} host" + "s" * (task.host_count != 1)
    step = f"step {planned.index + 1} of {len(task.plan.steps)}: {planned.step.name}"
    return f"(task {task.id}, {hosts}, {which}{step})"


def publish(signature: Signature[Any]) -> None:
    """Send a canvas to the broker.

    Raises:
        BrokerUnavailable: the broker did not take it.
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
    """Whether the error belongs to the broker's transport, whichever that is."""
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
    """Return the message that has a worker do an errand; it names the errand, and the record has it."""
    return _signature(celery, HOSTS_QUEUE, ERRAND, (errand.id,), f"(host {errand.host_id}, {errand.purpose})")


class Dispatcher(Protocol):
    """The API's way to get an accepted task going."""

    async def submit(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
        """Publish the task's chain from a step on, or `back` from there to the first.

        Raises:
            BrokerUnavailable: it was not published, as far as can be known.
        """

    async def send(self, errand: Errand) -> None:
        """Publish an errand that was put into the store. Raises as `submit`."""

    async def count_waiting(self) -> int:
        """Return how many messages wait to be handled.

        Raises:
            BrokerUnavailable: the broker does not answer.
        """

    async def ping(self) -> None:
        """See that the broker answers.

        Raises:
            BrokerUnavailable: it does not.
        """


class CeleryDispatcher(Dispatcher):
    """Publishes through Celery, in threads, since Celery's own calls block."""

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
