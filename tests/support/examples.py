"""The requests whose replies are the examples of the OpenAPI document, and how the files are written.

Those of a route are made to an API of its own with the fleet of `tests.support.world`. `make examples` writes the files
anew; look at the difference before you commit it.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from app.openapi.document import SHARED
from core.errors import FleetError, StoreUnavailable
from core.user import Role
from infra.store.connection import translate_errors
from tests.support import world
from tests.support.api import NO_BROKER, STOP, Api, entry, running_api
from tests.support.errands import attach_worker
from tests.support.failing import FailingPart, FailingStore
from tests.support.world import TRACE
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor

FOLDER = Path(__file__).parents[2] / "app" / "openapi" / "examples"
_ZONE = timezone(timedelta(hours=8))
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d")
_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")
"""When a line of a log was written, in this machine's zone."""
_FORM = "%Y-%m-%d %H:%M:%S.%f"
_NEW_KEY = re.compile(rf'"accessKey":"(?!{world.ACCESS_KEY})[0-9a-f]{{24}}"')
_NEW_SECRET = re.compile(r'"secretKey":"[0-9a-f]{64}"')
_LEFT = re.compile(r"Try again in \d+ s")
_EVENT_ID = re.compile(r"\bid: \d{13}-\d+")
_KEY = {"Idempotency-Key": "night-shift-7"}
_TASKS = "/api/v2/tasks/instances"
_HOSTS = "/api/v2/compute/hosts"
_BRAKE = "/api/v2/fleet/brake"
_USERS = "/api/v2/iam/users"
_KEYS = "/api/v2/iam/keys"


@dataclass
class Asked:
    """A request: its path with `{parameters}`, and what fills them."""

    method: str
    path: str
    parameters: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    before: dict[str, Any] | None = None
    """What is different in a request that was made before this one."""

    def but(self, **changes: Any) -> "Asked":
        """Return the same with other parts."""
        return Asked(**(vars(self) | changes))

    async def answer(self, api: Api, **options: Any) -> httpx.Response:
        """Make the request."""
        if self.before is not None:
            await self.but(before=None, **self.before).answer(api)
        body = {} if self.body is None else {"json": self.body}
        headers = {"x-trace-id": TRACE, "accept-encoding": "identity", **self.headers}
        path = self.path.format(**self.parameters)
        return await api.client.request(self.method, path, params=self.query, headers=headers, **body, **options)


def _many(verb: str) -> dict[int, Asked]:
    asked = Asked("POST", f"{_HOSTS}/batch{verb}Agents", body={"hostIds": [1010, 1011]})
    return {
        200: asked,
        400: asked.but(body={"hostIds": []}),
        404: asked.but(body={"hostIds": [1010, 4711]}),
        409: asked.but(headers=_KEY, before={"body": {"hostIds": [1010]}}),
    }


def _one(verb: str) -> dict[int, Asked]:
    asked = Asked("POST", f"{_HOSTS}/{{hostId}}/agent/{verb}", {"hostId": 1012})
    return {
        200: asked,
        400: asked.but(parameters={"hostId": 0}),
        404: asked.but(parameters={"hostId": 4711}),
        409: asked.but(headers=_KEY, before={"parameters": {"hostId": 1011}}),
    }


def _task(method: str, path: str, task: int, subtask: int | None = None, **query: Any) -> dict[int, Asked]:
    parameters = {"taskInstanceId": task} | ({} if subtask is None else {"subtaskInstanceId": subtask})
    asked = Asked(method, f"{_TASKS}/{{taskInstanceId}}{path}", parameters, query)
    return {
        200: asked,
        400: asked.but(parameters=parameters | {"taskInstanceId": 0}),
        404: asked.but(parameters=parameters | {"taskInstanceId": 4711}),
    }


def _course(path: str, task: int, subtask: int | None = None, refused: int = world.BEGUN) -> dict[int, Asked]:
    """Return the requests of a change of course; one that stands elsewhere refuses it."""
    found = _task("POST", path, task, subtask)
    parameters = {"taskInstanceId": refused} | ({} if subtask is None else {"subtaskInstanceId": 33})
    return found | {400: found[200].but(parameters=parameters)}


