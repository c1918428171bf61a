"""Hosts that do not exist: for unit tests, load tests and benchmarks. Each has an agent that answers as a real one.

It holds nothing but a number of bits per host and answers from memory, so that what is measured with it is everything
else.
"""

import asyncio
import itertools
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto

from core.command import Command
from core.host import Target
from core.outcome.reach import Unreachable
from workers.executor.base import CommandTimeoutError, Completed, HostConnectionError

_PROXY = "pos_proxy"
_NAMES = ("agentd", "mgragent", "monagent")
_OK = '{"successful":true,"message":"ok","error":""}'
_MARKS = {"look": "ocpfleet-look", "survey": "ocpfleet-survey", "signal": "ocpfleet-signal", "stop": "ocpfleet-stop"}
_VERSION = "4.2.2-stub"
_DOWN = "Module=agent, kind=INTERNAL, code=read_pid_failed; no such file or directory"
_PORTS = {"mgragent": [62888], "monagent": [62889]}


class Behaviour(Enum):
    """How a stub host takes its commands."""

    HEALTHY = auto()
    """Its agent runs, and ends when it is told to."""
    STOPPED = auto()
    """Its agent does not run."""
    UNREACHABLE = auto()
    """No connection can be made."""
    LOST = auto()
    """The connection breaks in the agent's own stop or start."""
    WEDGED = auto()
    """No command ever ends."""
    ORPHANS = auto()
    """agentd is dead and its children are not: the agent's own stop says ok and does nothing; TERM ends them."""
    STUBBORN = auto()
    """agentd takes its TERM and does not end; only KILL ends it."""
    REFUSING = auto()
    """The agent's own stop and start say no with `StubExecutor.refusal`, and everything stays as it is."""
    LAME = auto()
    """Its agent starts, and one of its services never comes up."""
    PROXIED = auto()
    """It has a pos proxy, as with agents before 3.2."""
    MISSING = auto()
    """There is no control program; agent processes run all the same."""
    BARE = auto()
    """There is no agent at all."""


@dataclass(slots=True)
class _Host:
    """What is remembered of one host."""

    alive: dict[int, str]
    """Its live agent processes: pid and name without the prefix."""
    commands: Counter[str] = field(default_factory=Counter)


class StubExecutor:
    """Connections to hosts that do not exist.

    Args:
        delay_seconds: what the agent's own stop or start takes; other commands take no time.
        behaviours: by host id; the others are healthy.
        refusal: the error text of a host that refuses.
        wedged_every: hosts that no behaviour is given for are wedged where their id is a multiple of it; 0 for none.
    """

    def __init__(
        self,
        delay_seconds: float = 0.0,
        behaviours: Mapping[int, Behaviour] | None = None,
        refusal: str = "Module=agent, kind=INTERNAL, code=fetch_config_failed; no such file or directory",
        wedged_every: int = 0,
    ) -> None:
        self.delay_seconds = delay_seconds
        self.behaviours = dict(behaviours or {})
        self.refusal = refusal
        self._wedged_every = wedged_every
        self._hosts: dict[int, _Host] = {}
        self._pids = itertools.count(1000)

    @asynccontextmanager
    async def connect(self, target: Target) -> AsyncIterator["StubSession"]:
        """Open a connection; see `workers.executor.base.Executor.connect`."""
        if self.behaviour(target.host_id) is Behaviour.UNREACHABLE:
            raise HostConnectionError(Unreachable(target.endpoint, "Connection refused"))
        yield StubSession(self, target, self._host(target.host_id))

    async def aclose(self) -> None:
        """Nothing is held."""

    def behaviour(self, host_id: int) -> Behaviour:
        """Return how a host takes its commands."""
        wedged = self._wedged_every and host_id % self._wedged_every == 0
        return self.behaviours.get(host_id, Behaviour.WEDGED if wedged else Behaviour.HEALTHY)

    def commands(self, host_id: int) -> Counter[str]:
        """Return how often a host got each command.

        They are `look`, `survey`, `signal`, `stop`, `start`, `status`, `version`, `service stop`, `service start`, or
        any `other`.
        """
        host = self._hosts.get(host_id)
        return host.commands if host else Counter()

    def alive(self, host_id: int) -> tuple[int, ...]:
        """Return the pids of a host's live agent processes; none where it was never connected to."""
        host = self._hosts.get(host_id)
        return tuple(host.alive) if host else ()

    def start_agent(self, host_id: int, names: tuple[str, ...] = _NAMES) -> None:
        """Make a host's agent run, whatever it did before; only these of its processes, given without the prefix."""
        self._host(host_id).alive = self.started(names)

    def _host(self, host_id: int) -> _Host:
        host = self._hosts.get(host_id)
        if host is None:
            host = self._hosts[host_id] = _Host(self.started(self._names(host_id)))
        return host

    def _names(self, host_id: int) -> tuple[str, ...]:
        match self.behaviour(host_id):
            case Behaviour.STOPPED | Behaviour.BARE:
                return ()
            case Behaviour.ORPHANS:
                return _NAMES[1:]
            case Behaviour.LAME:
                return _NAMES[:-1]
            case Behaviour.PROXIED:
                return (*_NAMES, _PROXY)
            case _:
                return _NAMES

    def started(self, names: tuple[str, ...]) -> dict[int, str]:
        """Return new processes by pid."""
        return {next(self._pids): name for name in names}


