"""A row of every model of billing, as lists and pages of the admin show them."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.utils import timezone

from billing.models import (
    AccountDeletion,
    Alert,
    BalanceTransaction,
    CancelOffer,
    CheckoutAttempt,
    Customer,
    Discount,
    Dispute,
    Grant,
    Hold,
    Invoice,
    InvoicePayment,
    Lane,
    MirrorFailure,
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


def row_of_each(*, email: str = "alice@example.com", ending: str = "") -> dict[type[Model], Model]:
    """Make a row of every model, all about one customer; `ending` makes the ids as long as they are at Stripe."""
    now = timezone.now()
    alice = get_user_model().objects.create_user(email=email, password=None)
    customer = Customer.objects.create(id=f"cus_alice{ending}", subscriber=alice, email=alice.email)
    plan = Plan.objects.create(slug="pro", name="Pro")
    PlanLimit.objects.create(plan=plan, feature="generations", quantity=10)
    price = Price.objects.create(
        id=f"price_1{ending}",
        plan=plan,
        lookup_key=f"pro_month{ending}",
        currency="usd",
        unit_amount=2000,
        interval="month",
    )
    of, given = {"customer": customer}, {"subscriber": alice, "source": "staff:1"}
    event = {"id": f"evt_1{ending}", "type": "invoice.paid", "created": 1, "received_at": now, "livemode": False}
    invoice = {"total": 1234567, "amount_due": 1234567, "currency": "kwd", "status": "open", "purpose": "plan"}
    booked = {"type": "charge", "category": "charge", "amount": 1234567, "fee": 70, "net": 1234497, "currency": "kwd"}
    booked |= {"face_amount": 1234567, "face_currency": "kwd", "source": f"ch_1{ending}", "charge": f"ch_1{ending}"}
    write = {
        "action": "cancel_subscription",
        "object_id": f"sub_1{ending}",
        "reference": f"dp_1{ending}",
        "requested_at": now,
    }
    subscription = Subscription.objects.create(status="active", plan=plan, price=price, **of)
    terms = {"percent_off": 50, "coupon": f"HALF{ending}", "duration": "forever", "saves": 1000, "starts_at": now}
    return {
        Customer: customer,
        Plan: plan,
        Price: price,
        Subscription: subscription,
        Discount: Discount.objects.create(subscription=subscription, stripe_id=f"di_1{ending}", **of, **terms),
        CancelOffer: CancelOffer.objects.create(
            subscription_id=f"sub_1{ending}", percent_off=30, months=3, taken_at=now, **of
        ),
        Hold: Hold.objects.create(kind="dispute", reference=f"dp_1{ending}", placed_at=now, **of),
        Grant: Grant.objects.create(plan=plan, until=now + timedelta(days=1), granted_at=now, **given),
        CheckoutAttempt: CheckoutAttempt.objects.create(price=price, session_id=f"cs_1{ending}", **of),
        MrrMovement: MrrMovement.objects.create(kind="new", moved_at=now, **of, **MONEY),
        Invoice: Invoice.objects.create(id=f"in_1{ending}", created_at=now, **of, **invoice),
        Payment: Payment.objects.create(invoice_id=f"in_1{ending}", invoiced_at=now, paid_at=now, **of, **MONEY),
        PaymentFailure: PaymentFailure.objects.create(
            invoice_id=f"in_1{ending}", attempt=1, failed_at=now, **of, **MONEY
        ),
        InvoicePayment: InvoicePayment.objects.create(
            id=f"inpay_1{ending}", invoice_id=f"in_1{ending}", payment_intent=f"pi_1{ending}", **of
        ),
        Refund: Refund.objects.create(id=f"re_1{ending}", status="pending", created_at=now, **of, **MONEY),
        BalanceTransaction: BalanceTransaction.objects.create(
            id=f"txn_1{ending}", created_at=now, customer_id=customer.pk, payment_intent=f"pi_1{ending}", **booked
        ),
        Dispute: Dispute.objects.create(
            id=f"dp_1{ending}", status="warning_needs_response", opened_at=now, **of, **MONEY
        ),
        Lane: Lane.objects.create(key=f"cus_alice{ending}", arrived=2, drained=1, woken_at=now),
        StripeWrite: StripeWrite.objects.create(lane=f"cus_alice{ending}", error_message="503", **write),
        StripeEvent: StripeEvent.objects.create(lane=f"cus_alice{ending}", payload={}, **event),
        Alert: Alert.objects.create(cause="drift", subject="New dispute dp_1", text="Of cus_alice.", raised_at=now),
        AccountDeletion: AccountDeletion.objects.create(
            subscriber=alice, lane=f"cus_alice{ending}", requested_at=now, **of
        ),
        MirrorFailure: MirrorFailure.objects.create(
            object_id=f"in_9{ending}", kind="invoice", error="DataError", failed_at=now
        ),
        SyncRun: SyncRun.objects.create(mode="full", started_at=now, clock_at=now),
        Usage: Usage.objects.create(subscriber=alice, feature="generations", period_start=now, used=3),
    }
