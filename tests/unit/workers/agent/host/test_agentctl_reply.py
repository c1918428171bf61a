"""What the replies of the agent's control program mean."""

from __future__ import annotations

import json

import pytest

from workers.agent.host.agentctl_reply import Accepted, Declined, Forbidden, NoProgram, Unclear, read_reply
from workers.executor.base import Completed

OK = '{"successful":true,"message":"ok","error":""}'


def refusal(error: str) -> str:
    return json.dumps({"successful": False, "message": None, "error": error})


@pytest.mark.parametrize("status", [0, 255, None])
def test_the_json_decides_and_not_the_exit_status(status: int | None) -> None:
    assert read_reply(Completed(status, None, OK, "")) == Accepted()
    declined = read_reply(Completed(status, None, "", refusal("Module=agent, kind=INTERNAL, code=some_code; x")))
    assert declined == Declined("some_code", "Module=agent, kind=INTERNAL, code=some_code; x")


def test_the_last_json_line_of_stderr_counts_and_log_lines_before_it_do_not() -> None:
    noise = 'time="x" level=info msg="agentctl error" response="{...}"\n{"not":"ours"}\n'

    answer = read_reply(Completed(255, None, "", noise + refusal("code=outer; a\ncause:\ncode=inner; b")))

    assert answer == Declined("outer", "code=outer; a\ncause:\ncode=inner; b")


def test_braces_that_are_not_json_are_ignored() -> None:
    assert read_reply(Completed(0, None, OK + "\n{broken", "")) == Accepted()
    assert isinstance(read_reply(Completed(1, None, "{}", "{")), Unclear)


def test_the_kinds_of_refusal_are_told_apart() -> None:
    assert Declined("fetch_admin_lock_failed", "… file exists").lock_held
    assert not Declined("fetch_admin_lock_failed", "… no such file or directory").lock_held
    assert Declined("clean_dangling_admin_lock_failed", "").lock_cleaned
    assert Declined("wait_for_exit_timeout", "").exit_awaited
    assert Declined("read_pid_failed", "").pid_file_bad


@pytest.mark.parametrize(
    ("completed", "expected"),
    [
        (Completed(127, None, "", "sh: 1: /x/bin/ocp_agentctl: not found"), NoProgram()),
        (Completed(126, None, "", "sh: 1: /x/bin/ocp_agentctl: Permission denied"), NoProgram()),
        (Completed(1, None, "", "sudo: /x/bin/ocp_agentctl: command not found"), NoProgram()),
        (Completed(1, None, "", "sudo: a password is required"), Forbidden("sudo: a password is required")),
        (Completed(127, None, "", "bash: sudo: command not found"), Forbidden("bash: sudo: command not found")),
        (
            Completed(1, None, "", "x is not in the sudoers file.  This incident has been reported."),
            Forbidden("x is not in the sudoers file.  This incident has been reported."),
        ),
        (
            Completed(None, "KILL", "", ""),
            Unclear("the agent's control program ended with signal KILL and said ''"),
        ),
        (
            Completed(255, None, "", "kex: reset"),
            Unclear("the agent's control program ended with exit status 255 and said 'kex: reset'"),
        ),
    ],
)  # fmt: skip
def test_replies_without_json(completed: Completed, expected: object) -> None:
    assert read_reply(completed) == expected


def test_a_warning_of_sudo_is_not_a_refusal() -> None:
    warned = Completed(127, None, "", "sudo: unable to resolve host db1\nsh: 1: /x/ocp_agentctl: not found")

    assert read_reply(warned) == NoProgram()


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ('{"successful":true,"status":200}\ncause:\nunexpected end of JSON input', Accepted()),
        ('{"successful":false,"status":500}\ncause:\nx', None),
        ("<html>", None),
        ('{"successful":tr', None),
    ],
)
def test_a_success_that_the_program_could_not_decode_is_a_success(response: str, expected: object) -> None:
    text = (
        f"Module=api/client, kind=INTERNAL, code=decode_result_failed; api /api/v1/stopService, decode resp {response}"
    )
    answer = read_reply(Completed(255, None, "", refusal(text)))
    assert answer == (expected or Declined("decode_result_failed", text))
