"""Everything that can die dies, again and again, under load: run by `make chaos`, never by `make test`."""
