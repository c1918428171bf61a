"""Every setting, typed and checked at start. Each process has a class; the variables begin with OCPFLEET_.

The tables of docs/settings.md are generated from these classes: a field's description is a row's text.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from typing_extensions import override

from core.errors import Misconfigured
from infra.failpoint import ApiFailpoint, WorkerFailpoint
from infra.setting_types import DAY, AbsolutePath, Address, Rate, RedisUrl, Seconds
from infra.store.values import StoreOptions
from infra.timing import check_timing


class SharedSettings(BaseSettings):
    """What all processes must agree on."""

    model_config = SettingsConfigDict(env_prefix="OCPFLEET_", extra="ignore", frozen=True)

    redis_url: RedisUrl = Field("redis://127.0.0.1:6379/0", description="the store: a persistent Redis or Valkey")
    broker_url: str | None = Field(None, description="the broker; by default the store's Redis, next database")
    redis_timeout: Seconds = Field(5.0, description="seconds to wait for an answer of Redis")
    replicas: Annotated[int, Field(ge=0, le=16)] = Field(
        0, description="a request is accepted once so many replicas of the store have it"
    )
    allow_volatile_store: bool = Field(
        default=False, description="accept a store that does not persist, or that evicts keys"
    )
    keep_tasks_days: Annotated[float, Field(gt=0, le=3650)] = Field(
        30.0, description="days for which a task that ended and holds no host is kept"
    )
    keep_audit: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        100_000, description="entries of the audit that are kept; the oldest go first"
    )
    log_format: Literal["json", "text"] = Field("json", description="how the processes log: json or text")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="from which level on they log")

    @property
    def store_options(self) -> StoreOptions:
        """The store's options, from these settings."""
        return StoreOptions(
            keep_tasks=int(self.keep_tasks_days * DAY * 1000),
            keep_audit=self.keep_audit,
            timeout=self.redis_timeout,
            replicas=self.replicas,
            may_forget=self.allow_volatile_store,
        )

    @property
    def broker(self) -> str:
        """The broker's address."""
        return self.broker_url or _derive_next_database(self.redis_url)


class ApiSettings(SharedSettings):
    """The API process."""

    api_host: Address = Field("127.0.0.1", description="address to listen on")
    api_port: Annotated[int, Field(ge=0, le=65535)] = Field(8080, description="port to listen on; 0 takes a free one")
    server_address: str | None = Field(
        None, description="what replies give as `server` and tasks as `executor`; by default this machine's address"
    )
    max_hosts: Annotated[int, Field(ge=1, le=100_000)] = Field(10_000, description="most hosts of one request")
    max_watchers: Annotated[int, Field(ge=1, le=100_000)] = Field(
        500, description="clients that may watch tasks through this process at a time"
    )
    max_errands: Annotated[int, Field(ge=1, le=1000)] = Field(
        32, description="clients that may wait at this process for a worker's look at a host, or work on one process"
    )
    errand_timeout: Annotated[float, Field(ge=1, le=600)] = Field(
        40.0, description="seconds that such a look or work may take, waiting for a worker included"
    )
    api_shutdown_grace: Seconds | None = Field(
        None,
        description="seconds for requests under way to be answered at SIGTERM; then they are broken off; by default 5 "
        "more than `OCPFLEET_ERRAND_TIMEOUT`",
    )
    admin_password_file: Path = Field(
        Path("var/admin-password"), description="where the generated password of `admin` is written (mode 0600)"
    )
    key_file: Path = Field(
        Path("var/key-encryption-key"),
        description="encrypts the secret keys in the store (mode 0600); the same for all API processes, made with "
        "the first access key where it is missing",
    )
    login_failures: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        5, description="wrong passwords for a user name from one address, after which none is looked at"
    )
    login_failures_per_user: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        50, description="the same from anywhere; addresses from which the user came in lately are still heard"
    )
    login_failures_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        100, description="the same from one address for any names; users who came in from there lately are still heard"
    )
    login_lockout: Seconds = Field(900.0, description="seconds after the last wrong password until they are forgotten")
    rate_limit: bool = Field(default=True, description="limit the requests of each user")
    rate_limit_10_seconds: Rate = Field(2_000, description="requests of a user in 10 seconds, to one API process")
    rate_limit_minute: Rate = Field(10_000, description="the same in a minute")
    rate_limit_hour: Rate = Field(300_000, description="the same in an hour")
    rate_limit_day: Rate = Field(3_000_000, description="the same in a day")
    failpoint: ApiFailpoint | None = Field(
        None, description="for tests alone: where this process kills itself: stored, replied"
    )

    @property
    def request_grace(self) -> float:
        """Seconds for which the process goes on answering at SIGTERM: by default enough for the longest, an errand."""
        return self.errand_timeout + 5 if self.api_shutdown_grace is None else self.api_shutdown_grace

    @property
    @override
    def store_options(self) -> StoreOptions:
        """The store's options; each errand waits on a connection of its own."""
        options = super().store_options
        return replace(options, connections=options.connections + self.max_errands)


