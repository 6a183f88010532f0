"""A wrong BILLING_ADD_ONS is refused at start-up, with the add-on, what is wrong of it, and what to write."""

import pytest

from billing.catalogue.add_ons import DEFAULT_ADD_ONS, AddOnDefinition
from billing.setup.checks import add_ons
from billing.setup.checks.add_ons import check_add_ons, check_keys_of_add_ons, check_plans_of_add_ons

PLANS = [
    {"slug": "free", "name": "Free"},
    {"slug": "pro", "name": "Pro", "limits": {"exports": 100}, "prices": {"month": {"usd": 2000, "eur": 1900}}},
]
GOOD = {
    "slug": "extra",
    "name": "More",
    "limits": {"exports": 100},
    "plans": ["pro"],
    "prices": {"month": {"usd": 500}},
}


def said(check):
    problem = check.look()
    return problem[0] if problem else ""


@pytest.fixture(autouse=True)
def plans(settings):
    settings.BILLING_PLANS = PLANS


@pytest.mark.parametrize("stated", [None, [], [GOOD], [{**GOOD, "plans": []}], [{**GOOD, "most": 3}]])
def test_add_ons_that_are_right_are_not_named(settings, stated):
    settings.BILLING_ADD_ONS = stated
    assert [said(check) for check in add_ons.CHECKS] == ["", "", ""]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"slug": "a b"}, "'slug' is 'a b'"),
        ({"limits": {}}, "gives nothing"),
        ({"limits": {"exports": 0}}, "'limits' is"),
        ({"prices": {}}, "lacks 'prices'"),
        ({"prices": {"quarter": {"usd": 5}}}, "'prices' is"),
        ({"prices": {"month": {"usd": 0}}}, "'prices' is"),
        ({"most": 0}, "'most' is 0"),
        ({"plans": "pro"}, "'plans' is 'pro'"),
        ({"limit": {}}, "unknown field 'limit'"),
    ],
)
def test_what_is_wrong_is_named(settings, wrong, words):
    settings.BILLING_ADD_ONS = [{**GOOD, **wrong}]
    assert words in said(check_add_ons)
    assert said(check_plans_of_add_ons) == said(check_keys_of_add_ons) == "", "one problem is told once"


def test_a_setting_that_is_no_list_is_refused_and_looked_at_no_further(settings):
    settings.BILLING_ADD_ONS = {"extra": GOOD}
    assert "is not a list" in said(check_add_ons)
    assert said(check_plans_of_add_ons) == said(check_keys_of_add_ons) == ""


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"plans": ["gold"]}, "no plan 'gold' that is sold"),
        ({"plans": ["free"]}, "no plan 'free' that is sold"),
        ({"prices": {"year": {"usd": 5000}}}, "none of its plans is sold yearly"),
        ({"prices": {"month": {"gbp": 400}}}, "none of its plans is sold in gbp"),
    ],
)
def test_an_add_on_that_no_plan_could_be_bought_with_is_refused(settings, wrong, words):
    settings.BILLING_ADD_ONS = [{**GOOD, **wrong}]
    assert words in said(check_plans_of_add_ons)


def test_names_that_stripe_would_confuse_are_refused(settings):
    settings.BILLING_ADD_ONS = [
        {**GOOD, "slug": "extra", "prices": {"3 month": {"usd": 5}}},
        {**GOOD, "slug": "extra_3"},
    ]
    assert "addon_extra_3_month" in said(check_keys_of_add_ons)
    settings.BILLING_ADD_ONS = [GOOD]
    settings.BILLING_PLANS = [*PLANS, {"slug": "addon_extra", "name": "Odd"}]
    assert "'addon_extra' is named as the prices of add-ons" in said(check_keys_of_add_ons)


def test_the_default_is_as_the_checks_want_it(settings):
    settings.BILLING_PLANS = None
    settings.BILLING_ADD_ONS = [{**add_on} for add_on in DEFAULT_ADD_ONS]
    assert said(check_add_ons) == ""
    assert AddOnDefinition(**settings.BILLING_ADD_ONS[0]).cadences
