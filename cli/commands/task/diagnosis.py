"""`ocpfleet task diagnosis`: everything about a task, as a ZIP archive."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli import output
from cli.commands.task.course import TaskId
from cli.remote import api as remote
from cli.remote.client import Client
from core.errors import InvalidRequest

Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="by default in this directory")]


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("diagnosis", help="Save everything about a task, with every log, as a ZIP archive.")(_diagnosis)


def _diagnosis(task: TaskId, file: Output = None) -> None:
    target = file or Path(f"task_{task}_diagnosis.zip")
    if target.exists():
        raise InvalidRequest(
            "--output", str(target), f"{target} already exists. Move it, or name another file with --output."
        )
    size = remote.run(lambda client: _save(client, task, target))
    output.say(f"{target}: {size} bytes")


async def _save(client: Client, task_id: int, target: Path) -> int:
    """Write the archive to a draft beside its target and rename it: a file with the target's name is complete."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        async with client.stream("POST", f"/tasks/instances/{task_id}/downloadDiagnosis") as pieces:
            with draft.open("wb") as opened:
                async for piece in pieces:
                    opened.write(piece)
        size = draft.stat().st_size
        draft.replace(target)
    except OSError as error:
        raise InvalidRequest("--output", str(target), f"{target} cannot be written: {error.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
    return size
