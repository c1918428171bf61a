"""A connection to a host that does not exist: it answers each command as the agent's programs and our scripts do."""

import asyncio
import json
import math

from core.command import Command
from core.host import Target
from core.outcome.reach import Unreachable
from workers.executor.base import CommandTimeoutError, Completed, HostConnectionError
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.fleet import NAMES, PROXY, StubFleet

_OK = '{"successful":true,"message":"ok","error":""}'
_MARKS = {"look": "ocpfleet-look", "survey": "ocpfleet-survey", "signal": "ocpfleet-signal", "stop": "ocpfleet-stop"}
_VERSION = "4.2.2-stub"
_DOWN = "Module=agent, kind=INTERNAL, code=read_pid_failed; no such file or directory"
_PORTS = {"mgragent": [62888], "monagent": [62889]}


class StubSession:
    """An open connection to a stub host; see `workers.executor.base.HostSession`."""

    __slots__ = ("_fleet", "_host", "_target")

    def __init__(self, fleet: StubFleet, target: Target) -> None:
        self._fleet = fleet
        self._target = target
        self._host = fleet.get_host(target.host_id)

    async def run(self, command: Command, *, timeout: float) -> Completed:
        """Answer one command; see `workers.executor.base.HostSession.run`."""
        kind, words = _parse_command(command)
        self._host.commands[kind] += 1
        wedged = self._behaviour is Behaviour.WEDGED
        delay = self._fleet.delay_seconds if kind in {"stop", "start"} else 0.0
        if wedged or delay:
            await _wait(math.inf if wedged else delay, timeout)
        return self._answer(kind, words)

    @property
    def _behaviour(self) -> Behaviour:
        return self._fleet.get_behaviour(self._target.host_id)

    def _answer(self, kind: str, words: tuple[str, ...]) -> Completed:
        if kind == "stop" and words:
            before = self._look(words)
            return join_stop_output(before, self._stop(), self._look(words))
        simple = {"stop": self._stop, "start": self._start, "status": self._tell_status, "version": self._tell_version}
        scripts = {"look": self._look, "survey": self._survey, "signal": self._signal}
        if kind in simple:
            return simple[kind]()
        if kind in scripts:
            return scripts[kind](words)
        return self._change_service(kind, words[0]) if kind.startswith("service ") else Completed(0, None, "", "")

    def _look(self, words: tuple[str, ...]) -> Completed:
        prefix = self._target.agent_prefix
        lines = (
            f"ocpfleet: agent {pid} {full_name} S {pid} {words[0]}/{full_name}"
            for pid, name in self._host.alive.items()
            if (full_name := name if name == PROXY else f"{prefix}_{name}") in words
        )
        return Completed(0, None, "\n".join(("ocpfleet: look", *lines, "ocpfleet: end\n")), "")

    def _survey(self, words: tuple[str, ...]) -> Completed:
        prefix = self._target.agent_prefix
        about = (
            f"ocpfleet: about {pid} {pid} {self._target.user} {words[0]}/{prefix}_{name}"
            for pid, name in self._host.alive.items()
        )
        looked = self._look(words).stdout.removesuffix("ocpfleet: end\n")
        details = "\n".join((*about, "ocpfleet: clock 3600 100", "ocpfleet: end\n"))
        return Completed(0, None, looked + details, "")

    def _signal(self, words: tuple[str, ...]) -> Completed:
        signal, pids = words[0], [int(word) for word in words[2::3]]
        lines = [f"ocpfleet: {'sent' if pid in self._host.alive else 'gone'} {pid}" for pid in pids]
        if signal == "KILL" or self._behaviour is not Behaviour.STUBBORN:
            self._host.alive = {pid: name for pid, name in self._host.alive.items() if pid not in pids}
        return Completed(0, None, "\n".join(("ocpfleet: signal", *lines, "ocpfleet: end\n")), "")

    def _tell_version(self) -> Completed:
        if self._behaviour in {Behaviour.MISSING, Behaviour.BARE}:
            return _NOT_FOUND
        return Completed(0, None, json.dumps({"successful": True, "message": _VERSION, "error": ""}), "")

    def _tell_status(self) -> Completed:
        alive = {name: pid for pid, name in self._host.alive.items()}
        if self._behaviour in {Behaviour.MISSING, Behaviour.BARE}:
            return _NOT_FOUND
        if "agentd" not in alive:
            return _refuse(_DOWN)
        services = {
            f"{self._target.agent_prefix}_{name}": {
                "state": "running" if name in alive else "stopped",
                "pid": alive.get(name, 0),
                "ports": _PORTS[name] if name in alive else None,
            }
            for name in NAMES[1:]
        }
        ready = alive.keys() >= set(NAMES)
        message = {"state": "running", "ready": ready, "pid": alive["agentd"], "services": services}
        return Completed(0, None, json.dumps({"successful": True, "message": message, "error": ""}), "")

    def _stop(self) -> Completed:
        failure = self._fail()
        if failure is not None:
            return failure
        match self._behaviour:
            case Behaviour.STUBBORN if self._host.alive:
                return _refuse("Module=agent, kind=DEADLINE_EXCEEDED, code=wait_for_exit_timeout; ")
            case Behaviour.ORPHANS if "agentd" not in self._host.alive.values():
                return Completed(0, None, _OK, "")
            case _:
                self._host.alive.clear()
                return Completed(0, None, _OK, "")

    def _start(self) -> Completed:
        failure = self._fail()
        if failure is None and "agentd" not in self._host.alive.values():
            lame = self._behaviour is Behaviour.LAME
            self._fleet.start_agent(self._target.host_id, NAMES[:-1] if lame else NAMES)
        return failure or Completed(0, None, _OK, "")

    def _change_service(self, kind: str, full_name: str) -> Completed:
        """Stop or start a service. agentd does so, and the control program takes its yes for a fault, as real ones."""
        failure = self._fail()
        if failure is not None:
            return failure
        if "agentd" not in self._host.alive.values():
            return _refuse(_DOWN)
        name = full_name.removeprefix(f"{self._target.agent_prefix}_")
        if kind == "service start":
            self._host.alive |= self._fleet.make_processes((name,))
        else:
            self._host.alive = {pid: alive for pid, alive in self._host.alive.items() if alive != name}
        done = r"decode resp {\"successful\":true,\"status\":200}\ncause:\nunexpected end of JSON input"
        return _refuse(f"Module=api/client, kind=INTERNAL, code=decode_result_failed; api /api/v1, {done}")

    def _fail(self) -> Completed | None:
        """Return what the control program answers to stop and start alike where it does not do them; else None."""
        match self._behaviour:
            case Behaviour.LOST:
                raise HostConnectionError(Unreachable(self._target.endpoint, "connection lost while running a command"))
            case Behaviour.MISSING | Behaviour.BARE:
                return _NOT_FOUND
            case Behaviour.REFUSING:
                return _refuse(self._fleet.refusal)
            case _:
                return None


_NOT_FOUND = Completed(127, None, "", "sh: 1: not found")


def join_stop_output(before: Completed, call: Completed, after: Completed) -> Completed:
    """Return what the stop command answers: a look, how the agent's own stop ended, and another look."""
    looked = before.stdout.removesuffix("ocpfleet: end\n")
    ended = f"ocpfleet: call\n{call.stdout}\nocpfleet: status {call.exit_status}\n"
    return Completed(0, None, f"{looked}{ended}{after.stdout}", call.stderr)


def _parse_command(command: Command) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a command and the words after the script's name."""
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


async def _wait(seconds: float, limit: float) -> None:
    await asyncio.sleep(min(seconds, limit))
    if seconds > limit:
        raise CommandTimeoutError(Completed(None, None, "", ""))


def _refuse(error: str) -> Completed:
    return Completed(255, None, "", f'{{"successful":false,"message":null,"error":"{error}"}}')
