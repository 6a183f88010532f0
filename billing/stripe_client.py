"""The one place a Stripe call leaves from: key, pinned version, base address, time-outs, budget, circuit, read cache.

Answers are plain dicts as Stripe sends them (amounts in minor units, times in UTC seconds). Errors:
`StripeUnavailable` when asking again later may help, `StripeRefused` when it will not.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import stripe
from django.core.signals import setting_changed

from billing import stripe_budget, stripe_calls, stripe_circuit
from billing.conf import conf
from billing.stripe_calls import Outcome

StripeRefused = (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError, stripe.PermissionError)

MAX_RATE_LIMIT_WAITS = 3
MAX_RATE_LIMIT_WAIT_SECONDS = 10.0
MAX_CONFLICT_WAITS = 10
CONFLICT_WAIT_SECONDS = 0.2
PARALLEL_READS = 4


class StripeUnavailable(Exception):
    """Stripe did not answer, answered 5xx, limits our rate, or refused our key: nothing changed, ask again later."""


class StripeBusy(StripeUnavailable):
    """Stripe limits our rate: the same call may well be answered in a moment."""


class NotFetched(BaseException):
    """A read that was not prefetched, wanted while a transaction is open: roll back, fetch it, start again.

    Not an `Exception`: dj-stripe catches those where it could do without an object, and would go on without it.
    """

    def __init__(self, request: "ReadRequest") -> None:
        super().__init__(request.url)
        self.request = request


class ReadRequest:
    """One GET, and all it takes to send it."""

    def __init__(self, url: str, headers: Mapping[str, str], max_network_retries: int | None) -> None:
        self.url, self.headers, self.max_network_retries = url, headers, max_network_retries


Answer = tuple[Any, int, Mapping[str, str]]


class Reads:
    """What Stripe answered during one drain: each object asked for once, however many events name it.

    That it did not answer is kept too: only the events that need the object wait for it.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer | StripeUnavailable] = {}
        self.applied: set[str] = set()
        self.is_sealed = False

    @contextmanager
    def sealed(self) -> Iterator[None]:
        """While a transaction is open: only what was fetched before is answered, the rest raises `NotFetched`."""
        self.is_sealed = True
        try:
            yield
        finally:
            self.is_sealed = False

    def fetch(self, request: ReadRequest) -> None:
        """Ask Stripe, and keep whatever comes of it; of reads in parallel, those that met its limit are asked again."""
        try:
            with _mapped_errors():
                self.answers[request.url] = _settled(_http_client(_is_patient.get()).send("get", request.url, request))
        except StripeUnavailable as error:
            if isinstance(error, StripeBusy) and _outcomes.get() is not None:
                raise
            self.answers[request.url] = error

    def answer(self, request: ReadRequest) -> Answer:
        """Raises StripeUnavailable where there was none, `NotFetched` where we may not ask now."""
        if request.url not in self.answers:
            if self.is_sealed:
                raise NotFetched(request)
            self.fetch(request)
        answer = self.answers[request.url]
        if isinstance(answer, StripeUnavailable):
            raise answer
        return answer


class Calls:
    """How many calls were made while it counts."""

    def __init__(self) -> None:
        self.made = 0


_current_reads: ContextVar[Reads | None] = ContextVar("stripe_reads", default=None)
_is_patient: ContextVar[bool] = ContextVar("stripe_is_patient", default=False)
# Where the calls that were let through together leave what came of them; None for one that was not let through yet.
_outcomes: ContextVar[list[Outcome] | None] = ContextVar("stripe_outcomes", default=None)
_counted: ContextVar[Calls | None] = ContextVar("stripe_counted", default=None)


@contextmanager
def patient() -> Iterator[None]:
    """For the worker: nobody waits for a page, so a slow or busy Stripe is waited for and asked again."""
    token = _is_patient.set(True)
    try:
        yield
    finally:
        _is_patient.reset(token)


@contextmanager
def counted() -> Iterator[Calls]:
    """Count every call sent to Stripe meanwhile, those of threads that run in a copy of this context included."""
    calls = Calls()
    token = _counted.set(calls)
    try:
        yield calls
    finally:
        _counted.reset(token)


