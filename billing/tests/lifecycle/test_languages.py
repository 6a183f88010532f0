"""Stripe's pages follow the reader's language: the site's choice, the cookie, the browser."""

import re

import pytest
from django.test import RequestFactory
from django.utils import translation
from stripe.params.checkout import SessionCreateParams

from billing.lifecycle import languages


def locale(cookie="", accept="", active=""):
    request = RequestFactory().get("/", headers={"Accept-Language": accept} if accept else {})
    request.COOKIES["django_language"] = cookie
    with translation.override(active or "en"):
        return languages.locale_of(request)


@pytest.mark.parametrize(("accept", "wanted"), [
    ("fr-CH, fr;q=0.9, en;q=0.8", "fr"), ("de-AT", "de"), ("pt-BR,pt;q=0.9", "pt-BR"), ("en-GB", "en-GB"),
    ("en-US", "en"), ("zh-Hant-TW", "zh-TW"), ("zh-Hans", "zh"), ("no", "nb"), ("ar, es;q=0.5", "es"), ("ar", ""),
    ("*", ""), ("", ""),
])  # fmt: skip
def test_the_browsers_first_language_that_stripe_speaks_is_taken(accept, wanted):
    assert locale(accept=accept) == wanted


def test_a_choice_on_the_site_counts_before_the_browser():
    assert locale(cookie="fr", accept="de") == "fr"
    assert locale(cookie="fr", accept="de", active="it") == "it"
    assert locale(cookie="nonsense<", accept="de") == "de"


def test_the_names_are_those_of_stripe():
    known = set(re.findall(r"'([^']+)'", str(SessionCreateParams.__annotations__["locale"])))
    known.discard("SessionCreateParams")
    assert {*languages.STRIPES, "auto"} == known
    assert set(languages.OTHERS.values()) <= known
