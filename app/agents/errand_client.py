"""The client of errands: what a worker does on a host while the API's client waits for the answer."""

import secrets
from typing import Final

from starlette.requests import Request

from app.hosts.availability import refuse_unless_leased, refuse_while_braked
from core.agent import AgentInspection
from core.errand import Errand, ErrandAnswer, ErrandFailed, ErrandKind
from core.errors import AgentStateInvalid, BrokerUnavailable, HostFailed, Unavailable
from core.lease import Lease
from core.text import say
from infra.dispatch import Dispatcher
from infra.store import Store

LEASE_MARGIN: Final = 10.0
"""Seconds by which a lease outlasts its errand. The command of a killed worker goes on for so long at most."""


_WAITED_PART: Final = 0.9
"""The part of an errand's time for which its client waits. Then an errand that no worker took still exists."""


class ErrandClient:
    """Sends errands and waits for the answers, each on a connection to the store of its own.

    Args:
        store: carries errands and answers.
        dispatcher: tells the workers.
        max_errands: how many errands may be under way at a time.
        timeout: seconds that an errand may take, including the wait for a worker.
    """

    def __init__(self, store: Store, dispatcher: Dispatcher, max_errands: int, timeout: float) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._max_errands = max_errands
        self._timeout = timeout
        self._under_way = 0

    async def run(self, kind: ErrandKind, host_id: int, process: str | None, trace_id: str) -> AgentInspection:
        """Have a worker do something on a host, and return what it found there afterwards.

        Raises:
            AgentStateInvalid: a task or another request works on the host, or the agent's state forbids it.
            HostFailed: the host could not be reached, or the operation failed there.
            Unavailable: too many errands are under way, or no worker answered in time.
        """
        if self._under_way >= self._max_errands:
            raise Unavailable(
                say(
                    "{count} requests already wait for hosts at this server, the most that OCPFLEET_MAX_ERRANDS "
                    "allows. Nothing was done; try again.",
                    count=self._under_way,
                )
            )
        self._under_way += 1
        try:
            answer = await self._run_leased(Errand(secrets.token_hex(16), kind, host_id, process, trace_id))
        finally:
            self._under_way -= 1
        match answer:
            case AgentInspection():
                return answer
            case ErrandFailed(reason, refused):
                sentence = say("Host {id}: {reason}", id=host_id, reason=reason)
                raise AgentStateInvalid(sentence) if refused else HostFailed(sentence)

    async def _run_leased(self, errand: Errand) -> ErrandAnswer:
        """Run an errand, under a lease on its host if it changes something there."""
        if errand.kind.is_change:
            refuse_while_braked(await self._store.brake.get())
            lease = Lease(errand.id, errand.purpose, round((self._timeout + LEASE_MARGIN) * 1000))
            refuse_unless_leased(await self._store.hosts.lease((errand.host_id,), lease))
        try:
            return await self._send_and_wait(errand)
        except BrokerUnavailable:
            await self._withdraw(errand)
            raise

    async def _send_and_wait(self, errand: Errand) -> ErrandAnswer:
        await self._store.errands.put(errand, round(self._timeout * 1000))
        await self._dispatcher.send(errand)
        patience = self._timeout * _WAITED_PART
        answer = await self._store.errands.wait(errand.id, patience)
        if answer is not None:
            return answer
        if await self._withdraw(errand):
            raise Unavailable(
                say(
                    "No worker took the request within {seconds:g} s, so nothing was done on host {id}. Check that "
                    "workers run and that not all are busy (Flower, /readyz), then try again.",
                    seconds=patience,
                    id=errand.host_id,
                )
            )
        if errand.kind.is_change:
            raise Unavailable(
                say(
                    "The worker that took the request did not answer within {seconds:g} s. The operation may have "
                    "been done: look at the agent of host {id}, then try again.",
                    seconds=patience,
                    id=errand.host_id,
                )
            )
        raise Unavailable(
            say("The worker that took the request did not answer within {seconds:g} s. Try again.", seconds=patience)
        )

    async def _withdraw(self, errand: Errand) -> bool:
        """Withdraw an errand and its lease. Return False where a worker has already claimed it."""
        withdrawn = await self._store.errands.withdraw(errand.id)
        if withdrawn and errand.kind.is_change:
            await self._store.hosts.release((errand.host_id,), errand.id)
        return withdrawn


def errand_client_of(request: Request) -> ErrandClient:
    """Return the errand client of the process that answers a request."""
    client: ErrandClient = request.app.state.errand_client
    return client
