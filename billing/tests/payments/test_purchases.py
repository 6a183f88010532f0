"""A pack is delivered once when it is paid, whatever came twice, late or not at all, and goes back with its money."""

import pytest
from django.db import transaction

from billing import access, grants, signals, usage
from billing.lifecycle import purchases
from billing.lifecycle.refusals import AlreadyOwned, EmailUnconfirmed, PackNotOffered
from billing.models import Alert, Credit, Customer, Grant, Pack, Purchase
from billing.setup import publishing_packs
from billing.stripe_client import StripeUnavailable
from billing.sync import runs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def shop(world):
    publishing_packs.publish()
    return world


@pytest.fixture
def ada(shop):
    return shop.sign_up("ada@example.com")


@pytest.fixture
def ben(shop):
    """A bystander with the same pack, to whom nothing happens."""
    ben = shop.sign_up("ben@example.com")
    pay(shop, purchases.start(ben, "credits_1000"))
    shop.deliver()
    yield ben
    assert credits_of(ben) == 1000


@pytest.fixture
def heard():
    """What was said and stayed so: a lane that lacks an answer of Stripe's begins anew, and says it again."""
    said = []

    def completed(purchase, **_):
        email = purchase.customer.subscriber.email
        transaction.on_commit(lambda: said.append(("completed", email)))

    def reversed_(taken, used, **_):
        transaction.on_commit(lambda: said.append(("reversed", taken, used)))

    signals.purchase_completed.connect(completed)
    signals.purchase_reversed.connect(reversed_)
    yield said
    signals.purchase_completed.disconnect(completed)
    signals.purchase_reversed.disconnect(reversed_)


def pay(shop, purchase, **how):
    shop.control(f"checkout/{purchase.session_id}/complete", **how)


def bought(shop, user, slug="credits_1000", **how):
    purchase = purchases.start(user, slug)
    pay(shop, purchase, **how)
    shop.deliver()
    return Purchase.objects.select_related("pack").get(pk=purchase.pk)


def credits_of(user):
    return usage.summary(user)["generations"].credits


def charge_of(shop, purchase):
    return shop.stripe("GET", f"payment_intents/{purchase.payment_intent}")["latest_charge"]


# Delivering


def test_a_pack_that_is_paid_is_delivered_with_an_invoice(shop, ada, ben, heard):
    purchase = bought(shop, ada)
    assert (purchase.status, purchase.amount, purchase.currency) == ("paid", 1500, "usd")
    assert purchase.invoice_id.startswith("in_")
    assert credits_of(ada) == 1000
    assert heard == [("completed", "ada@example.com")]


def test_nothing_is_delivered_before_it_is_paid(shop, ada):
    purchase = purchases.start(ada, "credits_1000")
    shop.deliver()
    assert Purchase.objects.get(pk=purchase.pk).status == "open"
    assert credits_of(ada) == 0


def test_doubled_and_shuffled_deliveries_give_once(shop, ada, heard):
    purchase = purchases.start(ada, "credits_1000")
    pay(shop, purchase)
    events = shop.events()
    for seed in (7, 8):
        shop.deliver(events, scramble=True, seed=seed)
    assert credits_of(ada) == 1000
    # A batch that meets an object for the first time starts again: what receivers wrote is rolled back.
    assert set(heard) == {("completed", "ada@example.com")}
    assert Credit.objects.count() == 1


def test_the_return_page_and_the_webhook_give_once(shop, ada, heard):
    purchase = purchases.start(ada, "credits_1000")
    pay(shop, purchase)
    assert purchases.refresh(purchase).status == "paid"
    assert credits_of(ada) == 1000
    shop.deliver()
    assert (credits_of(ada), heard) == (1000, [("completed", "ada@example.com")])


def test_a_purchase_whose_webhooks_were_lost_is_delivered_by_the_sync(shop, ada, heard):
    purchase = purchases.start(ada, "credits_1000")
    pay(shop, purchase)
    shop.delivered.update(event["id"] for event in shop.events())
    runs.run(runs.Wanted(customer=purchase.customer_id))
    assert (credits_of(ada), heard) == (1000, [("completed", "ada@example.com")])


def test_a_plan_for_good_needs_no_subscription_and_is_not_sold_twice(shop, ada):
    bought(shop, ada, "lifetime_pro")
    assert access.has_access(ada, plan="pro")
    assert access.of(ada).reason == "grant"
    with pytest.raises(AlreadyOwned):
        purchases.start(ada, "lifetime_pro")


