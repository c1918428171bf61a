"""Errands and their answers as the store keeps them: JSON."""

from typing import Any

import orjson

from core.agent import AgentInspection, InspectedProcess
from core.errand import Errand, ErrandAnswer, ErrandFailed, ErrandKind


def encode(value: Errand | ErrandAnswer) -> str:
    """Return an errand or an answer as JSON."""
    return orjson.dumps(value).decode()


def decode_errand(raw: str) -> Errand:
    """Return an errand."""
    found: dict[str, Any] = orjson.loads(raw)
    return Errand(**(found | {"kind": ErrandKind(found["kind"])}))


def decode_answer(raw: str) -> ErrandAnswer:
    """Return an answer."""
    found: dict[str, Any] = orjson.loads(raw)
    if "sentence" in found:
        return ErrandFailed(**found)
    processes = tuple(map(_process, found["processes"]))
    return AgentInspection(found["installed"], found["version"], processes)


def _process(found: dict[str, Any]) -> InspectedProcess:
    ports = found["ports"]
    return InspectedProcess(**(found | {"ports": None if ports is None else tuple(ports)}))
