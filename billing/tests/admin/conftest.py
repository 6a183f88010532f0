"""These fixtures serve all tests of the admin; a file may have its own of the same name."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from billing.models import (
    AccountDeletion,
    Alert,
    CheckoutAttempt,
    Customer,
    Dispute,
    Grant,
    Hold,
    Invoice,
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

MONEY = {"amount": 1234567, "currency": "kwd"}


@pytest.fixture
def rows() -> dict[type[Model], Model]:
    """Return a row of every model, all about one customer."""
    now = timezone.now()
    alice = get_user_model().objects.create_user(email="alice@example.com", password=None)
    customer = Customer.objects.create(id="cus_alice", subscriber=alice, email=alice.email)
    plan = Plan.objects.create(slug="pro", name="Pro")
    PlanLimit.objects.create(plan=plan, feature="generations", quantity=10)
    price = Price.objects.create(
        id="price_1", plan=plan, lookup_key="pro_month", currency="usd", unit_amount=2000, interval="month"
    )
    of, given = {"customer": customer}, {"subscriber": alice, "source": "staff:1"}
    event = {"id": "evt_1", "type": "invoice.paid", "created": 1, "received_at": now, "livemode": False}
    invoice = {"total": 1234567, "amount_due": 1234567, "currency": "kwd", "status": "open", "purpose": "plan"}
    write = {"action": "cancel_subscription", "object_id": "sub_1", "reference": "dp_1", "requested_at": now}
    return {
        Customer: customer,
        Plan: plan,
        Price: price,
        Subscription: Subscription.objects.create(status="active", plan=plan, price=price, **of),
        Hold: Hold.objects.create(kind="dispute", reference="dp_1", placed_at=now, **of),
        Grant: Grant.objects.create(plan=plan, until=now + timedelta(days=1), granted_at=now, **given),
        CheckoutAttempt: CheckoutAttempt.objects.create(price=price, session_id="cs_1", **of),
        MrrMovement: MrrMovement.objects.create(kind="new", moved_at=now, **of, **MONEY),
        Invoice: Invoice.objects.create(id="in_1", created_at=now, **of, **invoice),
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
