"""The sync's report names what waits for a person, and nothing of anybody else."""

import contextlib
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from billing import clock
from billing.lifecycle import agreements
from billing.lifecycle.agreements import AgreementRefused
from billing.models import Customer, Hold, Price, PriceMove, PriceMoveRow, StripeWrite, Subscription
from billing.monitoring import unknown_values

pytestmark = pytest.mark.django_db(transaction=True)


def report(*arguments):
    out = StringIO()
    call_command("sync_stripe", *arguments, stdout=out)
    return out.getvalue()


def held(person):
    Hold.objects.create(customer_id=person.customer, kind="staff", reference="1", placed_at=clock.now())


def refused(person):
    now = timezone.now()
    StripeWrite.objects.create(
        lane=person.customer, action="cancel_subscription", object_id="sub_1", reference="1",
        requested_at=now, withdrawn_at=now, refused_at=now, error_message="No such thing",
    )  # fmt: skip


def unknown(person):
    unknown_values.is_known("dispute.status", "appealed", {"won"}, "dp_1")


def agreed(person):
    """An agreement could not start, beside the subscription that there is."""
    with contextlib.suppress(AgreementRefused):
        agreements.start(person.user, key="order:7", plan="team", days_until_due=30)


def moving(person):
    """A subscription of a price move waits for a decision."""
    old, new = Price.objects.get(lookup_key="pro_month"), Price.objects.get(lookup_key="pro_year")
    move = PriceMove.objects.create(old_price=old, new_price=new, notice_days=30, started_at=clock.now())
    row = Subscription.objects.get(stripe_id=person.subscription)
    PriceMoveRow.objects.create(move=move, subscription=row, status="untold", reason="550 no such user")


def test_how_far_a_price_move_is_stands_in_the_report_and_its_person_in_theirs(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    moving(ada)
    assert "1 could not be told" in report()
    theirs = report("--customer", ada.customer)
    assert f"The price move of {ada.subscription} waits for a person, could not be told: 550 no such user" in theirs
    assert "price move" not in report("--customer", ben.customer)


@pytest.mark.parametrize(
    ("matter", "said"),
    [
        (held, "pays while their access is on hold"),
        (refused, "refuses the cancel_subscription of {customer} for good"),
        (unknown, "appealed"),
        (agreed, "could not start: The subscriber has a live subscription of this line"),
    ],
)
def test_it_is_named_until_it_is_settled(world, matter, said):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    said = said.format(customer=ada.customer)
    assert said not in report()
    matter(ada)
    assert said in report()
    assert said not in report("--customer", ben.customer)


def test_who_is_held_and_has_cancelled_is_not_named(world):
    ada = world.subscribed()
    held(ada)
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    world.deliver()
    assert "on hold" not in report()
    assert Customer.objects.get(pk=ada.customer).holds.active().exists()
