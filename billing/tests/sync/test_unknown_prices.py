"""Prices that Stripe bills and we have no row of: each is asked about once, and taken over where it is ours."""

import pytest
from django.utils import timezone

from billing.models import Plan, Price, SyncRun
from billing.sync.unknown_prices import Prices

pytestmark = pytest.mark.django_db


def test_a_price_and_a_plan_that_stripe_bills_and_are_missing_here_are_back_and_said_once(world):
    team = Price.objects.get(lookup_key="team_month")
    other = Price.objects.get(lookup_key="pro_month")
    Price.objects.filter(plan__slug="team").delete()
    Plan.objects.filter(slug="team").delete()
    Price.objects.filter(pk=other.pk).delete()
    run = SyncRun(mode="full", started_at=timezone.now(), clock_at=timezone.now())
    page = [{"items": {"data": [{"price": {"id": pk}}]}} for pk in (team.pk, other.pk, "price_unknown")]
    Prices(run, is_dry=True).take_over_unknown(page)
    assert (run.notes, Price.objects.filter(pk__in=[team.pk, other.pk]).count()) == ([], 0)
    before, prices = world.calls()["total"], Prices(run, is_dry=False)
    prices.take_over_unknown(page)
    assert set(run.notes) == {
        "Plan team had no row here, so it was added: not public, and without limits.",
        f"Price {team.pk} had no row here, so it was added.",
        f"Price {other.pk} had no row here, so it was added.",
    }
    assert world.calls()["total"] - before == 3
    prices.take_over_unknown(page)
    assert world.calls()["total"] - before == 3, "each is asked about once"
    made = Plan.objects.get(slug="team")
    assert (made.is_public, made.name, Price.objects.get(pk=team.pk).plan) == (False, "Team", made)
    assert Price.objects.get(pk=other.pk).plan.slug == "pro"


def test_texts_too_long_for_a_plan_are_cut(world):
    price = Price.objects.get(lookup_key="team_month")
    product = world.stripe("GET", f"prices/{price.pk}")["product"]
    world.stripe("POST", f"products/{product}", name="n" * 101, description="d" * 301)
    Price.objects.filter(plan__slug="team").delete()
    Plan.objects.filter(slug="team").delete()
    run = SyncRun(mode="full", started_at=timezone.now(), clock_at=timezone.now())
    Prices(run, is_dry=False).take_over_unknown([{"items": {"data": [{"price": {"id": price.pk}}]}}])
    made = Plan.objects.get(slug="team")
    assert (made.name, made.description) == ("n" * 100, "d" * 300)