_NEW_HOSTS: dict[str, Any] = {
    "hostBasicDataList": [{"innerIpAddress": "10.0.7.1", "serialNumber": "6CU4120W67"}],
    "sshPort": 22,
    "kind": "DEDICATED_PHYSICAL_MACHINE",
    "idcId": 100,
    "typeId": 1001,
    "credentialId": 1001,
    "alias": "db-1",
    "description": "Test server",
}
_NEW = Asked("POST", f"{_HOSTS}/batchCreate", body=_NEW_HOSTS)


def _look(path: str, **query: Any) -> dict[int, Asked]:
    asked = Asked("GET", f"{_HOSTS}/{{hostId}}/agent{path}", {"hostId": 1012}, query)
    return {
        200: asked,
        400: asked.but(parameters={"hostId": 0}),
        404: asked.but(parameters={"hostId": 4711}),
        502: asked.but(parameters={"hostId": UNREACHABLE}),
    }


def _process(verb: str) -> dict[int, Asked]:
    path = f"{_HOSTS}/{{hostId}}/agent/processes/{{agentProcessId}}/{verb}"
    asked = Asked("POST", path, {"hostId": 1012, "agentProcessId": 3})
    return {
        200: asked,
        400: asked.but(parameters={"hostId": 1012, "agentProcessId": 1}),
        404: asked.but(parameters={"hostId": 1012, "agentProcessId": 4}),
        502: asked.but(parameters={"hostId": UNREACHABLE, "agentProcessId": 3}),
    }


UNREACHABLE = 1011
"""A host that no worker reaches."""


def _protection(method: str) -> dict[int, Asked]:
    asked = Asked(method, f"{_HOSTS}/{{hostId}}/protection", {"hostId": 1009})
    wrong = {"hostId": 1001 if method == "POST" else 0}
    return {200: asked, 400: asked.but(parameters=wrong), 404: asked.but(parameters={"hostId": 4711})}


def _page(path: str) -> dict[int, Asked]:
    return {200: Asked("GET", path, query={"page": 1, "size": 2}), 400: Asked("GET", path, query={"page": 0})}


def _user(method: str, path: str = "", body: Any = None, wrong: Any = None) -> dict[int, Asked]:
    """Return the requests about one user; a body that is wrong is refused."""
    asked = Asked(method, f"{_USERS}/{{name}}{path}", {"name": world.OPERATOR}, body=body)
    found = {200: asked, 404: asked.but(parameters={"name": "nobody"})}
    return found if wrong is None else found | {400: asked.but(body=wrong)}


_NEW_USER = Asked(
    "POST", _USERS, body={"name": "auditor", "roles": ["TASK_VIEWER"], "password": "a-pass-phrase-of-its-own"}
)
_ADMIN = {"name": "admin"}
_PULL = Asked("POST", _BRAKE, body={"reason": "smoke in room 3"})

