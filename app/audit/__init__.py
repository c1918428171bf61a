"""The audit: who did what, recorded and read."""
