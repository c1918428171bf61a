"""What every keeper of the record must do: one set of tests, collected beside each keeper as `StoreContract`.

Whoever collects it gives a fixture `keeper`, a `tests.support.keepers.Keeper` of an empty record.
"""

from tests.support.store_contract.adding import Adding
from tests.support.store_contract.braking import Braking
from tests.support.store_contract.cancelling import Cancelling
from tests.support.store_contract.claiming import Claiming
from tests.support.store_contract.course import Coursing
from tests.support.store_contract.creating import Creating
from tests.support.store_contract.expiring import Expiring
from tests.support.store_contract.finding import Finding
from tests.support.store_contract.following import Following
from tests.support.store_contract.guarding import Guarding
from tests.support.store_contract.holding import Holding
from tests.support.store_contract.inventory import Inventory
from tests.support.store_contract.leasing import Leasing
from tests.support.store_contract.listing import Listing
from tests.support.store_contract.losing import Losing
from tests.support.store_contract.noting import Noting
from tests.support.store_contract.people import People
from tests.support.store_contract.protecting import Protecting
from tests.support.store_contract.rollback import RollingBack
from tests.support.store_contract.running_errands import RunningErrands
from tests.support.store_contract.settling import Settling


class StoreContract(
    Creating,
    Claiming,
    Settling,
    Noting,
    Coursing,
    Cancelling,
    RollingBack,
    Losing,
    Holding,
    Expiring,
    Listing,
    Following,
    Inventory,
    Adding,
    Finding,
    Leasing,
    RunningErrands,
    People,
    Braking,
    Protecting,
    Guarding,
):
    """The whole contract."""


__all__ = ["StoreContract"]