ROUTES: dict[str, dict[int, Asked]] = {
    "batch_stop_agents": _many("Stop"),
    "batch_restart_agents": _many("Restart"),
    "batch_start_agents": _many("Start"),
    "stop_agent": _one("stop"),
    "restart_agent": _one("restart"),
    "start_agent": _one("start"),
    "page_hosts": {
        200: Asked("GET", _HOSTS, query={"page": 1, "size": 2, "sort": "id,asc"}),
        400: Asked("GET", _HOSTS, query={"size": 5000}),
    },
    "create_hosts": {
        200: _NEW,
        400: _NEW.but(body=_NEW_HOSTS | {"sshPort": 0}),
        409: _NEW.but(headers=_KEY, before={"body": _NEW_HOSTS | {"sshPort": 2222, "alias": "db-2"}}),
    },
    "delete_host": {
        200: Asked("DELETE", f"{_HOSTS}/{{hostId}}", {"hostId": 1012}),
        400: Asked("DELETE", f"{_HOSTS}/{{hostId}}", {"hostId": 1001}),
        404: Asked("DELETE", f"{_HOSTS}/{{hostId}}", {"hostId": 4711}),
    },
    "delete_hosts": {
        200: Asked("POST", f"{_HOSTS}/batchDelete", body={"hostIdList": [1011, 1012]}),
        400: Asked("POST", f"{_HOSTS}/batchDelete", body={"hostIdList": [1001, 1012]}),
        404: Asked("POST", f"{_HOSTS}/batchDelete", body={"hostIdList": [1012, 4711]}),
    },
    "read_agent": _look(""),
    "page_processes": _look("/processes", page=1, size=2),
    "stop_process": _process("stop"),
    "restart_process": _process("restart"),
    "read_host": {
        200: Asked("GET", f"{_HOSTS}/{{hostId}}", {"hostId": 1001}),
        400: Asked("GET", f"{_HOSTS}/{{hostId}}", {"hostId": 0}),
        404: Asked("GET", f"{_HOSTS}/{{hostId}}", {"hostId": 4711}),
    },
    "release_host": {
        200: Asked("POST", f"{_HOSTS}/{{hostId}}/release", {"hostId": world.HELD}),
        400: Asked("POST", f"{_HOSTS}/{{hostId}}/release", {"hostId": 1012}),
        404: Asked("POST", f"{_HOSTS}/{{hostId}}/release", {"hostId": 4711}),
    },
    "protect_host": _protection("POST"),
    "unprotect_host": _protection("DELETE"),
    "page_tasks": {
        200: Asked("GET", _TASKS, query={"name": "stop", "status": "RUNNING,FAILED", "type": "MANUAL", "page": 1}),
        400: Asked("GET", _TASKS, query={"status": "DONE"}),
    },
    "read_task": _task("GET", "", world.FAILED),
    "watch_task": _task("GET", "/events", world.FAILED),
    "download_diagnosis": _task("POST", "/downloadDiagnosis", world.FAILED),
    "read_log": _task("GET", "/subtasks/{subtaskInstanceId}/log", world.FAILED, 2, runTime=1),
    "retry_task": _course("/retry", world.FAILED),
    "retry_subtask": _course("/subtasks/{subtaskInstanceId}/retry", world.SUBTASK_FAILED, 10),
    "skip_subtask": _course("/subtasks/{subtaskInstanceId}/skip", world.TO_SKIP, 18),
    "cancel_subtask": _course("/subtasks/{subtaskInstanceId}/cancel", world.RUNNING, 25),
    "roll_back_task": _course("/rollback", world.TO_ROLL_BACK),
    "cancel_task": _course("/cancel", world.BEGUN, refused=world.FAILED),
    "page_audit": {
        200: Asked("GET", "/api/v2/audit", query={"page": 1, "size": 2}),
        400: Asked("GET", "/api/v2/audit", query={"page": 0}),
    },
    "read_brake": {200: Asked("GET", _BRAKE)},
    "pull_brake": {200: _PULL, 400: _PULL.but(body={"reason": ""})},
    "release_brake": {200: Asked("DELETE", _BRAKE)},
    "page_task_hosts": _task("GET", "/hosts", world.FAILED, page=1, size=2),
    "page_users": _page(_USERS),
    "add_user": {200: _NEW_USER, 400: _NEW_USER.but(body={"name": "auditor", "roles": []}), 409: _NEW_USER},
    "remove_user": _user("DELETE") | {409: Asked("DELETE", f"{_USERS}/{{name}}", _ADMIN)},
    "change_password": _user("POST", "/password", {"password": "another-pass-phrase"}, {"password": "short"}),
    "change_roles": _user("POST", "/roles", {"roles": ["TASK_MANAGER", "HOST_VIEWER"]}, {"roles": ["KING"]})
    | {409: Asked("POST", f"{_USERS}/{{name}}/roles", _ADMIN, body={"roles": ["TASK_VIEWER"]})},
    "page_keys": _page(_KEYS),
    "add_key": {
        200: Asked("POST", _KEYS, body={"user": world.OPERATOR, "description": "the backup job"}),
        400: Asked("POST", _KEYS, body={"description": "the backup job"}),
        404: Asked("POST", _KEYS, body={"user": "nobody"}),
    },
    "remove_key": {
        200: Asked("DELETE", f"{_KEYS}/{{accessKey}}", {"accessKey": world.ACCESS_KEY}),
        404: Asked("DELETE", f"{_KEYS}/{{accessKey}}", {"accessKey": "0123456789abcdef01234567"}),
    },
    "healthz": {200: Asked("GET", "/healthz")},
    "readyz": {200: Asked("GET", "/readyz"), 503: Asked("GET", "/readyz")},
}
"""By the function of each route: a request for each status of its document that is not everywhere the same."""
BINARY = frozenset({("download_diagnosis", 200)})
"""Replies that are no text."""


