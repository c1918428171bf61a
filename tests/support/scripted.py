"""A host that answers from a script: each command must be the next one, and takes the time that the script says."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.host import Target
from core.journal import Journal
from workers.agent.decide.start import decide_start
from workers.agent.decide.stop import decide_stop
from workers.agent.run import Run
from workers.agent.timing import Timing
from workers.executor.base import CommandTimeoutError, Completed
from workers.executor.stub.session import join_stop_output

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.command import Command
    from core.outcome.base import Outcome
    from workers.agent.decide.table import Decide

HOME = "/home/admin/ocp_agent"
TARGET = Target(7, "10.0.0.7", 22, "admin", HOME, "ocp", sudo=False, host_key=None)
PIDS = {"agentd": 10, "mgragent": 11, "monagent": 12}


@dataclass(frozen=True, slots=True)
class Reply:
    """How the host answers one command.

    Attributes:
        to: The command that it answers: look, stop, start, status, TERM or KILL.
        answer: How the command ends, or what running it raises.
        takes: Seconds that pass.
    """

    to: str
    answer: Completed | Exception
    takes: float = 0.0


def look(*names: str, takes: float = 0.0) -> Reply:
    """Answer a look with these processes: "agentd"; "agentd:77" gives a pid, "agentd?" hides the executable."""
    lines = ["ocpfleet: look", *map(_line, names), "ocpfleet: end"]
    return Reply("look", Completed(0, None, "\n".join(lines) + "\n", ""), takes)


def stop(error: str | None = None, *, stderr: str = "", takes: float = 0.0) -> Reply:
    """Answer the agent's own stop: ok, or no with this text."""
    return _control("stop", "ok", error, stderr, takes)


def start(error: str | None = None, *, takes: float = 0.0) -> Reply:
    """Answer the agent's own start: ok, or no with this text."""
    return _control("start", "ok", error, "", takes)


def status(
    error: str | None = None,
    *,
    state: str = "running",
    agentd: int = 10,
    mgragent: int | str = 11,
    monagent: int | str = 12,
    takes: float = 0.0,
) -> Reply:
    """Answer the agent's status: agentd's state, and each service running with its pid or in another state."""
    services = {
        f"ocp_{name}": {"state": "running", "pid": found} if isinstance(found, int) else {"state": found, "pid": 0}
        for name, found in (("mgragent", mgragent), ("monagent", monagent))
    }
    ready = state == "running" and isinstance(mgragent, int) and isinstance(monagent, int)
    message = {"state": state, "ready": ready, "version": "4.2.2", "pid": agentd, "services": services}
    return _control("status", message, error, "", takes)


def version(message: str = "4.2.2") -> Reply:
    """Answer the agent's version."""
    return _control("version", message, None, "", 0.0)


def service(verb: str, name: str, error: str | None = None, *, takes: float = 0.0) -> Reply:
    """Answer a stop or start of one service: the yes that the program cannot decode, or no with this text."""
    decoded = (
        'Module=api/client, kind=INTERNAL, code=decode_result_failed; api /api/v1/x, decode resp {"successful":true}'
    )
    return _control(f"{verb} ocp_{name}", None, error or f"{decoded}\ncause:\nunexpected end of JSON input", "", takes)


def _control(verb: str, message: object, error: str | None, stderr: str, takes: float) -> Reply:
    if error is None:
        ok = json.dumps({"successful": True, "message": message, "error": ""})
        return Reply(verb, Completed(0, None, ok, stderr), takes)
    said = json.dumps({"successful": False, "message": None, "error": error})
    return Reply(verb, Completed(255, None, "", stderr + said), takes)


def shell(status: int, stderr: str, to: str = "stop") -> Reply:
    """Answer with the shell's error instead of the program's reply."""
    return Reply(to, Completed(status, None, "", stderr))


def signal(name: str, *pids: int, refused: bool = False) -> Reply:
    """Answer a signal to exactly these processes: sent, or refused."""
    word = "refused" if refused else "sent"
    lines = ["ocpfleet: signal", *(f"ocpfleet: {word} {pid}" for pid in pids), "ocpfleet: end"]
    return Reply(name, Completed(0, None, "\n".join(lines) + "\n", ""))


