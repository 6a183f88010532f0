"""BILLING_PLANS: what is wrong in it is named by plan and field."""

from dataclasses import fields

import pytest
from django.core.checks import run_checks
from django.utils.translation import gettext_lazy

from billing.catalogue.definitions import PlanDefinition
from billing.catalogue.packs import PackDefinition
from billing.setup.checks import plans

PLAN = {"slug": "pro", "name": "Pro", "prices": {"month": {"usd": 2000}}}


def found():
    return {said.id: said for said in run_checks(tags=["billing"])}


@pytest.mark.parametrize(
    ("stated", "names"),
    [
        ("pro", "not a list"),
        ({"pro": PLAN}, "not a list"),
        ([{"name": "Pro"}], "plan 1 lacks 'slug'"),
        ([{"slug": "pro"}], "pro lacks 'name'"),
        ([{**PLAN, "colour": "red"}], "unknown field 'colour'"),
        ([PLAN, PLAN], "the slug 'pro' is used twice"),
        ([{**PLAN, "slug": "pro plan"}], "'slug'"),
        ([{**PLAN, "name": "x" * 101}], "'name'"),
        ([{**PLAN, "name": gettext_lazy("Pro")}], "not a translated one"),
        ([{**PLAN, "rank": -1}], "'rank'"),
        ([{**PLAN, "rank": 2**15}], "'rank'"),
        ([{**PLAN, "limits": {"tokens": 2**63}}], "'limits'"),
        ([{**PLAN, "limits": {"x" * 51: 1}}], "'limits'"),
        ([{**PLAN, "trial_days": 40_000}], "'trial_days'"),
        ([{**PLAN, "limits": {"exports": "many"}}], "'limits'"),
        ([{**PLAN, "limits": ["exports"]}], "'limits'"),
        ([{**PLAN, "trial_days": None}], "'trial_days'"),
        ([{**PLAN, "trial_without_card": "yes"}], "'trial_without_card'"),
        ([{**PLAN, "grace_days": -3}], "'grace_days'"),
        ([{**PLAN, "is_public": "yes"}], "'is_public'"),
        ([{**PLAN, "prices": {"monthly": {"usd": 2000}}}], "'prices'"),
        ([{**PLAN, "prices": {"month": {"usd": 20.5}}}], "'prices'"),
        ([{**PLAN, "prices": {"month": {"USD": 2000}}}], "'prices'"),
        ([{**PLAN, "prices": {"month": {}}}], "'prices'"),
    ],
)
def test_a_plan_that_is_none_is_named_by_its_slug_and_field(settings, stated, names):
    settings.BILLING_PLANS = stated
    said = found()["billing.E012"]
    assert names in said.msg
    assert "minor units" in said.hint
    assert "billing.E013" not in found(), "one thing at a time"


def test_a_free_plan_that_is_none_of_the_plans_is_named(settings):
    settings.BILLING_PLANS = [PLAN]
    assert "BILLING_FREE_PLAN" in found()["billing.E013"].msg
    settings.BILLING_FREE_PLAN = "pro"
    assert not {"billing.E012", "billing.E013"} & found().keys()


def test_every_field_of_a_plan_is_checked():
    assert plans.FIELDS.keys() == PlanDefinition.__dataclass_fields__.keys()


@pytest.mark.parametrize(
    ("spelling", "write"),
    [
        ("quarter", "'3 month'"), ("3 months", "'3 month'"), ("12month", "'12 month'"), ("1 month", "'month'"),
        ("half-year", "'6 month'"), ("Yearly", "'year'"), ("two weeks", "'week'"), ("4 year", "'3 year'"),
        ("sometimes", "'month' or '3 month'"), (("month", 3), "'3 month'"),
    ],
)  # fmt: skip
def test_a_wrong_spelling_of_an_interval_says_what_to_write(settings, spelling, write):
    settings.BILLING_PLANS = [{**PLAN, "prices": {spelling: {"usd": 2000}}}]
    said = found()["billing.E067"]
    assert repr(spelling) in said.msg
    assert f"Write {write}." in said.hint


