"""These calls of the SDK's story are about tax: rates, codes and tax ids. See `sdk_story.py`."""

from typing import Any

VAT: Any = {"type": "eu_vat", "value": "DE123456789"}


def cus(w: Any) -> str:
    return str(w["customers.create"].id)


TAX_CALLS = {
    "tax_rates.create": lambda c, w: c.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 19, "inclusive": False}
    ),
    "tax_rates.retrieve": lambda c, w: c.v1.tax_rates.retrieve(w["tax_rates.create"].id),
    "tax_rates.update": lambda c, w: c.v1.tax_rates.update(w["tax_rates.create"].id, {"description": "VAT Germany"}),
    "tax_rates.list": lambda c, w: c.v1.tax_rates.list(),
    "tax_codes.retrieve": lambda c, w: c.v1.tax_codes.retrieve("txcd_10103001"),
    "tax_codes.list": lambda c, w: c.v1.tax_codes.list(),
    "tax.settings.retrieve": lambda c, w: c.v1.tax.settings.retrieve(),
    "tax.registrations.list": lambda c, w: c.v1.tax.registrations.list(),
    "customers.tax_ids.create": lambda c, w: c.v1.customers.tax_ids.create(cus(w), VAT),
    "customers.tax_ids.retrieve": lambda c, w: c.v1.customers.tax_ids.retrieve(
        cus(w), w["customers.tax_ids.create"].id
    ),
    "customers.tax_ids.list": lambda c, w: c.v1.customers.tax_ids.list(cus(w)),
    "customers.tax_ids.delete": lambda c, w: c.v1.customers.tax_ids.delete(cus(w), w["customers.tax_ids.create"].id),
    "tax_ids.create": lambda c, w: c.v1.tax_ids.create(VAT),
    "tax_ids.retrieve": lambda c, w: c.v1.tax_ids.retrieve(w["tax_ids.create"].id),
    "tax_ids.list": lambda c, w: c.v1.tax_ids.list(),
    "tax_ids.delete": lambda c, w: c.v1.tax_ids.delete(w["tax_ids.create"].id),
}
