"""The look for a pos proxy, on a real process of that name."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from core.host import Target
from core.journal import Journal
from core.outcome.base import Done, Outcome
from core.outcome.start import ProxyRuns
from workers.agent.decide.proxy import decide_proxy
from workers.agent.run import Run
from workers.agent.timing import Timing
from workers.executor.local import LocalExecutor

if TYPE_CHECKING:
    from pathlib import Path


async def settle(home: Path) -> Outcome:
    async def permit() -> None:
        pass

    target = Target(1, "127.0.0.1", 22, "me", str(home), "ocp", sudo=False, host_key=None)
    async with LocalExecutor().connect(target) as session:
        return await Run(session, target, Timing(), Journal(lambda: 0), permit).follow(decide_proxy)


async def test_a_pos_proxy_is_named_wherever_it_is_from(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "ocp_agent", tmp_path / "another"
    elsewhere.mkdir()
    program = shutil.copy(shutil.which("sleep") or "/bin/sleep", elsewhere / "pos_proxy")
    assert isinstance(await settle(home), Done)
    process = subprocess.Popen([program, "60"])  # noqa: ASYNC220 - a fork, not a wait
    try:
        assert await settle(home) == ProxyRuns((process.pid,))
    finally:
        process.kill()
        process.wait()
    assert isinstance(await settle(home), Done)
