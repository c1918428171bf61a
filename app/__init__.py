"""The HTTP API: accepts requests, stores tasks, publishes the head of their chains, answers what the record says."""
