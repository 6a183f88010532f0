"""Staff are alerted, once, by the step that makes somebody pay twice, as one subscriber or at one address."""

import pytest
from django.core import mail
from django.core.management import call_command

from billing import testing
from billing.lifecycle import customers
from billing.models import Customer, Plan, Price, Subscription
from billing.monitoring import alerts
from billing.subscriptions import doubts
from billing.sync import runs
from billing.tests.mailing import GRACE
from billing.tests.parallel import at_once
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def staff(settings):
    settings.ADMINS = GRACE


@pytest.fixture
def ada(world):
    return world.subscribed()


def told():
    """The texts of the alerts mailed since the last look."""
    alerts.send()
    texts = [message.body for message in mail.outbox if message.to == ["grace@example.com"]]
    mail.outbox.clear()
    return texts


def customer_at_stripe(world, email="ada@example.com", **params):
    found = world.stripe("POST", "customers", email=email, **params)["id"]
    world.stripe("POST", "payment_methods/pm_card_visa/attach", customer=found)
    return found


def customer_of(world, user, email="ada@example.com"):
    """Another customer at Stripe that is linked to the subscriber."""
    return Customer.objects.create(
        pk=customer_at_stripe(world, email), subscriber=user, email=email, is_current=user is None
    ).pk


def sell(world, customer, price="pro_month"):
    """Staff sell a price in Stripe's dashboard."""
    [method] = world.stripe("GET", "payment_methods", customer=customer, type="card")["data"]
    known = Price.objects.filter(lookup_key=price).values_list("pk", flat=True).first()
    made = world.stripe(
        "POST", "subscriptions", customer=customer, items=[{"price": known or price}],
        default_payment_method=method["id"],
    )  # fmt: skip
    return made["id"]


def priced(world, product, amount=700):
    recurring = {"interval": "month"}
    return world.stripe("POST", "prices", product=product, currency="usd", unit_amount=amount, recurring=recurring)[
        "id"
    ]


# Two customers of one subscriber


def test_what_another_customer_of_the_subscriber_bills_in_the_line_is_told_with_both_ids_once(world, ada):
    second = sell(world, customer_of(world, ada.user), "team_month")
    world.deliver()
    (text,) = told()
    assert ada.subscription in text
    assert second in text
    assert "is billed twice" in text
    assert "which counts" not in text, "each counts for its own customer"
    for customer in Customer.objects.values_list("pk", flat=True):
        world.stripe("POST", f"customers/{customer}", description="seen")
    world.deliver()
    assert told() == []


def test_it_costs_no_call_of_stripe(world, ada):
    ben = world.sign_up("ben@example.com")
    calls = []
    for user in (ben, ada.user):
        sell(world, customer_of(world, user, f"bills.{user.email}"))
        before = world.calls()["total"]
        world.deliver()
        calls.append(world.calls()["total"] - before)
    assert calls[0] == calls[1]
    assert len(told()) == 1


def test_in_another_line_free_or_foreign_it_is_not_told(world, ada):
    product = world.stripe("POST", "products", name="Storage")["id"]
    storage = Plan.objects.create(slug="storage", name="Storage", line="storage", rank=1)
    of_storage = priced(world, product)
    Price.objects.create(pk=of_storage, plan=storage, currency="usd", unit_amount=700, interval="month")
    free = priced(world, Price.objects.get(lookup_key="pro_month").product, 0)
    Price.objects.create(pk=free, plan=Plan.objects.get(slug="pro"), currency="usd", unit_amount=0, interval="month")
    magazine = priced(world, world.stripe("POST", "products", name="Magazine")["id"])
    for price in (of_storage, free, magazine):
        sell(world, customer_of(world, ada.user), price)
    world.deliver()
    assert Subscription.objects.count() == 4
    assert told() == []


def test_a_customer_deleted_at_stripe_pays_for_nothing(world, ada):
    another = customer_of(world, ada.user)
    sell(world, another)
    world.stripe("DELETE", f"customers/{another}")
    world.deliver()
    assert told() == []


