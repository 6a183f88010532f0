"""This filter separates rows by whether a time is set, in words such as "in force" and "released"."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin


class _OpenFilter(admin.EmptyFieldListFilter):
    words: tuple[str, str, str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = self.words[0]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice, word in zip(super().choices(changelist), ("All", *self.words[1:]), strict=True):
            yield {**choice, "display": word}


def open_filter(title: str, empty: str, filled: str) -> type[admin.EmptyFieldListFilter]:
    """Build the filter from the word for an empty time and the word for a set one."""
    return type("OpenFilter", (_OpenFilter,), {"words": (title, empty, filled)})
