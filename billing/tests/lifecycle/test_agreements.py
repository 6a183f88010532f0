"""Subscriptions that are paid by invoice: agreed, started once whatever happens, paid within their terms."""

from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from billing import access, cause, clock, stripe_client
from billing.lifecycle import agreements, change, checkout, customers, deletion, overview, refusals
from billing.lifecycle.agreements import AgreementRefused
from billing.models import (
    Agreement,
    Alert,
    CheckoutAttempt,
    Hold,
    Invoice,
    MrrMovement,
    Plan,
    Price,
    Subscription,
    SubscriptionChange,
)
from billing.setup.doctor import here
from billing.stripe_client import StripeUnavailable
from billing.subscriptions import seats
from billing.tests.taxed import BERLIN, sell_with_tax

pytestmark = pytest.mark.django_db(transaction=True)

TERMS = {"plan": "team", "days_until_due": 30}


@pytest.fixture
def ada(world):
    return world.sign_up()


def subscriptions_at_stripe(world, customer):
    return world.stripe("GET", "subscriptions", customer=customer, status="all")["data"]


def today(days=0):
    return timezone.localdate(clock.now()) + timedelta(days=days)


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


# A trial, and a discount


def coupon(world, **terms):
    return world.stripe("POST", "coupons", **{"duration": "once", **terms})["id"]


def test_a_trial_gives_access_and_the_first_invoice_comes_at_its_end(world, ada):
    sent = agreements.start(ada, key="quote:1", **TERMS, trial_days=10)
    row = Subscription.objects.get()
    assert (row.status, access.has_access(ada, plan="team")) == ("trialing", True)
    assert not Invoice.objects.owed().exists()
    world.advance(days=11)
    world.deliver()
    invoice = Invoice.objects.owed().get()
    assert (invoice.is_sent, invoice.total, Subscription.objects.get().status) == (True, 6000, "active")
    assert access.has_access(ada, plan="team")
    assert Agreement.objects.get().invoice_id == sent.invoice_id


@pytest.mark.parametrize("days", [-1, 731])
def test_a_trial_past_two_years_is_refused(world, ada, days):
    assert refused(ada, trial_days=days) == "trial_out_of_range"
    assert not Agreement.objects.exists()


def test_a_coupon_or_code_is_on_the_first_invoice(world, ada):
    agreements.start(ada, key="quote:1", **TERMS, discount=coupon(world, percent_off=25))
    assert Invoice.objects.get().total == 4500
    ben = world.sign_up("ben@example.com")
    promotion = {"type": "coupon", "coupon": coupon(world, amount_off=1000, currency="usd")}
    world.stripe("POST", "promotion_codes", code="WELCOME", promotion=promotion)
    agreements.start(ben, key="quote:2", **TERMS, discount="welcome", trial_days=5)
    world.advance(days=6)
    world.deliver()
    assert Invoice.objects.owed().get(customer__subscriber=ben).total == 5000


def test_a_discount_that_takes_nothing_off_is_refused_and_nothing_is_drafted(world, ada):
    in_euros = coupon(world, amount_off=1000, currency="eur")
    pro = Price.objects.get(lookup_key="pro_month").product
    for_pro = coupon(world, percent_off=10, applies_to={"products": [pro]})
    assert refused(ada, discount=in_euros) == "discount_other_currency"
    assert refused(ada, discount=for_pro) == "discount_other_plan"
    assert refused(ada, discount="NOPE") == "discount_unknown"
    assert refused(ada, discount="no such/thing") == "discount_unknown"
    assert not Agreement.objects.exists()


def test_a_coupon_that_is_gone_when_it_is_sent_starts_nothing_until_it_is_there(world, ada):
    gone = coupon(world, percent_off=25)
    draft = agreements.draft(ada, **TERMS, discount=gone)
    world.stripe("DELETE", f"coupons/{gone}")
    with pytest.raises(AgreementRefused, match="no valid coupon or promotion code") as error:
        agreements.send(draft)
    assert error.value.code == "discount_unknown"
    assert Agreement.objects.get().status == "refused"
    assert not Subscription.objects.exists()
    world.stripe("POST", "coupons", id=gone, percent_off=25, duration="once")
    assert agreements.send(draft).status == "started"


