"""How the processes log: each event is one line of JSON or text on standard error.

Our events and those of libraries (uvicorn, celery, asyncssh) go the same way. What looks like a credential is masked
last, so that no event has to be trusted to leave it out.
"""

import json
import logging
import re
import sys
from typing import Any, Final, Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK: Final = "******"

_VALUE: Final = r"""(?:"[^"]*"|'[^']*'|[^\s"',})]+)"""
_NAMES: Final = r"(?:\w*(?:password|passphrase|secret)|(?:proxy-)?authorization)"
_SECRET_NAME: Final = re.compile(rf"(?i){_NAMES}")
_CREDENTIALS: Final = (
    (re.compile(r"(://[^/@\s\"']*:)[^/@\s\"']*@"), rf"\1{MASK}@"),
    (
        re.compile(
            rf"(?i)({_NAMES}[\"']?\s*[:=,]\s*)(?:(?:basic|bearer|ocp-access-key-hmacsha1)\s+)?(?!None\b|null\b){_VALUE}"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)\b(basic\s+)[A-Za-z0-9+/]{8,}={0,2}"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(ocp-access-key-hmacsha1\s+[^\s:]+:)[A-Za-z0-9+/]{8,}={0,2}"), rf"\1{MASK}"),
)

_HINT: Final = re.compile(r"(?i)://|pass|secret|authorization|basic\s|hmacsha1")
"""Every text with credentials contains one of these. Most texts do not, and need no further search."""

_QUIET: Final = {
    "asyncio": logging.WARNING,
    "asyncssh": logging.WARNING,
    "celery.app.trace": logging.WARNING,
    "celery.worker.strategy": logging.WARNING,
    "uvicorn": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,
}
"""The lowest level that a library logs, where it says more than people want to read."""


def mask_credentials(text: str) -> str:
    """Return the text with whatever looks like a password or an Authorization header masked."""
    if _HINT.search(text):
        for pattern, replacement in _CREDENTIALS:
            text = pattern.sub(replacement, text)
    return text


def configure_logging(form: Literal["json", "text"], level: str) -> None:
    """Write everything that is logged to standard error in one form.

    Args:
        form: `json` for machines, `text` for people.
        level: the lowest level that is written: debug, info, warning or error.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_make_renderers(form)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _make_renderers(form: str) -> list[Processor]:
    if form == "json":
        return [structlog.processors.format_exc_info, _json_line]
    return [
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        _mask_line,
    ]


def _json_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    ordered: dict[str, Any] = {name: event.pop(name, None) for name in ("timestamp", "level", "logger", "event")}
    document = {name: _plain(name, value) for name, value in (ordered | dict(event)).items()}
    try:
        return orjson.dumps(document).decode()
    except TypeError:  # a number beyond 64 bits, or text that is not UTF-8: rare, so the slow way will do
        return json.dumps(document)


def _plain(name: object, value: object) -> object:
    """Return a value that JSON can express, without secrets."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_NAME.fullmatch(str(name)):
        return MASK
    if isinstance(value, dict):
        return {str(key): _plain(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(name, item) for item in value]
    return mask_credentials(str(value))


def _mask_line(_logger: WrappedLogger, _method: str, line: Any) -> str:
    return mask_credentials(line)
