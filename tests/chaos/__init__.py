"""`make chaos`: kills every process of a system again and again under load. `make test` does not run it."""
