"""What the OpenAPI document says of the replies about a task that are streamed: its events, and its archive."""

from typing import Final

EVENTS: Final = """Messages until the task ends, at most four a second, each with a JSON document:

- `snapshot`: how the task stands (`status`, `operation`, `progress` of each step, `failedHostIds`: at most 1,000 of
  `failedHostCount`). The first message, unless `Last-Event-ID` says what the client knows.
- `progress`: the same, and in `changes` all that happened since the last message: `subtasks` gives by new status the
  ranges of ids (`[first, last]`), `openedStep` the index of a step that was opened, `rolledBackStep` that of one
  whose undoing began, `status` what the task became.
- `end`: the same once the task has ended; then the connection closes. With its id the answer is 204.
- `reset`: what happened since `Last-Event-ID` is not known any more; a snapshot follows.
- `unavailable`: `message` says why the stream ends before the task. Connect again with `Last-Event-ID`.

Comments (`:`) keep a quiet stream open.
"""
EVENT_SCHEMA: Final = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "enum": ["snapshot", "progress", "end", "reset", "unavailable"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string", "description": "what Last-Event-ID takes up again"},
        "retry": {"type": "integer"},
    },
}
"""One message of a stream."""
ARCHIVE: Final = (
    "task_info.txt, with a line for each subtask in the order in which they run: its id, its status, and the ids "
    "that it waits for or `-`; and a file subtask_<id>_<run>.log for each run that has a log."
)
