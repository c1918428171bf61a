"""What the agent's status documents mean: real ones, shortened, and malformed ones."""

from __future__ import annotations

import json

import pytest

from workers.agent.host.agentctl_reply import Declined, NoProgram, Unclear
from workers.agent.host.agentctl_status import AgentdStatus, Service, read_status
from workers.executor.base import Completed

RUNNING = {
    "state": "running",
    "ready": True,
    "version": "4.2.2",
    "pid": 13915,
    "socket": "run/ob_agentd.13915.sock",
    "services": {
        "ob_monagent": {"state": "running", "version": "4.2.2", "pid": 13921, "startAt": 1, "ports": [18088]},
        "ob_mgragent": {"state": "running", "version": "4.2.2", "pid": 13920, "startAt": 1, "ports": [18089]},
    },
    "dangling": None,
    "startAt": 1795428438101474118,
}


def said(message: object) -> Completed:
    return Completed(0, None, json.dumps({"successful": True, "message": message, "error": ""}), "")


def test_a_running_agent() -> None:
    report = read_status(said(RUNNING))

    services = (
        Service("ob_mgragent", "running", 13920, (18089,)),
        Service("ob_monagent", "running", 13921, (18088,)),
    )
    assert report == AgentdStatus("running", ready=True, pid=13915, services=services)
    assert str(report) == "agentd 13915 says running (ob_mgragent running, ob_monagent running)"
    assert report.abandoned_services == frozenset()


def test_only_a_running_agentd_abandons_services() -> None:
    stopped = {"ob_mgragent": {"state": "stopped", "version": "", "pid": 0, "ports": None}}
    running = read_status(said(RUNNING | {"ready": False, "services": stopped}))
    stopping = read_status(said(RUNNING | {"ready": False, "state": "stopping", "services": stopped}))

    assert isinstance(running, AgentdStatus)
    assert isinstance(stopping, AgentdStatus)
    assert (running.abandoned_services, stopping.abandoned_services) == (frozenset({"ob_mgragent"}), frozenset[str]())


def test_an_agentd_that_is_down_declines() -> None:
    error = "Module=agent, kind=INTERNAL, code=read_pid_failed; open run/ob_agentd.pid: no such file or directory"
    answer = read_status(Completed(255, None, "", json.dumps({"successful": False, "message": None, "error": error})))

    assert answer == Declined("read_pid_failed", error)
    assert read_status(Completed(127, None, "", "not found")) == NoProgram()


@pytest.mark.parametrize("message", ["ok", None, {}, RUNNING | {"pid": "13915"}, RUNNING | {"services": None}])
def test_a_document_of_another_shape_is_unclear(message: object) -> None:
    assert isinstance(read_status(said(message)), Unclear)


def test_a_service_without_a_pid_is_unknown() -> None:
    report = read_status(said(RUNNING | {"services": {"ob_mgragent": None}}))

    assert isinstance(report, AgentdStatus)
    assert report.services == (Service("ob_mgragent", "unknown", 0),)
