"""Lists are exported as CSV, streamed in portions: a million rows cost no more memory than a page.

The export holds the rows that the list at the same address shows, on all its pages.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from billing.conf import conf
from billing.money import decimal_amount

from .csv_cells import harmless

PERMISSION = f"{conf.app_label}.export_customer"
PORTION = 500
LOGGED = "Exported as CSV"

Column = Callable[[Any], Any]


def main_units(minor: int | None, currency: str) -> str:
    """Return the amount in the currency's main unit, with a point, as programs read it."""
    return "" if minor is None or not currency else f"{decimal_amount(minor, currency):f}"


def amount(name: str) -> Column:
    return lambda row: main_units(getattr(row, name), row.currency)


class ExportedList:
    """An admin with `export_columns` (a heading and a function of the row) offers its list as CSV."""

    change_list_template = "billing/admin/exported_list.html"
    export_columns: ClassVar[dict[str, Column]] = {}

    def get_urls(self: Any) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        export = self.admin_site.admin_view(self.export_view)
        return [path("export/", export, name=name), *super().get_urls()]

    def changelist_view(self: Any, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {**(extra_context or {}), "can_export": request.user.has_perm(PERMISSION)}
        return super().changelist_view(request, context)

    @method_decorator(require_safe)
    def export_view(self: Any, request: HttpRequest) -> HttpResponseBase:
        """Answer GET with all rows of the list at the same address, as CSV. The export is logged."""
        if not (request.user.has_perm(PERMISSION) and self.has_view_permission(request)):
            raise PermissionDenied
        try:
            listed = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
        return _response(request, listed, self.export_columns, str(self.opts.verbose_name_plural))


def _response(
    request: HttpRequest, listed: QuerySet[Any], columns: dict[str, Column], named: str
) -> StreamingHttpResponse:
    who: Any = request.user
    LogEntry.objects.create(
        user_id=who.pk,
        content_type=ContentType.objects.get_for_model(listed.model),
        object_repr=named,
        action_flag=CHANGE,
        change_message=LOGGED,
    )
    name = f"{named.replace(' ', '-')}-{timezone.now():%Y%m%d-%H%M%S}.csv"
    return StreamingHttpResponse(
        lines_of(listed, columns),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


class _Line:
    """This file holds one line, which `writerow` returns."""

    def write(self, text: str) -> str:
        return text


def lines_of(listed: QuerySet[Any], columns: dict[str, Column]) -> Iterator[str]:
    write = csv.writer(_Line()).writerow
    yield write(list(columns))
    for row in _in_portions(listed.order_by("pk")):
        yield write([_cell(tell(row)) for tell in columns.values()])


def _in_portions(listed: QuerySet[Any]) -> Iterator[Any]:
    """Yield rows in portions. Each begins after the last row of the one before, so no cursor stays open and no row is
    skipped."""
    rest = listed
    while rows := list(rest[:PORTION]):
        yield from rows
        rest = listed.filter(pk__gt=rows[-1].pk)


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return "" if value is None else harmless(str(value))
