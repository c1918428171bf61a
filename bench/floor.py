"""The floor: the least work that runs commands on many hosts with asyncssh. A separate program.

It reads a plan (JSON) from a file and writes the time it took (JSON) to its standard output, without the time of the
imports. It checks host keys, uses one options object for all connections, and ignores the machine's SSH settings.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import asyncssh
import uvloop


async def _run_all(plan: dict[str, Any]) -> None:
    pinned = {address: asyncssh.import_public_key(line) for address, _, line in plan["hosts"]}
    options = asyncssh.SSHClientConnectionOptions(
        username=plan["user"],
        client_keys=[plan["key"]],
        known_hosts=lambda _host, address, _port: ([pinned[address]], [], []),
        config=None,
        agent_path=None,
        preferred_auth="publickey",
        compression_algs=None,
        encryption_algs=["aes128-gcm@openssh.com"],
        server_host_key_algs=["ssh-ed25519"],
        login_timeout=120,
    )
    places = asyncio.Semaphore(plan["in_flight"])

    async def run_host(address: str, port: int) -> None:
        async with places, asyncssh.connect(address, port, options=options) as connection:
            for command in plan["commands"]:
                await connection.run(command, check=True)

    await asyncio.gather(*(run_host(address, port) for address, port, _ in plan["hosts"]))


if __name__ == "__main__":
    plan: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    wall, cpu = time.perf_counter(), time.process_time()
    uvloop.run(_run_all(plan))
    used = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    sys.stdout.write(json.dumps(used))
