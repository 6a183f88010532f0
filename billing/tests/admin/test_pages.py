"""Every page of billing's own admin opens with a row in it, and writes nothing but plans."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import (
    AccountDeletion,
    Alert,
    CheckoutAttempt,
    Comp,
    Customer,
    Dispute,
    Hold,
    InvoicePayment,
    Lane,
    MrrMovement,
    Payment,
    PaymentFailure,
    Plan,
    PlanLimit,
    Price,
    Refund,
    StripeEvent,
    StripeWrite,
    Subscription,
    SyncRun,
    Usage,
)
from billing.tests.markup import Page

pytestmark = pytest.mark.django_db
MODELS = [model for model in admin.site._registry if model._meta.app_label == "billing" and not model._meta.proxy]
EDITABLE = {Plan}
MONEY = {"amount": 1234567, "currency": "kwd"}


@pytest.fixture
def rows() -> dict[type[Model], Model]:
    """A row of every model, all about one customer."""
    now = timezone.now()
    alice = get_user_model().objects.create_user(email="alice@example.com", password=None)
    customer = Customer.objects.create(id="cus_alice", subscriber=alice, email=alice.email)
    plan = Plan.objects.create(slug="pro", name="Pro")
    PlanLimit.objects.create(plan=plan, feature="generations", quantity=10)
    price = Price.objects.create(
        id="price_1", plan=plan, lookup_key="pro_month", currency="usd", unit_amount=2000, interval="month"
    )
    of = {"customer": customer}
    event = {"id": "evt_1", "type": "invoice.paid", "created": 1, "received_at": now, "livemode": False}
    write = {"action": "cancel_subscription", "object_id": "sub_1", "reference": "dp_1", "requested_at": now}
    return {
        Customer: customer,
        Plan: plan,
        Price: price,
        Subscription: Subscription.objects.create(status="active", plan=plan, price=price, **of),
        Hold: Hold.objects.create(kind="dispute", reference="dp_1", placed_at=now, **of),
        Comp: Comp.objects.create(plan=plan, until=now + timedelta(days=1), granted_at=now, **of),
        CheckoutAttempt: CheckoutAttempt.objects.create(price=price, session_id="cs_1", **of),
        MrrMovement: MrrMovement.objects.create(kind="new", moved_at=now, **of, **MONEY),
        Payment: Payment.objects.create(invoice_id="in_1", invoiced_at=now, paid_at=now, **of, **MONEY),
        PaymentFailure: PaymentFailure.objects.create(invoice_id="in_1", attempt=1, failed_at=now, **of, **MONEY),
        InvoicePayment: InvoicePayment.objects.create(id="inpay_1", invoice_id="in_1", payment_intent="pi_1", **of),
        Refund: Refund.objects.create(id="re_1", status="pending", created_at=now, **of, **MONEY),
        Dispute: Dispute.objects.create(id="dp_1", status="warning_needs_response", opened_at=now, **of, **MONEY),
        Lane: Lane.objects.create(key="cus_alice", arrived=2, drained=1, woken_at=now),
        StripeWrite: StripeWrite.objects.create(lane="cus_alice", error_message="503", **write),
        StripeEvent: StripeEvent.objects.create(lane="cus_alice", payload={}, **event),
        Alert: Alert.objects.create(cause="drift", subject="New dispute dp_1", text="Of cus_alice.", raised_at=now),
        AccountDeletion: AccountDeletion.objects.create(subscriber=alice, lane="cus_alice", requested_at=now, **of),
        SyncRun: SyncRun.objects.create(mode="full", started_at=now, clock_at=now),
        Usage: Usage.objects.create(subscriber=alice, feature="generations", period_start=now, used=3),
    }


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(email="root@example.com", password=None))
    return client


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:billing_{model._meta.model_name}_{page}", args=[quote(str(arg)) for arg in args])


@pytest.mark.parametrize("model", MODELS)
def test_a_list_opens_and_shows_its_row(staff, rows, model):
    answer = staff.get(address(model, "changelist"))
    assert answer.status_code == 200
    assert answer.context["cl"].result_count == 1
    assert Page(answer.content.decode()).problems == []


SEARCHED_BY_CUSTOMER = [model for model in MODELS if model not in {Plan, Price, SyncRun}]


@pytest.mark.parametrize("model", SEARCHED_BY_CUSTOMER)
def test_a_list_is_searched_by_the_customers_id(staff, rows, model):
    for term, found in (("cus_alice", 1), ("cus_bob", 0)):
        assert staff.get(address(model, "changelist"), {"q": term}).context["cl"].result_count == found


@pytest.mark.parametrize("model", MODELS)
def test_a_row_opens_with_its_history(staff, rows, model):
    for page in ("change", "history"):
        answer = staff.get(address(model, page, rows[model].pk))
        assert (answer.status_code, Page(answer.content.decode()).problems) == (200, [])


@pytest.mark.parametrize("model", [model for model in MODELS if model not in EDITABLE])
def test_nothing_but_a_plan_is_added_or_deleted(staff, rows, model):
    assert staff.get(address(model, "add")).status_code == 403
    assert staff.post(address(model, "delete", rows[model].pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_no_page_carries_an_inline_style_or_script(staff, rows, model):
    for page in (staff.get(address(model, "changelist")), staff.get(address(model, "change", rows[model].pk))):
        content = page.content.decode()
        assert "<style" not in content
        assert " style=" not in content
        assert " onclick=" not in content


def test_amounts_are_written_by_the_currencys_own_decimals(staff, rows):
    page = staff.get(address(Payment, "changelist")).content.decode()
    assert "1,234.567" in page


def test_a_lane_at_work_is_told_from_one_that_waits(staff, rows):
    assert "awake" in staff.get(address(Lane, "changelist")).content.decode()
    Lane.objects.update(token="0" * 32, leased_until=timezone.now() + timedelta(minutes=1))
    assert "working" in staff.get(address(Lane, "changelist")).content.decode()
