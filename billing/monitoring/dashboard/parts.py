"""Each section of the dashboard is built from these parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Term:
    """A term is a name on the dashboard with its meaning, which is shown beside it and in docs/dashboard.md."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Cell:
    """A cell is text that may lead to its rows; `share` (0 to 1) is drawn as a bar beside it."""

    text: str
    url: str = ""
    share: float | None = None

    @property
    def width(self) -> str:
        """Return the share in per cent, as SVG writes numbers whatever the language."""
        return f"{(self.share or 0) * 100:.1f}"


@dataclass(frozen=True)
class Figure:
    """A figure shows `values` first, one for each currency where they do not add up; `tone` is good, bad or none."""

    term: Term
    values: Sequence[str]
    notes: Sequence[str] = ()
    url: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Table:
    term: Term
    heads: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    nothing: str = "None in this period."


@dataclass(frozen=True)
class Series:
    """A series is one line, or one colour of the bars: a value for each bucket, None where there is none, and its
    words.
    """

    name: str
    values: Sequence[float | None]
    words: Sequence[str]
    colour: str
    urls: Sequence[str]


@dataclass(frozen=True)
class Chart:
    """A chart words the values of its scale by `axis`; without it the values are whole numbers."""

    term: Term
    labels: Sequence[str]
    series: Sequence[Series]
    draw: Callable[["Chart"], SafeString]
    axis: Callable[[float], str] | None = None
    note: str = ""

    @property
    def drawing(self) -> SafeString:
        return self.draw(self)

    @property
    def has_values(self) -> bool:
        return any(value for series in self.series for value in series.values)

    @property
    def table(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return the chart as a table, for people who do not see it: a row for each bucket that has something, with
        words and links."""
        some = [at for at in range(len(self.labels)) if any(one.values[at] for one in self.series)]
        return [(self.labels[at], [(one.words[at], one.urls[at]) for one in self.series]) for at in some]


@dataclass(frozen=True)
class Section:
    key: str
    title: str
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    note: str = field(default="", kw_only=True)

    @property
    def terms(self) -> list[Term]:
        parts: list[Figure | Chart | Table] = [*self.figures, *self.charts, *self.tables]
        return [part.term for part in parts]
