"""This module sends errors to Sentry if `SENTRY_DSN` is set: the error and its place, but not who asked for what.

Of a request only method and path are sent: no body, header, cookie, query or user. So bodies and signatures of webhooks
are never sent, nor ids of Checkout sessions in an address.
"""

from typing import Any, cast
from urllib.parse import urlsplit

import sentry_sdk
import structlog
from sentry_sdk.types import Breadcrumb, Event, Hint

from billing import cause

from .scrubbing import scrubbed

KEPT_OF_REQUEST = ("method", "url")
# Names under these keys are Sentry's own.
STRUCTURE = ("sdk", "modules", "contexts", "environment", "release", "platform", "server_name")


def configure(dsn: str) -> None:
    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        before_send=before_send,
        before_breadcrumb=before_breadcrumb,
    )


def before_send(event: Event, hint: Hint) -> Event:
    found: dict[str, Any] = {**event}
    found.pop("user", None)
    request = found.pop("request", None) or {}
    cleaned: Any = {key: value if key in STRUCTURE else scrubbed(value) for key, value in found.items()}
    if request:
        kept = {key: request[key] for key in KEPT_OF_REQUEST if key in request}
        cleaned["request"] = {key: scrubbed(urlsplit(value)._replace(query="").geturl()) for key, value in kept.items()}
    cleaned["tags"] = {**cleaned.get("tags", {}), **_where()}
    return cast(Event, cleaned)


def before_breadcrumb(crumb: Breadcrumb, hint: Hint) -> Breadcrumb | None:
    """Keep log lines, which are scrubbed with the event; drop statements and calls, which may hold personal data."""
    return crumb if crumb.get("type") == "log" else None


def _where() -> dict[str, Any]:
    """Return event, lane and mail, as log lines have them."""
    bound = {key: str(value) for key, value in structlog.contextvars.get_contextvars().items() if value}
    return {**bound, "cause": cause.current()} if cause.current() else bound
