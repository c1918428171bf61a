"""Messages are hints: copies of every one of them, early, doubled and late, change nothing."""

from __future__ import annotations

import re
import threading
from codecs import escape_decode
from typing import TYPE_CHECKING, Self

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from infra import dispatch
from infra.celery import make_celery
from tests.support.system import BRISK, real_hosts, running, statuses
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.record import TaskRecord
    from tests.support.system import RealHosts, System

HOSTS = range(1, 7)
QUEUES = (b"ocpfleet-broker:steps", b"ocpfleet-broker:hosts")
WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"')  # of what MONITOR says; escaped as in C


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(tmp_path / "system") as system:
        yield system


@pytest.fixture
def hosts(tmp_path: Path, system: System) -> Iterator[RealHosts]:
    with real_hosts(tmp_path / "hosts", system.key, len(HOSTS), pace=BRISK) as hosts:
        yield hosts


class Tap:
    """Sees every message that anybody publishes, and publishes it a second time at once."""

    def __init__(self, broker_url: str) -> None:
        self._client = Redis.from_url(broker_url)
        self._monitor = self._client.connection_pool.make_connection()
        self._own: set[bytes] = set()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self.messages: list[tuple[bytes, bytes]] = []

    def __enter__(self) -> Self:
        self._monitor.connect()
        self._monitor.send_command("MONITOR")
        assert self._monitor.read_response() == b"OK"
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._monitor.disconnect()  # wakes the thread that reads from it
        self._thread.join(10)
        self._client.close()

    def _listen(self) -> None:
        try:
            while True:
                self._double(
                    [escape_decode(word)[0] for word in WORD.findall(self._monitor.read_response(timeout=None))]
                )
        except (RedisConnectionError, OSError):
            return  # the test is over

    def _double(self, words: list[bytes]) -> None:
        if words[0].upper() == b"LPUSH" and words[1] in QUEUES and words[2] not in self._own:
            self._own.add(words[2])
            self.messages.append((words[1], words[2]))
            self.send(words[1], words[2])

    def send(self, queue: bytes, message: bytes) -> None:
        self._own.add(message)
        self._client.lpush(queue, message)

    def waiting(self) -> int:
        return sum(self._client.llen(queue) for queue in QUEUES)


async def test_copies_change_neither_commands_nor_statuses(system: System, hosts: RealHosts) -> None:
    await system.add_hosts(list(hosts.targets.values()))
    with Tap(system.settings.broker) as tap:
        accepted = system.stop(list(HOSTS))
        async with system.store() as store:
            task = await store.tasks.head(accepted["id"])
        assert task is not None
        _publish_every_message_early(system, task)
        ended = system.ended(task.id)
        published = list(tap.messages)
        for queue, message in published:
            tap.send(queue, message)
        wait_until(lambda: tap.waiting() == 0, 20, "the late copies to be consumed")
        _all_handled(system, task)  # by way of the first host, which is left out below

    names = {name for _, message in published for name in _names() if name.encode() in message}
    assert names == set(_names())
    assert ended["status"] == "SUCCESSFUL"
    assert system.task(task.id) == ended
    assert {status for each in statuses(ended).values() for status in each} == {"SUCCESSFUL"}
    assert hosts.sshd.log.count("Starting session: command") == len(HOSTS) + 1
    for host_id in HOSTS[1:]:
        commands = hosts.agents[host_id].read_commands()
        assert [command.verb for command in commands if command.edge == "start"] == ["start", "stop"]
        assert not hosts.agents[host_id].list_processes()


def _names() -> list[str]:
    return ["ocpfleet.prepare", "ocpfleet.wait", "ocpfleet.stop", "ocpfleet.stop.lane", "ocpfleet.finish"]


def _publish_every_message_early(system: System, task: TaskRecord) -> None:
    """Publish each message of the task before its time has come."""
    celery = make_celery(system.settings)
    for planned in reversed(task.plan.steps):
        dispatch.publish(dispatch.build_chain(celery, task, planned.index))
        if planned.step.action.is_remote:
            dispatch.publish(dispatch.build_lanes(celery, task, planned, len(HOSTS)))


def _all_handled(system: System, task: TaskRecord) -> None:
    """See that what was sent before has been handled: a whole task that comes after it in the queues is done."""
    again = system.ended(system.stop([1])["id"])
    assert again["status"] == "SUCCESSFUL"
    assert again["id"] > task.id
