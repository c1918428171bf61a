"""The work on one service of an agent, which takes one run or two; the agent itself stays as it is."""

from functools import partial

from core.outcome.base import Outcome
from workers.agent.decide.service import decide_start_service, decide_stop_service
from workers.agent.run import Run


async def stop_service(run: Run, name: str) -> Outcome:
    """Stop a service, named as on the host, and prove it: its process is gone, and agentd does not start it again."""
    return await run.follow(partial(decide_stop_service, name=name))


async def restart_service(run: Run, name: str) -> Outcome:
    """Stop a service where it runs, then start it and prove it: agentd names its process, and a look finds it."""
    stopped = await stop_service(run, name)
    return await run.follow(partial(decide_start_service, name=name)) if stopped.successful else stopped
