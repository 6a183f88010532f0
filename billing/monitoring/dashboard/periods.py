"""A period is chosen by name or by two dates, and cut into days, weeks or months of the local time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property

from django.db.models import Q
from django.db.models.functions import Trunc
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format

DAYS = {"7d": 7, "30d": 30, "90d": 90}
NAMES = {"7d": "7 days", "30d": "30 days", "90d": "90 days", "12m": "12 months"}
DEFAULT = "30d"
LONGEST = timedelta(days=5 * 366)
# Up to so many days in steps of one; months beyond.
STEPS = ((31, "day"), (186, "week"))
LABELS = {"day": "j M", "week": "j M", "month": "M Y"}


class BadPeriod(ValueError):
    """There is no such period; the text says what to do."""


@dataclass(frozen=True)
class Period:
    """A period lasts from local midnight `start` up to, and without, local midnight `end`. `name` is empty for two
    dates.
    """

    start: datetime
    end: datetime
    name: str = ""

    @property
    def first_day(self) -> date:
        return timezone.localdate(self.start)

    @property
    def last_day(self) -> date:
        return timezone.localdate(self.end) - timedelta(days=1)

    @property
    def words(self) -> str:
        return f"{date_format(self.first_day, 'j M Y')} – {date_format(self.last_day, 'j M Y')}"

    @property
    def step(self) -> str:
        days = (self.end - self.start).days
        return next((step for most, step in STEPS if days <= most), "month")

    @cached_property
    def buckets(self) -> list[datetime]:
        """Return when each day, week or month begins; the first may have begun before the period."""
        return list(self._buckets())

    def _buckets(self) -> Iterator[datetime]:
        day = _beginning(self.first_day, self.step)
        while (at := midnight(day)) < self.end:
            yield at
            day = _beginning(day + timedelta(days={"day": 1, "week": 7, "month": 32}[self.step]), self.step)

    @property
    def labels(self) -> list[str]:
        return [date_format(timezone.localtime(at), LABELS[self.step]) for at in self.buckets]

    def span(self, bucket: datetime) -> tuple[datetime, datetime]:
        """Return the part of a day, week or month that lies within the period."""
        following = self.buckets.index(bucket) + 1
        end = self.buckets[following] if following < len(self.buckets) else self.end
        return max(bucket, self.start), end

    def has(self, field: str) -> Q:
        return Q(**{f"{field}__gte": self.start, f"{field}__lt": self.end})

    def bucket(self, field: str) -> Trunc:
        """Return the database expression for the beginning of the bucket that a time falls in, for GROUP BY."""
        return Trunc(field, self.step, tzinfo=timezone.get_current_timezone())

    def newest(self, days: int) -> "Period":
        """Return the period cut to its last days."""
        return replace(self, start=max(self.start, midnight(self.last_day - timedelta(days=days - 1))))


def choose(asked: Mapping[str, str], today: date) -> Period:
    """Return the period named by `period`, or from `from` to `to`, both inclusive. Raises BadPeriod."""
    if asked.get("from") or asked.get("to"):
        return between(asked.get("from", ""), asked.get("to", ""), today)
    return named(asked.get("period") or DEFAULT, today)


def named(name: str, today: date) -> Period:
    if name not in NAMES:
        raise BadPeriod(f"There is no such period. Choose {', '.join(NAMES.values())}, or two dates.")
    if name in DAYS:
        first = today - timedelta(days=DAYS[name] - 1)
    else:
        first = date(today.year - (today.month < 12), today.month % 12 + 1, 1)
    return Period(midnight(first), midnight(today + timedelta(days=1)), name)


def between(first: str, last: str, today: date) -> Period:
    start, end = _date(first, "first"), _date(last, "last")
    if start > end:
        raise BadPeriod("The first day is after the last. Swap the two.")
    if start > today:
        raise BadPeriod("The first day is in the future. Choose today or an earlier day.")
    if end - start > LONGEST:
        raise BadPeriod("The period is longer than five years. Choose a shorter one.")
    return Period(midnight(start), midnight(min(end, today) + timedelta(days=1)))


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _date(text: str, which: str) -> date:
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None or found.year < 2000:
        raise BadPeriod(
            f"The {which} day is missing or not a date. Write it as year-month-day, for example 2026-01-31."
        )
    return found


def _beginning(day: date, step: str) -> date:
    if step == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == "month" else day
