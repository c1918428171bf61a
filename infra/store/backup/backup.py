"""The record into a file, and back. A file names every member of every key, so that any Redis or Valkey takes it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from redis.asyncio import Redis

from core.brake import Brake
from core.chunks import chunks
from core.errors import Conflict, Misconfigured
from infra.store import keys
from infra.store.backup import backupfile
from infra.store.backup.backupfile import PART, Contents, Part
from infra.store.backup.renumber import LEFT_OUT, Life
from infra.store.backup.snapshot import open_snapshot
from infra.store.brake import encode_brake
from infra.store.connection import translate_errors

_EVERYTHING: Final = f"{keys.PREFIX}*"
_TOGETHER: Final = 100
"""Commands of a restore in one round trip."""
_ADDING: Final = MappingProxyType(
    {"string": "SET", "hash": "HSET", "list": "RPUSH", "set": "SADD", "zset": "ZADD", "stream": "XADD"}
)
Command = tuple[Any, ...]


async def back_up(client: Redis, path: Path, now: int) -> Contents:
    """Write the record as it is at one moment into a new file.

    Args:
        client: of the store.
        path: the file; it must not be there. Its folder needs room for all that the server holds.
        now: when this is, in milliseconds since the epoch.

    Raises:
        InvalidRequest: the file is there already, or cannot be written.
        StoreUnavailable: the store does not answer.
        Unavailable: it gives no snapshot, or none that can be read.
        Misconfigured: the store holds no whole record.
    """
    database = int(client.connection_pool.connection_kwargs.get("db") or 0)
    with backupfile.create_file(path, now) as writer:
        async with open_snapshot(client, database, path.parent) as copy:
            if await copy.exists(keys.RESTORING):
                raise Misconfigured("The record is not whole: a restore is at work, or broke off. Nothing was written.")
            async for part in _parts(copy):
                writer.write(part)
            tasks, hosts = await copy.zcard(f"{keys.PREFIX}tasks"), await copy.zcard(keys.HOSTS)
        return writer.close(tasks, hosts)


async def _parts(copy: Redis) -> AsyncIterator[Part]:
    found: list[bytes] = await copy.execute_command("KEYS", _EVERYTHING)
    for chunk in chunks(sorted(found), PART):
        pipeline = copy.pipeline(transaction=False)
        for key in chunk:
            pipeline.execute_command("TYPE", key)
            pipeline.execute_command("PEXPIRETIME", key)
        answers = await pipeline.execute()
        for key, kind, gone_at in zip(chunk, answers[::2], answers[1::2], strict=True):
            if key.startswith(LEFT_OUT) or gone_at == _NOT_THERE:
                continue
            for members in _pieces(kind.decode(), await _READING[kind.decode()](copy, key)):
                yield Part(kind.decode(), key, None if gone_at < 0 else gone_at, members)


_NOT_THERE: Final = -2
_READING: Final = MappingProxyType[str, Callable[[Redis, bytes], Awaitable[Any]]](
    {
        "string": lambda copy, key: copy.get(key),
        "hash": lambda copy, key: copy.hgetall(key),
        "list": lambda copy, key: copy.lrange(key, 0, -1),
        "set": lambda copy, key: copy.smembers(key),
        "zset": lambda copy, key: copy.zrange(key, 0, -1, withscores=True),
        "stream": lambda copy, key: copy.xrange(key),
    }
)


def _pieces(kind: str, value: Any) -> Iterator[Sequence[bytes]]:
    """Yield the members of a key as the command that adds them takes them, in pieces of one command each."""
    match kind:
        case "string":
            yield [value]
        case "stream":
            for entry, fields in value:
                yield [entry, *(word for pair in fields.items() for word in pair)]
        case "hash":
            yield from chunks([word for pair in value.items() for word in pair], PART)
        case "zset":
            yield from chunks([word for member, score in value for word in (b"%.17g" % score, member)], PART)
        case _:
            yield from chunks(list(value), PART)


@dataclass(frozen=True, slots=True)
class Restore:
    """How a backup is restored."""

    path: Path
    now: int
    """When this is, in milliseconds since the epoch."""
    replace: bool
    """Whether a record that is there is removed first."""
    brake: Brake | None
    """Put on before anybody can work; None lets workers begin at once."""


async def restore(client: Redis, wanted: Restore) -> Contents:
    """Write a backup into a store, as the first of a new life of the record.

    Raises:
        InvalidRequest: the file is no whole backup.
        Conflict: there is a record already, or a worker is alive.
        StoreUnavailable: the store does not answer. What was written is not whole, and no process starts on it.
    """
    contents = backupfile.verify(wanted.path)
    with translate_errors():
        await _make_room(client, replace=wanted.replace)
        await client.set(keys.RESTORING, wanted.path.name)
        life = Life(wanted.now)
        renewed = (part for one in backupfile.read_parts(wanted.path) if (part := life.renumber(one)) is not None)
        for commands in _batches(renewed):
            pipeline = client.pipeline(transaction=False)
            for words in commands:
                pipeline.execute_command(*words)
            await pipeline.execute()
        if wanted.brake is not None:
            await client.set(keys.BRAKE, encode_brake(wanted.brake), nx=True)
        await client.delete(keys.RESTORING)
    return contents


async def _make_room(client: Redis, *, replace: bool) -> None:
    alive = [key async for key in client.scan_iter(f"{keys.PREFIX}alive:*", 1000)]
    if alive:
        raise Conflict(
            f"{len(alive)} workers are alive in the store. Stop all workers and APIs first, wait until they count as "
            "dead (OCPFLEET_ALIVE_FOR), then restore. Nothing was changed."
        )
    async for key in client.scan_iter(_EVERYTHING, 1000):
        if not replace:
            raise Conflict(
                "There is a record in the store already. Restore into an empty one, or remove this one with --replace; "
                "take a backup of it before. Nothing was changed."
            )
        await client.unlink(key)


def _batches(parts: Iterable[Part]) -> Iterator[list[Command]]:
    batch: list[Command] = []
    for part in parts:
        batch.append((_ADDING[part.type], part.key, *part.members))
        if part.gone_at is not None:
            batch.append(("PEXPIREAT", part.key, part.gone_at))
        if len(batch) >= _TOGETHER:
            yield batch
            batch = []
    yield batch
