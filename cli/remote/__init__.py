"""The API as the commands use it: where it is, who asks, its replies and errors, and a task's events."""
