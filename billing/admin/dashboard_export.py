"""Each section of the dashboard can be had as CSV or JSON, for a spreadsheet or a program."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, JsonResponse

from billing.monitoring.dashboard import Cell, Chart, Section, Table
from billing.monitoring.dashboard.periods import Period

from .csv_cells import harmless

FORMATS = ("csv", "json")


def response(section: Section, period: Period, kind: str) -> HttpResponse:
    name = f"{section.key}-{period.first_day}-{period.last_day}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    if kind == "json":
        return JsonResponse(as_json(section, period), headers=headers, json_dumps_params={"ensure_ascii": False})
    text = io.StringIO()
    csv.writer(text).writerows([harmless(value) for value in row] for row in as_rows(section))
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def as_json(section: Section, period: Period) -> dict[str, Any]:
    return {
        "section": section.key,
        "title": section.title,
        "from": period.first_day.isoformat(),
        "to": period.last_day.isoformat(),
        "figures": [
            {"name": figure.term.name, "values": list(figure.values), "notes": list(figure.notes)}
            for figure in section.figures
        ],
        "charts": [_chart(chart) for chart in section.charts],
        "tables": [_table(table) for table in section.tables],
    }


def _chart(chart: Chart) -> dict[str, Any]:
    """Return the chart with its numbers, in main units of a currency where it shows money."""
    series = [{"name": one.name, "values": list(one.values)} for one in chart.series]
    return {"name": chart.term.name, "of": chart.note, "labels": list(chart.labels), "series": series}


def _table(table: Table) -> dict[str, Any]:
    rows = [[_text(cell) for cell in row] for row in table.rows]
    return {"name": table.term.name, "columns": list(table.heads), "rows": rows}


def as_rows(section: Section) -> Iterator[list[Any]]:
    """Yield figures, charts and tables one below the other, each with its name before it."""
    for figure in section.figures:
        yield [figure.term.name, *figure.values, *figure.notes]
    for chart in section.charts:
        yield []
        yield [chart.term.name, *([chart.note] if chart.note else [])]
        yield ["", *(one.name for one in chart.series)]
        for at, label in enumerate(chart.labels):
            yield [label, *(one.values[at] for one in chart.series)]
    for table in section.tables:
        yield []
        yield [table.term.name]
        yield list(table.heads)
        yield from ([_text(cell) for cell in row] for row in table.rows)


def _text(cell: str | Cell) -> str:
    return cell.text if isinstance(cell, Cell) else str(cell)
