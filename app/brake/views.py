"""The fleet's brake as a reply shows it."""

from app.http.wire import stamp
from core.brake import Brake


def brake_document(brake: Brake | None) -> dict[str, object]:
    """Return the brake; None is one that is off."""
    return {
        "braked": brake is not None,
        "by": brake.by if brake else None,
        "reason": brake.reason if brake else None,
        "since": stamp(brake.at) if brake else None,
    }
