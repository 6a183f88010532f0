"""An amount is split by tax rate: each part has its net, its tax, and the rate and country of the tax."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from billing.models import TaxRate


@dataclass(frozen=True)
class Part:
    """Minor units. `rate`: the id of the tax rate, "" where there is no tax."""

    net: int
    tax: int
    rate: str = ""

    @property
    def gross(self) -> int:
        return self.net + self.tax


class Rates:
    """The tax rates are read once for an export; there are few."""

    def __init__(self) -> None:
        rows = TaxRate.objects.values_list("pk", "percentage", "country")
        self.known = {pk: (f"{percentage.normalize():f}", country) for pk, percentage, country in rows}

    def named(self, rate: str) -> tuple[str, str]:
        """Return percentage and country; of a rate that no sync has listed, its id and no country."""
        return self.known.get(rate, (rate, ""))


def parts_of(total: int, taxes: list[dict[str, Any]]) -> list[Part]:
    """Split a total with tax. The nets add up to the total less all taxes.

    Taxes on different lines have each their own net, and what bears no tax is a part without a rate. Where several
    taxes are on the same lines, such as state and county, the first has the net and the others have none.
    """
    left = total - sum(tax["amount"] for tax in taxes)
    taxes = sorted(taxes, key=lambda tax: (-(tax["taxable"] or 0), tax["rate"]))
    if len(taxes) == 1 and taxes[0]["taxable"] is None:
        return [Part(left, taxes[0]["amount"], taxes[0]["rate"])]
    nets = [tax["taxable"] or 0 for tax in taxes]
    if abs(sum(nets)) > abs(left):
        nets = [nets[0], *(0 for _ in nets[1:])]
    parts = [Part(net, tax["amount"], tax["rate"]) for net, tax in zip(nets, taxes, strict=True)]
    rest = left - sum(nets)
    return [*parts, Part(rest, 0)] if rest or not parts else parts


def scaled(parts: list[Part], amount: int) -> list[Part]:
    """Return the parts scaled to another total, exact to the minor unit."""
    whole = sum(part.gross for part in parts)
    if amount == whole or not whole:
        return parts if amount == whole else [Part(amount, 0)]
    values = list(_shares([value for part in parts for value in (part.net, part.tax)], amount, whole))
    return [Part(values[2 * at], values[2 * at + 1], part.rate) for at, part in enumerate(parts)]


def negated(parts: list[Part]) -> list[Part]:
    return [Part(-part.net, -part.tax, part.rate) for part in parts]


def _shares(values: list[int], amount: int, whole: int) -> Iterable[int]:
    """Yield the share of each value, rounded so that all shares add up to `amount`."""
    seen, given = 0, 0
    for value in values:
        seen += value
        upto = seen * amount // whole
        yield upto - given
        given = upto