def once(work: str) -> bool:
    """Whether `work` was not yet done with this drain's answers; work that rolled back counts as not done."""
    reads = _current_reads.get()
    if reads is None:
        return True
    is_first = work not in reads.applied
    reads.applied.add(work)
    return is_first


@contextmanager
def drain_reads() -> Iterator[Reads]:
    """The life of one drain's read cache."""
    reads = Reads()
    token = _current_reads.set(reads)
    try:
        yield reads
    finally:
        _current_reads.reset(token)


@contextmanager
def undone_on_error() -> Iterator[None]:
    """Beside a savepoint: work noted by `once` inside counts as not done when the savepoint rolls back."""
    reads = _current_reads.get()
    before = set(reads.applied) if reads else set()
    try:
        yield
    except BaseException:
        if reads:
            reads.applied = before
        raise


class HttpClient(stripe.RequestsClient):
    """Stripe's own HTTP client, with the drain's cache before it and patience for 429 behind it."""

    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        max_network_retries: int | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> Answer:
        reads = _current_reads.get()
        request = ReadRequest(url, headers, max_network_retries)
        if reads and method.lower() == "get":
            return reads.answer(request)
        if reads and reads.is_sealed:
            raise RuntimeError(f"A write to Stripe inside a database transaction: {method} {url}")
        return self.send(method, url, request, post_data)

    def send(self, method: str, url: str, request: ReadRequest, post_data: Any = None) -> Answer:
        """One call, made again while another with its idempotency key is at work; a patient one also after a 429.

        The SDK knows no `Retry-After`, and gives up on a key in use after as few tries as on a Stripe that is away.
        """
        if _outcomes.get() is not None:
            return self._send(method, url, request, post_data)
        limits, conflicts = (MAX_RATE_LIMIT_WAITS if _is_patient.get() else 0), MAX_CONFLICT_WAITS
        while True:
            with _let_through(1):
                answer = self._send(method, url, request, post_data)
            if answer[1] == 429 and limits:
                limits -= 1
            elif answer[1] == 409 and conflicts:
                time.sleep(CONFLICT_WAIT_SECONDS)
                conflicts -= 1
            else:
                return answer

    def _send(self, method: str, url: str, request: ReadRequest, post_data: Any) -> Answer:
        """The SDK's tries; what came of them is noted."""
        if calls := _counted.get():
            calls.made += 1
        status, retry_after, began = 0, 0.0, time.perf_counter()
        try:
            answer: Answer = super().request_with_retries(
                method, url, request.headers, post_data, max_network_retries=request.max_network_retries
            )
            status, retry_after = answer[1], _retry_after(answer[2])
        finally:
            outcomes = _outcomes.get()
            if outcomes is not None:
                outcomes.append(Outcome(status, time.perf_counter() - began, retry_after))
        return answer


@contextmanager
def _let_through(calls: int) -> Iterator[None]:
    """So many calls may go out inside, from this thread or others; afterwards all processes are told how they went.

    Only this thread asks and tells: the cache may be the database, and others have no connection to it.
    """
    if not stripe_circuit.lets_through():
        raise StripeUnavailable(f"Stripe has not been answering: calls go out again in {stripe_circuit.open_for()} s")
    if not stripe_budget.take(calls, is_patient=_is_patient.get()):
        stripe_circuit.give_probe_back()
        raise StripeBusy("All calls that we may send to Stripe are taken")
    outcomes: list[Outcome] = []
    token = _outcomes.set(outcomes)
    try:
        yield
    finally:
        _outcomes.reset(token)
        _tell(outcomes)


