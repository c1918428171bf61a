"""The record in this process's memory: the public twin of the one in Redis, held to the same tests."""

from infra.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
