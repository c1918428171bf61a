"""What happened to a subtask, as a value: one class and one sentence for each way it can end."""
