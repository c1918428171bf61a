"""`make demo` and `make up`: the whole system with embedded defaults, for one demonstration or until Ctrl-C."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from demo.show import DemoFailedError, show
from demo.stack import Facts, Stack, get_client_file, get_facts_file, run_stack
from demo.supervisor import ChildFailedError


class _Stopped(BaseException):
    """SIGINT or SIGTERM arrived."""


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m demo.main", description="ocpfleet on one machine.")
    parser.add_argument("what", choices=("demo", "up"), help="demo: one demonstration; up: stay until Ctrl-C")
    parser.add_argument("--hosts", type=int, default=3, help="the number of simulated hosts (default: 3)")
    parser.add_argument("--workers", type=int, default=2, help="the number of worker processes (default: 2)")
    parser.add_argument("--directory", type=Path, help="the directory for all files (default: var/demo or var/up)")
    options = parser.parse_args()
    directory = options.directory or Path("var") / options.what
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        with run_stack(directory, hosts=options.hosts, workers=options.workers, say=_say) as stack:
            last = (
                show(stack, _say)
                if options.what == "demo"
                else _stay(stack, get_facts_file(directory), get_client_file(directory))
            )
    except _Stopped:
        last = "stopped everything"
    except (ChildFailedError, DemoFailedError) as error:
        sys.exit(f"{options.what}: {error}")
    _say(f"{options.what}: {last}")


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise _Stopped


def _stay(stack: Stack, file: Path, client: Path) -> str:
    stack.facts.write_client(client)
    stack.facts.write(file)
    try:
        _say(_make_invitation(stack.facts, file, client))
        while True:
            for line in stack.supervisor.watch():
                _say(line)
            time.sleep(0.5)
    finally:
        file.unlink(missing_ok=True)
        client.unlink(missing_ok=True)


def _make_invitation(facts: Facts, file: Path, client: Path) -> str:
    hosts = ",".join(map(str, facts.hosts))
    program = os.path.relpath(Path(sys.executable).with_name("ocpfleet"))
    return f"""
  API        {facts.api}   (documentation: {facts.api}/docs)
  user       {facts.user}
  password   {facts.password}
  Flower     {facts.flower}   (same user and password)
  facts      {file}

  try:  curl -u {facts.user}:{facts.password} -H 'Content-Type: application/json' \\
             -d '{{"hostIds":[{hosts}]}}' {facts.api}/api/v2/compute/hosts/batchStopAgents
  or:   export OCPFLEET_CLIENT_FILE={os.path.relpath(client)}
        {program} stop 'demo-[1-{len(facts.hosts)}]' --follow

  Ctrl-C stops everything.
"""


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