class WorkerSettings(SharedSettings):
    """A worker process."""

    worker_name: str | None = Field(None, description="its name in Flower and in the record; by default its process id")
    executor: Literal["ssh", "local", "stub"] = Field(
        "ssh", description="how hosts are reached: ssh; local (this machine); stub (no host at all, for load tests)"
    )
    stub_delay: Annotated[float, Field(ge=0, le=3600)] = Field(0.0, description="seconds that a stub host takes")
    stub_wedged: Annotated[int, Field(ge=0)] = Field(
        0, description="of the stub hosts those are wedged whose id is a multiple of this; 0 for none"
    )
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = Field(
        512, description="hosts that this process works on at a time"
    )
    max_lanes: Annotated[int, Field(ge=1, le=1000)] = Field(
        32, description="messages that a step of a task fans out into"
    )
    lane_window: Annotated[int, Field(ge=1, le=1000)] = Field(128, description="hosts that one lane works on at a time")
    threads: Annotated[int, Field(ge=2, le=1000)] = Field(
        128, description="messages that this process handles at a time"
    )
    task_events: bool = Field(
        default=False, description="tell Flower of messages from the start; else once it asks, which takes 5 seconds"
    )
    beat_every: Seconds = Field(2.0, description="seconds between two beats of this process")
    alive_for: Seconds = Field(
        15.0, description="seconds after its last beat for which it counts as alive; three beats at least"
    )
    lost_after: Seconds = Field(
        15.0, description="seconds without a beat after which a worker's work is given to others; three beats at least"
    )
    reconcile_every: Seconds = Field(
        2.0, description="seconds between two looks for lost and unclaimed work; at most `OCPFLEET_LOST_AFTER`"
    )
    shutdown_grace: Seconds = Field(
        60.0, description="seconds for hosts in flight to end at SIGTERM; then they are handed over"
    )
    host_time_limit: Seconds | None = Field(
        None, description="seconds that one host may take, where that is less than the plan's limit"
    )

    ssh_keys: tuple[Path, ...] = Field((), description='private keys, as JSON: ["/etc/ocpfleet/id_ed25519"]')
    ssh_key_passphrase_file: Path | None = Field(None, description="file with the keys' passphrase")
    ssh_agent: bool = Field(default=False, description="also use the ssh-agent at SSH_AUTH_SOCK")
    ssh_connect_timeout: Seconds = Field(10.0, description="seconds for the TCP connection and the key exchange")
    ssh_login_timeout: Seconds = Field(15.0, description="seconds for the login")
    ssh_close_timeout: Seconds = Field(2.0, description="seconds for a polite close; then the connection is cut")
    trust_on_first_use: bool = Field(
        default=False, description="accept and pin the key of a host that has none pinned, instead of refusing the host"
    )
    command_timeout: Seconds = Field(30.0, description="seconds for one command on a host")
    allow_kill: bool = Field(default=False, description="send SIGKILL to agent processes that do not end by themselves")
    failpoint: WorkerFailpoint | None = Field(
        None, description="for tests alone: where this process kills itself: claimed, step-recorded, lane-recorded"
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        check_timing(
            beat_every=self.beat_every,
            lost_after=self.lost_after,
            alive_for=self.alive_for,
            reconcile_every=self.reconcile_every,
        )
        return self


class InventorySettings(BaseSettings):
    """Defaults for the columns that an inventory may leave out."""

    model_config = SettingsConfigDict(env_prefix="OCPFLEET_", extra="ignore", frozen=True)

    ssh_port: Annotated[int, Field(ge=1, le=65535)] = Field(22, description="`sshPort` of a host that names none")
    ssh_user: str = Field("admin", description="`sshUser` of a host that names none")
    agent_home: AbsolutePath = Field("/home/admin/ocp_agent", description="`agentHome` of a host that names none")
    agent_prefix: Literal["ocp", "ob"] = Field("ocp", description="`agentPrefix` of a host that names none")
    sudo: bool = Field(default=False, description="`sudo` of a host that does not say: run commands with sudo -n")


class FlowerSettings(SharedSettings):
    """The Flower process."""

    flower_host: Address = Field("127.0.0.1", description="address to listen on")
    flower_port: Annotated[int, Field(ge=1, le=65535)] = Field(5555, description="port to listen on")
    flower_user: str = Field("admin", description="who may look")
    flower_password: SecretStr | None = Field(None, description="with which password; or use the file")
    flower_password_file: Path = Field(
        Path("var/flower-password"), description="file with the password; generated (mode 0600) where it is missing"
    )
    flower_db: Path = Field(Path("var/flower"), description="where Flower keeps what it saw")


class ClientSettings(BaseSettings):
    """The commands that speak to the API. Flags go before these, and these before the client file."""

    model_config = SettingsConfigDict(env_prefix="OCPFLEET_", extra="ignore", frozen=True)

    api_url: str | None = Field(None, description="where the API is; by default http://127.0.0.1:8080")
    api_user: str | None = Field(None, description="who asks")
    api_password: SecretStr | None = Field(None, description="with which password; on a terminal it is asked for")
    access_key: str | None = Field(None, description="the AK of an access key, in place of a user")
    secret_key: SecretStr | None = Field(None, description="its SK")
    client_file: Path = Field(
        Path("~/.config/ocpfleet/client.toml"),
        description="says the same for all commands (mode 0600): `api`, and `user` and `password`, or `access_key` "
        "and `secret_key`",
    )


ALL_SETTINGS = (ApiSettings, WorkerSettings, FlowerSettings, InventorySettings, ClientSettings)
S = TypeVar("S", bound=BaseSettings)


def load_settings(settings: type[S]) -> S:
    """Read settings from the environment.

    Raises:
        Misconfigured: a value is not valid; the sentence names the variable, its value and what is wrong. Or a
            variable with our prefix is not a setting: one that is misspelt would silently keep its default.
    """
    _refuse_unknown(os.environ)
    try:
        return settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = f"OCPFLEET_{'_'.join(map(str, first['loc'])).upper()}"
        reason = first["msg"].removeprefix("Value error, ")
        value = _mask_password(str(first["input"]))
        raise Misconfigured(f"{variable}={value}: {reason}. Correct the variable or unset it.") from None


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {f"OCPFLEET_{name.upper()}" for settings in ALL_SETTINGS for name in settings.model_fields}
    for variable in environment:
        if variable.startswith("OCPFLEET_") and variable not in known:
            close = get_close_matches(variable, known, 1)
            meant = f" Did you mean {close[0]}?" if close else ""
            raise Misconfigured(f"{variable} is not a setting.{meant} `ocpfleet settings` lists them all.")


def _mask_password(url: str) -> str:
    return re.sub(r"://[^@/]*@", "://******@", url)


def _derive_next_database(url: str) -> str:
    found = re.fullmatch(r"(rediss?://[^/]+)(?:/(\d+))?/?(\?.*)?", url)
    if not found:
        raise Misconfigured(
            f"OCPFLEET_REDIS_URL={_mask_password(url)} names no database number, so the broker's address cannot be "
            "derived from it. Set OCPFLEET_BROKER_URL as well."
        )
    return f"{found[1]}/{int(found[2] or 0) + 1}{found[3] or ''}"
