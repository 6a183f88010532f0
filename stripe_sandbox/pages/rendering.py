"""This module renders the templates of the hosted pages into responses."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import ChainableUndefined, Environment, FileSystemLoader

from ..books import cards, pricing
from ..http.messages import Request, Response

FOLDER = Path(__file__).parent.parent / "templates"
ENGINE = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=True,
    undefined=ChainableUndefined,
    finalize=lambda value: "" if value is None else value,
)
# The pages have one script and work without it; the policy allows it by its digest.
SCRIPT = (FOLDER / "page.js").read_text()
DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{DIGEST}'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
HTML = "text/html; charset=utf-8"


def page(template: str, status: int = 200, **values: Any) -> Response:
    shown = {"cards": cards.CARDS, "merchant": "Sandbox", "expiry": _some_expiry(), "script": SCRIPT}
    body = ENGINE.get_template(template).render(shown | values)
    return Response(status, body.encode(), {**HEADERS, "Cache-Control": "no-store"}, HTML)


def framed(response: Response) -> Response:
    """Return the page as one that a page of any site may show inside of itself."""
    policy = response.headers.get("Content-Security-Policy", "").replace("frame-ancestors 'none'", "frame-ancestors *")
    return replace(response, headers={**response.headers, "Content-Security-Policy": policy})


def stripe_js() -> Response:
    """Return what a site loads instead of Stripe's own script, to show an embedded Checkout."""
    body = (FOLDER / "stripe.js").read_bytes()
    return Response(200, body, {"Cache-Control": "no-store"}, "text/javascript; charset=utf-8")


def _some_expiry() -> str:
    return f"12 / {(datetime.now(UTC).year + 3) % 100:02d}"


def redirect(address: str) -> Response:
    return Response(303, b"", {"Location": address}, HTML)


def form(request: Request) -> dict[str, str]:
    given = parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in given.items()}


def amount(value: int, currency: str) -> str:
    return pricing.shown(value, currency)


def date(instant: int | None) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%-d %B %Y}" if instant else ""


def moment(instant: int | float) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%d %H:%M:%S}"
