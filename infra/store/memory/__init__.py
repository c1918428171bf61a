"""The record in this process's memory: the public twin of the one in Redis, held to the same tests."""
