"""Runs the steps of a task: steps that touch only the record, and steps on hosts, which run in lanes."""
