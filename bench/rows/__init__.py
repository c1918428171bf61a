"""The rows of the goal table, one module for those that are measured together."""
