"""Templates to responses; Django's engine on its own, without settings."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from django.template import Context, Engine

from .. import cards, pricing
from ..api import Request, Response

ENGINE = Engine(dirs=[str(Path(__file__).parent.parent / "templates")], autoescape=True)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
HTML = "text/html; charset=utf-8"


def page(template: str, status: int = 200, **values: Any) -> Response:
    body = ENGINE.get_template(template).render(Context({"cards": cards.CARDS, **words(values)}))
    return Response(status, body.encode(), {**HEADERS, "Cache-Control": "no-store"}, HTML)


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
