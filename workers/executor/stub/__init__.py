"""Hosts that do not exist: each has an agent that answers as a real one does."""
