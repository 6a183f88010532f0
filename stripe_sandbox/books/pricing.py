"""These functions price an item: unit amount by currency, proration by the second, words on the invoice line."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ..errors import invalid
from ..store import Object, State

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())


def unit_amount(state: State, price: Object, currency: str) -> int:
    if price["currency"] == currency:
        return int(price["unit_amount"] or 0)
    options = state.note(price["id"]).get("currency_options") or {}
    if currency not in options:
        raise invalid(f"The price specified only supports `{price['currency']}`. You passed `{currency}`.", "currency")
    return int(options[currency]["unit_amount"])


def known(state: State, identifier: str) -> Object:
    """Return a price, also one that was deleted as a plan: who has it keeps it."""
    return state.find("price", identifier) or dict(state.note(identifier)["last"])


def item_amount(state: State, item: Object, currency: str) -> int:
    return unit_amount(state, item["price"], currency) * int(item.get("quantity") or 1)


def share(amount: int, part: int, whole: int) -> int:
    """Return `amount` × part ÷ whole, to the nearest minor unit."""
    exact = Decimal(amount) * part / max(whole, 1)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def shown(amount: int, currency: str) -> str:
    """Return an amount as the hosted pages and line descriptions write it."""
    exponent = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    sign = "-" if amount < 0 else ""
    value = Decimal(abs(amount)).scaleb(-exponent)
    symbol = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}.get(currency)
    number = f"{value:,.{exponent}f}"
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency.upper()}"


def rhythm(recurring: dict[str, Any]) -> str:
    count = recurring["interval_count"]
    return recurring["interval"] if count == 1 else f"{count} {recurring['interval']}s"
