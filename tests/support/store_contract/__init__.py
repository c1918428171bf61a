"""What the record promises: one set of tests, run against a simulated Redis and against real servers.

Whoever collects `StoreContract` gives a fixture `record`, a `tests.support.scenario.Record` in an empty Redis.
"""

from tests.support.store_contract.audit import Audit
from tests.support.store_contract.brake import FleetBrake
from tests.support.store_contract.cancellation import Cancellation
from tests.support.store_contract.claims import Claiming
from tests.support.store_contract.errands import Errands
from tests.support.store_contract.events import Events
from tests.support.store_contract.expiry import Expiry
from tests.support.store_contract.guard import Guard
from tests.support.store_contract.holds import Holds
from tests.support.store_contract.host_lists import HostLists
from tests.support.store_contract.inventory import Inventory
from tests.support.store_contract.leases import Leases
from tests.support.store_contract.lost_workers import LostWorkers
from tests.support.store_contract.new_hosts import NewHosts
from tests.support.store_contract.new_tasks import NewTasks
from tests.support.store_contract.open_logs import OpenLogs
from tests.support.store_contract.protection import Protection
from tests.support.store_contract.results import Results
from tests.support.store_contract.retry_and_skip import RetryAndSkip
from tests.support.store_contract.rollback import Rollback
from tests.support.store_contract.task_lists import TaskLists
from tests.support.store_contract.users import Users
from tests.support.store_contract.workers import Workers


class StoreContract(
    NewTasks,
    Claiming,
    Results,
    OpenLogs,
    RetryAndSkip,
    Cancellation,
    Rollback,
    LostWorkers,
    Holds,
    Expiry,
    TaskLists,
    Events,
    Inventory,
    NewHosts,
    HostLists,
    Leases,
    Errands,
    Workers,
    Users,
    FleetBrake,
    Protection,
    Guard,
    Audit,
):
    """The whole contract."""


__all__ = ["StoreContract"]
