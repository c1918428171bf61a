"""The schemas of the audit, for the OpenAPI document."""

from pydantic import Field

from app.http.schemas import Long, Moment, Page, Wire
from core.audit import Proof


class AuditEntry(Wire):
    """A change or a refusal. What is not known is null."""

    access_key: str | None = Field(description="the AK that signed the request")
    code: int = Field(description="OCP's error code; 0 where there was no error or OCP has none")
    fields: dict[str, str] = Field(description="what the request named besides its path, shortened")
    id: Long = Field(description="its number; later entries have higher numbers")
    message: str | None = Field(description="the message of the error")
    method: str = Field(description="the HTTP method, or COMMAND for a command")
    path: str = Field(description="the path without the query; a command's words")
    proof: Proof = Field(description="how it was proved that the user made the request")
    source: str = Field(description="the address that the request came from, or the machine of a command")
    status: int = Field(description="the HTTP status of the reply")
    task_id: Long | None = Field(description="the task that was made or acted on")
    time: Moment = Field(description="when the reply was made")
    trace_id: str | None = Field(description="identifies the request in the logs")
    user: str | None = Field(description="the user; without proof, the user that the request named")


class AuditPage(Page[AuditEntry]):
    """A page of the audit, newest first."""
