"""The store: the one place where anything is true, kept in Redis."""

from infra.store.store import Store

__all__ = ["Store"]
