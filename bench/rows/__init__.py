"""The rows of the goal table. Rows in one module are measured together."""