def test_what_only_begins_to_bill_later_is_told_then(world, ada):
    price = priced(world, Price.objects.get(lookup_key="pro_month").product, 0)
    plan = Plan.objects.get(slug="pro")
    Price.objects.create(pk=price, plan=plan, currency="usd", unit_amount=0, interval="month")
    second = sell(world, customer_of(world, ada.user), price)
    world.deliver()
    assert told() == []
    [item] = world.stripe("GET", f"subscriptions/{second}")["items"]["data"]
    pro = Price.objects.get(lookup_key="pro_month").pk
    world.stripe("POST", f"subscriptions/{second}", items=[{"id": item["id"], "price": pro}])
    world.deliver()
    assert len(told()) == 1


@pytest.mark.postgres_only
def test_two_lanes_of_one_subscriber_that_commit_at_the_same_moment_tell_it_once(world):
    user = world.sign_up()
    for _ in range(5):
        pair = [customer_of(world, user) for _ in range(2)]
        for customer in pair:
            sell(world, customer)
        world.deliver(work=False)
        outcomes = at_once(lambda number: testing.work(), 2)
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        testing.work()
        assert Subscription.objects.filter(customer__in=pair, status="active").count() == 2
        assert len(told()) == 1
        Subscription.objects.all().delete()


# A customer whom nobody is linked to


def test_a_customer_of_nobody_who_is_billed_at_a_subscribers_address_is_told(world, ada):
    second = sell(world, customer_of(world, None))
    world.deliver()
    (text,) = told()
    assert second in text
    assert "may pay twice" in text
    world.stripe("POST", f"customers/{ada.customer}", description="seen")
    world.deliver()
    assert told() == []


def test_so_it_is_when_the_subscriber_is_the_later_one_to_pay(world):
    second = sell(world, customer_of(world, None))
    world.deliver()
    assert told() == []
    world.subscribed()
    (text,) = told()
    assert second in text


def test_so_it_is_when_only_the_address_changes(world, ada):
    stranger = customer_of(world, None, "ben@example.com")
    second = sell(world, stranger)
    world.deliver()
    assert told() == []
    world.stripe("POST", f"customers/{stranger}", email="ada@example.com")
    world.deliver()
    (text,) = told()
    assert second in text


def test_two_subscribers_of_one_address_are_two_people(world, ada):
    ben = world.sign_up("ben@example.com")
    sell(world, customer_of(world, ben))
    world.deliver()
    assert told() == []


# Linked by an import, the sync, or the account


def test_a_customer_that_an_import_links_to_a_subscriber_who_pays_is_told_once(world, ada):
    customer = customer_at_stripe(world)
    second = sell(world, customer)
    call_command("import_customers", "--by", "email", "--joined", "date_joined")
    (text,) = told()
    assert ada.subscription in text
    assert second in text
    call_command("import_customers", "--by", "email", "--joined", "date_joined")
    assert told() == []


def test_so_is_one_that_the_full_sync_takes_over_and_links(world, ada):
    key = {customers.METADATA_KEY: str(ada.user.pk)}
    second = sell(world, customer_at_stripe(world, metadata=key))
    runs.run(runs.Wanted(is_full=True))
    texts = [text for text in told() if "billed twice" in text]
    assert len(texts) == 1
    assert second in texts[0]


def test_so_is_one_of_nobody_that_the_full_sync_takes_over(world, ada):
    second = sell(world, customer_at_stripe(world))
    runs.run(runs.Wanted(is_full=True))
    (text,) = [text for text in told() if "may pay twice" in text]
    assert second in text


def test_so_is_one_that_is_found_at_stripe_for_the_account(world):
    user = world.sign_up()
    paid, found = (customer_at_stripe(world, metadata={customers.METADATA_KEY: str(user.pk)}) for _ in range(2))
    for customer in (paid, found):
        Customer.objects.create(pk=customer, email="ada@example.com", is_current=False)
        sell(world, customer)
    Customer.objects.filter(pk=paid).update(subscriber=user)
    world.deliver()
    told()
    alerts.Alert.objects.all().delete()
    assert customers.find_customer(user).pk == found
    (text,) = told()
    assert "is billed twice" in text


def test_each_alert_is_what_doctor_sync_and_admin_go_on_to_name(world, ada):
    second = sell(world, customer_of(world, ada.user))
    world.deliver()
    (text,) = told()
    (sentence,) = doubts.lasting()
    assert sentence in text
    assert doubts.lasting(ada.customer) == doubts.lasting(Subscription.objects.get(stripe_id=second).customer_id)
    assert customer_row(ada).subscriber == ada.user
