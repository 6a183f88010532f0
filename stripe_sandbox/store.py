"""The sandbox's state holds tables of objects in the order of their making, ids, the clock, jobs that are due, and
settings."""

import hashlib
import heapq
import json
import secrets
import time
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .errors import missing_resource
from .undoing import Journal, Rows

Object = dict[str, Any]
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BYTE_TO_DIGIT = bytes(ord(ALPHABET[byte % 62]) for byte in range(256))
SHORT_IDS = {"cus", "prod", "si"}
INDEXED = ("customer", "subscription", "invoice", "payment_intent", "charge", "product", "credit_grant")
INDEXED_BY = {"event": ("type",), "billing.meter": ("event_name",)}
SETTINGS: dict[str, Any] = {
    "retry_days": [3, 5, 7],
    "after_last_retry": "cancel",
    "finalize_after": 3600,
    "upcoming_days": 3,
    "authentication_days": 15,
    "overdue_days": 30,
    "debit_days": 5,
    "tax_id_seconds": 60,
    "delivery_retry_seconds": [1, 5, 25],
    "cancel_on_dispute": False,
}


class Table:
    """A table holds objects of one kind by id, in order of creation, and by the objects that they point at."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.rows: Rows = TableRows(self, journal or Journal())
        self.order: list[str] = []
        self.position: dict[str, int] = {}
        self._index: dict[tuple[str, str], dict[str, None]] = {}
        self._filed: dict[str, list[tuple[str, str]]] = {}

    def put(self, row: Object) -> Object:
        identifier = row["id"]
        if identifier not in self.rows:
            self.position[identifier] = len(self.order)
            self.order.append(identifier)
        self.rows[identifier] = row
        self._file(identifier, row)
        return row

    def _file(self, identifier: str, row: Object) -> None:
        for key in self._filed.pop(identifier, []):
            self._index[key].pop(identifier, None)
        names = INDEXED_BY.get(row.get("object", ""), INDEXED)
        keys = [(name, value) for name in names if type(value := row.get(name)) is str]
        self._filed[identifier] = keys
        for key in keys:
            self._index.setdefault(key, {})[identifier] = None

    def remove(self, identifier: str) -> None:
        del self.rows[identifier]
        for key in self._filed.pop(identifier, []):
            self._index[key].pop(identifier, None)

    def put_back(self, identifiers: set[str]) -> None:
        """Restore what a refused request had changed, and remove what it had made, which is last."""
        for identifier in identifiers:
            if identifier in self.rows:
                self._file(identifier, self.rows[identifier])
            else:
                for key in self._filed.pop(identifier, []):
                    self._index[key].pop(identifier, None)
        while self.order and self.order[-1] in identifiers and self.order[-1] not in self.rows:
            del self.position[self.order.pop()]

    def where(self, name: str, value: str) -> list[Object]:
        """Return the objects whose field `name` holds the id `value`, oldest first."""
        return [self.rows[i] for i in self.ids_where(name, value)]

    def read_where(self, name: str, value: str) -> list[Object]:
        """Return the same for whoever only reads them: none is remembered, and each costs next to nothing."""
        return [dict.__getitem__(self.rows, i) for i in self.ids_where(name, value)]

    def ids_where(self, name: str, *values: str) -> list[str]:
        found = [i for value in values for i in self._index.get((name, value), {})]
        return sorted(found, key=self.position.__getitem__)

    def count_where(self, name: str, *values: str) -> int:
        return sum(len(self._index.get((name, value), {})) for value in values)

    def before(self, cursor: str, ids: list[str]) -> int:
        """Return how many of the ordered `ids` are older than the cursor."""
        place = self.position[cursor]
        return place if ids is self.order else bisect_left(ids, place, key=self.position.__getitem__)

    def until(self, cursor: str, ids: list[str]) -> int:
        """Return how many of the ordered `ids` are not newer than the cursor."""
        place = self.position[cursor]
        return place + 1 if ids is self.order else bisect_right(ids, place, key=self.position.__getitem__)

    def newest_first(self) -> Iterator[Object]:
        return (self.rows[i] for i in reversed(self.order) if i in self.rows)


class TableRows(Rows):
    """The rows of a table are filed in it."""

    def __init__(self, table: Table, journal: Journal) -> None:
        super().__init__(journal)
        self.table = table

    def put_back(self, keys: set[str]) -> None:
        self.table.put_back(keys)


class Clock:
    """This is the wall clock moved by an offset; it stands still while due instants are gone through."""

    def __init__(self, now: int | None = None) -> None:
        self.offset = now - time.time() if now is not None else 0.0
        self.standing: int | None = None
        self.outside: int | None = None

    def now(self) -> int:
        return self.standing if self.standing is not None else int(time.time() + self.offset)

    def ahead(self) -> float:
        """Return by how many seconds it is ahead of the wall clock: the same, whoever asks and when."""
        return self.standing - time.time() if self.standing is not None else self.offset

    def move_to(self, instant: int) -> None:
        self.offset = instant - time.time()


class State:
    def __init__(self, seed: str | None = None, now: int | None = None) -> None:
        self.seed = seed or secrets.token_hex(8)
        self.made = 0
        self.clock = Clock(now)
        self.tables: dict[str, Table] = {}
        self.journal = Journal()
        self.notes: Rows = Rows(self.journal)
        self.due: list[tuple[int, int, int, str, list[str]]] = []
        self.settings = json.loads(json.dumps(SETTINGS))
        self.answers: dict[str, dict[str, Any]] = {}
        self.calls: Counter[tuple[str, str]] = Counter()
        self.log: deque[dict[str, Any]] = deque(maxlen=500)
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=100_000)
        self.request: dict[str, str | None] = {"id": None, "idempotency_key": None}
        self.base_url = "http://127.0.0.1:12111"
        self.forward: str | None = None
        self.forward_thin: str | None = None
        self.webhook_secret = ""
        self.any_version = False
        self.versions_met: set[str] = set()
        self.published: list[Object] = []
        self.undelivered: dict[str, None] = {}
        self.held: list[dict[str, Any]] | None = None
        self.is_kept = False  # in its file, as it is now

    def now(self) -> int:
        return self.clock.now()

    def new_id(self, prefix: str, length: int | None = None) -> str:
        """Return a new id, deterministic for a seed, and without order, like Stripe's."""
        self.made += 1
        size = length or (14 if prefix in SHORT_IDS else 24)
        digest = hashlib.sha512(f"{self.seed}:{self.made}".encode()).digest()
        text = digest[:size].translate(BYTE_TO_DIGIT).decode()
        return f"{prefix}_{text}" if length or prefix in SHORT_IDS else f"{prefix}_1{text[1:]}"

    def table(self, kind: str) -> Table:
        return self.tables.get(kind) or self.tables.setdefault(kind, Table(self.journal))

    def put(self, row: Object) -> Object:
        """Keep an object; one that belongs to a customer in a test clock's time says so."""
        if "test_clock" in row and row["test_clock"] is None:
            customer = self.find("customer", row.get("customer"))
            row["test_clock"] = customer["test_clock"] if customer else None
        return self.table(row["object"]).put(row)

    def get(self, kind: str, identifier: str, param: str | None = None) -> Object:
        row = self.table(kind).rows.get(identifier)
        if row is None:
            raise missing_resource(kind, identifier, param)
        return row

    def find(self, kind: str, identifier: str | None) -> Object | None:
        return self.table(kind).rows.get(identifier or "")

    def note(self, identifier: str) -> dict[str, Any]:
        """Return the hidden facts of an object, which Stripe knows and does not show."""
        known: dict[str, Any] = self.notes.setdefault(identifier, {})
        return known

    def schedule(self, at: int, job: str, *arguments: str, urgency: int = 5) -> None:
        """Schedule a job. Jobs of one instant run by urgency, lowest first, then in the order of their scheduling."""
        self.made += 1
        if self.journal.is_kept:
            self.journal.scheduled.add(self.made)
        heapq.heappush(self.due, (at, urgency, self.made, job, list(arguments)))

    @contextmanager
    def undone_if_refused(self, is_outcome: Callable[[Exception], bool]) -> Iterator[None]:
        """Undo what the block did if it raises an exception that is no outcome to keep."""
        told, journal = len(self.published), self.journal
        journal.begin()
        try:
            yield
        except Exception as error:
            if not is_outcome(error):
                scheduled = journal.scheduled
                journal.undo()
                self._forget(told, scheduled)
            raise
        finally:
            journal.end()

    def _forget(self, told: int, scheduled: set[int]) -> None:
        """Forget the events after the first `told`, and the jobs that were scheduled."""
        for row in self.published[told:]:
            self.undelivered.pop(row["id"], None)
        del self.published[told:]
        if scheduled:
            self.due = [job for job in self.due if job[2] not in scheduled]
            heapq.heapify(self.due)

    def next_due(self, until: int) -> tuple[int, str, list[str]] | None:
        if not self.due or self.due[0][0] > until:
            return None
        at, _, _, job, arguments = heapq.heappop(self.due)
        return at, job, arguments
