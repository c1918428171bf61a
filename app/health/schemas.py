"""The schemas of replies about the health of the system, for the OpenAPI document."""

from typing import Literal

from pydantic import Field

from app.http.schemas import ErrorReply, Wire


class Health(Wire):
    """That the process is up."""

    status: Literal["UP"] = Field(description="always UP")


class Ready(Wire):
    """What is needed to accept and do a request, and whether it is done at once."""

    brake: str = Field(description="off; or on: accepted requests wait until the fleet's brake is released")
    broker: str = Field(description="ok, or what is wrong")
    store: str = Field(description="ok, or what is wrong")
    workers: str = Field(description="ok, or what is wrong")


class NotReadyReply(ErrorReply):
    """Something that is needed is missing."""

    data: Ready = Field(description="the result of each check")
