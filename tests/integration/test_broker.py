"""What a worker has taken from the broker and not begun: put back when it stops, and nowhere when it dies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

from core.errand import Errand, ErrandKind
from infra import dispatch
from infra.celery import HOSTS_QUEUE, make_celery
from infra.settings import SharedSettings
from tests.support.valkey import ValkeyServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celery import Celery
    from kombu.message import Message

PREFETCHED = 2
WAITING = "ocpfleet-broker:hosts"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path_factory.mktemp("broker"), appendonly=False) as running:
        yield running


@pytest.fixture
def celery(server: ValkeyServer) -> Celery:
    return make_celery(SharedSettings(redis_url=server.url(), broker_url=server.url(1)), worker=True)


def test_what_was_taken_and_not_begun_is_put_back_and_the_broker_keeps_no_list_of_it(
    celery: Celery, server: ValkeyServer
) -> None:
    for number in range(3):
        dispatch.publish(dispatch.errand_signature(celery, Errand(f"e{number}", ErrandKind.STOP, 5, None, "0" * 16)))
    taken: list[Message] = []
    queue = next(one for one in celery.conf.task_queues if one.name == HOSTS_QUEUE)
    with celery.connection_for_read() as connection, Redis.from_url(server.url(1)) as broker:
        consumer: Any = connection.Consumer(queue, on_message=taken.append, prefetch_count=PREFETCHED, accept=["json"])
        with consumer:
            while len(taken) < PREFETCHED:
                connection.drain_events(timeout=30)
            with pytest.raises(TimeoutError):
                connection.drain_events(timeout=1)
            assert (len(taken), broker.llen(WAITING)) == (PREFETCHED, 1), "no more than that are taken"
            assert list(broker.scan_iter("*unacked*")) == []
            taken[0].ack()
        connection.close()
        assert broker.llen(WAITING) == 2, "the one that was not begun is back"
