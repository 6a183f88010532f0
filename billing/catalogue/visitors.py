"""A visitor's request suggests the currency to show, and the language to write amounts in."""

from babel.core import get_global
from babel.numbers import get_territory_currencies
from django.utils.translation.trans_real import parse_accept_lang_header


def currency_of_visitor(asked: str, accept_language: str, sold: list[str]) -> str:
    """Return the currency to show, one of `sold` (lower case, the default first); "" if nothing is sold.

    `accept_language` is the header: the first language whose region's currency is sold decides. A language without a
    region counts for the region where most of its speakers are.
    """
    if asked.lower() in sold:
        return asked.lower()
    for language, _ in parse_accept_lang_header(accept_language.lower()):
        for code in get_territory_currencies(_region(language)):
            if code.lower() in sold:
                return str(code).lower()
    return sold[0] if sold else ""


def language_of_visitor(accept_language: str) -> str:
    """Return the language that the `Accept-Language` header asks for first; "" if there is none."""
    return next((name for name, _ in parse_accept_lang_header(accept_language.lower())), "")


def _region(language: str) -> str:
    """Return the region of a language: AT for de-at, TW for zh-hant-tw, most likely DE for de."""
    language, *rest = language.split("-")
    regions = [part for part in rest if len(part) == 2]
    likely: str = get_global("likely_subtags").get(language, "")
    return regions[0].upper() if regions else likely.rpartition("_")[2]
