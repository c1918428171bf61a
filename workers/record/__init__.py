"""How a worker speaks to the record: its presence, its results and the logs of open runs."""
