"""A pack's buyer is told when it is delivered and when it is taken back; credits that run low or expire are mailed."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from billing import clock, grants, usage
from billing.lifecycle import purchases
from billing.models import Credit, Purchase
from billing.setup import publishing_packs
from notifications import outbox, rendering
from notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Mail.Kind


@pytest.fixture
def ada(billing_stripe):
    publishing_packs.publish()
    return get_user_model().objects.create_user("ada@example.com", "correct-horse-battery")


def bought(stripe, user, slug="credits_1000"):
    purchase = purchases.start(user, slug)
    stripe.control(f"checkout/{purchase.session_id}/complete")
    stripe.deliver()
    return Purchase.objects.select_related("pack").get(pk=purchase.pk)


def refund(stripe, purchase, amount):
    charge = stripe.api("GET", f"payment_intents/{purchase.payment_intent}")["latest_charge"]
    stripe.api("POST", "refunds", charge=charge, amount=amount)
    stripe.deliver()


def told(kind):
    mail = Mail.objects.get(kind=kind)
    assert mail.status != Mail.Status.SKIPPED, mail.error
    assert mail.recipient == "ada@example.com"
    return " ".join(rendering.render(mail).text.partition("\n--\n")[0].split())


def test_the_buyer_is_told_once_what_was_delivered(billing_stripe, ada):
    purchase = bought(billing_stripe, ada)
    purchases.refresh(purchase)
    assert "We have added 1,000 credits of generations" in told(Kind.PACK_DELIVERED)
    assert "It does not expire." in told(Kind.PACK_DELIVERED)


def test_a_plan_for_good_is_named(billing_stripe, ada):
    bought(billing_stripe, ada, "lifetime_pro")
    assert "You have Pro now." in told(Kind.PACK_DELIVERED)


def test_of_what_the_project_delivers_it_names_the_pack_alone(billing_stripe, ada, settings):
    settings.BILLING_PACKS = [{"slug": "handbook", "name": "Handbook", "is_own": True, "prices": {"usd": 4_000}}]
    publishing_packs.publish()
    purchase = bought(billing_stripe, ada, "handbook")
    said = told(Kind.PACK_DELIVERED)
    assert "Thank you for buying Handbook. Open your account" in said
    refund(billing_stripe, purchase, 1_000)
    assert not Mail.objects.filter(kind=Kind.PACK_REVERSED).exists()
    refund(billing_stripe, purchase, 3_000)
    assert "Refunded or disputed of what you paid for Handbook: $40.00. Open your account" in told(Kind.PACK_REVERSED)


def test_of_a_refund_it_says_what_went_and_what_had_been_used(billing_stripe, ada):
    purchase = bought(billing_stripe, ada)
    usage.consume(ada, "generations", 10 + 700)
    refund(billing_stripe, purchase, 750)
    text = told(Kind.PACK_REVERSED)
    assert "for 1,000 generations: $7.50. Credits of generations taken back in all: 300." in text
    assert "Credits that you had used before: 200." in text


def test_part_of_a_plans_money_takes_nothing_and_tells_nothing(billing_stripe, ada):
    purchase = bought(billing_stripe, ada, "lifetime_pro")
    refund(billing_stripe, purchase, 1000)
    assert not Mail.objects.filter(kind=Kind.PACK_REVERSED).exists()
    refund(billing_stripe, purchase, 39000)
    assert "It no longer gives you Pro." in told(Kind.PACK_REVERSED)


def test_a_delivery_whose_money_has_gone_is_not_announced_any_more(billing_stripe, ada):
    purchase = bought(billing_stripe, ada)
    refund(billing_stripe, purchase, 1500)
    mail = Mail.objects.get(kind=Kind.PACK_DELIVERED)
    outbox.deliver(str(mail.pk))
    assert Mail.objects.get(pk=mail.pk).status == Mail.Status.SKIPPED


def test_low_credits_are_mailed_unless_more_came_meanwhile(billing_stripe, ada):
    grants.give_credits(ada, "generations", 100, source="gift")
    usage.consume(ada, "generations", 100)
    usage.credit_reminders.hourly()
    assert "Credits of generations that you have left: 10." in told(Kind.CREDITS_LOW)
    grants.give_credits(ada, "generations", 100, source="second")
    mail = Mail.objects.get(kind=Kind.CREDITS_LOW)
    outbox.deliver(str(mail.pk))
    assert Mail.objects.get(pk=mail.pk).error == "There are more credits again."


def test_an_expiry_is_mailed_unless_nothing_is_left_by_then(billing_stripe, ada):
    until = clock.now() + timedelta(days=5)
    grants.give_credits(ada, "generations", 100, source="gift", until=until)
    Credit.objects.update(given_at=clock.now() - timedelta(days=30))
    usage.credit_reminders.hourly()
    assert "unless you use them before: 100." in told(Kind.CREDITS_EXPIRING)
    usage.consume(ada, "generations", 110)
    mail = Mail.objects.get(kind=Kind.CREDITS_EXPIRING)
    outbox.deliver(str(mail.pk))
    assert Mail.objects.get(pk=mail.pk).status == Mail.Status.SKIPPED


def test_who_never_bought_is_mailed_too_and_a_switch_turns_it_off(billing_stripe, ada, settings):
    settings.NOTIFICATIONS_OFF = {"credits_low"}
    grants.give_credits(ada, "generations", 100, source="gift")
    usage.consume(ada, "generations", 110)
    usage.credit_reminders.hourly()
    assert Mail.objects.get(kind=Kind.CREDITS_LOW).status == Mail.Status.SKIPPED
