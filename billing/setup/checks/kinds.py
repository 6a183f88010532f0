"""Settings have kinds of values: each kind has a test and the words for it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any
from urllib.parse import urlsplit

from django.utils.module_loading import import_string

RATE = re.compile(r"\d+/\d*[smhd]")
API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
CURRENCY = re.compile(r"[a-zA-Z]{3}")
PUBLISHABLE = re.compile(r"pk_[A-Za-z0-9_]+")
SLUG = re.compile(r"[-a-zA-Z0-9_]+")
# Stripe's own limits for the texts of an invoice.
MOST_FIELDS, LONGEST_NAME, LONGEST_VALUE = 4, 40, 140
MOST_RATES = 20
LONGEST = {"footer": 5_000, "memo": 500}
# To which people are sent from Stripe's pages and from mails.
PAGES_SENT_TO = frozenset({"account", "prices", "return"})
SITE_PARTS = frozenset({"name", "support", "terms", "privacy", "login", "logout"})
TAX_CODE, TAX_RATE = re.compile(r"txcd_\d{8}"), re.compile(r"txr_\w+")


@dataclass(frozen=True)
class Kind:
    """`words` follow "must be"; `wrong` returns what is wrong with a value, "" for nothing it can name."""

    words: str
    is_right: Callable[[Any], bool]
    wrong: Callable[[Any], str] = lambda value: ""


def whole(least: int, most: int | None = None) -> Kind:
    words = f"a whole number of at least {least}" + (f" and at most {most}" if most is not None else "")
    return Kind(words, lambda v: type(v) is int and v >= least and (most is None or v <= most))


def number(least: float, *, is_above: bool = False) -> Kind:
    """Return the kind of finite numbers; with `is_above`, more than the least."""

    def is_right(value: Any) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and (least < value if is_above else least <= value) and value < float("inf")

    return Kind(f"a number {'above' if is_above else 'of at least'} {least:g}", is_right)


def matching(pattern: re.Pattern[str], words: str, *, or_empty: bool = False) -> Kind:
    return Kind(words, lambda v: isinstance(v, str) and ((or_empty and not v) or pattern.fullmatch(v) is not None))


def one_of(*values: str) -> Kind:
    return Kind(f"one of {', '.join(map(repr, values))}", lambda v: isinstance(v, str) and v in values)


def some_of(*values: str) -> Kind:
    """Return the kind of lists that hold some of the values, or none."""
    words = f"a list with any of {', '.join(map(repr, values))}, or an empty one"
    return Kind(words, lambda v: isinstance(v, list | tuple | set | frozenset) and all(each in values for each in v))


def function(*takes: str) -> Kind:
    """Return the kind of dotted paths to a function that takes so many arguments."""

    def wrong(path: Any) -> str:
        if path == "":
            return ""
        try:
            signature(import_string(path)).bind(*takes)
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            return str(error) or type(error).__name__
        return ""

    given = f"the {', the '.join(takes)}" if takes else "nothing"
    return Kind(f"the dotted path of a function that is given {given}, or empty", lambda path: not wrong(path), wrong)


def address(*, or_empty: bool = False) -> Kind:
    def is_right(value: Any) -> bool:
        if not isinstance(value, str) or not value:
            return value == "" and or_empty
        try:
            parts = urlsplit(value)
        except ValueError:
            return False
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)

    return Kind('an address with its scheme ("https://billing.example.com")' + " or empty" * or_empty, is_right)


def _is_invoice(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"footer", "memo", "custom_fields"}:
        return False
    texts = {name: text for name, text in value.items() if name in LONGEST}
    fields = value.get("custom_fields", [])
    return (
        all(isinstance(text, str) and len(text) <= LONGEST[name] for name, text in texts.items())
        and isinstance(fields, list | tuple)
        and len(fields) <= MOST_FIELDS
        and all(map(_is_custom_field, fields))
    )


def _is_custom_field(field: Any) -> bool:
    is_whole = isinstance(field, dict) and field.keys() == {"name", "value"}
    return is_whole and _fits(field["name"], LONGEST_NAME) and _fits(field["value"], LONGEST_VALUE)


def _fits(text: Any, longest: int) -> bool:
    return isinstance(text, str) and 0 < len(text) <= longest


def _is_cap(currency: Any, amount: Any) -> bool:
    is_currency = isinstance(currency, str) and CURRENCY.fullmatch(currency) and currency.islower()
    return bool(is_currency) and whole(0).is_right(amount)


def _are_pages(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= PAGES_SENT_TO:
        return False
    return all(isinstance(page, str) and _is_web_address(page.split("?")[0]) for page in value.values())


_is_web_address = address().is_right


def _is_site(value: Any) -> bool:
    """Return whether links are paths or web addresses, and the support address may be one of e-mail."""
    if not isinstance(value, dict) or not value.keys() <= SITE_PARTS:
        return False
    if not all(isinstance(part, str) and part for part in value.values()):
        return False
    links = [part for name, part in value.items() if name != "name" and not (name == "support" and "@" in part)]
    return all(link.startswith("/") or _is_web_address(link.split("?")[0]) for link in links)


def _wrong_tax(value: Any) -> str:
    """Return the first mistake in BILLING_TAX."""
    if not isinstance(value, dict):
        return "it is no dictionary"
    if unknown := sorted(map(str, value.keys() - TAX_PARTS.keys())):
        return f"it has the unknown {', '.join(map(repr, unknown))}"
    for name, kind in TAX_PARTS.items():
        if name in value and not kind.is_right(value[name]):
            return f"{name!r} is {value[name]!r}, and must be {kind.words}"
    if value.get("automatic") and value.get("rates"):
        return "'automatic' and 'rates' exclude each other: Stripe Tax finds the rates itself"
    return ""


FLAG = Kind("True or False", lambda v: isinstance(v, bool))
CAPS = Kind(
    'minor units by currency in lower case, such as {"usd": 10000}',
    lambda v: isinstance(v, dict) and all(_is_cap(currency, amount) for currency, amount in v.items()),
)
TEXT = Kind("a text", lambda v: isinstance(v, str))
TEXTS = Kind("a list of texts", lambda v: isinstance(v, list | tuple) and all(isinstance(t, str) for t in v))
PAGES = Kind('{"return": an address with its scheme, "prices": one, "account": one}, each optional', _are_pages)
SITE = Kind('{"name": a text, "support", "terms", "privacy", "login", "logout": links}, each optional', _is_site)
TAX_PARTS = {
    "automatic": FLAG,
    "tax_ids": FLAG,
    "behavior": one_of("inclusive", "exclusive"),
    "code": matching(TAX_CODE, 'a tax code of Stripe\'s, like "txcd_10103001"'),
    "codes": Kind(
        'tax codes of Stripe\'s by the slug of a plan or pack, like {"pro": "txcd_10103001"}',
        lambda v: (
            isinstance(v, dict)
            and all(isinstance(slug, str) and slug for slug in v)
            and all(isinstance(code, str) and TAX_CODE.fullmatch(code) for code in v.values())
        ),
    ),
    "rates": Kind(
        'a list of up to 20 different ids of tax rates, like ["txr_1AbC"]',
        lambda v: (
            isinstance(v, list | tuple)
            and 0 < len(v) <= MOST_RATES
            and all(isinstance(rate, str) and TAX_RATE.fullmatch(rate) for rate in v)
            and len({*v}) == len(v)
        ),
    ),
}
TAX = Kind(
    '{"automatic": True or False, "tax_ids": True or False, "behavior": "inclusive" or "exclusive", "code": a tax code '
    'of Stripe\'s, "codes": those of single plans, "rates": ids of tax rates instead of "automatic"}, each optional',
    lambda value: not _wrong_tax(value),
    _wrong_tax,
)
INVOICE = Kind(
    f'{{"footer": a text, "memo": one of up to {LONGEST["memo"]} characters, "custom_fields": up to {MOST_FIELDS} of '
    f'{{"name": up to {LONGEST_NAME} characters, "value": up to {LONGEST_VALUE}}}}}, each optional',
    _is_invoice,
)
