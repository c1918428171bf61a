"""A page of a list."""

from collections.abc import Sequence


def page_document(contents: Sequence[object], number: int, size: int, total: int) -> dict[str, object]:
    """Return a page with its place among the others; `number` counts from 1."""
    page = {"number": number, "size": size, "totalElements": total, "totalPages": -(-total // size)}
    return {"contents": contents, "page": page}
