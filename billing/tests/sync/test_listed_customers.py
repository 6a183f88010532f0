"""Customers whom Stripe lists have their address corrected and their link made."""

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from billing.models import Customer, Plan, Price, SyncRun
from billing.sync import list_pages
from billing.tests.sync.test_list_pages import SOON, ours

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def prices(settings):
    settings.BILLING_CLOCK = ""
    plan = Plan.objects.create(slug="swept", name="Swept", rank=1)
    return Price.objects.create(pk="price_low", plan=plan, currency="usd", unit_amount=1, interval="month")


@pytest.fixture
def full_run():
    now = timezone.now()
    return list_pages.FullRun(SyncRun(mode="full", started_at=now, clock_at=now), now, is_dry=False, invoices={})


def customers(full_run, *page):
    list_pages.CustomerPages(full_run)(list(page))


def at_stripe(customer="cus_ada", email="cus_ada@example.com", **metadata):
    return {"id": customer, "email": email, "metadata": metadata}


def email_of(customer):
    return Customer.objects.get(pk=customer).email


@pytest.mark.parametrize("is_dry", [False, True])
def test_another_address_is_corrected_told_and_counted_for_that_customer_alone(full_run, is_dry):
    full_run.is_dry = is_dry
    ours()
    ours("cus_ben")
    customers(full_run, at_stripe(email="new@example.com"), at_stripe("cus_ben", email="cus_ben@example.com"))
    assert email_of("cus_ada") == ("cus_ada@example.com" if is_dry else "new@example.com")
    assert email_of("cus_ben") == "cus_ben@example.com"
    assert (full_run.run.compared, full_run.run.drifted, full_run.run.healed) == (2, 1, int(not is_dry))
    assert full_run.run.drifts == [
        {"customer": "cus_ada", "field": "email", "ours": "c…@e…", "theirs": "n…@e…", "cause": "unknown"}
    ]


def test_who_shares_an_address_with_another_keeps_it_when_the_others_is_corrected(full_run):
    for name in ("cus_ada", "cus_ben"):
        ours(name)
    Customer.objects.update(email="both@example.com")
    customers(full_run, at_stripe(email="new@example.com"), at_stripe("cus_ben", email="both@example.com"))
    assert (email_of("cus_ada"), email_of("cus_ben"), full_run.run.healed) == ("new@example.com", "both@example.com", 1)


def test_an_address_that_a_webhook_corrects_meanwhile_is_not_written_over(full_run):
    stale = ours().customer
    Customer.objects.filter(pk="cus_ada").update(email="webhook@example.com")
    list_pages.CustomerPages(full_run)._correct(stale, "new@example.com")
    assert (email_of("cus_ada"), full_run.run.drifted, full_run.run.healed) == ("webhook@example.com", 1, 0)


def test_the_same_address_changes_nothing(full_run):
    ours()
    ours("cus_ben")
    customers(full_run, at_stripe(), at_stripe("cus_ben", "new@example.com"))
    assert (email_of("cus_ada"), email_of("cus_ben")) == ("cus_ada@example.com", "new@example.com")
    assert [drift["customer"] for drift in full_run.run.drifts] == ["cus_ben"]
    assert (full_run.run.drifted, full_run.run.healed) == (1, 1)


@pytest.mark.parametrize("email", [None, ""])
def test_an_address_that_was_removed_at_stripe_is_removed_here(full_run, email):
    ours()
    customers(full_run, at_stripe(email=email))
    assert (email_of("cus_ada"), full_run.run.drifted, full_run.run.healed) == ("", 1, 1)
    customers(full_run, at_stripe(email=email))
    assert full_run.run.drifted == 1


def test_who_was_taken_over_in_this_run_gets_their_address_and_of_who_was_here_before_it_is_a_difference(full_run):
    for pk, created_at in (("cus_new", full_run.began), ("cus_old", full_run.began - SOON)):
        Customer.objects.create(pk=pk)
        Customer.objects.filter(pk=pk).update(created_at=created_at)
    customers(full_run, at_stripe("cus_new", "new@example.com"), at_stripe("cus_old", "old@example.com"))
    assert (email_of("cus_new"), email_of("cus_old"), full_run.run.drifted) == ("new@example.com", "old@example.com", 1)


def test_a_customer_is_linked_to_whom_both_our_metadata_and_the_address_name(full_run):
    ada, ben = (get_user_model().objects.create_user(f"{name}@example.com") for name in ("ada", "ben"))
    for name in ("ada", "ben", "eve", "fay"):
        ours(f"cus_{name}")
    customers(
        full_run,
        at_stripe("cus_ada", "ADA@example.com", billing_subscriber=str(ada.pk)),
        at_stripe("cus_ben", "other@example.com", billing_subscriber=str(ben.pk)),
        at_stripe("cus_eve", "ada@example.com"),
        at_stripe("cus_fay", "ben@example.com", billing_subscriber="no key of ours"),
    )
    assert dict(Customer.objects.exclude(subscriber=None).values_list("pk", "subscriber")) == {"cus_ada": ada.pk}
    ours("cus_second")
    customers(full_run, at_stripe("cus_second", "ada@example.com", billing_subscriber=str(ada.pk)))
    assert [row.pk for row in Customer.objects.all_of(ada)] == ["cus_ada", "cus_second"], "the current one stays it"
