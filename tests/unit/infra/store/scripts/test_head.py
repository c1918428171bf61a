"""The scripts know the moves and the letters from the table alone."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from core.status import Status
from core.transition import MOVES, Move
from infra.store.codes import OPERATION_LETTERS, STATUS_LETTERS
from infra.store.scripts import source
from infra.store.scripts.head import render_head
from tests.support.records import FIRST, make_failures, make_successes, make_undos
from tests.support.scenario import Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from tests.support.scenario import Task

    Call = Callable[[], Awaitable[object]]
    Scene = Callable[[Record, Task], Awaitable[Call]]

LETTERS = {*STATUS_LETTERS.values(), *OPERATION_LETTERS.values()}
FOLDER = Path(source.__file__).parent
SCRIPTS = sorted(str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*.lua"))


@pytest.fixture
async def record() -> AsyncIterator[Record]:
    server = FakeServer()
    record = Record(lambda: FakeAsyncRedis(server=server, decode_responses=True))
    yield record
    await record.aclose()


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_names_a_letter(name: str) -> None:
    code = re.sub(r"--.*", "", (FOLDER / name).read_text())
    words = re.findall(r"['\"]([^'\"]*)['\"]", code)
    fields = re.findall(r"[.{ ]([A-Z])(?= =|\b[^.(])", code)
    assert not {word.rpartition(":")[2] for word in words} & LETTERS
    assert not set(fields) - {"P", "S"} & LETTERS


def test_the_head_has_every_move() -> None:
    head = render_head()
    for move, rule in MOVES.items():
        assert f"['{move}'] = '{STATUS_LETTERS[rule.target]}'" in head


@contextmanager
def without(move: Move, status: Status) -> Iterator[None]:
    """Let the scripts be made of a table in which this move does not start from this status."""
    moves = {**MOVES, move: replace(MOVES[move], sources=MOVES[move].sources - {status})}
    source.read_script.cache_clear()
    try:
        with patch.object(source, "render_head", lambda: render_head(moves)):
            yield
    finally:
        source.read_script.cache_clear()


async def claim(_: Record, task: Task) -> Call:
    return lambda: task.claim(0)


async def succeed(_: Record, task: Task) -> Call:
    claims = await task.claim(0)
    return lambda: task.settle(make_successes(claims), step=0)


async def fail(_: Record, task: Task) -> Call:
    claims = await task.claim(0)
    return lambda: task.settle(make_failures(claims), step=0)


async def undo(_: Record, task: Task) -> Call:
    await task.fail_step(0)
    await task.roll_back()
    claims = await task.claim(0)
    return lambda: task.settle(make_undos(claims), step=0)


async def lose(_: Record, task: Task) -> Call:
    claims = [one.key for one in await task.claim(0)]
    return lambda: task.reopen(FIRST, claims, lost=None)


async def ask_cancel(_: Record, task: Task) -> Call:
    await task.claim(0)
    return lambda: task.cancel(0)


async def cancel(_: Record, task: Task) -> Call:
    claims = await task.claim(0)
    await task.cancel(0)
    return lambda: task.settle(make_successes(claims), step=0)


async def call_off(_: Record, task: Task) -> Call:
    return task.cancel


async def retry(_: Record, task: Task) -> Call:
    await task.fail_step(0)
    return task.retry


async def skip(_: Record, task: Task) -> Call:
    await task.fail_step(0)
    return lambda: task.skip(0)


async def roll_back(_: Record, task: Task) -> Call:
    await task.fail_step(0)
    return task.roll_back


async def claim_what_was_done(_: Record, task: Task) -> Call:
    first, *others = await task.claim(0)
    await task.succeed([first])
    await task.fail(others)
    await task.roll_back()
    return lambda: task.claim(0)


SCENES: dict[tuple[Move, Status], Scene] = {
    (Move.CLAIM, Status.READY): claim,
    (Move.SUCCEED, Status.RUNNING): succeed,
    (Move.UNDO, Status.RUNNING): undo,
    (Move.FAIL, Status.RUNNING): fail,
    (Move.LOSE, Status.RUNNING): lose,
    (Move.ASK_CANCEL, Status.RUNNING): ask_cancel,
    (Move.CANCEL, Status.CANCELING): cancel,
    (Move.CALL_OFF, Status.READY): call_off,
    (Move.RETRY, Status.FAILED): retry,
    (Move.SKIP, Status.FAILED): skip,
    (Move.ASK_ROLLBACK, Status.FAILED): roll_back,
    (Move.ASK_ROLLBACK, Status.SUCCESSFUL): claim_what_was_done,
}
"""For each source of a move, what leads up to it, and the call that makes it with the first subtask."""


def test_every_source_of_every_move_has_a_scene() -> None:
    assert set(SCENES) == {(move, status) for move, rule in MOVES.items() for status in rule.sources}


async def _prepare(record: Record, scene: Scene) -> tuple[Task, Call]:
    await record.start_worker()
    task = await record.accept((1, 2))
    return task, await scene(record, task)


async def _status(task: Task) -> Status | None:
    """Return what is written of the first subtask, None where nothing is."""
    found = (await task.subtasks()).get(0)
    return found.status if found else None


@pytest.mark.parametrize(("move", "status"), SCENES)
async def test_the_scripts_make_a_move_from_the_sources_that_the_table_names(
    record: Record, move: Move, status: Status
) -> None:
    task, call = await _prepare(record, SCENES[move, status])
    before = await _status(task)
    await call()
    assert await _status(task) is not before


@pytest.mark.parametrize(("move", "status"), SCENES)
async def test_the_scripts_refuse_a_move_from_a_source_that_was_taken_out_of_the_table(
    record: Record, move: Move, status: Status
) -> None:
    task, call = await _prepare(record, SCENES[move, status])
    before = await task.subtasks()
    with without(move, status):
        await call()
    assert (await task.subtasks()).get(0) == before.get(0)
