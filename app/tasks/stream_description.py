"""Describes the streamed replies about a task in the OpenAPI document: its events and its archive."""

from typing import Final

EVENTS: Final = """Messages until the task ends, at most four a second, each with a JSON document:

- `snapshot`: the state of the task (`status`, `operation`, `progress` of each step, `failedHostIds`: at most 1,000 of
  `failedHostCount`). The first message, unless `Last-Event-ID` says what the client knows.
- `progress`: the same, and in `changes` all that happened since the last message: `subtasks` has ranges of ids
  (`[first, last]`) by new status, `openedStep` is the index of a step that was opened, `rolledBackStep` that of a step
  whose rollback began, `status` the new status of the task.
- `end`: the same once the task has ended; then the connection closes. With its id the answer is 204.
- `reset`: what happened since `Last-Event-ID` is no longer known; a snapshot follows.
- `unavailable`: `message` says why the stream ends before the task does. Connect again with `Last-Event-ID`.

Comments (`:`) keep a quiet stream open.
"""
EVENT_SCHEMA: Final = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "enum": ["snapshot", "progress", "end", "reset", "unavailable"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string", "description": "what Last-Event-ID names to continue here"},
        "retry": {"type": "integer"},
    },
}
"""One message of a stream."""
ARCHIVE: Final = (
    "task_info.txt, with a line for each subtask in the order in which they run: its id, its status, and the ids "
    "that it waits for or `-`; and a file subtask_<id>_<run>.log for each run that has a log."
)
