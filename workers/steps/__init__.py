"""The steps of a task as a worker runs them: those on the record, and those on hosts in lanes."""
