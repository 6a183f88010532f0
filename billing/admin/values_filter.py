"""This filter offers the values that occur in a column, in words; the empty one has a name too."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import models


class ValuesFilter(admin.AllValuesFieldListFilter):
    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": str(choice["display"]).replace("_", " ") or "None"}


def in_words(model: type[models.Model], name: Any) -> Any:
    """Return the filter of a list, or this one in place of Django's own for a text without choices."""
    if not isinstance(name, str) or "__" in name:
        return name
    field = model._meta.get_field(name)
    is_text = isinstance(field, models.CharField) and not field.choices
    return (name, ValuesFilter) if is_text else name
