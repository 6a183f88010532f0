"""Subscriptions that are paid by invoice: agreed, started once whatever happens, paid within their terms."""

from datetime import timedelta

import pytest

from billing import access, cause
from billing.lifecycle import agreements, change, checkout, customers, overview
from billing.lifecycle.agreements import AgreementRefused
from billing.models import (
    Agreement,
    Alert,
    Invoice,
    MrrMovement,
    Price,
    Subscription,
    SubscriptionChange,
)
from billing.setup.doctor import here
from billing.subscriptions import seats
from billing.tests.taxed import BERLIN, sell_with_tax

pytestmark = pytest.mark.django_db(transaction=True)


TERMS = {"plan": "team", "days_until_due": 30}


@pytest.fixture
def ada(world):
    return world.sign_up()


def subscriptions_at_stripe(world, customer):
    return world.stripe("GET", "subscriptions", customer=customer, status="all")["data"]


def refused(ada, **asked):
    with pytest.raises(AgreementRefused) as error:
        agreements.draft(ada, **{**TERMS, **asked})
    return error.value.code


# From the draft to the invoice


def test_a_draft_does_nothing_until_it_is_sent_and_then_starts_with_access_and_an_invoice(world, ada):
    draft = agreements.draft(ada, **TERMS, po_number="4711", memo="As agreed in May")
    assert (draft.status, draft.line, draft.currency, draft.unit_amount) == ("draft", "main", "usd", None)
    assert not access.has_access(ada)
    sent = agreements.send(draft)
    assert (sent.status, access.has_access(ada, plan="team")) == ("started", True)
    (made,) = subscriptions_at_stripe(world, sent.customer_id)
    assert (made["id"], made["collection_method"], made["days_until_due"]) == (sent.subscription_id, "send_invoice", 30)
    invoice = world.stripe("GET", f"invoices/{sent.invoice_id}")
    assert (invoice["status"], invoice["description"]) == ("open", "As agreed in May")
    assert [(field["name"], field["value"]) for field in invoice["custom_fields"]] == [("PO number", "4711")]
    row = Invoice.objects.get(pk=sent.invoice_id)
    assert (row.is_sent, row.due_at - row.created_at) == (True, timedelta(days=30))


def test_the_subscriber_is_told_once_that_it_started_and_that_an_invoice_was_sent(world, ada):
    agreements.start(ada, key="quote:1", **TERMS)
    world.deliver(scramble=True)
    heard = [name for name, _ in world.heard]
    assert [heard.count(name) for name in ("subscription_started", "invoice_sent", "payment_failed")] == [1, 1, 0]


def test_the_next_invoices_have_the_same_terms(world, ada):
    sent = agreements.start(ada, key="quote:1", **TERMS, po_number="4711")
    world.stripe("POST", f"invoices/{sent.invoice_id}/pay", paid_out_of_band=True)
    world.advance(days=31, hours=2)
    world.deliver()
    second = Invoice.objects.exclude(pk=sent.invoice_id).get()
    assert (second.is_sent, second.status) == (True, "open")
    assert world.stripe("GET", f"invoices/{second.pk}")["custom_fields"][0]["value"] == "4711"


def test_what_was_agreed_is_billed_and_counted_as_the_plans_and_is_for_sale_to_nobody(world, ada):
    sent = agreements.start(ada, key="quote:1", **TERMS, amount=150_000, quantity=3)
    row = Subscription.objects.get(stripe_id=sent.subscription_id)
    assert (row.whose, row.plan.slug, row.quantity, row.mrr) == ("ours", "team", 3, 450_000)
    assert Invoice.objects.get().amount_due == 450_000
    assert MrrMovement.objects.get().amount == 450_000
    world.deliver(scramble=True)
    price = Price.objects.get(pk=row.price_id)
    assert (price.unit_amount, price.is_active, price.plan.slug) == (150_000, False, "team")
    assert "price_replaced" not in {alert.cause for alert in Alert.objects.all()}
    ben = world.sign_up("ben@example.com")
    assert checkout.start(ben, "team", "month").price_id != price.pk


def test_an_agreed_price_is_known_by_itself_where_its_row_was_lost(world, ada):
    sent = agreements.start(ada, key="quote:1", **TERMS, amount=150_000)
    price = Subscription.objects.get().price_id
    Agreement.objects.update(price=None)
    Subscription.objects.all().delete()
    SubscriptionChange.objects.all().delete()
    Price.objects.filter(pk=price).delete()
    world.deliver()
    row = Subscription.objects.get(stripe_id=sent.subscription_id)
    assert (row.whose, row.price_id, row.price.is_active) == ("ours", price, False)


def test_an_agreement_by_the_year_counts_a_twelfth_a_month(world, ada):
    agreements.start(ada, key="quote:1", plan="team", interval="year", amount=120_000)
    assert Subscription.objects.get().mrr == 10_000
    assert Agreement.objects.get().days_until_due == 30


# Tax


def known_at_stripe(world, user, **details):
    """Make the subscriber's customer, as BILLING_CUSTOMER_DETAILS or staff do, with an address and a tax id."""
    customer = customers.customer_for(user, "eur")
    world.stripe("POST", f"customers/{customer.pk}", **details)
    return customer


