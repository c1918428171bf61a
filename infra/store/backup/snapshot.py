"""The record at one moment: the server's own snapshot, read by a server of ours that serves nobody else.

The server forks and sends what it would send a new replica (`SYNC`). It is held up for the fork alone, some
milliseconds for each GB that it holds, and by no key. Since we acknowledge nothing, we count as no replica.
"""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from redis import exceptions
from redis.asyncio import Redis

from core.errors import Unavailable
from infra.embedded import prepare_reader
from infra.store.connection import translate_errors

_PATIENCE: Final = 60.0
"""Seconds between two signs of life of the server while it saves and sends."""
_LOOK_EVERY: Final = 0.05
_PIECE: Final = 1 << 20


@asynccontextmanager
async def open_snapshot(client: Redis, database: int, beside: Path) -> AsyncIterator[Redis]:
    """Take a snapshot and give a client (replies as bytes) of a server that holds it and nothing else.

    Args:
        client: of the server.
        database: the number of the record's database there.
        beside: a folder with room for all that the server holds; nothing stays there.

    Raises:
        StoreUnavailable: the server does not answer.
        Unavailable: it gives no snapshot, or one that the embedded server cannot read.
    """
    with TemporaryDirectory(prefix=".ocpfleet-", dir=beside) as room, TemporaryDirectory(prefix="ocpfleet-") as near:
        file, socket = Path(room) / "snapshot.rdb", Path(near) / "s"
        with translate_errors():
            await _fetch(client, file)
        reader = await asyncio.create_subprocess_exec(
            *prepare_reader(Path(room), file, socket), stdout=asyncio.subprocess.DEVNULL
        )
        copy = Redis(unix_socket_path=str(socket), db=database)
        try:
            await _wait_until_loaded(reader, copy)
            yield copy
        finally:
            await copy.aclose()
            if reader.returncode is None:
                reader.terminate()
            await reader.wait()


async def _fetch(client: Redis, file: Path) -> None:
    connection = await client.connection_pool.get_connection()
    try:
        await connection.send_command("SYNC")
        stream = connection._reader  # noqa: SLF001 - what comes is a file, not a reply, and there is no other way to it
        if stream is None:
            raise exceptions.ConnectionError("closed")
        size = await _read_size(stream)
        with file.open("wb") as snapshot:
            while size:
                piece = await asyncio.wait_for(stream.read(min(size, _PIECE)), _PATIENCE)
                if not piece:
                    raise exceptions.ConnectionError("the server closed the connection within its snapshot")
                snapshot.write(piece)
                size -= len(piece)
    finally:
        await connection.disconnect()  # commands that follow a snapshot are on their way
        await client.connection_pool.release(connection)


async def _read_size(stream: asyncio.StreamReader) -> int:
    """Return how many bytes of a snapshot follow; while the server saves it sends empty lines."""
    while True:
        line = (await asyncio.wait_for(stream.readline(), _PATIENCE)).strip()
        if line.startswith(b"$") and line[1:].isdigit():
            return int(line[1:])
        if line:
            raise Unavailable(
                f"The store gives no snapshot ({line.decode(errors='replace')}). Its user needs +sync, and it must be "
                "a primary or a replica in step. Or use the server's own means: docs/recovery.md, “Backup and restore”."
            )
        if stream.at_eof():
            raise exceptions.ConnectionError("the server closed the connection")


async def _wait_until_loaded(reader: Process, copy: Redis) -> None:
    while reader.returncode is None:
        try:
            await copy.ping()
        except (exceptions.BusyLoadingError, exceptions.ConnectionError):
            await asyncio.sleep(_LOOK_EVERY)
        else:
            return
    raise Unavailable(
        "The embedded server cannot read the store's snapshot: the store is of a newer kind, or the snapshot is "
        "damaged. Use the store's own means: docs/recovery.md, “Backup and restore”."
    )
