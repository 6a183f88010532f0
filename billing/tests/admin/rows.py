"""A row of every model of billing, as lists and pages of the admin show them."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.utils import timezone

from billing.models import (
    AccountDeletion,
    AddOn,
    AddOnPrice,
    Agreement,
    Alert,
    BalanceTransaction,
    CancelOffer,
    CheckoutAttempt,
    Code,
    Credit,
    Customer,
    Discount,
    Dispute,
    Grant,
    Hold,
    Invoice,
    InvoicePayment,
    KeyedUse,
    Lane,
    LimitOverride,
    MirrorFailure,
    MrrMovement,
    OveragePrice,
    Pack,
    Payment,
    PaymentFailure,
    Plan,
    PlanLimit,
    Price,
    PriceMove,
    PriceMoveRow,
    Purchase,
    Redemption,
    Refund,
    SpendCap,
    StripeEvent,
    StripeWrite,
    Subscription,
    SyncRun,
    TaxId,
    Trial,
    Usage,
    UsageReport,
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
    code = Code.objects.create(code=f"SUMMER26{ending}"[:64].upper(), batch="partner", plan=plan, made_at=now)
    Redemption.objects.create(code=code, subscriber=alice, redeemed_at=now)
    pack = Pack.objects.create(
        slug="credits_1000", name="1,000 generations", feature="generations", quantity=1000, currency="kwd",
        amounts={"kwd": 1234567}, price_id=f"price_9{ending}", product=f"prod_9{ending}",
    )  # fmt: skip
    add_on = AddOn.objects.create(
        slug="extra", name="500 more generations", limits={"generations": 500}, plans=[plan.slug], most=10
    )
    add_on_price = AddOnPrice.objects.create(
        id=f"price_8{ending}", add_on=add_on, lookup_key=f"addon_extra_month{ending}", product=f"prod_8{ending}",
        currency="kwd", amounts={"kwd": 1234567}, interval="month",
    )  # fmt: skip
    purchase = Purchase.objects.create(
        pack=pack, status="paid", session_id=f"cs_9{ending}", payment_intent=f"pi_9{ending}", created_at=now,
        invoice_id=f"in_8{ending}", given_back=1000, **of, **MONEY,
    )  # fmt: skip
    move = PriceMove.objects.create(old_price=price, new_price=price, notice_days=30, started_at=now, retired_at=now)
    subscription = Subscription.objects.create(
        stripe_id=f"sub_1{ending}", status="active", plan=plan, price=price, currency="usd", **of
    )
    told = {"old_amount": 1234567, "new_amount": 2345678, "currency": "kwd", "told_at": now, "moves_at": now}
    counter = Usage.objects.create(subscriber=alice, feature="generations", period_start=now, used=3, overage=1234567)
    metered = OveragePrice.objects.create(
        id=f"price_8{ending}", plan=plan, feature="generations", interval="month", amounts={"usd": "2.5"},
        meter=f"mtr_1{ending}", event_name="billing_generations",
    )  # fmt: skip
    terms = {"percent_off": 50, "coupon": f"HALF{ending}", "duration": "forever", "saves": 1000, "starts_at": now}
    return {
        AddOn: add_on,
        AddOnPrice: add_on_price,
        Pack: pack,
        Purchase: purchase,
        Customer: customer,
        Plan: plan,
        Price: price,
        Subscription: subscription,
        PriceMove: move,
        PriceMoveRow: PriceMoveRow.objects.create(
            move=move, subscription=subscription, status="untold", reason="The mail is bounced: 550", **told
        ),
        Discount: Discount.objects.create(subscription=subscription, stripe_id=f"di_1{ending}", **of, **terms),
        CancelOffer: CancelOffer.objects.create(
            subscription_id=f"sub_1{ending}", percent_off=30, months=3, taken_at=now, **of
        ),
        Hold: Hold.objects.create(kind="dispute", reference=f"dp_1{ending}", placed_at=now, **of),
        Grant: Grant.objects.create(plan=plan, until=now + timedelta(days=1), granted_at=now, **given),
        LimitOverride: LimitOverride.objects.create(
            subscriber=alice, feature="generations", quantity=5, reason="a pilot", set_at=now
        ),
        Code: code,
        Credit: Credit.objects.create(
            feature="generations", quantity=500, left=400, used=100, until=now, given_at=now, **given
        ),
        KeyedUse: KeyedUse.objects.create(
            subscriber=alice,
            feature="generations",
            key=f"job 7{ending}",
            state="reserved",
            asked=9,
            counted=4,
            spent=[[1, 5]],
            period_start=now,
            made_at=now,
            lapses_at=now,
        ),
        Agreement: Agreement.objects.create(
            key=f"quote-1{ending}",
            subscriber=alice,
            plan=plan,
            price=price,
            interval="month",
            currency="kwd",
            unit_amount=1234567,
            days_until_due=30,
            po_number=f"PO 1{ending}",
            drafted_at=now,
            status="started",
            subscription_id=f"sub_1{ending}",
            invoice_id=f"in_1{ending}",
        ),
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
        TaxId: TaxId.objects.create(
            id=f"txi_1{ending}", type="eu_vat", value="DE123456789", status="unverified", created_at=now, **of
        ),
        SyncRun: SyncRun.objects.create(mode="full", started_at=now, clock_at=now),
        Trial: Trial.objects.create(
            subscription_id=f"sub_1{ending}", plan=plan, started_at=now, ends_at=now + timedelta(days=14), **of
        ),
        Usage: counter,
        OveragePrice: metered,
        UsageReport: UsageReport.objects.create(
            usage=counter,
            price=metered,
            customer_id=customer.pk,
            subscription_id=f"sub_1{ending}",
            currency="usd",
            quantity=1234567,
            at=now,
            made_at=now,
            state="refused",
            error_message="No active meter found.",
        ),
        SpendCap: SpendCap.objects.create(subscriber=alice, set_at=now, set_by="subscriber", **MONEY),
    }
