"""The work on the agent of one host: look at its processes, stop them, start them, prove it."""
