"""The desk for errands: what this process has workers do on a host while a client waits for the answer."""

import secrets
from typing import Final

from app.hosts.availability import refuse_where_taken, refuse_while_braked
from core.agent import AgentInspection
from core.errand import Errand, ErrandAnswer, ErrandFailed, ErrandKind
from core.errors import AgentStateInvalid, BrokerUnavailable, HostFailed, Unavailable
from core.lease import Lease
from core.text import say
from infra.dispatch import Dispatcher
from infra.store import Store

LEASE_MARGIN: Final = 10.0
"""Seconds by which a lease outlasts its errand: a command of a worker that was killed goes on for so long at most."""


_WAITED: Final = 0.9
"""Which part of its time an errand is waited for. It is still there then where no worker has taken it, which tells."""


class Desk:
    """Sends errands and waits for the answers, on one connection to the store each.

    Args:
        store: where errands are left and answers come in.
        dispatcher: tells the workers.
        most: so many errands may be on their way at a time.
        timeout: seconds that one may take, waiting for a worker included.
    """

    def __init__(self, store: Store, dispatcher: Dispatcher, most: int, timeout: float) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._most = most
        self._timeout = timeout
        self._out = 0

    async def run(self, kind: ErrandKind, host_id: int, process: str | None, trace_id: str) -> AgentInspection:
        """Have something done on a host and return what was found there afterwards.

        Raises:
            AgentStateInvalid: a task or another request works on the host, or the agent's state forbids it.
            HostFailed: the host could not be reached, or did not do it.
            Unavailable: too many errands are on their way, or no worker answered in time.
        """
        if self._out >= self._most:
            raise Unavailable(
                say(
                    "{count} requests wait for hosts at this server already, as many as OCPFLEET_MAX_ERRANDS allows. "
                    "Nothing was done; try again.",
                    count=self._out,
                )
            )
        self._out += 1
        try:
            answer = await self._leased(Errand(secrets.token_hex(16), kind, host_id, process, trace_id))
        finally:
            self._out -= 1
        match answer:
            case AgentInspection():
                return answer
            case ErrandFailed(reason, refused):
                sentence = say("Host {id}: {reason}", id=host_id, reason=reason)
                raise AgentStateInvalid(sentence) if refused else HostFailed(sentence)

    async def _leased(self, errand: Errand) -> ErrandAnswer:
        """Have an errand done under a lease on its host where it changes something there."""
        if errand.kind.is_change:
            refuse_while_braked(await self._store.brake.get())
            lease = Lease(errand.id, errand.purpose, round((self._timeout + LEASE_MARGIN) * 1000))
            refuse_where_taken(await self._store.hosts.lease((errand.host_id,), lease))
        try:
            return await self._answered(errand)
        except BrokerUnavailable:
            await self._withdrawn(errand)
            raise

    async def _answered(self, errand: Errand) -> ErrandAnswer:
        await self._store.errands.put(errand, round(self._timeout * 1000))
        await self._dispatcher.send(errand)
        patience = self._timeout * _WAITED
        answer = await self._store.errands.wait(errand.id, patience)
        if answer is not None:
            return answer
        if await self._withdrawn(errand):
            raise Unavailable(
                say(
                    "No worker took the request within {seconds:g} s, so nothing was done on host {id}. "
                    "See that workers run and are not all busy (Flower, /readyz), then try again.",
                    seconds=patience,
                    id=errand.host_id,
                )
            )
        if errand.kind.is_change:
            raise Unavailable(
                say(
                    "The worker that took the request did not answer within {seconds:g} s. It may have been done: "
                    "look at the agent of host {id}, then try again.",
                    seconds=patience,
                    id=errand.host_id,
                )
            )
        raise Unavailable(
            say("The worker that took the request did not answer within {seconds:g} s. Try again.", seconds=patience)
        )

    async def _withdrawn(self, errand: Errand) -> bool:
        """Take an errand back, and its lease with it; False where a worker has claimed it."""
        withdrawn = await self._store.errands.withdraw(errand.id)
        if withdrawn and errand.kind.is_change:
            await self._store.hosts.release((errand.host_id,), errand.id)
        return withdrawn
