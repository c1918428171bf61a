"""Log lines: their shape, and what never gets into one."""

import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from infra.logs import configure_logging, mask_credentials

SECRET = "hunter2hunter2"


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "text",
    [
        f"connecting to redis://user:{SECRET}@10.0.0.1:6379/0",
        f"sentinel://:{SECRET}@a:1,b:2/name",
        f"Authorization: Basic {SECRET}",
        f"{{'authorization': 'Bearer {SECRET}'}}",
        f"(b'authorization', b'Basic {SECRET}')",
        f"sent Basic {SECRET}==",
        f"Authorization: OCP-ACCESS-KEY-HMACSHA1 ak:{SECRET}=",
        f"sent OCP-ACCESS-KEY-HMACSHA1 ak:{SECRET}=",
        f'"adminPassword": "{SECRET} {SECRET}"',
        f"password={SECRET}",
        f"OCPFLEET_SSH_KEY_PASSPHRASE='{SECRET}'",
    ],
)
def test_credentials_are_masked(text: str) -> None:
    assert SECRET not in mask_credentials(text)
    assert "******" in mask_credentials(text)


@pytest.mark.parametrize(
    "text",
    [
        "password: None",
        "the password is wrong",
        "basic checks",
        "http://10.0.0.1:8080/a",
        "task 7: 3 hosts at 10.0.0.1:22",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert mask_credentials(text) == text


def test_our_events_and_those_of_libraries_are_lines_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "info")
    with structlog.contextvars.bound_contextvars(traceId="t-1"):
        structlog.get_logger("ours").info(
            "listening", port=8080, password=SECRET, nested={"secret": SECRET, "n": [2**70]}
        )
        logging.getLogger("celery").warning("to %s", f"redis://:{SECRET}@h", extra={"queue": "steps"})
    logging.getLogger("asyncssh").info("not heard")
    structlog.get_logger("ours").debug("not heard")
    ours, library = map(json.loads, capsys.readouterr().err.splitlines())
    assert ours == {
        "timestamp": ours["timestamp"],
        "level": "info",
        "logger": "ours",
        "event": "listening",
        "port": 8080,
        "password": "******",
        "nested": {"secret": "******", "n": [2**70]},
        "traceId": "t-1",
    }
    assert library == {
        "timestamp": library["timestamp"],
        "level": "warning",
        "logger": "celery",
        "event": "to redis://:******@h",
        "queue": "steps",
        "traceId": "t-1",
    }


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_traceback_is_one_event_without_secrets(
    form: Literal["json", "text"], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(form, "info")
    try:
        int(f"password={SECRET}")
    except ValueError:
        structlog.get_logger("ours").exception("fault", user="ann")
        logging.getLogger("theirs").exception("fault")
    written = capsys.readouterr().err
    assert SECRET not in written
    assert written.count("Traceback (most recent call last)") == 2
    assert (len(written.splitlines()) == 2) == (form == "json")
