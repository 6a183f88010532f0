"""Rows that are open until a time is written into them, filtered in words: "in force", "released"."""

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
    """By whether the time is empty: what that is called, and what its being there is called."""
    return type("OpenFilter", (_OpenFilter,), {"words": (title, empty, filled)})
