"""A change costs what its preview said; another preview is refused."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing import usage
from billing.lifecycle import change, previews, refusals
from billing.models import PlanChange
from billing.tests.lifecycle.test_change import at_stripe, charged

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


# What the preview says


def test_the_preview_of_a_downgrade_names_what_will_not_fit(world):
    ada = world.subscribed(plan="team")
    world.advance(days=15)
    world.deliver()
    usage.consume(ada.user, "generations", 1200)
    shown = previews.preview(ada.user, "pro", "month")
    assert [(o.feature, o.used, o.limit, o.over_by) for o in shown.overflows] == [("generations", 1200, 1000, 200)]
    assert (shown.effect, shown.amount_due, shown.takes_effect_at) == ("period_end", 0, ada.row.current_period_end)
    assert shown.renewal_amount == 2000


def test_the_preview_of_taking_a_change_back_costs_nothing_and_names_no_date(world):
    ada = world.subscribed(plan="team", interval="year")
    world.stripe("POST", f"subscriptions/{ada.subscription}", trial_end="now")
    world.deliver()
    usage.consume(ada.user, "generations", 5_000)
    change.change(ada.user, "pro", "month")
    shown = previews.preview(ada.user, "team", "year")
    assert (shown.effect, shown.proration_date, shown.overflows) == ("takes_back", None, [])
    assert (shown.amount_due, shown.credit, shown.lines, shown.renewal_amount) == (0, 0, [], 60_000)
    assert shown.renews_at == ada.row.current_period_end
    assert ada.row.pending_kind == "scheduled"


def test_a_preview_changes_nothing(world, ada):
    world.stripe("DELETE", f"customers/{world.stripe('POST', 'customers')['id']}")
    before = at_stripe(world, ada)
    previews.preview(ada.user, "team", "year")
    assert at_stripe(world, ada) == before


def test_a_proration_date_that_was_not_previewed_is_refused(world, ada):
    shown = previews.preview(ada.user, "team", "month")
    for plan, at in [("team", shown.proration_date - 5), ("team", 1)]:
        with pytest.raises(refusals.StalePreview):
            change.change(ada.user, plan, "month", at)
    PlanChange.objects.update(created_at=timezone.now() - timedelta(minutes=31))
    with pytest.raises(refusals.StalePreview):
        change.change(ada.user, "team", "month", shown.proration_date)
    assert charged(world, ada) == [2000]


@pytest.mark.parametrize(
    ("ago", "is_taken"), [(previews.VALID_FOR - timedelta(minutes=1), True), (previews.VALID_FOR, False)]
)
def test_a_preview_is_valid_for_half_an_hour(world, ada, ago, is_taken):
    shown = previews.preview(ada.user, "team", "month")
    PlanChange.objects.update(created_at=timezone.now() - ago)
    if is_taken:
        assert change.change(ada.user, "team", "month", shown.proration_date).plan.slug == "team"
        return
    with pytest.raises(refusals.StalePreview):
        change.change(ada.user, "team", "month", shown.proration_date)


def test_a_preview_is_of_one_subscriber_one_price_and_one_number_of_seats(world, ada):
    ben = world.subscribed(email="ben@example.com")
    shown = previews.preview(ada.user, "team", "month")
    for who, interval in ((ben, "month"), (ada, "year")):
        with pytest.raises(refusals.StalePreview):
            change.change(who.user, "team", interval, shown.proration_date)
    PlanChange.objects.update(quantity=2)
    with pytest.raises(refusals.StalePreview):
        change.change(ada.user, "team", "month", shown.proration_date)
    assert (ada.row.plan.slug, ben.row.plan.slug) == ("pro", "pro")


def test_an_old_preview_is_forgotten_at_the_next_one_and_neither_anothers_nor_what_was_asked_is(world, ada):
    ben = world.subscribed(email="ben@example.com")
    for who in (ada, ben):
        previews.preview(who.user, "team", "month")
    kept = PlanChange.objects.get(customer=ada.customer)
    kept.pk, kept.status = None, PlanChange.Status.MADE
    kept.save(force_insert=True)
    PlanChange.objects.update(created_at=timezone.now() - previews.KEPT_FOR - timedelta(minutes=1))
    previews.preview(ada.user, "team", "year")
    rows = PlanChange.objects.order_by("created_at").values_list("customer", "status", "price__interval")
    assert sorted(rows) == sorted([
        (ada.customer, "made", "month"), (ada.customer, "previewed", "year"), (ben.customer, "previewed", "month"),
    ])  # fmt: skip


def test_a_change_that_is_made_and_one_taken_back_are_of_that_subscriber_alone(world):
    ada, ben = world.subscribed(plan="team"), world.subscribed(plan="team", email="ben@example.com")
    world.advance(days=15)  # past the trial
    world.deliver()
    for who in (ada, ben):
        change.change(who.user, "pro", "month")
    change.take_back(ada.user)
    assert (ada.row.pending_kind, ben.row.pending_kind) == ("", "scheduled")
    assert at_stripe(world, ben)["schedule"]
    assert PlanChange.objects.filter(customer=ben.customer, status="made").count() == 1


def test_while_payments_are_paused_no_plan_is_given_for_nothing(world, ada):
    world.stripe("POST", f"subscriptions/{ada.subscription}", pause_collection={"behavior": "void"})
    with pytest.raises(refusals.CollectionPaused):
        change.change(ada.user, "team", "month")
    world.stripe("POST", f"subscriptions/{ada.subscription}", pause_collection="")
    assert change.change(ada.user, "team", "month").plan.slug == "team"