class StubSession:
    """An open connection to a host that does not exist; see `workers.executor.base.HostSession`."""

    __slots__ = ("_executor", "_host", "_target")

    def __init__(self, executor: StubExecutor, target: Target, host: _Host) -> None:
        self._executor = executor
        self._target = target
        self._host = host

    async def run(self, command: Command, *, timeout: float) -> Completed:
        """Answer one command; see `workers.executor.base.HostSession.run`."""
        kind, words = _kind(command)
        self._host.commands[kind] += 1
        wedged = self._executor.behaviour(self._target.host_id) is Behaviour.WEDGED
        delay = self._executor.delay_seconds if kind in {"stop", "start"} else 0.0
        if wedged or delay:
            await _pass(math.inf if wedged else delay, timeout)
        return self._answer(kind, words)

    def _answer(self, kind: str, words: tuple[str, ...]) -> Completed:
        if kind == "stop" and words:
            before = self._look(words)
            return looked_around(before, self._stop(), self._look(words))
        simple = {"stop": self._stop, "start": self._start, "status": self._status, "version": self._version}
        scripts = {"look": self._look, "survey": self._survey, "signal": self._signal}
        if kind in simple:
            return simple[kind]()
        if kind in scripts:
            return scripts[kind](words)
        return self._service(kind, words[0]) if kind.startswith("service ") else Completed(0, None, "", "")

    def _look(self, words: tuple[str, ...]) -> Completed:
        prefix = self._target.agent_prefix
        lines = (
            f"ocpfleet: agent {pid} {full} S {pid} {words[0]}/{full}"
            for pid, name in self._host.alive.items()
            if (full := name if name == _PROXY else f"{prefix}_{name}") in words
        )
        return Completed(0, None, "\n".join(("ocpfleet: look", *lines, "ocpfleet: end\n")), "")

    def _survey(self, words: tuple[str, ...]) -> Completed:
        prefix = self._target.agent_prefix
        about = (
            f"ocpfleet: about {pid} {pid} {self._target.user} {words[0]}/{prefix}_{name}"
            for pid, name in self._host.alive.items()
        )
        seen = self._look(words).stdout.removesuffix("ocpfleet: end\n")
        told = "\n".join((*about, "ocpfleet: clock 3600 100", "ocpfleet: end\n"))
        return Completed(0, None, seen + told, "")

    def _version(self) -> Completed:
        if self._executor.behaviour(self._target.host_id) in {Behaviour.MISSING, Behaviour.BARE}:
            return Completed(127, None, "", "sh: 1: not found")
        return Completed(0, None, json.dumps({"successful": True, "message": _VERSION, "error": ""}), "")

    def _service(self, kind: str, full: str) -> Completed:
        """Stop or start a service. agentd does so, and the control program takes its yes for a fault, as real ones."""
        broken = self._broken()
        if broken is not None:
            return broken
        if "agentd" not in self._host.alive.values():
            return _refused(_DOWN)
        name = full.removeprefix(f"{self._target.agent_prefix}_")
        if kind == "service start":
            self._host.alive |= self._executor.started((name,))
        else:
            self._host.alive = {pid: alive for pid, alive in self._host.alive.items() if alive != name}
        done = r"decode resp {\"successful\":true,\"status\":200}\ncause:\nunexpected end of JSON input"
        return _refused(f"Module=api/client, kind=INTERNAL, code=decode_result_failed; api /api/v1, {done}")

    def _broken(self) -> Completed | None:
        """Return what the control program answers to a stop and a start alike; None where it does as it is told."""
        match self._executor.behaviour(self._target.host_id):
            case Behaviour.LOST:
                raise HostConnectionError(Unreachable(self._target.endpoint, "connection lost while running a command"))
            case Behaviour.MISSING | Behaviour.BARE:
                return Completed(127, None, "", "sh: 1: not found")
            case Behaviour.REFUSING:
                return _refused(self._executor.refusal)
            case _:
                return None

    def _start(self) -> Completed:
        broken = self._broken()
        if broken is None and "agentd" not in self._host.alive.values():
            lame = self._executor.behaviour(self._target.host_id) is Behaviour.LAME
            self._executor.start_agent(self._target.host_id, _NAMES[:-1] if lame else _NAMES)
        return broken or Completed(0, None, _OK, "")

    def _status(self) -> Completed:
        alive = {name: pid for pid, name in self._host.alive.items()}
        if self._executor.behaviour(self._target.host_id) in {Behaviour.MISSING, Behaviour.BARE}:
            return Completed(127, None, "", "sh: 1: not found")
        if "agentd" not in alive:
            return _refused(_DOWN)
        services = {
            f"{self._target.agent_prefix}_{name}": {
                "state": "running" if name in alive else "stopped",
                "pid": alive.get(name, 0),
                "ports": _PORTS[name] if name in alive else None,
            }
            for name in _NAMES[1:]
        }
        ready = alive.keys() >= set(_NAMES)
        message = {"state": "running", "ready": ready, "pid": alive["agentd"], "services": services}
        return Completed(0, None, json.dumps({"successful": True, "message": message, "error": ""}), "")

    def _stop(self) -> Completed:
        broken = self._broken()
        if broken is not None:
            return broken
        match self._executor.behaviour(self._target.host_id):
            case Behaviour.STUBBORN if self._host.alive:
                return _refused("Module=agent, kind=DEADLINE_EXCEEDED, code=wait_for_exit_timeout; ")
            case Behaviour.ORPHANS if "agentd" not in self._host.alive.values():
                return Completed(0, None, _OK, "")
            case _:
                self._host.alive.clear()
                return Completed(0, None, _OK, "")

    def _signal(self, words: tuple[str, ...]) -> Completed:
        signal, pids = words[0], [int(word) for word in words[2::3]]
        sent = [f"ocpfleet: {'sent' if pid in self._host.alive else 'gone'} {pid}" for pid in pids]
        if signal == "KILL" or self._executor.behaviour(self._target.host_id) is not Behaviour.STUBBORN:
            self._host.alive = {pid: name for pid, name in self._host.alive.items() if pid not in pids}
        return Completed(0, None, "\n".join(("ocpfleet: signal", *sent, "ocpfleet: end\n")), "")


