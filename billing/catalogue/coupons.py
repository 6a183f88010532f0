"""A coupon takes a share or an amount off what is bought, once, for some months or for good."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing.stripe_client import id_of


@dataclass(frozen=True)
class Part:
    """A part of an invoice costs `amount` minor units, None where usage decides it, for a product."""

    amount: int | None
    product: str = ""


@dataclass(frozen=True)
class Coupon:
    """These are the terms of a coupon. `amounts` are minor units off, by currency; no `products` means all of them."""

    id: str = ""
    name: str = ""
    percent_off: Decimal | None = None
    amounts: Mapping[str, int] = field(default_factory=dict)
    products: tuple[str, ...] = ()
    duration: str = ""
    months: int | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Coupon":
        """Return the terms of Stripe's coupon, which was asked for with `applies_to` and `currency_options`."""
        percent, currency = found.get("percent_off"), found.get("currency") or ""
        own = {currency: int(found["amount_off"])} if found.get("amount_off") is not None else {}
        options = (found.get("currency_options") or {}).items() if own else ()
        return cls(
            id=id_of(found),
            name=found.get("name") or "",
            percent_off=None if percent is None else Decimal(str(percent)),
            amounts={**{name: int(option["amount_off"]) for name, option in options}, **own},
            products=tuple((found.get("applies_to") or {}).get("products") or ()),
            duration=found.get("duration") or "",
            months=found.get("duration_in_months"),
        )

    @property
    def is_known(self) -> bool:
        """Return whether Stripe still tells what the coupon takes off."""
        return self.percent_off is not None or bool(self.amounts)

    @property
    def is_lasting(self) -> bool:
        """Return whether it counts for more than one invoice."""
        return self.duration in ("repeating", "forever")

    def is_for(self, product: str) -> bool:
        return not self.products or product in self.products

    def is_in(self, currency: str) -> bool:
        """Return whether it takes something off in a currency; a share does in any."""
        return self.percent_off is not None or currency in self.amounts

    def off(self, parts: Iterable[Part], currency: str) -> int | None:
        """Return what it takes off these parts together, as Stripe rounds; None where that is not known ahead."""
        meant = [part.amount for part in parts if self.is_for(part.product)]
        if None in meant or not self.is_known:
            return None
        amounts = [max(amount or 0, 0) for amount in meant]
        if self.percent_off is None:
            return min(self.amounts.get(currency, 0), sum(amounts))
        share = self.percent_off / 100
        return sum(int((amount * share).quantize(Decimal(1), ROUND_HALF_UP)) for amount in amounts)
