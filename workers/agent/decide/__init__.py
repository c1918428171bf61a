"""Deciders: pure functions that say what to do next on a host, from what has happened there so far."""
