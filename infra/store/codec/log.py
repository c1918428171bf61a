"""How the log of a run is kept: a small JSON document, compressed against a dictionary of what such logs say.

The logs of a fleet resemble each other, so the dictionary does most of the work: a normal stop takes about a hundred
bytes. A dictionary can never change once logs were written with it; a new one gets a new first byte.
"""

import zlib
from typing import Final

import orjson

from core.journal import Level, Line, RunLog
from infra.store.codes import OPERATION_LETTERS, OPERATION_OF

_FORM: Final = b"\x01"
_DICTIONARY: Final = (
    b'Connected to 127.0.0.1:22 as admin."]],[0,"I","exit status 0"],[0,"I","exit status 255"],[0,"I","stderr: '
    b'{\\"successful\\":false,\\"message\\":null,\\"error\\":\\"Module=agent, kind=INTERNAL, code='
    b'stdout: {\\"successful\\":true,\\"message\\":\\"ok\\",\\"error\\":\\"\\"}"],[0,"I","'
    b"$ sh -c ocpfleet /home/admin/ocp_agent/bin ocp_agentd ocp_mgragent ocp_monagent"
    b"$ /home/admin/ocp_agent/bin/ocp_agentctl stop"
    b"no live process of the agent is left on the host."
    b"Was already stopped: no process of the agent was alive before or after the command."
    b"Gave host 1000 back; its agent is OFFLINE."
    b"Took host 1000: agent AVAILABLE to STOPPING, host ONLINE to OFFLINE."
    b'Every subtask before this one is SUCCESSFUL.Stopped: processes ended, {"o":"E","r":1,"w":"worker","l":[[0,"I","'
)
_LEVELS: Final = {Level.INFO: "I", Level.WARN: "W", Level.ERROR: "E"}
_LEVEL_OF: Final = {letter: level for level, letter in _LEVELS.items()}


def encode(log: RunLog) -> bytes:
    """Return the stored form of a log."""
    started = log.lines[0].at if log.lines else 0
    document = {
        "o": OPERATION_LETTERS[log.operation],
        "r": log.run_time,
        "w": log.executor,
        "t": started,
        "l": [[line.at - started, _LEVELS[line.level], line.text] for line in log.lines],
    }
    if not log.closed:
        document["open"] = 1
    compressor = zlib.compressobj(level=6, wbits=-15, zdict=_DICTIONARY)
    return _FORM + compressor.compress(orjson.dumps(document)) + compressor.flush()


def decode(stored: bytes) -> RunLog:
    """Return the log that a stored form holds."""
    document = orjson.loads(zlib.decompressobj(wbits=-15, zdict=_DICTIONARY).decompress(stored[len(_FORM) :]))
    started = document["t"]
    return RunLog(
        operation=OPERATION_OF[document["o"]],
        run_time=document["r"],
        executor=document["w"],
        lines=tuple(Line(started + after, _LEVEL_OF[level], text) for after, level, text in document["l"]),
        closed="open" not in document,
    )
