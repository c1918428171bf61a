"""The parameters of paths that name a task or a subtask."""

from typing import Annotated

from fastapi import Path

from app.http.parameters import MAX_ID, Whole

TaskId = Annotated[int, Path(alias="taskInstanceId", ge=1, le=MAX_ID, description="the task"), Whole]
SubtaskId = Annotated[
    int, Path(alias="subtaskInstanceId", ge=1, le=MAX_ID, description="the subtask, one of this task"), Whole
]
