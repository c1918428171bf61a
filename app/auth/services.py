"""The services that authenticate requests, built once for an API process."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from app.auth.authenticator import Authenticator
from app.auth.lockout import Lockout, LockoutRules
from app.auth.passwords import Passwords
from app.auth.rates import RateLimiter, RateRules
from app.auth.signature_checker import SignatureChecker
from app.auth.vault import Vault
from infra.settings import ApiSettings
from infra.store import Store


@dataclass(frozen=True, slots=True)
class AuthServices:
    """What an API process authenticates requests and keeps credentials with."""

    authenticator: Authenticator
    """Checks names and passwords."""
    signatures: SignatureChecker
    """Checks signed requests."""
    passwords: Passwords
    """Hashes new passwords."""
    vault: Vault
    """Encrypts new secret keys."""
    rates: RateLimiter | None
    """Limits requests; None where they are not limited."""


def build_auth(settings: ApiSettings, store: Store, passwords: Passwords, clock: Callable[[], int]) -> AuthServices:
    """Build the services.

    Args:
        settings: of this process.
        store: has users, access keys and the counts of wrong passwords.
        passwords: hashes passwords.
        clock: returns milliseconds since the epoch.
    """
    vault = Vault(settings.key_file)
    return AuthServices(
        authenticator=Authenticator(store.users, passwords, Lockout(store.guard, _read_lockout_rules(settings))),
        signatures=SignatureChecker(store, vault, clock),
        passwords=passwords,
        vault=vault,
        rates=RateLimiter(_read_rate_rules(settings)) if settings.rate_limit else None,
    )


def auth_of(request: Request) -> AuthServices:
    """Return the services of the process that answers a request."""
    auth: AuthServices = request.app.state.auth
    return auth


def _read_lockout_rules(settings: ApiSettings) -> LockoutRules:
    return LockoutRules(
        per_pair=settings.login_failures,
        per_address=settings.login_failures_per_address,
        per_user=settings.login_failures_per_user,
        lapses=settings.login_lockout,
    )


def _read_rate_rules(settings: ApiSettings) -> RateRules:
    return RateRules(
        per_10_seconds=settings.rate_limit_10_seconds,
        per_minute=settings.rate_limit_minute,
        per_hour=settings.rate_limit_hour,
        per_day=settings.rate_limit_day,
    )
