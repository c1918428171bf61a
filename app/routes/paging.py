"""Which page of a list a request asks for."""

from typing import Annotated

from fastapi import Query

from app.validation import LARGEST_PAGE, LONGEST_ID, Whole

PageNumber = Annotated[int, Query(ge=1, le=LONGEST_ID // LARGEST_PAGE, description="from 1"), Whole]
PageSize = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="entries a page"), Whole]