def test_while_stripe_is_away_a_draft_with_a_discount_is_not_made_and_one_without_is(world, ada):
    with world.down():
        with pytest.raises(StripeUnavailable):
            agreements.draft(ada, **TERMS, discount="WELCOME")
        assert agreements.draft(ada, **TERMS).status == "draft"


# Its day


def test_what_begins_later_starts_on_its_day_and_not_before(world, ada):
    sent = agreements.start(ada, key="quote:1", **TERMS, starts_on=today(10))
    assert (sent.status, agreements.each_minute()) == ("sent", "0 agreements started")
    world.advance(days=10, hours=1)
    assert agreements.each_minute() == "1 agreements started"
    assert access.has_access(ada, plan="team")
    assert agreements.each_minute() == "0 agreements started"


def test_it_takes_over_from_a_subscription_that_ends_before_its_day(world):
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    agreements.start(ada.user, key="quote:1", **TERMS, starts_on=today(33))
    world.advance(days=33, hours=2)
    world.deliver()
    assert agreements.each_minute() == "1 agreements started"
    assert access.has_access(ada.user, plan="team")


def test_what_cannot_start_on_its_day_starts_nothing_and_staff_are_told(world, ada):
    sent = agreements.start(ada, key="quote:1", **TERMS, starts_on=today(3))
    world.subscribe(user=ada)
    world.deliver()
    world.advance(days=4)
    assert agreements.each_minute() == "0 agreements started"
    sent.refresh_from_db()
    assert (sent.status, sent.error_message[:38]) == ("refused", "The subscriber has a live subscription")
    assert Alert.objects.filter(cause=f"agreement_refused:{sent.pk}").count() == 1
    assert len(subscriptions_at_stripe(world, sent.customer_id)) == 1


# Once, whatever happens


def test_sent_twice_it_starts_one(world, ada):
    draft = agreements.draft(ada, **TERMS)
    first, again = agreements.send(draft), agreements.send(Agreement.objects.get())
    assert first.subscription_id == again.subscription_id
    assert len(subscriptions_at_stripe(world, first.customer_id)) == 1


def test_two_clicks_at_once_start_one(world, ada, at_once):
    draft = agreements.draft(ada, **TERMS)
    clicks = [at_once(lambda: agreements.send(Agreement.objects.get(pk=draft.pk)).status) for _ in range(2)]
    assert {click.result() for click in clicks} <= {"started", "starting", "sent"}
    agreements.each_minute()
    assert Agreement.objects.get().status == "started"
    assert Subscription.objects.count() == 1


def test_the_same_key_drafts_one_agreement_and_other_terms_are_refused(world, ada):
    first = agreements.draft(ada, **TERMS, key="order:7", po_number=" 4711 ")
    assert agreements.draft(ada, **TERMS, key="order:7", po_number="4711").pk == first.pk
    for other in ({"amount": 5000}, {"plan": "pro"}, {"days_until_due": 14}, {"starts_on": today(3)}):
        assert refused(ada, key="order:7", **other) == "key_reused"
    with pytest.raises(AgreementRefused, match="other terms"):
        agreements.draft(world.sign_up("ben@example.com"), **TERMS, key="order:7", po_number="4711")


def test_a_lost_answer_is_made_good_and_nothing_is_made_twice(world, ada):
    draft = agreements.draft(ada, **TERMS, amount=99_000)
    world.control("faults", api={"lose_answer": 3})  # as often as the SDK asks
    assert agreements.send(draft).status == "starting"
    for _ in range(3):  # of the price, the subscription, the invoice
        world.control("faults", api={"lose_answer": 3})
        agreements.each_minute()
    world.control("faults")
    agreements.each_minute()
    sent = Agreement.objects.get()
    assert sent.status == "started"
    assert len(world.stripe("GET", "customers")["data"]) == 1
    assert len(subscriptions_at_stripe(world, sent.customer_id)) == 1
    assert Price.objects.filter(unit_amount=99_000).count() == 1


def test_killed_after_stripe_made_it_the_next_minute_goes_on_with_what_is_there(world, ada):
    draft = agreements.draft(ada, **TERMS)
    record = mock.patch("billing.lifecycle.agreements.starting._record", side_effect=KeyboardInterrupt)
    with record, pytest.raises(KeyboardInterrupt):
        agreements.send(draft)
    assert Agreement.objects.get().status == "starting"
    Agreement.objects.update(refusals=1)  # as if Stripe had forgotten the idempotency key
    assert agreements.each_minute() == "1 agreements started"
    assert len(subscriptions_at_stripe(world, Agreement.objects.get().customer_id)) == 1