def test_a_german_company_with_a_vat_id_is_charged_in_reverse_and_its_neighbour_pays_the_tax(world, settings):
    sell_with_tax(world, settings)
    world.control("tax", country="NL", rates=[{"country": "NL", "percentage": 21}, {"country": "DE", "percentage": 19}])
    gerda, nina = world.sign_up("gerda@example.com"), world.sign_up("nina@example.com")
    customer = known_at_stripe(world, gerda, address=BERLIN)
    made = world.stripe("POST", f"customers/{customer.pk}/tax_ids", type="eu_vat", value="DE123456789")
    world.control(f"tax_ids/{made['id']}", status="verified")
    known_at_stripe(world, nina, address={**BERLIN, "country": "NL", "city": "Utrecht", "postal_code": "3511AA"})
    for user in (gerda, nina):
        agreements.start(user, key=f"order:{user.pk}", **TERMS, amount=120_00, currency="eur")
    world.deliver()
    row = Invoice.objects.get(customer__subscriber=gerda)
    assert (row.net, row.tax, row.is_reverse_charged, row.is_sent) == (12000, 0, True, True)
    other = Invoice.objects.get(customer__subscriber=nina)
    assert (other.total, other.tax, other.is_reverse_charged) == (12000, 2083, False)


def test_rates_by_hand_are_on_its_invoices(world, ada, settings):
    rate = world.stripe("POST", "tax_rates", display_name="VAT", percentage=19, inclusive=False)["id"]
    sell_with_tax(world, settings, rates=[rate])
    agreements.start(ada, key="quote:1", **TERMS, amount=10_000)
    assert Invoice.objects.get().tax == 1900


def test_who_is_nowhere_starts_nothing_until_there_is_an_address(world, ada, settings):
    sell_with_tax(world, settings)
    with pytest.raises(AgreementRefused, match="no place to tax") as error:
        agreements.start(ada, key="quote:1", **TERMS)
    assert error.value.code == "tax_address_needed"
    assert not Subscription.objects.exists()
    world.stripe("POST", f"customers/{Agreement.objects.get().customer_id}", address=BERLIN)
    assert agreements.send(Agreement.objects.get()).status == "started"
    assert Invoice.objects.get().tax > 0


# Within the terms, and after


def test_access_lasts_through_the_terms_and_the_grace_after_them_and_comes_back_with_the_money(world, ada):
    sent = agreements.start(ada, key="quote:1", **{**TERMS, "days_until_due": 10})
    world.deliver()
    world.advance(days=9)
    world.deliver()
    assert access.of(ada).reason == "active"
    world.advance(days=2)
    world.deliver()
    due = Invoice.objects.get().due_at
    assert (access.of(ada).reason, access.of(ada).grace_ends_at) == ("grace", due + timedelta(days=3))
    world.advance(days=3)
    world.deliver()
    assert not access.has_access(ada)
    world.stripe("POST", f"invoices/{sent.invoice_id}/pay", paid_out_of_band=True)
    world.deliver()
    assert access.has_access(ada, plan="team")


def test_a_higher_plan_waits_for_its_invoice(world, ada):
    sent = agreements.start(ada, key="quote:1", plan="pro", days_until_due=10)
    world.deliver()
    world.stripe("POST", f"invoices/{sent.invoice_id}/pay", paid_out_of_band=True)
    world.advance(days=3)
    world.deliver()
    row = change.change(ada, "team", "month")
    assert (row.plan.slug, row.pending_kind) == ("pro", "awaiting_payment")
    world.deliver()
    (owed,) = overview.overview_of(ada).owed
    world.stripe("POST", f"invoices/{owed.invoice}/pay", paid_out_of_band=True)
    world.deliver()
    assert access.has_access(ada, plan="team")


def test_seats_are_followed_at_the_agreed_amount(world, ada, settings):
    sent = agreements.start(ada, key="quote:1", **TERMS, amount=10_000, quantity=1)
    world.deliver()
    settings.BILLING_SEATS = "billing.tests.lifecycle.test_agreements.five"
    seats.changed(ada)
    world.deliver()
    row = Subscription.objects.get(stripe_id=sent.subscription_id)
    assert (row.quantity, row.mrr, row.plan.slug) == (5, 50_000, "team")


def five(subscriber):
    return 5


def test_a_lower_plan_keeps_the_terms_and_the_purchase_order(world, ada):
    sent = agreements.start(ada, key="quote:1", **TERMS, po_number="4711", amount=90_000)
    world.stripe("POST", f"invoices/{sent.invoice_id}/pay", paid_out_of_band=True)
    world.deliver()
    change.change(ada, "pro", "month")
    world.advance(days=31, hours=2)
    world.deliver()
    made = world.stripe("GET", f"subscriptions/{sent.subscription_id}")
    assert (made["collection_method"], made["days_until_due"]) == ("send_invoice", 30)
    assert made["invoice_settings"]["custom_fields"][0]["value"] == "4711"
    assert Subscription.objects.get().plan.slug == "pro"


def test_who_sent_it_is_the_cause_of_what_follows(world, ada):
    with cause.recorded_as("staff:7"):
        agreements.start(ada, key="quote:1", **TERMS)
    assert Agreement.objects.get().sent_by == "staff:7"
    customer = Agreement.objects.get().customer
    assert customer.subscription_changes.get().cause == "staff:7"


def test_the_doctor_names_what_was_refused_and_what_has_waited_for_long(world, ada):
    assert list(here.agreements()) == []
    with world.writes_failing():
        sent = agreements.start(ada, key="quote:1", **TERMS)
    assert list(here.agreements()) == []
    world.advance(hours=4)
    (late,) = here.agreements()
    assert "Stripe has not started it yet" in late.text
    Agreement.objects.filter(pk=sent.pk).update(status="refused", error_message="Stripe refused it: no")
    (refused_one,) = here.agreements()
    assert str(sent.pk) in refused_one.text
    assert "could not start: Stripe refused it: no" in refused_one.text
