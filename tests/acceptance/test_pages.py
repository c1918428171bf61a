"""The commands of README and docs, in the order in which a reader meets them, on one system like that of `make up`."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import asyncssh
import httpx
import pytest

from cli.main import main
from demo.stack import get_client_file, run_stack
from tests.support.pages import DOCS, README, find_blocks, parse_curl
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from demo.stack import Stack
    from tests.support.pages import Block, Request

BROKEN = (1002, 1003)
"""The hosts whose agent is missing when a block asks for a failed task."""
EMPTY_DATABASES = range(10, 16)
"""Databases of the system's server that are empty stores for the commands that need one."""


class Reader:
    """Somebody who follows the pages, with a system before them."""

    def __init__(self, stack: Stack, directory: Path, http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
        self._facts = stack.facts
        self._agents = stack.agents
        self._directory = directory
        self._monkeypatch = monkeypatch
        self._empty_databases = iter(EMPTY_DATABASES)
        self._http = http

    def follow(self, block: Block) -> None:
        """Run a block's commands in the state that its note asks for. Leave no task running and no host held."""
        try:
            with self._prepare(block.note):
                for words in block.commands():
                    self._run([self._fill_in(word) for word in words])
        except Exception as error:
            error.add_note(f"{block.place} says so")
            raise
        for task in self._find_tasks("RUNNING"):
            self._wait_for_end(task)
        holders = {host["holderTaskId"] for host in self._get("/compute/hosts")["contents"]} - {None}
        for task in holders:
            self._post(f"/tasks/instances/{task}/rollback")
            assert self._wait_for_end(task) == "SUCCESSFUL"

    def _fill_in(self, word: str) -> str:
        """Put what is true of this system in the place of what the pages say."""
        for written, here in (
            ("PASSWORD", self._facts.password),
            ("http://127.0.0.1:8080", self._facts.api),
            ("var/up-client.toml", str(get_client_file(self._directory))),
            ("/backups/", f"{self._directory}/"),
        ):
            word = word.replace(written, here)
        newest = str(self._get("/tasks/instances?size=1")["contents"][0]["id"]) if "17" in word else ""
        return newest if word == "17" else word.replace("/17/", f"/{newest}/")

    def _run(self, words: Sequence[str]) -> None:
        match words[0].rpartition("/")[2]:
            case "curl":
                _send(parse_curl(words))
            case "export":
                self._monkeypatch.setenv(*words[1].split("=", 1))
            case "ocpfleet":
                self._run_ocpfleet(words[1:])
            case program:
                raise AssertionError(f"{program}: this test does not know the command")

    def _run_ocpfleet(self, words: Sequence[str]) -> None:
        """Run it in this process: a process of its own would take longer to import it than the command takes."""
        self._monkeypatch.setattr(sys, "argv", ["ocpfleet", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code, words

    @contextmanager
    def _prepare(self, state: str) -> Iterator[None]:
        match state:
            case "":
                yield
            case "with a failed task" | "with a failed task whose host is mended":
                programs = [self._agents[host].agentctl for host in BROKEN]
                for program in programs:
                    program.rename(program.with_suffix(".away"))
                task = self._post("/compute/hosts/batchStopAgents", {"hostIds": BROKEN})["id"]
                assert self._wait_for_end(task) == "FAILED"
                if state == "with a failed task":
                    yield
                for program in programs:
                    program.with_suffix(".away").rename(program)
                if state == "with a failed task whose host is mended":
                    yield
            case "with a running task":
                self._post("/fleet/brake", {"reason": "nothing of the task may begin before its block runs"})
                task = self._post("/compute/hosts/1001/agent/stop")["id"]
                yield
                assert self._wait_for_end(task) == "FAILED"
                assert self._http.delete("/fleet/brake").status_code == httpx.codes.OK
            case "with an empty store":
                server = self._facts.redis.rpartition("/")[0]
                with self._monkeypatch.context() as changed:
                    changed.setenv("OCPFLEET_REDIS_URL", f"{server}/{next(self._empty_databases)}")
                    yield
            case _:
                raise AssertionError(f"{state}: this test does not know the state")

    def _find_tasks(self, status: str) -> list[int]:
        return [task["id"] for task in self._get(f"/tasks/instances?status={status}")["contents"]]

    def _wait_for_end(self, task: int) -> str:
        def has_ended() -> bool:
            return bool(self._get(f"/tasks/instances/{task}")["status"] != "RUNNING")

        wait_until(has_ended, 60, f"task {task} to end")
        return str(self._get(f"/tasks/instances/{task}")["status"])

    def _get(self, path: str) -> Any:
        reply = self._http.get(path)
        assert reply.status_code == httpx.codes.OK, reply.text
        return reply.json()["data"]

    def _post(self, path: str, body: Any = None) -> Any:
        reply = self._http.post(path, json=body)
        assert reply.status_code == httpx.codes.OK, reply.text
        return reply.json()["data"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "up"


@pytest.fixture
def stack(directory: Path) -> Iterator[Stack]:
    with run_stack(directory, hosts=3, workers=1, say=print) as stack:
        stack.facts.write_client(get_client_file(directory))
        yield stack


@pytest.fixture
def reader(stack: Stack, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    facts = stack.facts
    monkeypatch.chdir(directory)
    monkeypatch.setenv("OCPFLEET_CLIENT_FILE", str(get_client_file(directory)))
    monkeypatch.setenv("OCPFLEET_REDIS_URL", facts.redis)
    monkeypatch.setenv("OCPFLEET_KEY_FILE", str(directory / "key-encryption-key"))
    with httpx.Client(base_url=f"{facts.api}/api/v2", auth=(facts.user, facts.password), timeout=30) as http:
        yield Reader(stack, directory, http, monkeypatch)


def test_every_command_that_can_be_run_does_what_the_page_says(reader: Reader, directory: Path) -> None:
    for page in (README, *DOCS):
        for block in find_blocks(page):
            if block.language == "csv":
                (directory / "fleet.csv").write_text(block.text.replace("ssh-ed25519 AAAAC3…", _make_public_key()))
            if block.language == "sh" and not block.note.startswith("not run: "):
                reader.follow(block)


def _send(request: Request) -> None:
    reply = httpx.request(
        request.method, request.url, auth=request.auth, headers=request.headers, content=request.body, timeout=30
    )
    assert reply.status_code == httpx.codes.OK, f"{request.url}: {reply.text}"


def _make_public_key() -> str:
    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
