"""The schemas of replies about the fleet's brake, for the OpenAPI document."""

from pydantic import Field

from app.http.schemas import Moment, Wire


class Brake(Wire):
    """The fleet's brake."""

    braked: bool = Field(description="whether it is on, so that no new work starts on any host")
    by: str | None = Field(description="who pulled it; null while it is off")
    reason: str | None = Field(description="why it was pulled; null while it is off")
    since: Moment | None = Field(description="when it was pulled; null while it is off")


class ReleasedBrake(Brake):
    """The fleet's brake, after it was released."""

    republished: int = Field(description="how many waiting tasks go on")
