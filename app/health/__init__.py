"""Whether the process is up and can accept work."""
