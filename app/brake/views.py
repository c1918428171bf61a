"""Renders the fleet's brake for replies."""

from app.http.wire import format_time
from core.brake import Brake


def render_brake(brake: Brake | None) -> dict[str, object]:
    """Return the brake. None is a brake that is off."""
    return {
        "braked": brake is not None,
        "by": brake.by if brake else None,
        "reason": brake.reason if brake else None,
        "since": format_time(brake.at) if brake else None,
    }
