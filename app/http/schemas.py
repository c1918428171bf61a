"""The parts that the schemas of all replies share, for the OpenAPI document.

Replies are not built of schemas. Tests check that replies fit them.
"""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

T = TypeVar("T")
Long = Annotated[int | str, Field(description="64 bits; a JSON string beyond ±(2^53-1)")]
Moment = Annotated[str, Field(description="ISO-8601 with the server's offset, such as 2026-01-31T15:01:10.636+08:00")]


class Wire(BaseModel):
    """A JSON object with camelCase names and no others."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class Envelope(Wire):
    """What every reply carries."""

    duration: int = Field(description="milliseconds that the server took")
    server: str = Field(description="the address of the server that answered")
    status: int = Field(description="the HTTP status")
    successful: bool = Field(description="whether the request was done")
    timestamp: Moment = Field(description="when the reply was made")
    trace_id: str = Field(
        description="identifies the request in the logs; the `x-trace-id` of the request where it had one"
    )


class Reply(Envelope, Generic[T]):
    """A reply to a request that was done."""

    data: T = Field(description="the result")


class SubError(Wire):
    """One field that is wrong."""

    field: str = Field(description="its name as the client wrote it")
    message: str = Field(description="what is wrong with it, and what a valid value is")
    place: str = Field(alias="object", description="the part of the request that it belongs to: body or parameter")
    rejected_value: Any = Field(description="its value; only the beginning of a long value")


class Error(Wire):
    """What is wrong."""

    code: int = Field(description="OCP's error code; 0 where OCP has none")
    message: str = Field(description="what is wrong, and what to do about it")
    sub_errors: list[SubError] | None = Field(None, description="the wrong fields of an invalid request")


class ErrorReply(Envelope):
    """A reply to a request that was refused or failed."""

    error: Error = Field(description="what is wrong")


class PageNumber(Wire):
    """The place of a page in its list."""

    number: int = Field(description="its number, from 1")
    size: int = Field(description="entries on a full page")
    total_elements: int = Field(description="entries in all")
    total_pages: int = Field(description="pages in all")


class Page(Wire, Generic[T]):
    """A page of a list."""

    contents: list[T] = Field(description="the entries of this page")
    page: PageNumber = Field(description="which page this is")
