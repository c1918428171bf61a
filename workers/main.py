"""A worker process: its settings, the runtime with its loop, and Celery's worker with a pool of threads."""

import os
import sys

import structlog
from celery import Celery
from celery.signals import worker_shutting_down

from infra import collector
from infra.celery import make_celery, queues
from infra.dispatch import CeleryDispatcher
from infra.logs import configure_logging
from infra.settings import WorkerSettings, load_settings
from workers.celery_tasks import register
from workers.runtime import Runtime, make_node_name

log = structlog.get_logger(__name__)


def run() -> None:
    """Work until told to stop (SIGTERM: finish the hosts in flight, claim no more).

    Raises:
        FleetError: it cannot start; the sentence says why.
    """
    settings = load_settings(WorkerSettings)
    configure_logging(settings.log_format, settings.log_level)
    name = make_node_name(settings, os.getpid())
    runtime = Runtime(settings, name)
    try:
        celery = make_celery(settings, worker=True)
        register(celery, runtime)
        runtime.reconcile(CeleryDispatcher(celery))
        collector.tune_collector()
        _work(celery, runtime, settings, name)
    finally:
        runtime.stop()


def _work(celery: Celery, runtime: Runtime, settings: WorkerSettings, name: str) -> None:
    def drain(**_: object) -> None:
        runtime.drain()

    worker_shutting_down.connect(drain)
    log.info("worker starts", name=name, executor=settings.executor, in_flight=settings.max_in_flight)
    # Not through Celery's command line: it loads every installed command, also Flower's.
    worker = celery.Worker(
        hostname=name,
        pool_cls="threads",
        concurrency=settings.threads,
        queues=queues(),
        without_gossip=True,
        without_mingle=True,
        task_events=settings.task_events,
        loglevel=settings.log_level,
        quiet=True,
    )
    worker.start()
    sys.exit(worker.exitcode)
