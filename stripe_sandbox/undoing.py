"""A refused write leaves nothing behind: this module restores what it changed, and removes what it made.

While a journal is kept, rows that somebody looks at are remembered: each may be changed then. Reading costs next to
nothing while none is kept.
"""

import marshal
from typing import Any

Row = dict[str, Any]


class Journal:
    """A journal knows each row that a request looked at, made or removed, as it was before."""

    def __init__(self) -> None:
        self.is_kept = False
        self.seen: dict[tuple[int, str], tuple[Rows, str, Row | None, bytes]] = {}
        self.scheduled: set[int] = set()

    def begin(self) -> None:
        self.is_kept, self.seen, self.scheduled = True, {}, set()

    def end(self) -> None:
        self.is_kept, self.seen, self.scheduled = False, {}, set()

    def saw(self, rows: "Rows", key: str, row: Row | None) -> None:
        place = (id(rows), key)
        if place not in self.seen:
            self.seen[place] = (rows, key, row, marshal.dumps(row))

    def undo(self) -> None:
        """Put every row back; the same dictionaries stay where they were."""
        seen, self.is_kept = list(self.seen.values()), False
        touched: dict[int, tuple[Rows, set[str]]] = {}
        for rows, key, row, before in seen:
            touched.setdefault(id(rows), (rows, set()))[1].add(key)
            if row is None:
                rows.pop(key, None)
                continue
            was = marshal.loads(before)  # noqa: S302 - these are the bytes that `saw` has written
            if row != was:
                row.clear()
                row.update(was)
            rows[key] = row
        for rows, keys in touched.values():
            rows.put_back(keys)


class Rows(dict[str, Any]):
    """These rows tell their journal which of them are looked at, made and removed."""

    def __init__(self, journal: Journal, rows: dict[str, Any] | None = None) -> None:
        super().__init__(rows or {})
        self.journal = journal

    def put_back(self, keys: set[str]) -> None:
        """Do nothing: a subclass learns here which rows were put back, or are gone again."""

    def _saw(self, key: str) -> None:
        self.journal.saw(self, key, super().get(key))

    def __getitem__(self, key: str) -> Any:
        if self.journal.is_kept:
            self._saw(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        if self.journal.is_kept and key in self:
            self._saw(key)
        return super().get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        if self.journal.is_kept:
            self._saw(key)
        return super().setdefault(key, default)

    def __setitem__(self, key: str, row: Any) -> None:
        if self.journal.is_kept:
            self._saw(key)
        super().__setitem__(key, row)

    def __delitem__(self, key: str) -> None:
        if self.journal.is_kept:
            self._saw(key)
        super().__delitem__(key)

    def pop(self, key: str, *default: Any) -> Any:
        if self.journal.is_kept:
            self._saw(key)
        return super().pop(key, *default)

    def values(self) -> Any:
        if self.journal.is_kept:
            self._saw_all()
        return super().values()

    def items(self) -> Any:
        if self.journal.is_kept:
            self._saw_all()
        return super().items()

    def _saw_all(self) -> None:
        for key in self:
            self._saw(key)
