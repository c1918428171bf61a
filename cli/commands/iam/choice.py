"""The choice between the API and the store, by `--direct`."""

from cli.commands.iam.backend import IamBackend
from cli.commands.iam.direct import DirectIam
from cli.commands.iam.remote import RemoteIam


def choose_backend(*, direct: bool) -> IamBackend:
    """Return the store's backend for `--direct`, otherwise the API's."""
    return DirectIam() if direct else RemoteIam()
