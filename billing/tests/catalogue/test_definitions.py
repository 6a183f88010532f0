"""Plans come from the database, or from BILLING_PLANS, which then is the truth: here, in the admin, and at Stripe."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from billing import access, catalogue
from billing.cadence import Cadence
from billing.catalogue import definitions
from billing.models import Plan, Price
from billing.setup import publishing
from billing.stripe_client import StripeUnavailable

pytestmark = pytest.mark.django_db

PLANS = [
    {"slug": "free", "name": "Free", "limits": {"exports": 3}},
    {
        "slug": "pro",
        "name": "Professional",
        "description": "For one.",
        "rank": 5,
        "limits": {"exports": None, "generations": 7},
        "trial_days": 7,
        "grace_days": 0,
        "prices": {"month": {"usd": 2_500, "eur": 2_400}},
    },
]


@pytest.fixture
def stated(settings):
    settings.BILLING_PLANS = PLANS
    return settings


def limits(slug):
    return {limit.feature: limit.quantity for limit in Plan.objects.get(slug=slug).limits.all()}


def test_rows_are_brought_to_what_the_settings_say_and_then_left(stated):
    Plan.objects.create(slug="pro", name="Pro", description="Old").limits.create(feature="seats", quantity=1)
    assert definitions.plans_out_of_line() == ["free", "pro"]
    assert definitions.update_plans() == 2
    pro = Plan.objects.get(slug="pro")
    assert (pro.name, pro.description, pro.rank, pro.trial_days, pro.grace_days) == (
        "Professional",
        "For one.",
        5,
        7,
        0,
    )
    assert limits("pro") == {"exports": None, "generations": 7}
    assert (Plan.objects.get(slug="free").rank, limits("free")) == (0, {"exports": 3})
    assert definitions.plans_out_of_line() == []
    assert definitions.update_plans() == 0


def test_what_staff_changed_by_hand_is_taken_back(stated):
    definitions.update_plans()
    Plan.objects.get(slug="pro").limits.filter(feature="generations").update(quantity=1_000_000)
    assert definitions.plans_out_of_line() == ["pro"]
    assert definitions.update_plans() == 1
    assert limits("pro")["generations"] == 7


def test_a_plan_that_fell_out_of_the_settings_is_sold_no_more_and_kept_by_its_subscribers(world, settings):
    ada = world.subscribed(plan="team")
    settings.BILLING_PLANS = PLANS
    definitions.update_plans()
    assert access.has_access(ada.user, plan="team")
    assert ada.row.plan.slug == "team"
    assert [plan.slug for plan in catalogue.public_plans()] == ["free", "pro"]
    settings.BILLING_PLANS = None
    assert definitions.update_plans() == 0


def test_setup_stripe_sells_at_the_amounts_stated_and_who_pays_the_old_price_goes_on(world, settings):
    ada = world.subscribed(plan="pro")
    old = Price.objects.get(lookup_key="pro_month")
    settings.BILLING_PLANS = PLANS
    with pytest.raises(CommandError, match=r"free, pro, team\. Run `manage.py setup` first"):
        call_command("setup_stripe", stdout=StringIO())
    definitions.update_plans()
    call_command("setup_stripe", "--yes", stdout=StringIO())
    new = Price.objects.get(lookup_key="pro_month")
    assert (new.currency, new.unit_amount, new.currency_options) == ("usd", 2_500, {"eur": 2_400})
    old.refresh_from_db()
    assert (old.is_active, old.lookup_key) == (False, "")
    world.deliver()
    world.advance(days=32)
    world.deliver()
    assert (ada.row.price_id, ada.last_payment.amount) == (old.pk, 2_000)
    assert access.has_access(ada.user, plan="pro")
    assert world.subscribed(plan="pro", email="ben@example.com").row.price_id == new.pk
    assert publishing.missing() == []
    assert publishing.publish().made == 0


def test_a_price_made_by_hand_gives_its_key_away_and_is_not_archived(world, settings):
    ours = Price.objects.get(lookup_key="pro_month")
    product = world.stripe("GET", f"prices/{ours.pk}")["product"]
    made = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=1_111, recurring={"interval": "month"},
        lookup_key="pro_month", transfer_lookup_key=True,
    )  # fmt: skip
    settings.BILLING_PLANS = PLANS
    definitions.update_plans()
    publishing.publish()
    theirs = world.stripe("GET", f"prices/{made['id']}")
    assert (theirs["active"], theirs["lookup_key"]) == (True, None)
    assert catalogue.price_for_sale(Plan.objects.get(slug="pro"), Cadence("month")).unit_amount == 2_500


def test_amounts_that_go_back_and_forth_are_sold_as_last_stated(world, settings):
    first, second = [PLANS[0], dict(PLANS[1])], [PLANS[0], {**PLANS[1], "prices": {"month": {"usd": 9_900}}}]
    made = []
    for settings.BILLING_PLANS in (first, second, first):
        definitions.update_plans()
        publishing.publish()
        made.append(Price.objects.get(lookup_key="pro_month"))
    assert [price.unit_amount for price in made] == [2_500, 9_900, 2_500]
    assert len({price.pk for price in made}) == 3


def test_the_admin_shows_such_plans_and_says_why_nobody_edits_them_there(stated, admin_client):
    definitions.update_plans()
    one = reverse("admin:billing_plan_change", args=[Plan.objects.get(slug="pro").pk])
    for page in (reverse("admin:billing_plan_changelist"), one):
        assert "The setting BILLING_PLANS defines these plans" in admin_client.get(page).content.decode()
    assert admin_client.post(one, {"name": "Mine"}).status_code == 403
    assert admin_client.get(reverse("admin:billing_plan_add")).status_code == 403
    assert (
        admin_client.post(reverse("admin:billing_plan_delete", args=[Plan.objects.get(slug="pro").pk])).status_code
        == 403
    )


def test_without_the_setting_staff_edit_plans_in_the_admin(admin_client):
    definitions.update_plans()
    one = reverse("admin:billing_plan_change", args=[Plan.objects.get(slug="pro").pk])
    page = admin_client.get(one).content.decode()
    assert "BILLING_PLANS" not in page
    assert 'name="name"' in page


def test_a_plan_renamed_after_its_publishing_was_broken_off_is_published(world, settings):
    gold = {"slug": "gold", "name": "Gold", "prices": {"month": {"usd": 9_000}}}
    settings.BILLING_PLANS = [*PLANS, gold]
    definitions.update_plans()
    publishing.publish()
    settings.BILLING_PLANS = [*PLANS, gold, {**gold, "slug": "ore", "name": "Ore"}]
    definitions.update_plans()
    world.control("faults", api={"lose_answer": 4})
    with pytest.raises(StripeUnavailable):
        publishing.publish()
    world.control("faults")
    settings.BILLING_PLANS = [*PLANS, gold, {**gold, "slug": "ore", "name": "Iron ore"}]
    definitions.update_plans()
    assert publishing.publish().made == 1
    product = world.stripe("GET", "prices", lookup_keys=["ore_month"], expand=["data.product"])["data"][0]["product"]
    assert product["name"] == "Iron ore"


def test_prices_of_counted_intervals_are_published_and_found_again(world, settings):
    quarter = {"usd": 5400, "eur": 5000}
    settings.BILLING_PLANS = [{"slug": "pro", "name": "Pro", "prices": {"month": {"usd": 2000}, "3 month": quarter}}]
    definitions.update_plans()
    publishing.publish()
    price = catalogue.price_for_sale(Plan.objects.get(slug="pro"), Cadence("month", 3))
    assert (price.lookup_key, price.unit_amount, price.currency_options) == ("pro_3_month", 5400, {"eur": 5000})
    recurring = world.stripe("GET", f"prices/{price.pk}")["recurring"]
    assert (recurring["interval"], recurring["interval_count"]) == ("month", 3)
    assert (publishing.missing(), publishing.publish().made) == ([], 0)
    settings.BILLING_PLANS[0]["prices"]["3 month"] = {"usd": 6000}
    assert (publishing.missing(), publishing.publish().made) == (["pro_3_month"], 1)