def _tell(outcomes: list[Outcome]) -> None:
    failed = sum(outcome.is_failure for outcome in outcomes)
    if failed < len(outcomes):
        stripe_circuit.succeeded()
    elif failed:
        stripe_circuit.failed(failed)
    if waits := [outcome.retry_after for outcome in outcomes if outcome.status == 429]:
        stripe_budget.pause(max(waits))
    stripe_calls.count(outcomes, at_once=not _is_patient.get())


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds; a second where Stripe does not say."""
    try:
        asked = float(headers.get("Retry-After", ""))
    except ValueError:
        asked = 1.0
    return min(max(asked, 0.1), MAX_RATE_LIMIT_WAIT_SECONDS)


def _settled(answer: Answer) -> Answer:
    """Only what Stripe knows for sure is kept for the drain: an object, or that there is none."""
    status = answer[1]
    if status == 429:
        raise StripeBusy("Stripe limits our rate")
    if status >= 500:
        raise StripeUnavailable(f"Stripe answered {status}")
    return answer


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except stripe.RateLimitError as error:
        raise StripeBusy("Stripe limits our rate") from error
    except stripe.AuthenticationError as error:
        raise StripeUnavailable("Stripe does not accept STRIPE_SECRET_KEY") from error
    except (stripe.APIConnectionError, stripe.APIError) as error:
        raise StripeUnavailable(f"Stripe did not answer: {type(error).__name__}") from error


def get(path: str, **params: Any) -> dict[str, Any]:
    """Read an object or a list, e.g. `get("/v1/customers/cus_1")`."""
    return _call("get", path, params)


def server_time() -> datetime | None:
    """What Stripe's clock said as it answered, to the second."""
    with _mapped_errors():
        client = _client(conf.api_key, conf.api_version, conf.api_base, _is_patient.get())
        said = client.raw_request("get", "/v1/account").headers.get("Date")
    return parsedate_to_datetime(said) if said else None


def post(path: str, *, idempotency_key: str, **params: Any) -> dict[str, Any]:
    """Create or update. `idempotency_key` comes from a row of ours, never from the time or a fresh uuid."""
    return _call("post", path, {**params, "idempotency_key": idempotency_key})


def delete(path: str, *, idempotency_key: str, **params: Any) -> dict[str, Any]:
    return _call("delete", path, {**params, "idempotency_key": idempotency_key})


def get_in_parallel(requests: list[tuple[str, dict[str, Any]]]) -> None:
    """Warm the drain's cache with several reads at once. Raises StripeUnavailable when none may go out."""
    with _let_through(len(requests)):
        reads = [_pool().submit(copy_context().run, _read, path, params) for path, params in requests[1:]]
        _read(*requests[0])
        for read in reads:
            read.result()


def _read(path: str, params: dict[str, Any]) -> None:
    """What comes of it, a refusal too, is kept as Stripe's answer; whoever needs the object meets it there."""
    with suppress(StripeUnavailable, *StripeRefused):
        get(path, **params)


def _call(method: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
    with _mapped_errors():
        answer = _client(conf.api_key, conf.api_version, conf.api_base, _is_patient.get()).raw_request(
            method, path, **params
        )
    data: dict[str, Any] = answer.data
    return data


@lru_cache(maxsize=8)
def _client(api_key: str, api_version: str, api_base: str, is_patient: bool) -> stripe.StripeClient:
    if not api_key:
        raise StripeUnavailable("No Stripe key: set STRIPE_SECRET_KEY")
    return stripe.StripeClient(
        api_key,
        stripe_version=api_version,
        base_addresses={"api": api_base} if api_base else {},
        http_client=_http_client(is_patient),
        max_network_retries=2 if is_patient else 1,
    )


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    """Kept for the life of the process, and with it the connections to Stripe."""
    return ThreadPoolExecutor(max_workers=PARALLEL_READS, thread_name_prefix="stripe")


@lru_cache(maxsize=2)
def _http_client(is_patient: bool) -> HttpClient:
    return HttpClient(timeout=conf.stripe_timeout if is_patient else conf.stripe_request_timeout)


def install() -> None:
    """Send dj-stripe's calls this way too: through our client, to our base address, at our version."""
    _configure()
    setting_changed.connect(_configure, dispatch_uid="billing.stripe_client")


def _configure(**kwargs: Any) -> None:
    if kwargs.get("setting", "STRIPE_").startswith(("STRIPE_", "BILLING_STRIPE_")):
        _http_client.cache_clear()
        _client.cache_clear()
        stripe.default_http_client = _http_client(True)
        stripe.api_base = conf.api_base or stripe.DEFAULT_API_BASE
        stripe.api_version = conf.api_version
        stripe.max_network_retries = 2
        stripe.enable_telemetry = False