@dataclass(slots=True)
class ScriptedHost:
    """A session and a clock.

    Attributes:
        replies: The replies that are left.
        time: The clock, in seconds.
        done: The commands so far, secrets masked.
        waits: The seconds of each wait.
        signalled: The pids of each round of signals.
        checks: How often the right to work was checked.
    """

    replies: deque[Reply]
    time: float = 1000.0
    done: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    signalled: list[list[int]] = field(default_factory=list)
    checks: int = 0
    journal: Journal = field(default_factory=lambda: Journal(lambda: 0))

    async def run(self, command: Command, *, timeout: float) -> Completed:
        assert timeout == 30.0
        self.done.append(command.render_masked())
        kind = self._kind(command)
        return self._around() if kind == "look, stop, look" else self._reply(kind)

    def _around(self) -> Completed:
        """Answer the command that looks, stops and looks again, as the host's shell does: by three replies."""
        try:
            before = self._reply("look")
        except TimeoutError:
            raise CommandTimeoutError(Completed(None, None, "", "")) from None
        if "ocpfleet: end" not in before.stdout:
            return before
        looked = before.stdout.removesuffix("ocpfleet: end\n")
        try:
            call = self._reply("stop")
        except TimeoutError:
            raise CommandTimeoutError(Completed(None, None, f"{looked}ocpfleet: call\n", "")) from None
        return join_stop_output(before, call, self._reply("look"))

    def _reply(self, kind: str) -> Completed:
        assert self.replies, f"no reply is left for a {kind}"
        reply = self.replies.popleft()
        assert kind == reply.to
        self.time += reply.takes
        if isinstance(reply.answer, Exception):
            raise reply.answer
        return reply.answer

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.waits.append(seconds)
        self.time += seconds

    async def check_claim(self) -> None:
        self.checks += 1

    def make_run(
        self,
        target: Target = TARGET,
        timing: Timing | None = None,
        before_command: Callable[[], Awaitable[None]] | None = None,
    ) -> Run:
        """Make the run that works on this host, by its clock."""
        timing, before_command = timing or Timing(), before_command or self.check_claim
        return Run(self, target, timing, self.journal, before_command, self.sleep, lambda: self.time)

    def _kind(self, command: Command) -> str:
        words = [word for word in command.words if isinstance(word, str)]
        if "service" in words:
            return " ".join(words[-2:])
        if "ocpfleet-stop" in words:
            return "look, stop, look"
        if "ocpfleet-signal" in words:
            rest = words[words.index("ocpfleet-signal") + 1 :]
            self.signalled.append([int(pid) for pid in rest[2::3]])
            return rest[0]
        return "look" if "ocpfleet-look" in words else words[-1]

    @property
    def text(self) -> str:
        """The journal, a line each."""
        return "\n".join(line.text for line in self.journal.lines)


async def play(
    *replies: Reply,
    decide: Decide = decide_stop,
    target: Target = TARGET,
    timing: Timing | None = None,
    before_command: Callable[[], Awaitable[None]] | None = None,
) -> tuple[Outcome, ScriptedHost]:
    """Work on a scripted host: stop its agent, or what a decider says.

    All replies must be needed, and the right to work is checked before each command.
    """
    host = ScriptedHost(deque(replies))
    outcome = await host.make_run(target, timing, before_command).follow(decide)
    assert not host.replies, f"not needed: {list(host.replies)}"
    assert host.checks == len(host.done)
    return outcome, host


async def play_start(*replies: Reply, target: Target = TARGET) -> tuple[Outcome, ScriptedHost]:
    """Start the agent of a scripted host."""
    return await play(*replies, decide=decide_start, target=target)


def _line(name: str) -> str:
    plain, _, pid = name.partition(":")
    hidden = plain.endswith("?")
    plain = plain.removesuffix("?")
    number = int(pid) if pid else PIDS[plain]
    if hidden:
        return f"ocpfleet: unproved {number} ocp_{plain} S {number * 100}"
    return f"ocpfleet: agent {number} ocp_{plain} S {number * 100} {HOME}/bin/ocp_{plain}"
