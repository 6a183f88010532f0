"""The HTTP client is Stripe's own, with the drain's cache before it and patience for 429 behind it."""

import time
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import stripe

from billing.conf import conf

from . import gate
from . import reads as stripe_reads
from .call_counts import Outcome
from .reads import Answer, ReadRequest

MAX_RATE_LIMIT_WAITS = 3
MAX_RATE_LIMIT_WAIT_SECONDS = 10.0
MAX_CONFLICT_WAITS = 10
CONFLICT_WAIT_SECONDS = 0.2


class Request:
    """A request keeps the SDK's arguments of a call beside method, address and data."""

    def __init__(self, headers: Mapping[str, str], max_network_retries: int | None) -> None:
        self.headers, self.max_network_retries = headers, max_network_retries


class HttpClient(stripe.RequestsClient):
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
        reads = stripe_reads.current()
        request = Request(headers, max_network_retries)
        if reads and method.lower() == "get":
            return reads.answer(ReadRequest(url, partial(_read, url, request)))
        if reads and reads.is_sealed:
            raise RuntimeError(f"A write to Stripe inside a database transaction: {method} {url}")
        return self.send(method, url, request, post_data)

    def send(self, method: str, url: str, request: Request, post_data: Any = None) -> Answer:
        """Send one call, and send it again while another with its idempotency key is at work; a patient call also
        after a 429.

        The SDK knows no `Retry-After`, and gives up on a key in use after as few tries as on a Stripe that is away.
        """
        if gate.is_passed():
            return self._send(method, url, request, post_data)
        limits, conflicts = (MAX_RATE_LIMIT_WAITS if gate.is_patient() else 0), MAX_CONFLICT_WAITS
        while True:
            with gate.let_through(1):
                answer = self._send(method, url, request, post_data)
            if answer[1] == 429 and limits:
                limits -= 1
            elif answer[1] == 409 and conflicts:
                time.sleep(CONFLICT_WAIT_SECONDS)
                conflicts -= 1
            else:
                return answer

    def _send(self, method: str, url: str, request: Request, post_data: Any) -> Answer:
        """Send the call by the SDK, which may try more than once, and note the outcome."""
        gate.count_one()
        status, retry_after, began = 0, 0.0, time.perf_counter()
        try:
            answer: Answer = super().request_with_retries(
                method, url, request.headers, post_data, max_network_retries=request.max_network_retries
            )
            status, retry_after = answer[1], _retry_after(answer[2])
        finally:
            gate.note(Outcome(status, time.perf_counter() - began, retry_after))
        return answer


@lru_cache(maxsize=2)
def http_client(is_patient: bool) -> HttpClient:
    return HttpClient(timeout=conf.stripe_timeout if is_patient else conf.stripe_request_timeout)


def _read(url: str, request: Request) -> Answer:
    return http_client(gate.is_patient()).send("get", url, request)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds to wait; a second where Stripe does not say."""
    try:
        asked = float(headers.get("Retry-After", ""))
    except ValueError:
        asked = 1.0
    return min(max(asked, 0.1), MAX_RATE_LIMIT_WAIT_SECONDS)
