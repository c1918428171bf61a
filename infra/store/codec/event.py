"""How the events of a task read: from the words that are kept of a batch of changes to a value of `core`."""

from collections.abc import Mapping

from core.event import Span, TaskEvent
from core.status import TaskStatus
from infra.store.codes import STATUS_OF


def parse_event(event_id: str, fields: Mapping[str, str]) -> TaskEvent:
    """Return an event from its entry in a task's stream. Fields of a newer code are passed over."""
    return TaskEvent(
        id=event_id,
        at=int(fields.get("at", "0")),
        step=int(fields["step"]) if "step" in fields else None,
        changed={STATUS_OF[name]: _spans(text) for name, text in fields.items() if name in STATUS_OF},
        opened=int(fields["opened"]) if "opened" in fields else None,
        rollback_step=int(fields["back"]) if "back" in fields else None,
        task=TaskStatus(fields["task"]) if "task" in fields else None,
    )


def _spans(text: str) -> tuple[Span, ...]:
    parts = (part.partition("-") for part in text.split(","))
    return tuple((int(first), int(last or first)) for first, _, last in parts)
