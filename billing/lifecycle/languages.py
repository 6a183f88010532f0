"""Stripe's pages follow the reader's language."""

from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation.trans_real import parse_accept_lang_header

# Those of Checkout, which the portal has too. Without one, Stripe follows the browser.
STRIPES = (
    "bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl "
    "sv th tr vi zh zh-HK zh-TW"
).split()
BY_CODE = {locale.lower(): locale for locale in STRIPES}
OTHERS = {"no": "nb", "nn": "nb", "tl": "fil", "zh-hant": "zh-TW", "zh-mo": "zh-HK"}


def locale_of(request: HttpRequest) -> str:
    """Return the first language of the reader that Stripe speaks; "" leaves the choice to Stripe.

    1. The language that the site has chosen for this request, if it is another one than LANGUAGE_CODE. 2. The one of
    Django's language cookie. 3. Those of the browser, in its order.
    """
    return next(filter(None, map(locale_for, _languages(request))), "")


def locale_for(code: str) -> str:
    """Return Stripe's name of a language: `de-at` gives `de`, `pt-br` gives `pt-BR`; "" for one it does not speak."""
    code = code.lower().replace("_", "-")
    while code:
        if found := BY_CODE.get(code) or OTHERS.get(code):
            return found
        code = code.rpartition("-")[0]
    return ""


def _languages(request: HttpRequest) -> Iterator[str]:
    chosen = get_language() or ""
    if chosen.lower() != settings.LANGUAGE_CODE.lower():
        yield chosen
    yield request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    yield from (code for code, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")))
