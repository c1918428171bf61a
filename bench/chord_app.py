"""The stock way with Celery: a chord of one message per host whose work is nothing. Run as a Celery application.

Settings are Celery's own defaults but for the addresses, which stand in the environment.
"""

import os

from celery import Celery

BROKER = "BENCH_BROKER"
"""The variable with the broker's address."""
BACKEND = "BENCH_BACKEND"
"""The variable with the results' address."""

app = Celery("bench", broker=os.environ.get(BROKER), backend=os.environ.get(BACKEND), set_as_current=False)


@app.task(name="bench.host")
def host(host_id: int) -> int:
    """Do nothing for one host."""
    return host_id


@app.task(name="bench.done")
def done(host_ids: list[int]) -> int:
    """Join them: tell how many there were."""
    return len(host_ids)
