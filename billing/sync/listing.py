"""Stripe's lists are read in parallel: stretches of `created`, each paged from its newest end, by plain requests."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from typing import Any

from billing import stripe_client
from billing.stripe_client import StripeRefused

from .parallel import AT_ONCE, Threads

PAGE = 100
PAGES_A_STRETCH = 10


@dataclass(frozen=True)
class Stretch:
    """A stretch is all that was created from `gte` to `lte`, UTC seconds, both included; `after` is the last object
    already read.
    """

    path: str
    params: dict[str, Any] = field(default_factory=dict)
    gte: int = 0
    lte: int | None = None
    after: str = ""

    def read(self) -> dict[str, Any]:
        try:
            return self._ask(self.after)
        except StripeRefused as error:
            if self.after and error.code == "resource_missing":
                return self._ask("")  # the object we had come to is gone: `lte` still says where we are
            raise

    def _ask(self, after: str) -> dict[str, Any]:
        created = {"gte": self.gte} if self.lte is None else {"gte": self.gte, "lte": self.lte}
        cursor = {"starting_after": after} if after else {}
        window = {"created": created} if self.gte or self.lte is not None else {}
        return stripe_client.get(self.path, limit=PAGE, **self.params, **window, **cursor)

    def rest(self, page: list[dict[str, Any]]) -> "Stretch":
        """Return the part behind a page that has more behind it."""
        return replace(self, lte=page[-1]["created"], after=page[-1]["id"])

    def split(self, page: list[dict[str, Any]]) -> list["Stretch"]:
        """Split the rest in two: about ten pages, if what follows is as dense as `page`, and all that is older."""
        rest, oldest = self.rest(page), page[-1]["created"]
        border = oldest - PAGES_A_STRETCH * max(page[0]["created"] - oldest, 1)
        if border <= self.gte:
            return [rest]
        return [replace(rest, gte=border + 1), replace(self, lte=border, after="")]


class Reader:
    """A reader reads `AT_ONCE` stretches at a time, hands out their pages as they come, and knows what is left."""

    def __init__(self, stretches: Iterable[Stretch], *, may_split: bool = True) -> None:
        self.todo = deque(stretches)
        self.under_way: dict[Future[dict[str, Any]], Stretch] = {}
        self.may_split = may_split

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        """Hold no more pages than calls are made at once, so that memory does not grow with the list."""
        with Threads() as threads:
            while self.todo or self.under_way:
                self._start(threads)
                done, _ = wait(self.under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    answer, stretch = future.result(), self.under_way.pop(future)
                    if answer["has_more"]:
                        self.todo.extend(self._rest(stretch, answer["data"]))
                    self._start(threads)
                    if answer["data"]:
                        yield answer["data"]

    def left(self) -> list[list[Any]]:
        """Return `gte` and `lte` of the stretches not read to their end: enough to go on after a crash."""
        return [[stretch.gte, stretch.lte] for stretch in (*self.todo, *self.under_way.values())]

    def _start(self, threads: Threads) -> None:
        while self.todo and len(self.under_way) < AT_ONCE:
            stretch = self.todo.popleft()
            self.under_way[threads.start(stretch.read)] = stretch

    def _rest(self, stretch: Stretch, page: list[dict[str, Any]]) -> list[Stretch]:
        has_idle = len(self.todo) + len(self.under_way) < AT_ONCE - 1
        return stretch.split(page) if self.may_split and has_idle else [stretch.rest(page)]