def test_several_at_once_and_one_after_the_other_add_up(shop, ada):
    first, second = purchases.start(ada, "credits_1000", 3), purchases.start(ada, "lifetime_pro")
    pay(shop, second)
    pay(shop, first)
    shop.deliver()
    bought(shop, ada)
    assert credits_of(ada) == 4000
    assert access.has_access(ada, plan="pro")


def test_a_debit_is_delivered_when_its_money_comes_and_not_before(shop, ada):
    purchase = bought(shop, ada, payment_method="pm_usBankAccount_success")
    assert (purchase.status, credits_of(ada)) == ("processing", 0)
    shop.control(f"payments/{purchase.payment_intent}", outcome="succeeded")
    shop.deliver()
    assert (Purchase.objects.get(pk=purchase.pk).status, credits_of(ada)) == ("paid", 1000)


def test_a_debit_that_does_not_come_gives_nothing(shop, ada):
    purchase = bought(shop, ada, payment_method="pm_usBankAccount_success")
    shop.control(f"payments/{purchase.payment_intent}", outcome="failed", code="insufficient_funds")
    shop.deliver()
    assert (Purchase.objects.get(pk=purchase.pk).status, credits_of(ada)) == ("failed", 0)


def test_what_is_paid_by_an_account_that_is_gone_is_an_alert_once(shop, ada):
    purchase = purchases.start(ada, "credits_1000")
    pay(shop, purchase)
    Customer.objects.filter(pk=purchase.customer_id).update(subscriber=None)
    shop.deliver()
    shop.deliver(scramble=True)
    assert Purchase.objects.get().delivered_at is None
    assert Alert.objects.filter(subject__contains="Paid and not delivered").count() == 1


# Starting


def test_a_second_click_continues_the_open_page_and_another_quantity_replaces_it(shop, ada):
    first = purchases.start(ada, "credits_1000")
    assert purchases.start(ada, "credits_1000").session_id == first.session_id
    other = purchases.start(ada, "credits_1000", 2)
    assert other.session_id != first.session_id
    assert shop.stripe("GET", f"checkout/sessions/{first.session_id}")["status"] == "expired"


def test_one_that_was_paid_in_another_tab_is_delivered_before_the_next_is_sold(shop, ada):
    first = purchases.start(ada, "credits_1000")
    pay(shop, first)
    second = purchases.start(ada, "credits_1000")
    assert (second.session_id != first.session_id, credits_of(ada)) == (True, 1000)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("nothing",), "We don't sell a pack"),
        (("credits_1000", 1, "sek"), "not sold in SEK"),
        (("credits_1000", 101), "1 to 100 times"),
        (("credits_1000", 0), "1 to 100 times"),
        (("lifetime_pro", 2), "once at a time"),
    ],
)
def test_what_is_not_sold_is_refused_and_nothing_is_begun(shop, ada, asked, why):
    with pytest.raises(PackNotOffered, match=why):
        purchases.start(ada, *asked)
    assert not Purchase.objects.exists()


def test_a_pack_that_is_withdrawn_or_unpublished_is_not_sold(shop, ada):
    Pack.objects.filter(slug="credits_1000").update(is_public=False)
    Pack.objects.filter(slug="lifetime_pro").update(price_id="")
    for slug in ("credits_1000", "lifetime_pro"):
        with pytest.raises(PackNotOffered):
            purchases.start(ada, slug)


def test_an_unconfirmed_address_buys_nothing(shop, ada, settings):
    settings.BILLING_EMAIL_IS_CONFIRMED = "billing.tests.payments.test_purchases.never"
    with pytest.raises(EmailUnconfirmed):
        purchases.start(ada, "credits_1000")


def never(_subscriber):
    return False


def test_an_outage_leaves_a_purchase_that_the_next_click_continues(shop, ada):
    purchases.start(ada, "lifetime_pro")  # the customer is made
    with shop.down(), pytest.raises(StripeUnavailable):
        purchases.start(ada, "credits_1000")
    assert bought(shop, ada).status == "paid"
    assert credits_of(ada) == 1000


# Giving back


