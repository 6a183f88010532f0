"""Details of a customer are sent so that a refused one does not hold up the others."""

from collections.abc import Callable
from typing import Any

from babel import Locale

from billing import stripe_client
from billing.stripe_client import NoSuchCustomer, NoTaxAddress, StripeRefused

# Stripe takes these when it makes a customer, and refuses them in an update.
ONLY_AT_CREATION = frozenset({"payment_method", "tax_id_data", "test_clock"})
# Two letters that CLDR names, and that are no country.
NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
COUNTRIES = frozenset(code for code in map(str, Locale("en").territories) if len(code) == 2) - NO_COUNTRIES
Details = dict[str, Any]
Refused = dict[str, str]


def send(details: Details, write: Callable[[Details], Any]) -> tuple[Any, Refused]:
    """Write the details; those that Stripe refuses for good are left out, and returned by name with its sentence. So is
    an address whose country there is not: it would never be taxed, and no invoice with it would be right.

    Raises `StripeUnavailable`, `NoSuchCustomer`, and `StripeRefused` where no detail of ours is named.
    """
    refused = {name: why for name in details if (why := wrong_country(name, details[name]))}
    left = {name: value for name, value in details.items() if name not in refused}
    while True:
        try:
            return write(left), refused
        except NoSuchCustomer:
            raise
        except StripeRefused as error:
            name = _refused_by(error)
            if name not in left:
                raise
            refused[name] = str(error.user_message or error)
            del left[name]


def wrong_country(name: str, value: Any) -> str:
    """Return what is wrong with the country of an address or of a place of delivery; "" if nothing is."""
    address = value.get("address") if name == "shipping" and isinstance(value, dict) else value
    if name not in ("address", "shipping") or not isinstance(address, dict):
        return ""
    country = address.get("country")
    if not country or (isinstance(country, str) and country.upper() in COUNTRIES):
        return ""
    return f"There is no country {str(country)[:40]!r}: write the two letters of ISO 3166, such as DE."


def _refused_by(error: Exception) -> str:
    """Return the detail that Stripe refuses; of a place that it cannot tax, it names none."""
    if isinstance(error, NoTaxAddress):
        return "address"
    return (getattr(error, "param", "") or "").partition("[")[0]


def write_tax_ids(customer_id: str, wanted: list[dict[str, str]], key: str) -> Refused:
    """Give the customer these tax ids, by the address that Stripe has for them: they are no part of an update.

    Ids of the kinds that are named become exactly the wanted ones; those of other kinds, which a customer may have
    entered at Checkout, stay.
    """
    path = f"/v1/customers/{customer_id}/tax_ids"
    has = {(row["type"], row["value"]): row["id"] for row in stripe_client.get(path, limit=100)["data"]}
    wants = {(each["type"], each["value"]) for each in wanted}
    refused: Refused = {}
    for kind, value in sorted(wants - has.keys()):
        try:
            stripe_client.post(path, idempotency_key=f"{key}:{kind}:{value}"[:255], type=kind, value=value)
        except NoSuchCustomer:
            raise
        except StripeRefused as error:
            refused["tax_id_data"] = f"{kind}: {error.user_message or error}"
    kinds = {kind for kind, _ in wants} if not refused else set()
    for (kind, _), identifier in {pair: row for pair, row in has.items() if pair not in wants}.items():
        if kind in kinds:
            stripe_client.delete(f"{path}/{identifier}", idempotency_key=f"{key}:remove:{identifier}")
    return refused


def in_words(refused: Refused) -> str:
    """Return the refusals in one text, for the row that staff see."""
    return " ".join(f"{name}: {why}" for name, why in sorted(refused.items()))
