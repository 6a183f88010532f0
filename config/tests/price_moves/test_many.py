"""Many subscriptions are listed in bulk, and told once each however many work at them; one's trouble is its own."""

from datetime import timedelta

import pytest

from billing import clock
from billing.lifecycle import price_moves
from billing.lifecycle.price_moves import listing
from billing.models import Customer, Plan, Price, PriceMove, PriceMoveRow, Subscription, SubscriptionItem
from billing.tests.parallel import at_once
from notifications.models import Mail


@pytest.fixture(autouse=True)
def _real_clock(settings):
    settings.BILLING_CLOCK = ""


def many(number):
    """Make so many subscriptions to one price, without Stripe, and a move of it that has begun."""
    now = clock.now()
    plan = Plan.objects.create(slug="mass", name="Mass", rank=1)
    old, new = (
        Price.objects.create(pk=f"price_{amount}", plan=plan, currency="usd", unit_amount=amount, interval="month")
        for amount in (2000, 2500)
    )
    customers = [Customer(pk=f"cus_{n}", email=f"{n}@example.com") for n in range(number)]
    Customer.objects.bulk_create(customers)
    columns = {"plan": plan, "price": old, "currency": "usd", "status": "active", "whose": "ours"}
    columns |= {"current_period_end": now + timedelta(days=40), "billing_cycle_anchor": now - timedelta(days=20)}
    rows = Subscription.objects.bulk_create(
        Subscription(customer=each, stripe_id=each.pk.replace("cus", "sub"), **columns) for each in customers
    )
    SubscriptionItem.objects.bulk_create(
        SubscriptionItem(subscription=row, stripe_id=f"si_{row.pk}", stripe_price=old.pk, price=old, quantity=1)
        for row in rows
    )
    return PriceMove.objects.create(old_price=old, new_price=new, notice_days=30, started_at=now, retired_at=now)


@pytest.mark.django_db
def test_listing_and_following_cost_a_few_statements_for_any_number(django_assert_max_num_queries):
    move = many(1200)
    with django_assert_max_num_queries(30):
        assert [listing.list_payers(move) for _ in range(4)] == [500, 500, 200, 0]
    with django_assert_max_num_queries(6):
        listing.follow(move)
    assert PriceMoveRow.objects.filter(status="listed").count() == 1200


@pytest.mark.django_db
def test_the_worker_is_paced(django_assert_max_num_queries):
    move = many(30)
    price_moves.proceed(move, most=10)
    assert PriceMoveRow.objects.filter(status="told").count() == 10


@pytest.mark.django_db
def test_one_persons_trouble_is_noted_in_their_row_and_holds_up_nobody(monkeypatch):
    move = many(3)
    reckon = price_moves.telling.first_renewal

    def broken(subscription, *args):
        if subscription.stripe_id == "sub_1":
            raise LookupError("no such rhythm")
        return reckon(subscription, *args)

    monkeypatch.setattr(price_moves.telling, "first_renewal", broken)
    price_moves.run(move)
    found = {row.subscription.stripe_id: (row.status, row.reason) for row in PriceMoveRow.objects.all()}
    assert found == {
        "sub_0": ("told", ""), "sub_1": ("listed", "LookupError: no such rhythm"), "sub_2": ("told", ""),
    }  # fmt: skip


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_command_and_workers_at_once_tell_each_once():
    move = many(40)
    answers = at_once(lambda number: price_moves.run(move) if number % 2 else price_moves.proceed(move), 4)
    assert not [each for each in answers if isinstance(each, Exception)]
    PriceMoveRow.objects.filter(status="listed").update(due_at=clock.now())
    price_moves.run(move)
    assert PriceMoveRow.objects.filter(status="told", tellings=1).count() == 40
    assert Mail.objects.filter(kind="price_change").count() == 40