async def shared() -> dict[str, Any]:
    """Return the errors that look the same whatever was asked, by status."""
    stop, trace = Asked("POST", STOP, body={"hostIds": [1010]}), {"x-trace-id": TRACE}
    typed = trace | {"content-type": "application/json"}
    store = FailingStore()
    async with running_api(store, max_hosts=3, rate_limit_10_seconds=5) as api:
        viewer = await api.user("viewer", Role.HOST_VIEWER)
        answers = [
            await stop.answer(api, auth=None),
            await stop.answer(api, auth=viewer),
            await api.client.post(STOP, content=b" " * 2000, headers=typed),
            await api.client.post(STOP, content=b"{}", headers=trace),
        ]
        await api.store.hosts.put([entry(1010)], 0)
        store.broken_hosts = FailingPart(store.hosts, "find_obstacles", fault=_outage())
        answers.append(await stop.answer(api))
        store.broken_hosts = None
        limited = await api.user("limited", Role.ADMIN)
        for _ in range(6):
            last = await stop.answer(api, auth=limited)
        answers.append(last)
    return {str(answer.status_code): shown(answer) for answer in answers}


def shown(answer: httpx.Response) -> Any:
    """Return a reply with the server, the duration and the zone of the examples."""
    text = _MOMENT.sub(lambda found: _in_zone(found[0]), answer.text)
    text = _LINE.sub(lambda found: datetime.fromisoformat(found[0]).astimezone(_ZONE).strftime(_FORM)[:23], text)
    text = _LEFT.sub("Try again in 7 s", text)
    text = _EVENT_ID.sub("id: 3-0", text)
    text = _NEW_KEY.sub(f'"accessKey":"{"0123456789abcdef" * 2:.24}"', text)
    text = _NEW_SECRET.sub(f'"secretKey":"{"0123456789abcdef" * 4}"', text)
    if answer.headers["content-type"] != "application/json":
        return text
    return json.loads(text) | {"duration": 40}


def _in_zone(moment: str) -> str:
    text = datetime.fromisoformat(moment).astimezone(_ZONE).isoformat(timespec="milliseconds")
    seconds, fraction, zone = text[:19], text[19:23], text[23:]
    return f"{seconds}{'' if '.' not in moment else fraction.rstrip('0').rstrip('.')}{zone}"


def _outage() -> FleetError:
    with pytest.raises(StoreUnavailable) as met, translate_errors():
        raise ConnectionRefusedError(111, "Connection refused")
    return met.value


async def file_of(name: str) -> dict[str, Any]:
    """Return what the file of a route holds."""
    asked = ROUTES[name]
    request = asked[httpx.codes.OK]
    parts = {
        "path": request.parameters,
        "query": request.query,
        "header": asked[_REUSED].headers if _REUSED in asked else {},
    }
    found: dict[str, Any] = {where: parameters for where, parameters in parts.items() if parameters}
    if request.body is not None:
        found["body"] = request.body
    with TemporaryDirectory() as folder:
        return found | {"replies": await _replies(name, asked, Path(folder) / "key")}


async def _replies(name: str, asked: dict[int, Asked], key_file: Path) -> dict[str, Any]:
    async with running_api(key_file=key_file) as api:
        await world.build(api)
        await attach_worker(api, StubExecutor(behaviours={UNREACHABLE: Behaviour.UNREACHABLE}))
        # What changes nothing comes first; the key of the last one belongs to another request by then.
        replies = {
            str(status): shown(await _made(asked[status], api, name, status))
            for status in _ORDER
            if status in asked and (name, status) not in BINARY
        }
    return dict(sorted(replies.items()))


_REUSED = 409
_ORDER = (400, 404, 502, 200, _REUSED, 503)


async def _made(asked: Asked, api: Api, name: str, status: int) -> httpx.Response:
    if status == httpx.codes.SERVICE_UNAVAILABLE:
        api.dispatcher.fault = NO_BROKER
    answer = await asked.answer(api)
    assert answer.status_code == status, f"{name}: {answer.status_code} instead of {status}: {answer.text}"
    return answer


async def write() -> None:
    """Write every file anew."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name in (SHARED, *ROUTES):
        content = await file_of(name) if name in ROUTES else {"replies": dict(sorted((await shared()).items()))}
        (FOLDER / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(write())
