"""A running sandbox holds its state behind one lock, with a server, deliveries and a clock."""

import logging
import secrets
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from . import api, control, pages, saving
from .books import billing_cycle, clocks
from .books.tax import table
from .deliveries import Dispatcher
from .errors import ApiError
from .events import shown
from .faults import Faults
from .http.messages import Request, Response, refusal
from .http.origin import is_open_to_others, strange_host
from .http.server import Server
from .store import Object, State
from .versions import API_VERSION, sdk_differs

logger = logging.getLogger("stripe_sandbox")
TICK = 0.25
OPEN_TO_OTHERS = "Whoever reaches this machine can use it: any key is taken, and the control plane asks for none."


class Sandbox:
    """A sandbox is a Stripe on a free port: `with Sandbox(port=0, forward=url, webhook_secret="whsec_…") as sb:
    sb.url`."""

    def __init__(
        self,
        port: int = 12111,
        host: str = "127.0.0.1",
        forward: str | None = None,
        webhook_secret: str | None = None,
        state_file: str | Path | None = None,
        seed: str | int | None = None,
        now: int | None = None,
        any_version: bool = False,
        forward_thin: str | None = None,
        tax: dict[str, Any] | None = None,
    ) -> None:
        self.tax = tax
        self.host, self.port, self.any_version = host, port, any_version
        self.forward, self.forward_thin = forward, forward_thin
        self.webhook_secret = webhook_secret or f"whsec_{secrets.token_hex(16)}"
        self.key = "sk_test_sandbox"
        self.state_file = Path(state_file) if state_file else None
        self.lock = threading.RLock()
        self.faults = Faults()
        self.state = self._prepare(State(str(seed) if seed is not None else None, now))
        self.dispatcher = Dispatcher(self.state, self.faults, self.lock)
        self.server: Server | None = None
        self._stopping = threading.Event()
        self._saved, self._saving_took = 0.0, 0.0
        self._keys = threading.Lock()
        self._in_use: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> "Sandbox":
        """Start serving. Raises OSError if the port is taken, `NotAState` if the file holds no state; then nothing
        runs."""
        if self.state_file and self.state_file.exists():
            self.state = saving.load(self.state_file)
            self.state.made += saving.LOST_AT_MOST
            self.dispatcher.state = self.state
        self.server = Server(self.host, self.port, self.handle)
        self.port = self.server.server_address[1]
        self._prepare(self.state)
        with self.lock:
            self.dispatcher.resume()
        self.server.serve_in_background()
        threading.Thread(target=self._tick, name="stripe-sandbox-clock", daemon=True).start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        if self.server:
            self.server.close()
            self.server = None
        self.dispatcher.stop()
        self.save()

    def __enter__(self) -> "Sandbox":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def save(self) -> None:
        if self.state_file:
            began = time.monotonic()
            with self.lock:
                saving.save(self.state, self.state_file)
                self.state.is_kept = True
            self._saved = time.monotonic()
            self._saving_took = self._saved - began

    def reset(self, seed: str, now: int | None) -> None:
        """Empty the state; called with the lock held."""
        self.state = self._prepare(State(seed, now))
        self.dispatcher.forget(self.state)
        self.faults.set({})

    def events(self, but: Collection[str] = ()) -> list[Object]:
        """Return all that the sandbox still keeps, oldest first, as they are delivered; leave out the ids of `but`."""
        with self.lock:
            return [shown(row) for row in self.state.table("event").rows.values() if row["id"] not in but]

    def _prepare(self, state: State) -> State:
        state.forward, state.webhook_secret, state.base_url = self.forward, self.webhook_secret, self.url
        state.forward_thin, state.any_version = self.forward_thin, self.any_version
        if self.tax is not None:
            table.put(state, self.tax)
        return state

    def _tick(self) -> None:
        """Let everything happen that falls due as time passes by itself, and keep what has changed."""
        while not self._stopping.wait(TICK):
            try:
                with self.lock:
                    self.after()
            except Exception:
                logger.exception("What fell due failed")
            if not self.state.is_kept and self._is_time_to_save():
                self._keep()

    def _is_time_to_save(self) -> bool:
        """Saving holds up everybody else, so it takes a tenth of the time at most."""
        return time.monotonic() - self._saved > 10 * self._saving_took

    def _keep(self) -> None:
        try:
            self.save()
        except OSError as error:
            logger.error("The state could not be written to %s: %s. It is tried again.", self.state_file, error)

    def after(self) -> None:
        """Let what is due by now happen, with the lock held, and hand what was published to the deliveries."""
        if billing_cycle.run_due(self.state, self.state.now()):
            self.state.is_kept = False
        self.dispatcher.take()

    def handle(self, request: Request) -> Response | None:
        """Return the answer; None is a connection that breaks before it (the fault `lose_answer`)."""
        try:
            return self._handle(request)
        except Exception:
            logger.exception("%s %s", request.method, request.path)
            error = ApiError(500, "The sandbox failed on this request; its log says where.", "api_error")
            return refusal(error, "req_failed")
        finally:
            if request.method != "GET" or not request.path.startswith(("/v1/", "/v2/", "/_sandbox")):
                self.state.is_kept = False

    def _handle(self, request: Request) -> Response | None:
        if (strange := strange_host(self.host, request)) is not None:
            return refusal(strange, "req_host")
        if request.path.startswith("/_sandbox"):
            return control.answer(self, request)
        if request.path.startswith(("/v1/", "/v2/")):
            return self._api(request)
        with self.lock:
            with clocks.within(self.state, clocks.of(self.state, request.path.split("/"))):
                response = pages.answer(self.state, request)
            self.after()
        return response

    def _api(self, request: Request) -> Response | None:
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key is None:
            return self._answered(request)
        with self._keys:
            if key in self._in_use:
                return refusal(api.in_use(key), "req_in_use")
            self._in_use.add(key)
        try:
            return self._answered(request)
        finally:
            with self._keys:
                self._in_use.discard(key)

    def _answered(self, request: Request) -> Response | None:
        faults = self.faults
        if latency := faults.api.get("latency_ms", 0):
            time.sleep(latency / 1000)
        with self.lock:
            if faults.strikes(faults.api, "fail_next"):
                return self._fault(request)
            response = api.answer(self.state, request)
            self.after()
            is_write = request.method != "GET"
            if is_write and faults.strikes(faults.api, "lose_answer"):
                return None
        return response

    def _fault(self, request: Request) -> Response:
        """Return a failure that was asked for: nothing is applied."""
        self.state.calls[request.method, request.path] += 1
        status = int(self.faults.api.get("status", 500))
        kind = "rate_limit_error" if status == 429 else "api_error" if status >= 500 else "invalid_request_error"
        code = "rate_limit" if status == 429 else None
        error = ApiError(status, "The sandbox was asked to fail this request.", kind, code=code)
        if "retry_after" in self.faults.api:
            error.headers["Retry-After"] = str(self.faults.api["retry_after"])
        return refusal(error, self.state.new_id("req", 14))


def described(sandbox: Sandbox) -> str:
    lines = [
        f"A Stripe to develop against   {sandbox.url}",
        f"API key                       {sandbox.key} (any sk_test_… is taken)",
        f"Webhook secret                {sandbox.webhook_secret}",
        f"Events are delivered to       {sandbox.forward or 'the webhook endpoints that are created'}",
        f"API version                   {API_VERSION}{', clients of any other too' if sandbox.any_version else ''}",
    ]
    opened = OPEN_TO_OTHERS if is_open_to_others(sandbox.host) else None
    return "\n".join([*lines, *filter(None, [opened, sdk_differs()])])
