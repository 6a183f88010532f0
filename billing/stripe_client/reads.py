"""The read cache keeps Stripe's answers during one drain: each object is asked for once, however many events name
it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from . import gate
from .errors import StripeBusy, StripeUnanswered, mapped_errors

Answer = tuple[Any, int, Mapping[str, str]]
T = TypeVar("T")


@dataclass(frozen=True)
class ReadRequest:
    """A read request is one GET, and the function that sends it."""

    url: str
    send: Callable[[], Answer]


class NotFetched(BaseException):
    """A read that was not prefetched is wanted while a transaction is open: roll back, fetch it, start again.

    Not an `Exception`: dj-stripe catches those where it could do without an object, and would go on without it.
    """

    def __init__(self, request: ReadRequest) -> None:
        super().__init__(request.url)
        self.request = request


class Reads:
    """Every outcome of a read is kept, a missing answer too: only the events that need the object meet the error."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Exception] = {}
        self.applied: set[str] = set()
        self.kept: dict[str, Any] = {}
        self.is_sealed = False

    def begin(self) -> None:
        """Forget what was done and read in a transaction that rolled back."""
        self.applied.clear()
        self.kept.clear()

    @contextmanager
    def sealed(self) -> Iterator[None]:
        """Answer only reads that were fetched before, while a transaction is open; any other read raises
        `NotFetched`.
        """
        self.is_sealed = True
        try:
            yield
        finally:
            self.is_sealed = False

    def fetch(self, request: ReadRequest) -> None:
        """Ask Stripe, and keep the answer or the error; of reads in parallel, those that met its limit are asked
        again.
        """
        try:
            with mapped_errors():
                self.answers[request.url] = _certain(request.send())
        except Exception as error:
            if isinstance(error, StripeBusy) and gate.is_passed():
                raise
            self.answers[request.url] = error

    def answer(self, request: ReadRequest) -> Answer:
        """Return the answer, or raise the error that was kept; raise `NotFetched` where Stripe may not be asked now."""
        if request.url not in self.answers:
            if self.is_sealed:
                raise NotFetched(request)
            self.fetch(request)
        answer = self.answers[request.url]
        if isinstance(answer, Exception):
            raise answer
        return answer


_current: ContextVar[Reads | None] = ContextVar("stripe_reads", default=None)


def current() -> Reads | None:
    return _current.get()


def is_first_time(work: str) -> bool:
    """Return whether `work` was not yet done with this drain's answers; work that rolled back counts as not done."""
    reads = _current.get()
    if reads is None:
        return True
    is_first = work not in reads.applied
    reads.applied.add(work)
    return is_first


def kept(name: str, read: Callable[[], T]) -> T:
    """Return what `read` returned first in this drain's transaction: for rows that nobody changes meanwhile."""
    reads = _current.get()
    if reads is None:
        return read()
    if name not in reads.kept:
        reads.kept[name] = read()
    found: T = reads.kept[name]
    return found


@contextmanager
def drain_reads() -> Iterator[Reads]:
    """Keep one read cache for the length of a drain."""
    reads = Reads()
    token = _current.set(reads)
    try:
        yield reads
    finally:
        _current.reset(token)


@contextmanager
def undone_on_error() -> Iterator[None]:
    """Count work that `is_first_time` noted inside as not done when the savepoint beside this rolls back."""
    reads = _current.get()
    before = set(reads.applied) if reads else set()
    try:
        yield
    except BaseException:
        if reads:
            reads.applied = before
            reads.kept.clear()
        raise


def _certain(answer: Answer) -> Answer:
    """Return the answer if Stripe is sure of it: an object, or that there is none. Only such answers are kept for
    the drain.
    """
    status = answer[1]
    if status == 429:
        raise StripeBusy("Stripe limits how often we may call")
    if status >= 500:
        raise StripeUnanswered(f"Stripe answered {status}")
    return answer