@pytest.mark.parametrize("writes", range(1, 5), ids=["customer", "price", "subscription", "invoice"])
def test_killed_after_any_write_the_next_minute_goes_on(world, ada, writes):
    draft, done, post = agreements.draft(ada, **TERMS, amount=99_000), [], stripe_client.post

    def dies(path, **params):
        answer = post(path, **params)
        done.append(path)
        if len(done) == writes:
            raise KeyboardInterrupt
        return answer

    with mock.patch("billing.stripe_client.post", dies), pytest.raises(KeyboardInterrupt):
        agreements.send(draft)
    assert (len(done), Agreement.objects.get().status) == (writes, "starting")
    assert agreements.each_minute() == "1 agreements started"
    assert len(world.stripe("GET", "customers")["data"]) == 1
    assert len(subscriptions_at_stripe(world, Agreement.objects.get().customer_id)) == 1
    assert Invoice.objects.get().status == "open"
    assert Price.objects.filter(unit_amount=99_000).count() == 1


def test_what_stripe_has_made_is_never_called_refused(world, ada):
    draft = agreements.draft(ada, **TERMS)
    refusal = stripe_client.InvalidRequest("No", "invoice")
    with mock.patch("billing.lifecycle.agreements.starting._record", side_effect=refusal):
        assert agreements.send(draft).status == "starting"
    with pytest.raises(AgreementRefused):
        agreements.discard(draft)
    assert agreements.each_minute() == "1 agreements started"


def test_while_stripe_is_down_it_waits_and_then_starts(world, ada):
    with world.writes_failing():
        sent = agreements.send(agreements.draft(ada, **TERMS))
        assert (sent.status, agreements.each_minute()) == ("starting", "0 agreements started")
    assert not access.has_access(ada)
    with mock.patch("billing.stripe_client.get", side_effect=StripeUnavailable):
        agreements.each_minute()
    assert agreements.each_minute() == "1 agreements started"


# Never beside another


def test_beside_a_live_one_of_the_line_nothing_starts(world):
    ada = world.subscribed()
    draft = agreements.draft(ada.user, **TERMS)
    with pytest.raises(AgreementRefused) as error:
        agreements.send(draft)
    assert (error.value.code, Agreement.objects.get().status) == ("already_subscribed", "refused")
    assert len(subscriptions_at_stripe(world, ada.customer)) == 1
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    assert agreements.send(Agreement.objects.get()).status == "started"


def test_an_open_checkout_of_the_line_is_expired_so_that_nobody_pays_twice(world, ada):
    attempt = checkout.start(ada, "pro", "month")
    agreements.start(ada, key="quote:1", **TERMS)
    assert world.stripe("GET", f"checkout/sessions/{attempt.session_id}")["status"] == "expired"
    assert not CheckoutAttempt.objects.filter(status="open").exists()


def test_a_buyer_gives_way_while_an_agreement_is_being_started(world, ada):
    with world.writes_failing():
        agreements.start(ada, key="quote:1", **TERMS)
    with pytest.raises(refusals.AlreadySubscribed):
        checkout.start(ada, "pro", "month")
    assert not CheckoutAttempt.objects.filter(status="open").exists()
    agreements.each_minute()
    with pytest.raises(refusals.AlreadySubscribed):
        checkout.start(ada, "pro", "month")


def test_of_two_agreements_of_a_line_one_starts(world, ada):
    agreements.start(ada, key="quote:1", **TERMS)
    with pytest.raises(AgreementRefused) as error:
        agreements.start(ada, key="quote:2", **TERMS)
    assert error.value.code == "already_subscribed"
    with world.writes_failing():
        ben = world.sign_up("ben@example.com")
        agreements.start(ben, key="quote:3", **TERMS)
        with pytest.raises(AgreementRefused):
            agreements.start(ben, key="quote:4", **TERMS)


def test_access_on_hold_starts_nothing(world):
    ada = world.subscribed()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    Hold.objects.create(customer_id=ada.customer, kind="staff", reference="1", placed_at=clock.now())
    with pytest.raises(AgreementRefused) as error:
        agreements.start(ada.user, key="quote:1", **TERMS)
    assert error.value.code == "access_on_hold"


