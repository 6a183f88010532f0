"""Charts are drawn as SVG whose colours are classes, so that a strict content security policy allows them and they can
be printed."""

import math
from collections.abc import Iterator

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .parts import Chart, Series

WIDTH, HEIGHT = 470, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 10, 26
INNER_WIDTH, INNER_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
MOST_LABELS = 7
NICE, WHOLE = (1, 2, 2.5, 5, 10), (1, 2, 5, 10)
TICKS = 4
GAP, WIDEST_BAR = 0.3, 36


class Scale:
    """A scale maps values to heights; both ends are round numbers, and zero is always among them."""

    def __init__(self, lowest: float, highest: float, *, is_whole: bool) -> None:
        step = (max(highest, 0) - min(lowest, 0)) / TICKS
        self.step = max(_nice(step, WHOLE), 1) if is_whole else _nice(step, NICE)
        self.low = math.floor(min(lowest, 0) / self.step + 1e-9) * self.step
        self.high = max(math.ceil(max(highest, 0) / self.step - 1e-9) * self.step, self.low + self.step)

    def y(self, value: float) -> float:
        return round(TOP + INNER_HEIGHT * (self.high - value) / (self.high - self.low), 1)

    @property
    def ticks(self) -> list[float]:
        return [self.low + self.step * n for n in range(round((self.high - self.low) / self.step) + 1)]


def bars(chart: Chart) -> SafeString:
    """Draw stacked bars: values above zero upwards, values below it downwards."""
    columns = [[series.values[at] or 0 for series in chart.series] for at in range(len(chart.labels))]
    scale = Scale(
        min((sum(v for v in column if v < 0) for column in columns), default=0),
        max((sum(v for v in column if v > 0) for column in columns), default=0),
        is_whole=not chart.axis,
    )
    return _frame(chart, scale, format_html_join("", "{}", ((bar,) for bar in _bars(chart, scale))))


def lines(chart: Chart) -> SafeString:
    values = [value for series in chart.series for value in series.values if value is not None]
    scale = Scale(min(values, default=0), max(values, default=0), is_whole=not chart.axis)
    return _frame(chart, scale, format_html_join("", "{}", ((_line(chart, s, scale),) for s in chart.series)))


def _bars(chart: Chart, scale: Scale) -> Iterator[SafeString]:
    slot = INNER_WIDTH / max(len(chart.labels), 1)
    width = round(min(slot * (1 - GAP), WIDEST_BAR), 1)
    for at in range(len(chart.labels)):
        ends = {True: 0.0, False: 0.0}
        for series in chart.series:
            value = series.values[at] or 0
            if not value:
                continue
            start = ends[value > 0]
            end = ends[value > 0] = start + value
            top, bottom = scale.y(max(start, end)), scale.y(min(start, end))
            height, told = max(round(bottom - top, 1), 1), _tooltip(chart, series, at)
            rect = format_html(
                '<rect class="c-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
                series.colour, _x(chart, at, width), top, width, height, told,
            )  # fmt: skip
            yield _linked(rect, series, at)


def _line(chart: Chart, series: Series, scale: Scale) -> SafeString:
    """Draw a line that is broken where there is no value, with a dot at its ends, where it changes, and on each value
    that leads to its rows."""
    points = [(at, _x(chart, at, 0), scale.y(value)) for at, value in enumerate(series.values) if value is not None]
    path, last = "", None
    for at, x, y in points:
        path += f"{'L' if last == at - 1 else 'M'}{x} {y}"
        last = at
    ends = {points[0][0], points[-1][0]} if points else set()
    told = [point for point in points if point[0] in ends or series.urls[point[0]] or _changes(series, point[0])]
    dots = format_html_join("", "{}", ((_dot(chart, series, point),) for point in told))
    return format_html('<path class="l-{}" d="{}"/>{}', series.colour, path, dots)


def _changes(series: Series, at: int) -> bool:
    """Return whether the value is another than just before or just after."""
    return len({*series.values[at - 1 : at + 2]}) > 1


def _dot(chart: Chart, series: Series, point: tuple[int, float, float]) -> SafeString:
    at, x, y = point
    dot = format_html(
        '<circle class="c-{}" cx="{}" cy="{}" r="2.5"><title>{}</title></circle>',
        series.colour, x, y, _tooltip(chart, series, at),
    )  # fmt: skip
    return _linked(dot, series, at)


def _linked(shape: SafeString, series: Series, at: int) -> SafeString:
    """Link a shape for the mouse alone: the table beneath, which is read aloud in its place, has the same links."""
    url = series.urls[at]
    return format_html('<a href="{}" tabindex="-1">{}</a>', url, shape) if url else shape


def _tooltip(chart: Chart, series: Series, at: int) -> str:
    return f"{chart.labels[at]}, {series.name}: {series.words[at]}"


def _x(chart: Chart, at: int, width: float) -> float:
    slot = INNER_WIDTH / max(len(chart.labels), 1)
    return round(LEFT + slot * (at + 0.5) - width / 2, 1)


def _frame(chart: Chart, scale: Scale, inside: SafeString) -> SafeString:
    return format_html(
        '<svg class="billing-chart" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">{}{}{}{}</svg>',
        WIDTH, HEIGHT, _grid(chart, scale), inside, _zero(scale), _dates(chart),
    )  # fmt: skip


def _grid(chart: Chart, scale: Scale) -> SafeString:
    rows = [
        (LEFT, WIDTH - RIGHT, scale.y(tick), LEFT - 8, scale.y(tick) + 4, _worded(chart, tick)) for tick in scale.ticks
    ]
    line = '<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/><text class="tick" x="{3}" y="{4}">{5}</text>'
    return format_html_join("", line, rows)


def _worded(chart: Chart, tick: float) -> str:
    return chart.axis(tick) if chart.axis else f"{tick:,.0f}"


def _zero(scale: Scale) -> SafeString:
    y = scale.y(0)
    return format_html('<line class="zero" x1="{}" x2="{}" y1="{}" y2="{}"/>', LEFT, WIDTH - RIGHT, y, y)


def _dates(chart: Chart) -> SafeString:
    every = math.ceil(len(chart.labels) / MOST_LABELS)
    shown = ((_x(chart, at, 0), HEIGHT - 8, label) for at, label in enumerate(chart.labels) if at % every == 0)
    return format_html_join("", '<text class="date" x="{}" y="{}">{}</text>', shown)


def _nice(step: float, round_ones: tuple[float, ...]) -> float:
    """Return the next round number: 1, 2, perhaps 2.5, or 5 of its size."""
    if step <= 0:
        return 1
    size = 10.0 ** math.floor(math.log10(step))
    return next(size * nice for nice in round_ones if size * nice >= step - size * 1e-9)
