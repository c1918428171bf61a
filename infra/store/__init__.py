"""The record's keepers: Redis, and an in-memory twin that passes the same tests."""
