"""This module checks values that a type alone does not check: e-mail and web addresses, currencies, names that must not
be empty."""

import re
from typing import Any
from urllib.parse import urlsplit

from ..errors import ApiError, invalid

EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,.]+")
URL = re.compile(r"(?!javascript|data|vbscript)[a-z][a-z0-9+.-]*://[^\s/?#]\S*", re.IGNORECASE)
SPACE = re.compile(r"\s")
PICTURE = re.compile(r"(https?://|(?!\w+:/))[^\s/?#:]+(:\d*)?([/?#]\S*)?", re.IGNORECASE)
LONGEST_URL = 2048
URLS = set("success_url cancel_url return_url default_return_url privacy_policy_url terms_of_service_url url".split())
EMAILS = {"email", "customer_email", "receipt_email"}
CURRENCIES = (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf "
    "clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr "
    "ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mro mur "
    "mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek "
    "sgd shp sle sll sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer "
    "zar zmw"
).split()


def check(name: str, value: Any, path: str) -> None:
    """Refuse a value that contradicts its parameter's name. An empty value clears, and is left to its type."""
    if not isinstance(value, str) or not value:
        return
    if name in EMAILS and not EMAIL.fullmatch(value):
        raise invalid(f"Invalid email address: {value}", path, "email_invalid")
    if name in URLS and not URL.fullmatch(value):
        raise invalid("Not a valid URL", path, "url_invalid")
    if name == "currency" and value.lower() not in CURRENCIES:
        known = ", ".join(CURRENCIES)
        raise invalid(f"Invalid currency: {value}. Stripe currently supports these currencies: {known}", path)


def check_picture(address: str, path: str) -> None:
    """Refuse what cannot be the address of a picture; Stripe adds the scheme where there is none."""
    if len(address) > LONGEST_URL:
        raise invalid(f"Invalid URL: URL must be {LONGEST_URL} characters or less.", path, "url_invalid")
    if not address.isascii():
        escaped = "Non-ASCII characters in URLs must be percent-encoded in order for the URL to be valid."
        raise invalid(f"Invalid URL: {escaped}", path, "url_invalid")
    if not PICTURE.fullmatch(address):
        raise invalid("Not a valid URL", path, "url_invalid")


def is_web_address(text: str) -> bool:
    """Return whether something can be posted to this address."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not SPACE.search(text)
    except ValueError:
        return False


def empty(path: str) -> ApiError:
    """Return the error for a parameter that must have a value."""
    return invalid(
        f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; however "
        f"'{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty value.",
        path,
        "parameter_invalid_empty",
    )
