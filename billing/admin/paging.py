"""Large tables are paged without a full count: rows are counted only as far as somebody may click next."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property

PAGES_AHEAD = 10
DEEPEST_ROW = 50_000


class NearbyPaginator(Paginator):
    """Count up to ten pages past the one shown, so the cost does not grow with the table."""

    object_list: Any

    def __init__(self, object_list: Any, per_page: int, page: int = 1) -> None:
        super().__init__(object_list, per_page)
        self.horizon = min((page + PAGES_AHEAD) * per_page, DEEPEST_ROW)

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by().values("pk")[: self.horizon].count()

    @property
    def has_more_than_counted(self) -> bool:
        return self.count >= self.horizon


def page_asked_for(request: HttpRequest) -> int:
    """Return the page number of a list's address; 1 if it is invalid."""
    asked = request.GET.get("p", "")
    return min(int(asked), DEEPEST_ROW) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
