"""A tax code says what a product is. The sandbox names some of Stripe's, and takes every other that has their form."""

import re

from ...errors import missing_resource
from ...store import Object

NONTAXABLE = "txcd_00000000"
CODES = {
    NONTAXABLE: ("Nontaxable", "Any nontaxable good or service."),
    "txcd_10000000": ("General - Electronically Supplied Services", "Digital services that are provided online."),
    "txcd_10103000": ("Software as a service (SaaS) - personal use", "Software used over the internet by persons."),
    "txcd_10103001": ("Software as a service (SaaS) - business use", "Software used over the internet by businesses."),
    "txcd_10202000": ("Software - downloaded", "Software that is downloaded."),
    "txcd_10302000": ("Digital books - downloaded", "Books that are downloaded, with permanent rights."),
    "txcd_20030000": ("General - Services", "Services that are no goods and not supplied electronically."),
    "txcd_92010001": ("Shipping", "Transport of goods to the buyer."),
    "txcd_99999999": ("General - Tangible Goods", "Physical goods that can be moved or touched."),
}


def of_code(code: str) -> Object:
    name, description = CODES.get(code, (code, "The sandbox has no description of this code."))
    check(code, None)
    return {"id": code, "object": "tax_code", "name": name, "description": description}


def check(code: str | None, param: str | None = "tax_code") -> None:
    if code and not re.fullmatch(r"txcd_\d{8}", code):
        raise missing_resource("tax_code", code, param)
