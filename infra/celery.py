"""The Celery application: messages carry ids, there are no results, and it accepts JSON only.

Messages are acknowledged early on purpose. A message is a hint: losing one loses nothing, because the record says what
should be in flight, and one that is handled twice finds nothing left to claim.
"""

from typing import Final

from celery import Celery
from kombu import Exchange, Queue

from core.record import RECORD_VERSION
from infra.settings import SharedSettings

STEPS_QUEUE: Final = "steps"
"""The queue for work that only touches the store."""
HOSTS_QUEUE: Final = "hosts"
"""The queue for work on hosts over the network."""

_MAX_SILENCE: Final = 30.0
"""Seconds after which a worker's silent connection to the broker counts as dead; exceeds the broker's long poll."""


_BRISK: Final = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
"""How long the API retries to publish: a client waits for the answer."""
_PATIENT: Final = {"max_retries": 100, "interval_start": 0.1, "interval_step": 0.5, "interval_max": 3}
"""How long a worker retries to publish: some minutes, because no link of a chain may be lost."""


def queue_for(queue: str, version: int) -> str:
    """Return the queue for work on records of a version. Only workers that know the version consume from it."""
    return queue if version == 1 else f"{queue}.{version}"


def queues() -> list[str]:
    """Return every queue that a worker of this code consumes from."""
    return [queue_for(name, version) for version in range(1, RECORD_VERSION + 1) for name in (STEPS_QUEUE, HOSTS_QUEUE)]


def make_celery(settings: SharedSettings, *, worker: bool = False) -> Celery:
    """Return a Celery application on the configured broker. It sends nothing yet.

    Args:
        settings: where the broker is and how long to wait for it.
        worker: whether it will consume messages, and so holds connections that wait for them.
    """
    app = Celery("ocpfleet", broker=settings.broker, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        event_serializer="json",
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_queues=[Queue(name, Exchange(name), routing_key=name) for name in queues()],
        task_default_queue=STEPS_QUEUE,
        task_create_missing_queues=False,
        task_send_sent_event=False,
        task_publish_retry=True,
        task_publish_retry_policy=_PATIENT if worker else _BRISK,
        worker_send_task_events=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(settings, _MAX_SILENCE if worker else settings.redis_timeout),
    )
    return app


def _transport_options(settings: SharedSettings, socket_timeout: float) -> dict[str, object]:
    if not settings.broker.startswith(("redis", "sentinel")):
        return {}
    return {
        "socket_timeout": socket_timeout,
        "socket_connect_timeout": settings.redis_timeout,
        "socket_keepalive": True,
        "health_check_interval": 25,
        # The worker alone keeps the messages that it has taken and not begun, and puts them back when it stops.
        # Otherwise the broker would write each message twice, to redeliver it an hour after the worker died.
        "ack_emulation": False,
        "global_keyprefix": "ocpfleet-broker:",
    }
