"""A plain Celery application: a chord with one message per host, which does no work.

It keeps Celery's default settings; only the addresses come from the environment.
"""

import os

from celery import Celery

BROKER = "BENCH_BROKER"
"""The variable with the broker's address."""
BACKEND = "BENCH_BACKEND"
"""The variable with the address of the result backend."""

app = Celery("bench", broker=os.environ.get(BROKER), backend=os.environ.get(BACKEND), set_as_current=False)


@app.task(name="bench.host")
def work_on_host(host_id: int) -> int:
    """Do nothing for one host."""
    return host_id


@app.task(name="bench.done")
def join(host_ids: list[int]) -> int:
    """Return the number of hosts: the body of the chord."""
    return len(host_ids)
