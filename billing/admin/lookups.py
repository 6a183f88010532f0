"""The address of a list may filter by what the list offers and by its own plain columns, and by nothing else.

Django accepts any lookup that ends at a column of the model, or at the key of a related row. A filter typed into the
address could then reveal, letter by letter, what no page shows: the hash of a password, a token, a payload.
"""

import re
from typing import Any

from django.contrib.admin.filters import SimpleListFilter
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest

# A list may be filtered by values of these types, but not by free text, JSON, pickles or bytes.
PLAIN_TYPES = (
    models.BooleanField,
    models.CharField,
    models.DateField,
    models.DecimalField,
    models.FloatField,
    models.IntegerField,
    models.UUIDField,
)
SECRET_NAME = re.compile(r"(^|_)(digest|hash|key|password|payload|secret|session|token|url)(_|$)")
NOT_SECRET = frozenset({"lookup_key"})
WHOLE = frozenset({"exact", "in", "isnull"})
MADE_BY_FILTERS = WHOLE | {"isempty", "gte", "lt"}


def is_plain(field: "models.Field[Any, Any]") -> bool:
    """Return whether a list may be filtered by a column, given its type and name."""
    is_named_secret = SECRET_NAME.search(field.name) is not None and field.name not in NOT_SECRET
    return isinstance(field, PLAIN_TYPES) and not is_named_secret


class OwnColumnsOnly:
    """Mix into a ModelAdmin to restrict its filters; `filterable` names the columns if not every plain one is
    allowed."""

    filterable: frozenset[str] | None = None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        admin: Any = self
        if any(_is_of(offered, lookup) for offered in admin.get_list_filter(request)):
            return True
        name, *rest = lookup.split(LOOKUP_SEP)
        column = next((field for field in admin.model._meta.concrete_fields if name in _names(field)), None)
        if column is None or not (self.filterable is None or column.name in self.filterable):
            return False
        return _is_of_key(column, rest) if column.is_relation else is_plain(column)


def _names(field: Any) -> set[str]:
    """Return the names that a lookup may use for a column."""
    return {field.name, field.attname, *(["pk"] if field.primary_key else [])}


def _is_of_key(field: Any, rest: list[str]) -> bool:
    """Return whether the lookup compares the whole key of a related row, which is stored in the row itself."""
    keys = {"pk", field.target_field.name}
    return not rest or (rest[0] in keys | WHOLE and set(rest[1:]) <= WHOLE)


def _is_of(offered: Any, lookup: str) -> bool:
    """Return whether this filter of the list makes the lookup itself."""
    if isinstance(offered, type) and issubclass(offered, SimpleListFilter):
        return lookup == offered.parameter_name
    path = offered[0] if isinstance(offered, tuple) else offered
    return lookup == path or lookup in {f"{path}{LOOKUP_SEP}{made}" for made in MADE_BY_FILTERS}
