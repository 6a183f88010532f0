"""A cadence says how often a price is charged: so many intervals, such as 3 months."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from django.utils.translation import gettext, ngettext

# A year has 12 months, 52 weeks and 365 days. The value is how many of an interval make a month.
PER_MONTH = {"day": Fraction(365, 12), "week": Fraction(52, 12), "month": Fraction(1), "year": Fraction(1, 12)}
# Stripe charges at least once in three years.
LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}
DAYS = {"day": 1, "week": 7}
SPELLING = re.compile(r"(?:([1-9]\d{0,3}) )?(day|week|month|year)")


@dataclass(frozen=True)
class Cadence:
    """A cadence is spelled `month` or `3 month`, in settings and in the facts of mails."""

    interval: str
    count: int = 1

    @classmethod
    def parse(cls, spelling: str) -> "Cadence":
        """Return the cadence that a text such as `3 month` names. Raises ValueError for any other text."""
        found = SPELLING.fullmatch(spelling)
        if found is None or found[1] == "1":
            raise ValueError(f"{spelling!r} is not an interval")
        return cls(found[2], int(found[1] or 1))

    def __str__(self) -> str:
        return self.interval if self.count == 1 else f"{self.count} {self.interval}"

    @property
    def key(self) -> str:
        """Return the end of a lookup key: `month`, `3_month`."""
        return str(self).replace(" ", "_")

    @property
    def months(self) -> Fraction:
        """Return the length in months, by which cadences are compared."""
        return self.count / PER_MONTH[self.interval]

    def after(self, at: datetime, times: int, day: int = 0) -> datetime:
        """Return the moment so many cadences after `at`.

        `day` is the day of the month that the rhythm keeps, where a month has it: after 28 February comes 31 March.
        """
        if self.interval in DAYS:
            return at + timedelta(days=DAYS[self.interval] * self.count * times)
        months = self.count * times * (12 if self.interval == "year" else 1)
        year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
        last = monthrange(year, month + 1)[1]
        return at.replace(year=year, month=month + 1, day=min(day or at.day, last))

    @property
    def is_sellable(self) -> bool:
        """Return whether Stripe takes this cadence for a price."""
        return 1 <= self.count <= LONGEST[self.interval]

    @property
    def every(self) -> str:
        """Return the words after a slash, in the active language: `month`, `3 months`."""
        if self.count == 1:
            names = {"day": gettext("day"), "week": gettext("week"), "month": gettext("month"), "year": gettext("year")}
            return names.get(self.interval, self.interval)
        several = {
            "day": ngettext("{count} day", "{count} days", self.count),
            "week": ngettext("{count} week", "{count} weeks", self.count),
            "month": ngettext("{count} month", "{count} months", self.count),
            "year": ngettext("{count} year", "{count} years", self.count),
        }
        return several.get(self.interval, f"{{count}} {self.interval}s").format(count=self.count)

    @property
    def adverb(self) -> str:
        """Return `monthly`, or `every 3 months`, in the active language."""
        if self.count > 1:
            return self._every_few
        adverbs = {
            "day": gettext("daily"),
            "week": gettext("weekly"),
            "month": gettext("monthly"),
            "year": gettext("yearly"),
        }
        return adverbs.get(self.interval, self.interval)

    @property
    def title(self) -> str:
        """Return `Monthly`, or `Every 3 months`, in the active language, as it stands alone."""
        return self.adverb[:1].upper() + self.adverb[1:]

    @property
    def per(self) -> str:
        """Return the words after an amount, in the active language: `per month`, `every 3 months`."""
        if self.count > 1:
            return self._every_few
        rates = {
            "day": gettext("per day"),
            "week": gettext("per week"),
            "month": gettext("per month"),
            "year": gettext("per year"),
        }
        return rates.get(self.interval, f"per {self.interval}")

    @property
    def _every_few(self) -> str:
        few = {
            "day": ngettext("every {count} day", "every {count} days", self.count),
            "week": ngettext("every {count} week", "every {count} weeks", self.count),
            "month": ngettext("every {count} month", "every {count} months", self.count),
            "year": ngettext("every {count} year", "every {count} years", self.count),
        }
        return few.get(self.interval, f"every {{count}} {self.interval}s").format(count=self.count)