def test_two_prices_that_would_share_a_lookup_key_are_refused(settings):
    quarter = {**PLAN, "prices": {"month": {"usd": 1}, "3 month": {"usd": 2}}}
    settings.BILLING_PLANS = [quarter]
    assert not {"billing.E012", "billing.E067"} & found().keys()
    settings.BILLING_PLANS = [quarter, {"slug": "pro_3", "name": "Pro 3", "prices": {"month": {"usd": 3}}}]
    assert "'pro_3_month'" in found()["billing.E067"].msg


@pytest.mark.parametrize(("days", "is_refused"), [(0, False), (730, False), (731, True)])
def test_a_trial_past_two_years_is_refused_by_a_code_of_its_own(settings, days, is_refused):
    settings.BILLING_PLANS = [{"slug": "free", "name": "Free"}, {**PLAN, "trial_days": days}]
    said = found().get("billing.E188")
    assert (said is not None) == is_refused
    assert not said or ("pro" in said.msg and "730" in said.hint)


def test_an_embedded_checkout_needs_a_key_that_the_page_may_show(settings):
    settings.BILLING_CHECKOUT_EMBEDDED, settings.STRIPE_API_BASE = True, ""
    assert "STRIPE_PUBLISHABLE_KEY" in found()["billing.E189"].msg
    settings.STRIPE_PUBLISHABLE_KEY = "pk_live_1"
    assert "billing.E189" not in found()


# Packs

PACK = {"slug": "credits", "name": "Credits", "feature": "exports", "quantity": 5, "prices": {"usd": 1500}}
OWN = {"slug": "handbook", "name": "Handbook", "is_own": True, "prices": {"usd": 4000}}
SOLD = [{"slug": "free", "name": "Free"}, {**PLAN, "limits": {"exports": 10}}]


@pytest.mark.parametrize(
    ("stated", "names"),
    [
        ("credits", "not a list"),
        ([{**PACK, "colour": "red"}], "unknown field 'colour'"),
        ([PACK, PACK], "used twice"),
        ([{**PACK, "quantity": 0}], "'quantity'"),
        ([{**PACK, "quantity": None}], "'quantity'"),
        ([{**PACK, "lasts_days": 0}], "'lasts_days'"),
        ([{**PACK, "prices": {"usd": 0}}], "'prices'"),
        ([{**PACK, "prices": {"USD": 5}}], "'prices'"),
        ([{**PACK, "plan": "pro"}], "either a 'plan' or a 'feature'"),
        ([{"slug": "nothing", "name": "Nothing"}], "either a 'plan' or a 'feature'"),
        ([{**PACK, "is_own": True}], "either a 'plan' or a 'feature'"),
        ([{**OWN, "is_own": False}], "either a 'plan' or a 'feature'"),
        ([{**OWN, "is_own": "yes"}], "'is_own' is 'yes'"),
        ([{**OWN, "quantity": 5}], "a 'quantity' is of a 'feature'"),
        ([{**OWN, "lasts_days": 5}], "so it has no 'lasts_days'"),
        ([{"slug": "lifetime", "name": "Pro", "plan": "prof"}], "no plan 'prof'"),
        ([{"slug": "lifetime", "name": "Free", "plan": "free"}], "no plan 'free'"),
        ([{"slug": "lifetime", "name": "Pro", "plan": "pro", "quantity": 5}], "a 'quantity' is of a 'feature'"),
        ([{**PACK, "feature": "imports"}], "no plan of BILLING_PLANS has the feature 'imports'"),
    ],
)
def test_a_pack_that_is_none_is_named_by_its_slug_and_field(settings, stated, names):
    settings.BILLING_PLANS, settings.BILLING_PACKS = SOLD, stated
    said = found()["billing.E195"]
    assert names in said.msg
    assert "minor units" in said.hint


@pytest.mark.parametrize("stated", [None, [], [PACK], [{"slug": "lifetime", "name": "Pro", "plan": "pro"}], [OWN]])
def test_packs_that_are_right_are_not_named(settings, stated):
    settings.BILLING_PLANS, settings.BILLING_PACKS = SOLD, stated
    assert "billing.E195" not in found()


def test_every_field_of_a_pack_is_checked():
    assert plans.PACK_FIELDS.keys() == {field.name for field in fields(PackDefinition)}
