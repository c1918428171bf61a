"""All that a client can know of the agent on one host: its processes, whose they are, its version. Only looks."""

import asyncio
from dataclasses import dataclass
from typing import Final

from core.agent import NAMES, AgentFound, ProcessFound
from core.command import Command
from core.host import Target
from core.journal import Journal
from core.outcome.agentctl import NoPermission, UnexpectedAnswer
from core.outcome.base import Outcome, TimedOut
from workers.agent.host.agentctl_reply import Accepted, Missing, read_answer, refused_by_sudo
from workers.agent.host.agentctl_status import Report, read_report
from workers.agent.host.commands import Survey, UnreadableAnswerError, control_command, read_survey, survey_command
from workers.agent.host.processes import AgentProcess, process_names
from workers.executor.base import Completed, NotBegun, Session

_AGAIN: Final = 0.1
"""Seconds until a command is tried again that was not sent."""


@dataclass(frozen=True, slots=True)
class Surveying:
    """One survey over an open connection; `command_timeout` is in seconds and for each command."""

    session: Session
    target: Target
    command_timeout: float
    journal: Journal

    async def found(self) -> AgentFound | Outcome:
        """Return what there is of the agent; an outcome where the host cannot be asked.

        Raises:
            ConnectionFailed: the connection was lost.
        """
        try:
            return await self._found()
        except TimeoutError:
            return TimedOut("looking at the agent's processes", self.command_timeout)

    async def _found(self) -> AgentFound | Outcome:
        completed = await self._run(survey_command(self.target))
        try:
            survey = read_survey(completed)
        except UnreadableAnswerError as error:
            refusal = refused_by_sudo(completed)
            return NoPermission(refusal) if refusal else UnexpectedAnswer(str(error))
        version = read_answer(await self._run(control_command(self.target, "version")))
        report = await self._report() if survey.sight.has_agentd else None
        return AgentFound(
            installed=not isinstance(version, Missing),
            version=str(version.message) if isinstance(version, Accepted) else None,
            processes=tuple(
                _process(name, full, survey, report)
                for name, full in zip(NAMES, process_names(self.target), strict=True)
            ),
        )

    async def _report(self) -> Report | None:
        """Return what the agent says of itself; None where it does not answer."""
        try:
            said = read_report(await self._run(control_command(self.target, "status")))
        except TimeoutError:
            return None
        return said if isinstance(said, Report) else None

    async def _run(self, command: Command) -> Completed:
        self.journal.command(command)
        while True:
            try:
                return await self.session.run(command, timeout=self.command_timeout)
            except NotBegun:  # it only looks, whosever the host is; whoever waits for it sets the limit
                await asyncio.sleep(_AGAIN)


def _process(name: str, full: str, survey: Survey, report: Report | None) -> ProcessFound:
    """Return what is known of one process; of several with its name it is the one that the agent itself names."""
    ports = {service.pid: service.ports for service in report.services} if report else {}
    if report:
        ports[report.pid] = ()
    alive = sorted((process for process in survey.sight.processes if process.name == full), key=_age)
    chosen = next((process for process in alive if process.pid in ports), alive[0] if alive else None)
    if chosen is None:
        return ProcessFound(name)
    about = survey.about.get(chosen.pid)
    return ProcessFound(
        name=name,
        pid=chosen.pid,
        user=about.user if about else None,
        command=about.command if about else None,
        ports=ports.get(chosen.pid),
        elapsed=about.elapsed if about else 0,
    )


def _age(process: AgentProcess) -> int:
    return process.start_ticks
