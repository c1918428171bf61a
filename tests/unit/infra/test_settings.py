from __future__ import annotations

from pathlib import Path

import pytest

from cli.commands.processes.settings import format_markdown
from core.errors import Misconfigured
from infra.settings import ApiSettings, FlowerSettings, InventorySettings, SharedSettings, WorkerSettings, load_settings

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {})


def test_the_page_lists_every_setting_as_it_is() -> None:
    assert (ROOT / "docs" / "settings.md").read_text().endswith("\n\n" + format_markdown())


@pytest.mark.parametrize(
    ("settings", "variable", "value", "said"),
    [
        (ApiSettings, "OCPFLEET_API_PORT", "eighty", "OCPFLEET_API_PORT=eighty: "),
        (ApiSettings, "OCPFLEET_API_PORT", "70000", "OCPFLEET_API_PORT=70000: "),
        (ApiSettings, "OCPFLEET_API_HOST", "localhost", "OCPFLEET_API_HOST=localhost: "),
        (ApiSettings, "OCPFLEET_MAX_HOSTS", "0", "OCPFLEET_MAX_HOSTS=0: "),
        (WorkerSettings, "OCPFLEET_EXECUTOR", "telnet", "OCPFLEET_EXECUTOR=telnet: "),
        (WorkerSettings, "OCPFLEET_COMMAND_TIMEOUT", "-1", "OCPFLEET_COMMAND_TIMEOUT=-1: "),
        (SharedSettings, "OCPFLEET_REDIS_URL", "localhost:6379", "OCPFLEET_REDIS_URL=localhost:6379: write redis://"),
        (
            InventorySettings,
            "OCPFLEET_AGENT_HOME",
            "ocp_agent",
            "OCPFLEET_AGENT_HOME=ocp_agent: write an absolute path",
        ),
        (FlowerSettings, "OCPFLEET_FLOWER_PORT", "0", "OCPFLEET_FLOWER_PORT=0: "),
    ],
)
def test_a_wrong_value_stops_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, settings: type, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured) as refused:
        load_settings(settings)
    assert refused.value.sentence.startswith(said)
    assert refused.value.sentence.endswith("Correct the variable or unset it.")


def test_a_misspelt_variable_stops_the_start_and_names_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPFLEET_REDISURL", "redis://10.0.0.1/0")
    with pytest.raises(Misconfigured, match=r"REDISURL is not a setting\. Did you mean OCPFLEET_REDIS_URL\?"):
        load_settings(WorkerSettings)


def test_a_password_in_a_wrong_address_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPFLEET_REDIS_URL", "http://user:hunter2@10.0.0.1/0")
    with pytest.raises(Misconfigured) as refused:
        load_settings(SharedSettings)
    assert "hunter2" not in refused.value.sentence


@pytest.mark.parametrize(
    ("store", "broker"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/1"),
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/1"),
        ("rediss://:secret@10.0.0.1/4?ssl_cert_reqs=required", "rediss://:secret@10.0.0.1/5?ssl_cert_reqs=required"),
    ],
)
def test_the_broker_is_the_stores_next_database_unless_it_is_named(store: str, broker: str) -> None:
    assert SharedSettings(redis_url=store).broker == broker
    assert SharedSettings(redis_url=store, broker_url="amqp://10.0.0.2").broker == "amqp://10.0.0.2"


def test_a_sentinel_store_needs_a_broker_of_its_own() -> None:
    with pytest.raises(Misconfigured, match="Set OCPFLEET_BROKER_URL as well"):
        _ = SharedSettings(redis_url="sentinel://10.0.0.1:26379/main").broker


def test_a_stopping_api_waits_for_its_longest_request_unless_told_otherwise() -> None:
    assert ApiSettings().request_grace > ApiSettings().errand_timeout
    assert ApiSettings(errand_timeout=300).request_grace > 300
    assert ApiSettings(errand_timeout=300, api_shutdown_grace=20).request_grace == 20


GONE = "so one late beat would make a live worker count as lost."


@pytest.mark.parametrize(
    ("chosen", "said", "way_out"),
    [
        (
            {"LOST_AFTER": "5"},
            f"OCPFLEET_LOST_AFTER=5: less than 3 beats of OCPFLEET_BEAT_EVERY=2, {GONE}",
            "Set OCPFLEET_LOST_AFTER to 6 or more, or OCPFLEET_BEAT_EVERY to 1.66667 or less.",
        ),
        (
            {"BEAT_EVERY": "10", "LOST_AFTER": "60"},
            f"OCPFLEET_ALIVE_FOR=15: less than 3 beats of OCPFLEET_BEAT_EVERY=10, {GONE}",
            "Set OCPFLEET_ALIVE_FOR to 30 or more, or OCPFLEET_BEAT_EVERY to 5 or less.",
        ),
        (
            {"RECONCILE_EVERY": "16"},
            "OCPFLEET_RECONCILE_EVERY=16: longer than OCPFLEET_LOST_AFTER=15, so lost workers would be found late.",
            "Set it to a fraction of that, 15 at the most.",
        ),
    ],
)
def test_a_worker_whose_settings_contradict_each_other_does_not_start(
    monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], said: str, way_out: str
) -> None:
    for name, value in chosen.items():
        monkeypatch.setenv(f"OCPFLEET_{name}", value)
    with pytest.raises(Misconfigured) as refused:
        load_settings(WorkerSettings)
    assert refused.value.sentence == f"{said} {way_out}"


def test_settings_that_just_fit_together_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"BEAT_EVERY": "2", "LOST_AFTER": "6", "ALIVE_FOR": "6", "RECONCILE_EVERY": "6"}
    for name, value in chosen.items():
        monkeypatch.setenv(f"OCPFLEET_{name}", value)
    assert load_settings(WorkerSettings).lost_after == 6
