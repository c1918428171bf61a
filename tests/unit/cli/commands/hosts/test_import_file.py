"""`ocpfleet hosts import`."""

import asyncio
from pathlib import Path

from core.claim import require_host_claims
from core.host import STOPPING
from tests.support.api import entry
from tests.support.cli import Command
from tests.support.fake_store import FakeStore
from tests.support.records import PREPARE, claim_step, draft


def put(store: FakeStore, *ids: int, key: str | None = None) -> None:
    asyncio.run(store.hosts.put([entry(host_id, f"h{host_id}", key) for host_id in ids], 0))


def test_import_adds_and_changes(command: Command, store: FakeStore, tmp_path: Path) -> None:
    put(store, 2)
    file = tmp_path / "hosts.csv"
    file.write_text("id,innerIpAddress,alias\n1,10.0.0.1,one\n2,10.0.0.2,two\n")
    assert command("hosts", "import", str(file)) == (0, f"Imported 2 hosts from {file}: 1 new, 1 known before.\n", "")
    assert asyncio.run(store.hosts.aliases()) == {"one": 1, "two": 2}


def test_import_protects_hosts_and_lifts_it(command: Command, store: FakeStore, tmp_path: Path) -> None:
    file = tmp_path / "fleet.csv"
    file.write_text("id,innerIpAddress,protected\n1,10.0.0.1,true\n2,10.0.0.2,\n")
    assert command("hosts", "import", str(file))[0] == 0
    assert asyncio.run(store.hosts.find_obstacles((1, 2))).protected == (1,)
    file.write_text("id,innerIpAddress,protected\n1,10.0.0.1,\n2,10.0.0.2,yes\n")
    assert command("hosts", "import", str(file))[0] == 0
    assert asyncio.run(store.hosts.find_obstacles((1, 2))).protected == (1, 2), "an empty cell leaves it as it is"
    file.write_text("id,innerIpAddress,protected\n1,10.0.0.1,no\n2,10.0.0.2,no\n")
    assert command("hosts", "import", str(file))[0] == 0
    assert asyncio.run(store.hosts.find_obstacles((1, 2))).protected == ()


def test_import_does_not_protect_what_a_task_holds(command: Command, store: FakeStore, tmp_path: Path) -> None:
    async def hold() -> None:
        await store.hosts.put([entry(1)], 0)
        claims = await claim_step(store, await store.tasks.create(draft((1,))), PREPARE)
        await store.tasks.take_hosts(require_host_claims(claims), 0, STOPPING)

    asyncio.run(hold())
    file = tmp_path / "fleet.csv"
    file.write_text("id,innerIpAddress,protected\n1,10.9.9.9,true\n2,10.0.0.2,true\n")
    code, _, err = command("hosts", "import", str(file))
    assert code == 2
    assert "it protects hosts that tasks hold: 1 (by task 1)." in err
    assert asyncio.run(store.hosts.unknown((2,))) == (2,), "nothing was imported"


def test_import_with_one_bad_line_imports_nothing(command: Command, store: FakeStore, tmp_path: Path) -> None:
    file = tmp_path / "hosts.csv"
    file.write_text("id,innerIpAddress\n1,10.0.0.1\n2,10.0.0.256\n")
    code, out, err = command("hosts", "import", str(file))
    assert (code, out) == (2, "")
    assert err == (
        f"Nothing was imported from {file}:\n"
        "line 3, innerIpAddress='10.0.0.256': not the IP address of a host. Write one such as 10.0.0.7 or fd00::7.\n"
    )
    assert asyncio.run(store.hosts.page(0, 10)).total == 0


def test_import_shows_fifty_problems(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "hosts.csv"
    file.write_text("id,innerIpAddress\n" + "x,10.0.0.1\n" * 60)
    _, _, err = command("hosts", "import", str(file))
    assert len(err.splitlines()) == 52
    assert err.endswith("… and 10 more\n")