def test_a_part_is_taken_for_a_part_and_the_rest_for_the_rest(shop, ada, ben, heard):
    purchase = bought(shop, ada)
    charge = charge_of(shop, purchase)
    shop.stripe("POST", "refunds", charge=charge, amount=750)
    shop.deliver(scramble=True)
    assert credits_of(ada) == 500
    shop.stripe("POST", "refunds", charge=charge)
    shop.deliver()
    assert credits_of(ada) == 0
    assert heard[1:] == [("reversed", 500, 0), ("reversed", 1000, 0)]


def test_what_was_used_is_told_and_never_below_zero(shop, ada, heard):
    purchase = bought(shop, ada)
    usage.consume(ada, "generations", 10 + 400)
    shop.stripe("POST", "refunds", charge=charge_of(shop, purchase))
    shop.deliver()
    row = Credit.objects.get(subscriber=ada)
    assert (row.left, row.used, row.taken_back, row.owed_back) == (0, 400, 600, 400)
    assert heard[-1] == ("reversed", 600, 400)
    assert Alert.objects.filter(subject__contains="Money went back").count() == 1


@pytest.mark.parametrize("went", ["refunded", "disputed", "a part of it"])
def test_money_that_went_back_before_the_payment_was_heard_of_is_taken_back(shop, ada, ben, heard, went):
    purchase = purchases.start(ada, "credits_1000")
    pay(shop, purchase)
    session = shop.stripe("GET", f"checkout/sessions/{purchase.session_id}")
    charge = shop.stripe("GET", f"payment_intents/{session['payment_intent']}")["latest_charge"]
    if went == "disputed":
        shop.control("disputes", charge=charge)
    else:
        shop.stripe("POST", "refunds", charge=charge, **({} if went == "refunded" else {"amount": 750}))
    events = shop.events()
    is_late = [event["type"].startswith(("checkout.", "payment_intent.")) for event in events]
    shop.deliver([event for event, late in zip(events, is_late, strict=True) if not late])
    shop.deliver([event for event, late in zip(events, is_late, strict=True) if late])
    left = 500 if went == "a part of it" else 0
    assert Credit.objects.get(subscriber=ada).left == left
    assert heard == [("completed", "ada@example.com"), ("reversed", 1000 - left, 0)]


def test_a_refund_that_fails_later_gives_again(shop, ada):
    purchase = bought(shop, ada)
    refund = shop.stripe("POST", "refunds", charge=charge_of(shop, purchase))
    shop.deliver()
    assert credits_of(ada) == 0
    shop.control(f"refunds/{refund['id']}/fail")
    shop.deliver()
    assert credits_of(ada) == 1000


@pytest.mark.parametrize(("status", "left"), [("won", 1000), ("lost", 0)])
def test_a_dispute_takes_all_at_once_and_gives_again_when_it_is_won(shop, ada, ben, status, left):
    purchase = bought(shop, ada)
    dispute = shop.control("disputes", charge=charge_of(shop, purchase))
    shop.deliver()
    assert Credit.objects.get(subscriber=ada).left == 0
    shop.control(f"disputes/{dispute['id']}", status=status)
    shop.deliver()
    assert Credit.objects.get(subscriber=ada).left == left


def test_a_plan_goes_when_all_its_money_went_and_comes_back_with_it(shop, ada):
    purchase = bought(shop, ada, "lifetime_pro")
    charge = charge_of(shop, purchase)
    shop.stripe("POST", "refunds", charge=charge, amount=100)
    shop.deliver()
    assert access.has_access(ada, plan="pro")
    refund = shop.stripe("POST", "refunds", charge=charge)
    shop.deliver()
    assert not access.has_access(ada)
    shop.control(f"refunds/{refund['id']}/fail")
    shop.deliver(scramble=True)
    assert access.has_access(ada, plan="pro")
    assert Grant.objects.open().filter(subscriber=ada).count() == 1


def test_what_is_bought_says_what_it_still_gives(shop, ada):
    bought(shop, ada)
    shop.advance(hours=1)
    bought(shop, ada, "lifetime_pro")
    purchases.start(ada, "credits_1000")
    usage.consume(ada, "generations", 1000 + 300)
    plan, credit = purchases.bought_by(ada)
    assert (plan.still_grants.plan, plan.still_grants.credits) == ("pro", 0)
    assert (credit.still_grants.feature, credit.still_grants.credits) == ("generations", 700)
    grants.revoke(ada, plan.source)
    assert purchases.bought_by(ada)[0].still_grants.plan == ""
