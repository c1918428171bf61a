"""The one way to Redis: commands, scripts, and one error if it does not answer."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.client import NEVER_DECODE
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from core.errors import StoreUnavailable
from core.text import say
from infra.store.scripts.source import read_script
from infra.store.values import StoreOptions

Argument = str | bytes | int
Reply = Any
"""The reply to a command: nested lists, maps, strings, numbers and None. Each caller knows its shape."""

_NO_NOTICES: Final = MaintNotificationsConfig(enabled=False)
"""While the client waits for notices of maintenance, its pool hands out connections that the server has closed."""
_IN_PIPELINE: Final = re.compile(r"of pipeline caused error: \(['\"](.*)['\"],\)$", re.DOTALL)
"""How the client wraps the error of one command in a pipeline."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn the errors of Redis, and of the way to it, into the one that callers know.

    A refused script changed nothing. A server without memory or disk refuses a script at its first write, and at no
    later one. So no script stops half-way.

    Raises:
        StoreUnavailable: the block met such an error.
    """
    try:
        yield
    except ResponseError as error:
        raise StoreUnavailable(
            say(
                "The store refuses ({kind}: {reason}). "
                "See to the Redis at OCPFLEET_REDIS_URL, to its disk and its memory, then try again.",
                kind=type(error).__name__,
                reason=_reason(error),
            )
        ) from error
    except (RedisError, OSError) as error:
        raise StoreUnavailable(
            say(
                "The store does not answer ({kind}: {reason}). "
                "Check that Redis runs at OCPFLEET_REDIS_URL, then try again.",
                kind=type(error).__name__,
                reason=error,
            )
        ) from error


def _reason(error: ResponseError) -> str:
    """Return what the server said, without the name of our command or script."""
    found = _IN_PIPELINE.search(str(error))
    return (found[1] if found else str(error)).partition(" script: ")[0]


def build_pool_arguments(options: StoreOptions) -> dict[str, Any]:
    """Return the arguments of a blocking pool: its size and limits. The client retries nothing by itself."""
    return {
        "max_connections": options.connections,
        "timeout": options.timeout,
        "socket_timeout": options.timeout,
        "socket_connect_timeout": options.timeout,
        "decode_responses": True,
        "health_check_interval": 30,
        "retry": Retry(NoBackoff(), 0),
        "maint_notifications_config": _NO_NOTICES,
    }


class Connection:
    """A pool of connections to one Redis. The client decodes replies to text.

    Every method raises `StoreUnavailable` if Redis does not answer, or refuses.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client

    def open_separate(self) -> "Connection":
        """Return a connection for one caller. Its first call takes it out of the pool."""
        return Connection(self._client.client())

    async def call(self, *words: Argument) -> Reply:
        """Run one command."""
        with translate_errors():
            return await self._client.execute_command(*words)

    async def call_raw(self, *words: Argument) -> Reply:
        """Run one command; strings in its reply stay bytes."""
        with translate_errors():
            return await self._client.execute_command(*words, **{NEVER_DECODE: True})

    async def calls(self, commands: Sequence[tuple[Argument, ...]]) -> list[Reply]:
        """Run several commands in one round trip. They are not a transaction."""
        with translate_errors():
            pipeline = self._client.pipeline(transaction=False)
            for words in commands:
                pipeline.execute_command(*words)
            return list(await pipeline.execute())

    async def run(self, name: str, /, *more: bytes, **args: object) -> Reply:
        """Run one of our scripts that takes its arguments by name.

        Args:
            name: its file name without its ending.
            more: what JSON cannot carry, as the head of the script says.
            args: its `args`: texts, numbers that Lua can hold (up to 2^53), booleans, and sequences and mappings of
                these. None is left out.
        """
        return await self.run_hot(name, _encode(args), *more)

    async def run_hot(self, name: str, /, *arguments: Argument) -> Reply:
        """Run one of our scripts that are called so often that they take their arguments by place.

        Args:
            name: its file name without its ending.
            arguments: its ARGV, as its head describes them.
        """
        text, sha = read_script(name)
        with translate_errors():
            try:
                return await self._client.execute_command("EVALSHA", sha, 0, *arguments)
            except NoScriptError:
                return await self._client.execute_command("EVAL", text, 0, *arguments)

    async def run_replicated(
        self, name: str, args: Mapping[str, object], *, replicas: int, timeout: float
    ) -> tuple[Reply, int]:
        """Run a script that writes, with arguments as for `run`, then wait for replicas on the same connection.

        Returns:
            The script's answer, and how many replicas have the write after at most `timeout` seconds.
        """
        text, sha = read_script(name)
        with translate_errors():
            await self._client.execute_command("SCRIPT", "LOAD", text)
            pipeline = self._client.pipeline(transaction=False)
            pipeline.execute_command("EVALSHA", sha, 0, _encode(args))
            pipeline.execute_command("WAIT", replicas, int(timeout * 1000))
            answer, reached = await pipeline.execute()
        return answer, int(reached)

    async def aclose(self) -> None:
        """Close the pool."""
        await self._client.aclose()


def _encode(args: Mapping[str, object]) -> bytes:
    return orjson.dumps({name: value for name, value in args.items() if value is not None})
