"""The schemas of replies about users and access keys, for the OpenAPI document."""

from pydantic import Field

from app.http.schemas import Long, Moment, Page, Wire
from core.user import Role


class IamUser(Wire):
    """A user of the API."""

    access_keys: int = Field(description="how many access keys it has")
    id: Long = Field(description="its number")
    name: str = Field(description="its name")
    roles: list[Role] = Field(description="its roles")


class ChangedUser(Wire):
    """A user that was added or changed."""

    id: Long = Field(description="its number")
    name: str = Field(description="its name")
    password: str | None = Field(None, description="the generated password; it is shown only once")
    roles: list[Role] = Field(description="its roles")


class UserPage(Page[IamUser]):
    """A page of the users, by name."""


class IamKey(Wire):
    """An access key. Its secret key is never shown again."""

    access_key: str = Field(description="the access key id (AK)")
    create_time: Moment = Field(description="when it was made")
    description: str = Field(description="a note for people")
    user: str = Field(description="the user whose permissions it has")


class NewKey(IamKey):
    """A new access key."""

    secret_key: str = Field(description="the secret key (SK); it is shown only once")


class KeyPage(Page[IamKey]):
    """A page of the access keys, oldest first."""
