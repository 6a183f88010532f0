"""Many rows are read in pages by primary key: behind PgBouncer a cursor would be lost between two transactions."""

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Model, QuerySet

T = TypeVar("T", bound=Model)


def in_pages(rows: QuerySet[T], size: int) -> Iterator[T]:
    """Yield all rows in the order of their primary keys, with one query for so many."""
    rows = rows.order_by("pk")
    page = list(rows[:size])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1].pk)[:size])
