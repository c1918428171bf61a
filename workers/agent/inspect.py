"""Tells what a client can know of the agent on one host: its processes, their owners, its version. Only looks."""

import asyncio
from dataclasses import dataclass
from typing import Final

from core.agent import NAMES, AgentInspection, InspectedProcess
from core.command import Command
from core.host import Target
from core.journal import Journal
from core.outcome.agentctl import NoPermission, UnexpectedAnswer
from core.outcome.base import Outcome, TimedOut
from workers.agent.host.agentctl_reply import Accepted, NoProgram, find_sudo_refusal, read_reply
from workers.agent.host.agentctl_status import AgentdStatus, read_status
from workers.agent.host.commands import build_control_command, build_survey_command
from workers.agent.host.output import Survey, UnreadableOutputError, read_survey
from workers.agent.host.processes import AgentProcess, get_process_names
from workers.executor.base import CommandNotSentError, Completed, HostSession

_RETRY_AFTER: Final = 0.1
"""Seconds until a command that was not sent is tried again."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection over an open connection; `command_timeout` is in seconds and for each command."""

    session: HostSession
    target: Target
    command_timeout: float
    journal: Journal

    async def inspect(self) -> AgentInspection | Outcome:
        """Return what there is of the agent; an outcome where the host cannot be asked.

        Raises:
            HostConnectionError: the connection was lost.
        """
        try:
            return await self._inspect()
        except TimeoutError:
            return TimedOut("looking at the agent's processes", self.command_timeout)

    async def _inspect(self) -> AgentInspection | Outcome:
        completed = await self._run(build_survey_command(self.target))
        try:
            survey = read_survey(completed)
        except UnreadableOutputError as error:
            refusal = find_sudo_refusal(completed)
            return NoPermission(refusal) if refusal else UnexpectedAnswer(str(error))
        version = read_reply(await self._run(build_control_command(self.target, "version")))
        status = await self._ask_status() if survey.snapshot.has_agentd else None
        return AgentInspection(
            installed=not isinstance(version, NoProgram),
            version=str(version.message) if isinstance(version, Accepted) else None,
            processes=tuple(
                _describe_process(name, full_name, survey, status)
                for name, full_name in zip(NAMES, get_process_names(self.target), strict=True)
            ),
        )

    async def _ask_status(self) -> AgentdStatus | None:
        """Return the agent's status; None where it does not answer."""
        try:
            reply = read_status(await self._run(build_control_command(self.target, "status")))
        except TimeoutError:
            return None
        return reply if isinstance(reply, AgentdStatus) else None

    async def _run(self, command: Command) -> Completed:
        self.journal.add_command(command)
        while True:
            try:
                return await self.session.run(command, timeout=self.command_timeout)
            except CommandNotSentError:  # a look needs no claim; the caller limits the time
                await asyncio.sleep(_RETRY_AFTER)


def _describe_process(name: str, full_name: str, survey: Survey, status: AgentdStatus | None) -> InspectedProcess:
    """Return what is known of one process; of several with its name, of the one that the agent itself names."""
    ports = {service.pid: service.ports for service in status.services} if status else {}
    if status:
        ports[status.pid] = ()
    alive = sorted((process for process in survey.snapshot.processes if process.name == full_name), key=_get_start)
    process = next((process for process in alive if process.pid in ports), alive[0] if alive else None)
    if process is None:
        return InspectedProcess(name)
    details = survey.details.get(process.pid)
    return InspectedProcess(
        name=name,
        pid=process.pid,
        user=details.user if details else None,
        command=details.command if details else None,
        ports=ports.get(process.pid),
        elapsed=details.elapsed if details else 0,
    )


def _get_start(process: AgentProcess) -> int:
    return process.start_ticks
