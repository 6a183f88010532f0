"""Lines are taxed by rates that were given by hand, or automatically by the table.

1. What a line's discounts and billing credits leave of it is taxed; a credit is taxed below zero, so that its tax
   comes back.
2. Inclusive rates are taken out of the amount, exclusive ones are added to what is left.
3. Each line's tax is rounded half up; where the table says `total`, the sum of each rate is, and the lines share it.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ...store import Object, State
from .. import reductions
from . import codes, rates, table
from .places import Party
from .table import EU

Tax = dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """These terms say how an invoice or a Checkout is taxed. A line's own rates come before `rates`."""

    automatic: bool = False
    rates: tuple[Object, ...] = ()
    party: Party | None = None


@dataclass(frozen=True)
class Applied:
    """This tax is charged on a line, and is as much as it is for a reason."""

    rate: Object
    inclusive: bool
    reason: str

    @property
    def percentage(self) -> Decimal:
        return Decimal(str(self.rate["percentage"])) if self.reason not in UNTAXED else Decimal(0)


@dataclass(frozen=True)
class Taxable:
    """This amount is left after discounts; the rest decides its tax."""

    amount: int
    currency: str
    behavior: str
    code: str | None
    rates: tuple[Object, ...]


EXEMPT = {"exempt": "customer_exempt", "reverse": "reverse_charge"}
UNTAXED = {*EXEMPT.values(), "not_subject_to_tax", "not_collecting"}


def status(terms: Terms) -> str | None:
    if not terms.automatic:
        return None
    return "complete" if terms.party and terms.party.location else "requires_location_inputs"


