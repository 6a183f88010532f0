"""What a visitor's request tells of them: the currency they most likely pay in, and how they write an amount."""

from babel.core import get_global
from babel.numbers import get_territory_currencies
from django.utils.translation.trans_real import parse_accept_lang_header


def currency_of_visitor(asked: str, accept_language: str, sold: list[str]) -> str:
    """One of `sold`, lower case, its first the default; "" where nothing is sold.

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
    """The one asked for first, as `accept_language`, the header, says it; "" where it says none."""
    return next((name for name, _ in parse_accept_lang_header(accept_language.lower())), "")


def _region(language: str) -> str:
    """de-at is AT, zh-hant-tw is TW, de most likely DE."""
    language, *rest = language.split("-")
    regions = [part for part in rest if len(part) == 2]
    likely: str = get_global("likely_subtags").get(language, "")
    return regions[0].upper() if regions else likely.rpartition("_")[2]
