"""The chaos program finds the processes of its run, orphans included, and the connections that they keep."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING

from tests.chaos.hosts import FIRST
from tests.chaos.observations import Process
from tests.chaos.processes import MARK, describe_process, list_run_processes
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARENT = """
from subprocess import DEVNULL, Popen
print(Popen(["sleep", "300"], stdout=DEVNULL, stderr=DEVNULL).pid)
"""
"""Starts a process that outlives it, and says its number."""


@contextmanager
def _orphan(run: str) -> Iterator[int]:
    environment = {**os.environ, MARK: run}
    done = subprocess.run([sys.executable, "-c", _PARENT], env=environment, capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_process_that_outlives_its_parent_is_found_by_its_mark() -> None:
    run = token_hex(8)
    with _orphan(run) as pid:
        wait_until(lambda: list(list_run_processes(run)) == [pid], 10, "the orphan to be found")
        assert not list(list_run_processes(token_hex(8)))
        assert describe_process(pid, "").command == "sleep 300"


def test_connections_are_counted_until_they_are_closed() -> None:
    def counted() -> tuple[int, int]:
        seen = describe_process(os.getpid(), "us")
        return seen.to_hosts, seen.others

    before = counted()
    with socket.create_server((str(FIRST), 0)) as host, socket.create_server(("127.0.0.1", 0)) as other:
        with socket.create_connection(host.getsockname()), socket.create_connection(other.getsockname()):
            assert counted() == (before[0] + 1, before[1] + 1)
        accepted = [host.accept()[0], other.accept()[0]]
        assert counted() == (before[0], before[1] + 2), "the other side has closed them, and this one has not"
        for one in accepted:
            one.close()
        assert counted() == before


def test_a_process_that_is_gone_has_nothing_open() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert describe_process(child.pid, "worker-1") == Process("worker-1", child.pid, "gone")
