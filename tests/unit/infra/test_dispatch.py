"""What is published for a task, on kombu's in-memory broker."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from kombu.exceptions import OperationalError

from core.errand import Errand, ErrandKind
from core.errors import BrokerUnavailable
from core.record import Creator, Draft
from core.task_types import TASK_TYPES
from infra import dispatch
from infra.celery import make_celery
from infra.settings import SharedSettings

if TYPE_CHECKING:
    from celery import Celery
    from kombu.message import Message

    from core.record import TaskRecord


@pytest.fixture
def celery() -> Celery:
    return make_celery(SharedSettings(broker_url=f"memory://{uuid.uuid4()}"))


def task_of(hosts: int) -> TaskRecord:
    host_ids = tuple(range(1, hosts + 1))
    draft = Draft(TASK_TYPES["batch_stop_agents"], host_ids, Creator(100, "admin"), "127.0.0.1", "0" * 16, 0)
    return draft.to_task(17, 1)


def read_published(celery: Celery, queue: str) -> list[Message]:
    """Take every message out of a queue."""
    messages = []
    with celery.connection_for_read() as connection, connection.SimpleQueue(_queue(celery, queue)) as waiting:
        while waiting.qsize():
            messages.append(waiting.get_nowait())
            messages[-1].ack()
    return messages


def _queue(celery: Celery, name: str) -> Any:
    return next(queue for queue in celery.conf.task_queues if queue.name == name)


@pytest.mark.parametrize("hosts", [1, 10_000])
async def test_a_task_is_published_as_one_small_message_whatever_its_hosts(celery: Celery, hosts: int) -> None:
    await dispatch.CeleryDispatcher(celery).submit(task_of(hosts))

    (message,) = read_published(celery, "steps")
    assert not read_published(celery, "hosts")
    assert message.headers["task"] == "ocpfleet.prepare"
    assert message.content_type == "application/json"
    assert message.payload[0] == [17, 0]
    assert len(message.body or "") + len(str(message.headers)) < 6_000


async def test_newer_records_go_to_queues_that_only_newer_workers_take_from(monkeypatch: pytest.MonkeyPatch) -> None:
    older = make_celery(SharedSettings(broker_url=f"memory://{uuid.uuid4()}"))
    monkeypatch.setattr("infra.celery.RECORD_VERSION", 2)
    newer = make_celery(SharedSettings(broker_url=f"memory://{uuid.uuid4()}"))
    task = replace(task_of(3), version=2)
    await dispatch.CeleryDispatcher(newer).submit(task)
    dispatch.publish(dispatch.build_lanes(newer, task, task.plan.steps[2], 3))

    names = [[queue.name for queue in celery.conf.task_queues] for celery in (older, newer)]
    assert names == [["steps", "hosts"], ["steps", "hosts", "steps.2", "hosts.2"]]
    assert not read_published(newer, "steps") + read_published(newer, "hosts")
    (message,) = read_published(newer, "steps.2")
    assert {link["options"]["queue"] for link in message.payload[2]["chain"]} == {"steps.2"}
    assert len(read_published(newer, "hosts.2")) == 3


async def test_the_chain_mirrors_the_steps(celery: Celery) -> None:
    await dispatch.CeleryDispatcher(celery).submit(task_of(3))

    (message,) = read_published(celery, "steps")
    rest = message.payload[2]["chain"]
    assert [(link["task"], link["args"], link["immutable"]) for link in reversed(rest)] == [
        ("ocpfleet.wait", [17, 1], True),
        ("ocpfleet.stop", [17, 2], True),
        ("ocpfleet.wait", [17, 3], True),
        ("ocpfleet.finish", [17, 4], True),
    ]


def test_lanes_go_to_the_queue_of_host_work(celery: Celery) -> None:
    task = task_of(3)
    dispatch.publish(dispatch.build_lanes(celery, task, task.plan.steps[2], 3))

    messages = read_published(celery, "hosts")
    assert not read_published(celery, "steps")
    assert [message.payload[0] for message in messages] == [[17, 2, 0], [17, 2, 1], [17, 2, 2]]
    assert messages[1].headers["argsrepr"] == (
        "(task 17, 3 hosts, lane 2 of 3, step 3 of 5: Stop all OCP agent processes)"
    )


def test_few_hosts_get_a_lane_each_and_many_share() -> None:
    hosts = (1, 8, 9, 512, 513, 1000, 2048, 10_000)

    assert [dispatch.lane_count(count, 32) for count in hosts] == [1, 8, 8, 8, 9, 16, 32, 32]
    assert [dispatch.lane_count(count, 32, 10) for count in (80, 81, 1000)] == [8, 9, 32]
    assert dispatch.lane_count(1000, 4) == 4


async def test_a_broker_that_does_not_take_it_is_named(celery: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("kombu.messaging.Producer.publish", refuse)
    with pytest.raises(BrokerUnavailable, match="The broker does not take messages"):
        await dispatch.CeleryDispatcher(celery).submit(task_of(1))


def test_nothing_but_json_is_accepted(celery: Celery) -> None:
    assert celery.conf.accept_content == ["json"]
    assert celery.conf.result_backend is None


async def test_an_errand_is_a_message_for_those_who_reach_hosts_and_carries_its_id_alone(celery: Celery) -> None:
    errand = Errand("e1", ErrandKind.STOP, 5, "monagent", "0" * 16)
    await dispatch.CeleryDispatcher(celery).send(errand)

    (message,) = read_published(celery, "hosts")
    assert not read_published(celery, "steps")
    assert message.headers["task"] == "ocpfleet.errand"
    assert message.headers["argsrepr"] == "(host 5, to stop process monagent of its agent)"
    assert message.payload[0] == ["e1"]
