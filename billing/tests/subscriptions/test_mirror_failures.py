"""A mirror that fails is counted and named; an invoice with a discount does not fail."""

import pytest
from django.core import mail
from django.urls import reverse
from djstripe import models as djstripe

from billing import stripe_account, stripe_client
from billing.models import MirrorFailure, Payment, StripeEvent, StripeKey
from billing.monitoring import alerts
from billing.setup import doctor
from billing.stripe_client import fetch
from billing.subscriptions import mirror, mirror_failures
from billing.sync import for_people
from billing.tests.mailing import GRACE

pytestmark = pytest.mark.django_db(transaction=True)


def found(name):
    return [finding for finding in doctor.examine() if finding.name == name]


def renewed(world):
    """A month passes, and the renewal's invoice is paid and mirrored."""
    world.advance(days=32)
    world.deliver()
    assert Payment.objects.count() == 2
    paid = Payment.objects.values("invoice_id")
    assert djstripe.Invoice.objects.filter(id__in=paid).count() == 2
    assert not MirrorFailure.objects.exists()
    assert found("mirror")[0].level == "ok"


def coupon(world, **terms):
    return world.stripe("POST", "coupons", **terms)["id"]


def test_an_invoice_with_a_discount_is_mirrored(world):
    ada = world.subscribed()
    half = coupon(world, percent_off=50, duration="forever")
    world.stripe("POST", f"subscriptions/{ada.subscription}", discounts=[{"coupon": half}])
    world.deliver()
    renewed(world)
    assert djstripe.Discount.objects.count() == 1


def test_so_is_one_with_the_discount_of_an_item(world):
    ada = world.subscribed()
    five = coupon(world, amount_off=500, currency="usd", duration="forever")
    [item] = world.stripe("GET", f"subscriptions/{ada.subscription}")["items"]["data"]
    world.stripe(
        "POST", f"subscriptions/{ada.subscription}", items=[{"id": item["id"], "discounts": [{"coupon": five}]}]
    )
    world.deliver()
    renewed(world)


