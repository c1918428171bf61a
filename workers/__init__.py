"""The worker process: it claims work from the record, does it on the hosts, and records what happened."""