def inputs(state: State, given: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """Return what decides the tax of an invoice item, as parameters say; what they leave out is kept."""
    named: dict[str, Any] = {name: given[name] for name in ("tax_behavior", "tax_code") if name in given}
    known = {**kept, **named}
    codes.check(known.get("tax_code"))
    if "tax_rates" in given:
        known["tax_rates"] = rates.chosen(state, given["tax_rates"], "tax_rates")
    if known.get("tax_behavior") == "unspecified":
        del known["tax_behavior"]
    return known


def remember(state: State, identifier: str, known: dict[str, Any]) -> None:
    """Remember what decides the tax of a line or an invoice item, and is not all shown on it."""
    given = {name: value for name, value in known.items() if value}
    if given:
        state.note(identifier)["tax"] = given
    elif identifier in state.notes:
        state.notes[identifier].pop("tax", None)


def remembered(state: State, identifier: str) -> dict[str, Any]:
    return dict(state.notes.get(identifier, {}).get("tax") or {})


def of_line(state: State, line: Object) -> Taxable:
    known, price = remembered(state, line["id"]), _price(state, line)
    product = state.find("product", price["product"]) if price else None
    paid = reductions.credits_of(line)
    amount = line["amount"] - sum(entry["amount"] for entry in (*line["discount_amounts"], *paid))
    behavior = known.get("tax_behavior") or (behavior_of(state, price, line["currency"]) if price else "")
    code = known.get("tax_code") or (product["tax_code"] if product else None)
    return Taxable(amount, line["currency"], behavior, code, tuple(known.get("tax_rates") or ()))


def _price(state: State, line: Object) -> Object | None:
    details = (line["pricing"] or {}).get("price_details")
    return state.find("price", details["price"]) if details else None


def behavior_of(state: State, price: Object, currency: str) -> str:
    """Return a price's `tax_behavior` in a currency: each of its currency options has its own."""
    options = state.note(price["id"]).get("currency_options") or {}
    shown = price if price["currency"] == currency else options.get(currency, price)
    return "" if shown["tax_behavior"] == "unspecified" else str(shown["tax_behavior"] or "")


def is_untaxed(state: State, terms: Terms, parts: list[Taxable]) -> bool:
    return not terms.automatic and not terms.rates and not any(part.rates for part in parts)


def taxes(state: State, terms: Terms, parts: list[Taxable]) -> list[list[Tax]]:
    """Return the taxes of each part."""
    applied = [_applied(state, terms, part) for part in parts]
    exact = [_exact(part.amount, each) for part, each in zip(parts, applied, strict=True)]
    amounts = _rounded(state, applied, exact)
    return [
        [_shown(tax, amount, part.amount - _included(each, row)) for tax, amount in zip(each, row, strict=True)]
        for part, each, row in zip(parts, applied, amounts, strict=True)
    ]


def _applied(state: State, terms: Terms, part: Taxable) -> list[Applied]:
    if terms.automatic:
        return _automatic(state, terms.party, part)
    exempt = EXEMPT.get(terms.party.exempt) if terms.party else None
    return [Applied(row, row["inclusive"], exempt or "not_available") for row in part.rates or terms.rates]


def _automatic(state: State, party: Party | None, part: Taxable) -> list[Applied]:
    place = party.location if party else None
    if party is None or place is None:
        return []
    inclusive = (part.behavior or table.behavior_for(state, part.currency)) == "inclusive"
    found = table.rates_at(state, place, part.code)
    reason = _untaxed(state, party, part, bool(found))
    entries: list[Object | None] = [*found] if found and reason is None else [None]
    return [
        Applied(rates.automatic(state, entry, place, inclusive), inclusive, reason or _reason(entry))
        for entry in entries
    ]


def _untaxed(state: State, party: Party, part: Taxable, is_collected: bool) -> str | None:
    if part.code == codes.NONTAXABLE:
        return "not_subject_to_tax"
    if not is_collected:
        return "not_collecting"
    if party.exempt in EXEMPT:
        return EXEMPT[party.exempt]
    return "reverse_charge" if is_reverse_charged(state, party) else None


def _reason(entry: Object | None) -> str:
    if entry is None or not Decimal(str(entry["percentage"])):
        return "zero_rated"
    return "reduced_rated" if "tax_code" in entry else "standard_rated"


def is_reverse_charged(state: State, party: Party) -> bool:
    """A business of another EU country than ours accounts for the tax itself; its VAT id says that it is one."""
    chosen, place = table.of(state), party.location
    if place is None or place.country not in EU or place.country == chosen["country"]:
        return False
    enough = ("verified",) if chosen["reverse_charge"] == "verified" else ("verified", "pending", "unavailable")
    return any(
        row["type"] == "eu_vat" and row["verification"]["status"] in enough and row["country"] in (None, place.country)
        for row in party.tax_ids
    )


def _exact(amount: int, applied: list[Applied]) -> list[Decimal]:
    included = sum((tax.percentage for tax in applied if tax.inclusive), Decimal(0))
    net = Decimal(amount) * 100 / (100 + included)
    return [net * tax.percentage / 100 for tax in applied]


def _rounded(state: State, applied: list[list[Applied]], exact: list[list[Decimal]]) -> list[list[int]]:
    if table.of(state)["rounding"] == "line":
        return [[whole(amount) for amount in row] for row in exact]
    so_far: dict[tuple[str, str], Decimal] = {}
    shares = []
    for each, row in zip(applied, exact, strict=True):
        shares.append([_share(so_far, (tax.rate["id"], tax.reason), amount)
                       for tax, amount in zip(each, row, strict=True)])  # fmt: skip
    return shares


def _share(so_far: dict[tuple[str, str], Decimal], key: tuple[str, str], amount: Decimal) -> int:
    before = so_far.get(key, Decimal(0))
    so_far[key] = before + amount
    return whole(before + amount) - whole(before)


def whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def _included(applied: list[Applied], amounts: list[int]) -> int:
    return sum(amount for tax, amount in zip(applied, amounts, strict=True) if tax.inclusive)


def _shown(tax: Applied, amount: int, net: int) -> Tax:
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if tax.inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": tax.rate["id"]},
        "taxability_reason": tax.reason,
        "taxable_amount": 0 if tax.reason in UNTAXED else net,
        "type": "tax_rate_details",
    }


def summed(taxes: list[Tax]) -> list[Tax]:
    """Return `total_taxes`: one entry for each rate and reason."""
    sums: dict[tuple[str, ...], Tax] = {}
    for tax in taxes:
        key = (tax["tax_rate_details"]["tax_rate"], tax["tax_behavior"], tax["taxability_reason"])
        known = sums.setdefault(key, {**tax, "amount": 0, "taxable_amount": 0})
        known["amount"] += tax["amount"]
        known["taxable_amount"] += tax["taxable_amount"]
    return list(sums.values())


def exclusive(taxes: list[Tax]) -> int:
    """Return the tax that comes on top."""
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")


def inclusive(taxes: list[Tax]) -> int:
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")


def without_tax(state: State, amount: int, taxes: list[Tax]) -> int:
    """Return what an amount is without the inclusive ones of these taxes."""
    included = sum(
        (
            Decimal(str(state.get(rates.KIND, tax["tax_rate_details"]["tax_rate"])["percentage"]))
            for tax in taxes
            if tax["tax_behavior"] == "inclusive" and tax["taxability_reason"] not in UNTAXED
        ),
        Decimal(0),
    )
    return amount - whole(Decimal(amount) * included / (100 + included))
