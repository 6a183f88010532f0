"""A site that was set up once in a process is had again without the work: the same in Stripe and in the tables."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from djstripe import models as djstripe

from billing import testing
from billing.models import Plan, PlanLimit, Price
from billing.subscriptions import mirror_plain
from billing.testing import catalogue, plans

OURS = (Plan, PlanLimit, Price)


def forget_plans():
    for model in reversed(OURS):
        model.objects.all().delete()
    catalogue.forget_sales()


def timeless(row):
    return {name: value for name, value in row.items() if name not in ("created", "updated")}


def at_stripe(stripe):
    """All that the sandbox has and will name next, but for times."""
    state = stripe.sandbox.state
    tables = {kind: [timeless(row) for row in table.rows.values()] for kind, table in state.tables.items()}
    del tables["event"]
    return tables, [event["type"] for event in stripe.events()], stripe.calls(), sorted(state.answers), state.made


def here():
    plans = [(plan.slug, plan.name, plan.rank, plan.trial_days) for plan in Plan.objects.all()]
    limits = list(PlanLimit.objects.order_by("plan__rank").values_list("plan__slug", "feature", "quantity"))
    prices = Price.objects.values_list("pk", "plan__slug", "lookup_key", "currency", "unit_amount", "is_active")
    options = {price.pk: price.currency_options for price in Price.objects.all()}
    return plans, limits, sorted(prices), options


@pytest.mark.parametrize("of_settings", [False, True])
def test_it_is_what_publishing_the_plans_makes(billing_stripe, settings, of_settings):
    if of_settings:
        solo = {
            "slug": "solo",
            "name": "Solo",
            "limits": {"seats": None},
            "prices": {"month": {"dkk": 7_900, "usd": 900}},
        }
        settings.BILLING_PLANS = [solo]
    forget_plans()
    billing_stripe.control("reset", seed=1)
    plans.publish()
    published = at_stripe(billing_stripe), here()
    for _ in range(2):
        forget_plans()
        billing_stripe.reset()
        assert (at_stripe(billing_stripe), here()) == published
    assert set(Plan.objects.values_list("slug", flat=True)) == ({"solo"} if of_settings else {"free", "pro", "team"})


def test_another_seed_names_all_otherwise(billing_stripe):
    before = set(Price.objects.values_list("pk", flat=True))
    forget_plans()
    billing_stripe.reset(seed=2)
    assert not before & set(Price.objects.values_list("pk", flat=True))


def test_djstripe_knows_account_and_prices_as_on_a_site_that_sells(billing_stripe):
    assert mirror_plain.owner_account() == billing_stripe.api("GET", "account")["id"]
    for price in Price.objects.all():
        mirrored = djstripe.Price.objects.get(id=price.pk)
        at_stripe = billing_stripe.api("GET", f"prices/{price.pk}")
        assert mirrored.stripe_data["unit_amount"] == at_stripe["unit_amount"]
        assert mirrored.product.id == at_stripe["product"]
        assert abs(mirrored.stripe_data["created"] - at_stripe["created"]) <= 1


def test_it_is_had_again_for_few_statements(billing_stripe):
    forget_plans()
    with CaptureQueriesContext(connection) as asked:
        billing_stripe.reset()
    assert len(asked) < 25


@pytest.mark.first_sale
def test_before_the_first_sale_djstripe_knows_nothing(world):
    assert not djstripe.Account.objects.exists()
    assert not djstripe.Price.objects.exists()
    assert testing.now()
    world.subscribed()
    assert djstripe.Subscription.objects.get().customer.id
