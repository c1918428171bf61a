"""The worker process: claims work from the record, does it on the hosts, records what happened."""
