"""What the replies of routes that OCP does not have look like, for the OpenAPI document."""

from pydantic import Field

from app.http.schemas import Long, Moment, PageNumber, Wire
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


class UserPage(Wire):
    """A page of the users, by name."""

    contents: list[IamUser] = Field(description="the users")
    page: PageNumber = Field(description="where the page lies")


class IamKey(Wire):
    """An access key. Its secret key is never shown again."""

    access_key: str = Field(description="the AK")
    create_time: Moment = Field(description="when it was made")
    description: str = Field(description="what people noted of it")
    user: str = Field(description="whose permissions it has")


class NewKey(IamKey):
    """A new access key."""

    secret_key: str = Field(description="the SK: shown this once")


class KeyPage(Wire):
    """A page of the access keys, oldest first."""

    contents: list[IamKey] = Field(description="the access keys")
    page: PageNumber = Field(description="where the page lies")


class Brake(Wire):
    """The fleet's brake."""

    braked: bool = Field(description="whether it is on: nothing new is begun on any host")
    by: str | None = Field(description="who pulled it; null while it is off")
    reason: str | None = Field(description="why; null while it is off")
    since: Moment | None = Field(description="when; null while it is off")


class ReleasedBrake(Brake):
    """The fleet's brake, after it was released."""

    republished: int = Field(description="how many tasks that had something ready go on")


class TaskHost(Wire):
    """A host of a task."""

    alias: str | None = Field(description="a name for people; null where it has none, or is no longer in the inventory")
    id: Long = Field(description="its id in the inventory")
    parallel_idx: int = Field(description="the parallelIdx of its subtasks; -1 in a task for one host")


class TaskHostPage(Wire):
    """A page of the hosts of a task, in the order of parallelIdx."""

    contents: list[TaskHost] = Field(description="the hosts")
    page: PageNumber = Field(description="where the page lies")