# What cannot be


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"days_until_due": -1}, "days_out_of_range"),
        ({"days_until_due": 0}, "days_out_of_range"),
        ({"days_until_due": 366}, "days_out_of_range"),
        ({"amount": 0}, "amount_out_of_range"),
        ({"amount": -5}, "amount_out_of_range"),
        ({"amount": 100_000_000}, "amount_out_of_range"),
        ({"amount": 50_000_000, "quantity": 3}, "amount_out_of_range"),
        ({"amount": 5000, "currency": "xyz"}, "currency_not_offered"),
        ({"currency": "chf"}, "currency_not_offered"),
        ({"quantity": 0}, "quantity_out_of_range"),
        ({"quantity": -2}, "quantity_out_of_range"),
        ({"plan": "nope"}, "price_not_offered"),
        ({"plan": "free"}, "price_not_offered"),
        ({"interval": "week"}, "price_not_offered"),
        ({"interval": "fortnight"}, "interval_not_offered"),
        ({"interval": "year", "interval_count": 4, "amount": 1}, "interval_not_offered"),
        ({"po_number": "7" * 141}, "text_too_long"),
        ({"memo": "7" * 501}, "text_too_long"),
    ],
)
def test_terms_that_cannot_be_are_refused_with_a_code_and_nothing_is_written(world, ada, asked, code):
    assert refused(ada, **asked) == code
    assert not Agreement.objects.exists()


def test_a_start_in_the_past_or_too_far_ahead_is_refused(world, ada):
    assert refused(ada, starts_on=today(-1)) == "start_in_past"
    assert refused(ada, starts_on=today(400)) == "start_too_far"
    assert agreements.draft(ada, **TERMS, starts_on=today()).starts_on is None


def test_a_draft_whose_day_has_passed_is_not_sent(world, ada):
    draft = agreements.draft(ada, **TERMS, starts_on=today(2))
    world.advance(days=3)
    with pytest.raises(AgreementRefused) as error:
        agreements.send(draft)
    assert (error.value.code, Agreement.objects.get().status) == ("start_in_past", "draft")


def test_a_plan_without_a_price_at_stripe_is_refused_even_for_an_agreed_amount(world, ada):
    Plan.objects.create(slug="enterprise", name="Enterprise", rank=9, is_public=False)
    assert refused(ada, plan="enterprise", amount=5000) == "price_not_offered"


def test_a_subscriber_without_an_address_is_sent_nothing(world, ada):
    draft = agreements.draft(ada, **TERMS)
    nobody = mock.patch("billing.subscriptions.customer_details.email_of", return_value="")
    with nobody, pytest.raises(AgreementRefused) as error:
        agreements.send(draft)
    assert (error.value.code, Agreement.objects.get().status) == ("no_email", "draft")


def test_what_stripe_refuses_is_kept_with_its_reason_and_can_be_sent_again(world, ada):
    draft = agreements.draft(ada, **TERMS)
    price = draft.price_id
    world.stripe("POST", f"prices/{price}", active=False)
    with pytest.raises(AgreementRefused) as error:
        agreements.send(draft)
    assert (error.value.code, Agreement.objects.get().status) == ("stripe_refused", "refused")
    world.stripe("POST", f"prices/{price}", active=True)
    assert agreements.send(Agreement.objects.get()).status == "started"


def test_a_discarded_agreement_starts_nothing_and_a_started_one_is_not_discarded(world, ada):
    gone = agreements.discard(agreements.draft(ada, **TERMS))
    with pytest.raises(AgreementRefused) as error:
        agreements.send(gone)
    assert error.value.code == "not_a_draft"
    started = agreements.start(ada, key="quote:1", **TERMS)
    with pytest.raises(AgreementRefused):
        agreements.discard(started)


def test_an_account_that_is_deleted_starts_nothing_and_its_texts_go(world):
    ada = world.subscribed()
    agreements.start(ada.user, key="quote:1", **TERMS, po_number="4711", memo="For Ada", starts_on=today(5))
    deletion.begin(ada.user)
    with pytest.raises(refusals.AccountClosing):
        agreements.draft(ada.user, **TERMS)
    world.deliver()
    kept = Agreement.objects.filter().first()
    assert kept is None or (kept.status, kept.po_number, kept.memo) == ("discarded", "", "")


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
