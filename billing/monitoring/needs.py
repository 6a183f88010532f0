"""One list of needs counts what waits for a person, for the admin's first page and for the lists that it leads to.

`billing.admin.needs` has billing's own; another app adds its own with `add`, in the module of its admins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

PARAMETER = "needs"
MOST = 100


@dataclass(frozen=True)
class Need:
    """A need is a kind of row that waits for a person. `rows` returns all that wait now; `one` and `many` say what they
    are, as in "1 event failed for good" and "2 events failed for good"."""

    name: str
    model: type[Model]
    one: str
    many: str
    rows: Callable[[], QuerySet[Any]]

    def counted(self) -> int:
        """Return how many wait, MOST at most."""
        return self.rows().order_by()[:MOST].count()

    def permission(self) -> str:
        """Return the permission to view such rows."""
        return f"{self.model._meta.app_label}.view_{self.model._meta.model_name}"

    def address(self) -> str:
        """Return the address of the list that shows just these."""
        options = self.model._meta
        return f"{reverse(f'admin:{options.app_label}_{options.model_name}_changelist')}?{PARAMETER}={self.name}"


@dataclass(frozen=True)
class Waiting:
    """This is a need with the number of rows that wait; `number` is "99+" where there are more."""

    number: str
    words: str
    address: str


_NEEDS: list[Need] = []


def add(*needs: Need) -> None:
    """Add needs. The model's admin is a `ReadOnlyAdmin`, whose list filters by them."""
    _NEEDS.extend(needs)


def all_needs() -> list[Need]:
    return list(_NEEDS)


def of_model(model: type[Model]) -> dict[str, Need]:
    """Return the needs whose rows are of a model, by name."""
    return {need.name: need for need in _NEEDS if need.model is model}


def waiting(request: HttpRequest) -> list[Waiting] | None:
    """Return what waits now, of the kinds of row that the reader may see; None if they may see none of these."""
    admins = ((need, admin.site._registry.get(need.model)) for need in _NEEDS)
    seen = [need for need, shown in admins if shown is not None and shown.has_view_permission(request)]
    counts = ((need, need.counted()) for need in seen)
    return [_told(need, count) for need, count in counts if count] if seen else None


def _told(need: Need, count: int) -> Waiting:
    number = f"{MOST - 1}+" if count == MOST else str(count)
    return Waiting(number, need.one if count == 1 else need.many, need.address())
