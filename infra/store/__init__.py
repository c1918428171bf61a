"""The store: the one place where anything is true, kept in Redis."""