def test_so_is_one_by_a_promotion_code(world):
    ada = world.subscribed()
    half = coupon(world, percent_off=50, duration="forever")
    code = world.stripe("POST", "promotion_codes", promotion={"type": "coupon", "coupon": half}, code="HALF")["id"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", discounts=[{"promotion_code": code}])
    world.deliver()
    renewed(world)


def test_what_hangs_on_a_customer_deleted_before_they_were_mirrored_is_no_failure(world, caplog):
    ada = world.subscribed()
    world.stripe("DELETE", f"customers/{ada.customer}")
    djstripe.Subscription.objects.all().delete()
    djstripe.Customer.objects.filter(id=ada.customer).delete()
    world.deliver()
    assert "not mirrored" not in caplog.text
    assert (MirrorFailure.objects.count(), djstripe.Subscription.objects.count()) == (0, 0)
    assert ada.access.has_access is False


def test_a_failure_is_counted_and_the_doctor_names_it(world, monkeypatch, client):
    ada = world.subscribed()

    def odd(*args, **kwargs):
        raise ValueError("an odd shape")

    monkeypatch.setattr(djstripe.Customer, "sync_from_stripe_data", odd)
    for _ in range(2):
        with stripe_client.drain_reads():
            mirror.write_object(fetch.customer(ada.customer))
    failure = MirrorFailure.objects.get()
    assert (failure.pk, failure.kind, failure.times) == (ada.customer, "customer", 2)
    [finding] = found("mirror")
    assert finding.level == "warning"
    assert "ValueError" in finding.text
    assert ada.customer in finding.text
    assert "billing_mirror_failures 1.0" in client.get(reverse("billing:metrics")).content.decode()


# What a person gets to know


@pytest.fixture
def odd_customers(monkeypatch):
    """dj-stripe can take no customer; what is fetched anew is mirrored anew."""
    take = djstripe.Customer.sync_from_stripe_data

    def odd(*args, **kwargs):
        raise ValueError("an odd shape of ada@example.com")

    monkeypatch.setattr(djstripe.Customer, "sync_from_stripe_data", odd)
    return lambda: monkeypatch.setattr(djstripe.Customer, "sync_from_stripe_data", take)


def mirrored(*customers):
    with stripe_client.drain_reads():
        for customer in customers:
            mirror.write_object(fetch.customer(customer))


def told():
    alerts.send()
    bodies = [message.body for message in mail.outbox if message.to == ["grace@example.com"]]
    mail.outbox.clear()
    return bodies


@pytest.fixture
def staff(settings):
    settings.ADMINS = GRACE


def test_staff_are_alerted_once_to_what_fails_again_and_again(world, staff, odd_customers):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    mirrored(ada.customer)
    (text,) = told()
    assert ada.customer in text
    assert "ValueError" in text
    assert "ada@example.com" not in text
    mirrored(ada.customer, ben.customer)
    assert told() == [], "the same kind of failure, within the hour"


def test_a_failure_of_another_kind_of_object_is_an_alert_of_its_own(world, staff, odd_customers, monkeypatch):
    ada = world.subscribed()
    mirrored(ada.customer)
    monkeypatch.setattr(djstripe.Subscription, "sync_from_stripe_data", djstripe.Customer.sync_from_stripe_data)
    with stripe_client.drain_reads():
        mirror.write_object(world.stripe("GET", f"subscriptions/{ada.subscription}"))
    assert len(told()) == 2


def test_doctor_sync_and_admin_name_it_until_it_is_mirrored(world, odd_customers, admin_client, time_machine):
    ada = world.subscribed()
    mirrored(ada.customer)
    (sentence,) = mirror_failures.lasting()
    assert ada.customer in sentence
    assert sentence in for_people.sentences()
    assert for_people.sentences(ada.customer) == []
    assert found("mirror")[0].text in sentence
    page = admin_client.get("/admin/billing/mirrorfailure/").content.decode()
    assert ada.customer in page
    assert "missing" in page
    odd_customers()
    mirrored(ada.customer)
    assert mirror_failures.lasting() == []
    assert found("mirror")[0].level == "ok"
    assert "mirrored since" in admin_client.get("/admin/billing/mirrorfailure/").content.decode()


def test_a_price_that_cannot_be_mirrored_is_named_and_the_others_are_mirrored(world, staff):
    world.subscribed()
    djstripe.Subscription.objects.all().delete()
    djstripe.SubscriptionItem.objects.all().delete()
    prices = world.stripe("GET", "prices", limit=3, expand=["data.product"])["data"]
    djstripe.Price.objects.all().delete()
    one = prices[0]["id"]
    prices[0]["created"] = "yesterday"
    mirror.write_prices(prices)
    (text,) = told()
    assert one in text
    assert MirrorFailure.objects.get().pk == one
    assert set(djstripe.Price.objects.values_list("id", flat=True)) == {price["id"] for price in prices[1:]}


# Events of connected accounts


def of_account(world, account, **changes):
    event = {**world.events()[-1], "id": f"evt_of_{account}", "account": account, **changes}
    world.deliver([event])
    return StripeEvent.objects.get(pk=event["id"])


@pytest.fixture
def ada(world):
    ada = world.subscribed()
    world.stripe("POST", f"customers/{ada.customer}", name="Ada")
    return ada


def test_an_event_of_a_connected_account_is_ignored_with_a_note(world, ada):
    event = of_account(world, "acct_shop")
    assert event.status == "ignored"
    assert "connected account acct_shop" in event.error_message


def test_an_event_that_names_our_own_account_is_processed(world, ada):
    assert of_account(world, "acct_1SandboxSandbox").status == "processed"


def test_while_our_account_is_not_known_it_does_not_go_dead_either(world, ada):
    StripeKey.objects.all().delete()
    stripe_account.reset()
    assert of_account(world, "acct_shop").status == "processed"
