"""What a worker writes to the record: its heartbeat, its results and the logs of open runs."""
