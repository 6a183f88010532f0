"""Which filters a list's address may ask for: what the list itself offers, and its own plain columns. Nothing else.

Django lets any lookup through that ends at a column of the model or at the key of what it points to. A filter that is
made up in the address then tells, letter by letter, what no page shows: a password's hash, a token, a payload.
"""

import re
from typing import Any

from django.contrib.admin.filters import SimpleListFilter
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest

# Types whose values a list may be filtered by. Free text, JSON, pickles and bytes are not among them.
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
    """Whether a list may be filtered by a column: by its type and its name."""
    is_named_secret = SECRET_NAME.search(field.name) is not None and field.name not in NOT_SECRET
    return isinstance(field, PLAIN_TYPES) and not is_named_secret


class OwnColumnsOnly:
    """For a ModelAdmin: `filterable` names its columns where not every plain one will do."""

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
    """What a lookup may call a column."""
    return {field.name, field.attname, *(["pk"] if field.primary_key else [])}


def _is_of_key(field: Any, rest: list[str]) -> bool:
    """A relation is filtered by the whole key of what it points to, which stands in the row itself."""
    keys = {"pk", field.target_field.name}
    return not rest or (rest[0] in keys | WHOLE and set(rest[1:]) <= WHOLE)


def _is_of(offered: Any, lookup: str) -> bool:
    """Whether a lookup is one that this filter of the list makes itself."""
    if isinstance(offered, type) and issubclass(offered, SimpleListFilter):
        return lookup == offered.parameter_name
    path = offered[0] if isinstance(offered, tuple) else offered
    return lookup == path or lookup in {f"{path}{LOOKUP_SEP}{made}" for made in MADE_BY_FILTERS}
