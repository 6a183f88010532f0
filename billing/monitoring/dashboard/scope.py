"""A scope is the period of a dashboard and the member of staff who asks, since links lead only where they may go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.db.models.functions import Trunc
from django.urls import reverse
from django.utils import timezone

from billing.conf import conf

from .periods import Period, named


@dataclass(frozen=True)
class Scope:
    """`user` is a member of staff."""

    period: Period
    user: Any
    _known: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, ask: Callable[[], Any]) -> Any:
        """Return what `make` finds, and keep it: several sections need it."""
        if name not in self._known:
            self._known[name] = ask()
        return self._known[name]

    def has(self, field: str) -> Q:
        return self.period.has(field)

    def bucket(self, field: str) -> Trunc:
        return self.period.bucket(field)

    def each(self, number: Callable[[datetime], Any]) -> list[Any]:
        """Return `number` of every bucket, in order."""
        return [number(bucket) for bucket in self.period.buckets]

    def on_the_wall(self) -> "Scope":
        """Return the scope by real time, for stamps that the rules' clock may be months ahead of in development."""
        name = self.period.name
        return replace(self, period=named(name, timezone.localdate()), _known={}) if name else self

    def newest(self, days: int) -> "Scope":
        return replace(self, period=self.period.newest(days), _known={})

    def links(self, values: Sequence[float | None], link: Callable[[datetime], str]) -> list[str]:
        """Return links to the rows of each bucket that has some."""
        return [link(bucket) if value else "" for bucket, value in zip(self.period.buckets, values, strict=True)]

    def rows(self, model: str, **query: Any) -> str:
        """Return the address of a list in the admin; empty for a user who may not see it. `model` is `app.model`, or
        of billing.
        """
        address: str = self.once(model, lambda: self._list(model))
        values = {name: _spelled(value) for name, value in query.items()}
        return f"{address}?{urlencode(values, safe=':,')}" if address else ""

    def _list(self, model: str) -> str:
        app, _, name = model.rpartition(".")
        app = app or conf.app_label
        may_view = self.user.has_perm(f"{app}.view_{name}")
        return reverse(f"admin:{app}_{name}_changelist") if may_view else ""

    def rows_within(self, model: str, when: str, bucket: datetime | None = None, **query: Any) -> str:
        """Return the same address, for the period or for one bucket of it."""
        start, end = self.period.span(bucket) if bucket else (self.period.start, self.period.end)
        return self.rows(model, **{f"{when}__gte": start, f"{when}__lt": end}, **query)


def _spelled(value: Any) -> Any:
    """Return a value of a link; a moment on the minute in its shortest form, for a page has hundreds of them."""
    is_on_the_minute = isinstance(value, datetime) and not (value.second or value.microsecond)
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if is_on_the_minute else value
