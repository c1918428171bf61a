"""Many claims, a chunk at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from core.chunks import chunks
from infra.store.values import CHUNK

S = TypeVar("S")
T = TypeVar("T")


async def map_chunks(claims: Sequence[S], do: Callable[[Sequence[S]], Awaitable[T]]) -> list[T]:
    """Do something with claims in chunks, two at a time: while the store works on one, the other is made or read."""
    every = list(chunks(claims, CHUNK))

    async def do_each(some: Sequence[Sequence[S]]) -> list[T]:
        return [await do(chunk) for chunk in some]

    halves = [asyncio.create_task(do_each(every[first::2])) for first in range(min(2, len(every)))]
    try:
        return [answer for half in halves for answer in await half]
    finally:
        for half in halves:
            half.cancel()
