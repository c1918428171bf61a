"""The schemas of replies about users and access keys, for the OpenAPI document."""

from pydantic import Field

from app.http.schemas import Long, Moment, Page, Wire
from core.user import Role


class IamUser(Wire):
    """A user of the API."""

    access_keys: int = Field(description="how many access keys it has")
    id: Long = Field(description="its number")
    name: str = Field(description="its name")
    roles: list[Role] = Field(description="what it may do")


class ChangedUser(Wire):
    """A user that was added or changed."""

    id: Long = Field(description="its number")
    name: str = Field(description="its name")
    password: str | None = Field(None, description="where it was generated: shown this once")
    roles: list[Role] = Field(description="what it may do")


class UserPage(Page[IamUser]):
    """A page of the users, by name."""


class IamKey(Wire):
    """An access key. Its secret key is never shown again."""

    access_key: str = Field(description="the AK")
    create_time: Moment = Field(description="when it was made")
    description: str = Field(description="what people noted of it")
    user: str = Field(description="whose permissions it has")


class NewKey(IamKey):
    """A new access key."""

    secret_key: str = Field(description="the SK: shown this once")


class KeyPage(Page[IamKey]):
    """A page of the access keys, oldest first."""
