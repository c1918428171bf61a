"""Watching tasks: one reader of the store for a whole process, a channel for each task, a stream for each client."""