def _kind(command: Command) -> tuple[str, tuple[str, ...]]:
    """Tell a command by the words that it has for people, and return those after the script's name."""
    words = tuple(word for word in command.words if isinstance(word, str))
    match words:
        case (*_, "service", verb, name):
            return f"service {verb}", (name,)
        case (*_, ("stop" | "start" | "status" | "version") as verb):
            return verb, ()
        case _:
            pass
    for kind, mark in _MARKS.items():
        if mark in words:
            return kind, words[words.index(mark) + 1 :]
    return "other", ()


def looked_around(before: Completed, call: Completed, after: Completed) -> Completed:
    """Return what the stop command answers: a look, how the agent's own stop ended, and another look."""
    looked = before.stdout.removesuffix("ocpfleet: end\n")
    ended = f"ocpfleet: call\n{call.stdout}\nocpfleet: status {call.exit_status}\n"
    return Completed(0, None, f"{looked}{ended}{after.stdout}", call.stderr)


async def _pass(seconds: float, limit: float) -> None:
    await asyncio.sleep(min(seconds, limit))
    if seconds > limit:
        raise CommandTimeoutError(Completed(None, None, "", ""))


def _refused(error: str) -> Completed:
    return Completed(255, None, "", f'{{"successful":false,"message":null,"error":"{error}"}}')
