"""Templates to responses; Django's engine on its own, without settings."""

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from django.template import Context, Engine
from django.utils.safestring import SafeString

from ..books import cards, pricing
from ..http.api import Request, Response

FOLDER = Path(__file__).parent.parent / "templates"
ENGINE = Engine(dirs=[str(FOLDER)], autoescape=True)
# The one script of the pages, which works without; the policy names it by its digest.
SCRIPT = (FOLDER / "page.js").read_text()
DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{DIGEST}'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
HTML = "text/html; charset=utf-8"


def page(template: str, status: int = 200, **values: Any) -> Response:
    shown = {"cards": cards.CARDS, "merchant": "Sandbox", "expiry": _some_expiry(), "script": SafeString(SCRIPT)}
    body = ENGINE.get_template(template).render(Context({**shown, **words(values)}))
    return Response(status, body.encode(), {**HEADERS, "Cache-Control": "no-store"}, HTML)


def _some_expiry() -> str:
    return f"12 / {(datetime.now(UTC).year + 3) % 100:02d}"


def words(value: Any) -> Any:
    """Numbers as text: how to write one is a setting, and this engine has none."""
    if isinstance(value, dict):
        return {name: words(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [words(inner) for inner in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


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
