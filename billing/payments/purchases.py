"""A purchase gives what its pack holds once it is paid, and takes back what is left when the money goes back.

Each rule runs in the customer's lane and asks Stripe how the session or its payment stands; the row says what was done
already. So a duplicate, a late event, the return page and the sync deliver nothing twice.
"""

from datetime import timedelta
from typing import Any

from django.db.models import F, Q, Sum

from billing import clock, signals
from billing.models import AccountDeletion, Customer, Dispute, Purchase, Refund
from billing.monitoring import alerts, unknown_values
from billing.stripe_client import fetch, id_of
from billing.subscriptions import grants
from billing.usage import CreditRefused, crediting

Status = Purchase.Status
PAID = frozenset({"paid", "no_payment_required"})
UNPAID = "unpaid"
SESSION_STATUSES = frozenset({"open", "complete", "expired"})
# A payment intent whose debit did not come has one of these.
NOT_PAID = frozenset({"requires_payment_method", "canceled"})


def refresh(customer: Customer, session_id: str) -> Purchase | None:
    """Record how the session of a purchase stands at Stripe, and deliver what is paid. Returns the purchase, None for
    a session of something else.
    """
    purchase = of_customer(customer).filter(session_id=session_id).first()
    if purchase is None or purchase.delivered_at:
        return purchase
    session = fetch.checkout_session(session_id, customer.pk)
    status = str(session["status"])
    if not unknown_values.is_known("checkout.session.status", status, SESSION_STATUSES, session_id):
        return purchase
    if status == "expired":
        _set(purchase, status=Status.EXPIRED)
    elif status == "complete":
        _complete(purchase, session)
    return purchase


def of_customer(customer: Customer) -> Any:
    return Purchase.objects.filter(customer=customer).select_related("pack__plan", "customer__subscriber")


def _complete(purchase: Purchase, session: dict[str, Any]) -> None:
    intent = id_of(session["payment_intent"])
    facts = {"payment_intent": intent, "invoice_id": id_of(session["invoice"]), "amount": session["amount_total"]}
    facts["currency"] = session["currency"]
    paid = str(session["payment_status"])
    if paid in PAID:
        is_new = purchase.status != Status.PAID
        _set(purchase, status=Status.PAID, **facts)
        _deliver(purchase, is_new=is_new)
    elif unknown_values.is_known("checkout.session.payment_status", paid, frozenset({UNPAID}), session["id"]):
        has_failed = bool(intent) and fetch.payment_intent(intent, purchase.customer_id)["status"] in NOT_PAID
        _set(purchase, status=Status.FAILED if has_failed else Status.PROCESSING, **facts)


def _set(purchase: Purchase, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(purchase, name, value)
    Purchase.objects.filter(pk=purchase.pk).update(**columns)


def _deliver(purchase: Purchase, *, is_new: bool) -> None:
    """Give what the pack holds. What cannot be given is an alert, once, and stays undelivered; the sync tries again.
    What a guest paid waits for them to sign up, which `purchase_waiting` tells."""
    if purchase.guest_email:
        if is_new:
            _send(signals.purchase_waiting, purchase)
        return
    now = clock.now()
    if not Purchase.objects.filter(pk=purchase.pk, delivered_at=None).update(delivered_at=now):
        return
    purchase.delivered_at = now
    try:
        _give(purchase)
    except (grants.GrantRefused, CreditRefused) as refused:
        _set(purchase, delivered_at=None)
        if not is_new:
            return
        alerts.alert_staff(
            "purchase_undelivered",
            f"Paid and not delivered: {purchase.pack}, {purchase.pk}",
            f"The customer {purchase.customer_id} paid for {purchase.pack}, and it can't be given: {refused} Give it "
            "by Grants, Add grant, or refund the payment at Stripe.",
        )
        return
    _send(signals.purchase_completed, purchase)
    take_back(purchase.customer, purchase.payment_intent)  # its money may have gone back before this was heard of


def _give(purchase: Purchase) -> None:
    pack, subscriber = purchase.pack, purchase.customer.subscriber
    if subscriber is None:
        raise grants.GrantRefused("The customer belongs to no subscriber.")
    until = clock.now() + timedelta(days=pack.lasts_days * purchase.quantity) if pack.lasts_days else None
    _set(purchase, times_given=purchase.times_given + 1)
    how: dict[str, Any] = {"until": until, "source": purchase.source, "reason": pack.name}
    if pack.is_own:
        _refuse_own_of_deleted(subscriber)
    elif pack.plan:
        grants.give(subscriber, plan=pack.plan.slug, **how)
    else:
        until = clock.now() + timedelta(days=pack.lasts_days) if pack.lasts_days else None
        count = (pack.quantity or 0) * purchase.quantity
        crediting.give(subscriber, pack.feature, count, **{**how, "until": until})


def _refuse_own_of_deleted(subscriber: Any) -> None:
    """The project's receivers deliver what is its own, to an account that stays."""
    if AccountDeletion.objects.filter(subscriber=subscriber).exists():
        raise grants.GrantRefused("The account is being deleted.")


def take_back(customer: Customer, payment_intent: str) -> None:
    """Take back what a purchase gave, as far as its money went back: a part of the credits for a part, a plan when all
    went. A dispute counts while it is open, and when it is lost; one that is won gives again.
    """
    delivered = of_customer(customer).exclude(delivered_at=None)
    purchase = delivered.filter(payment_intent=payment_intent).first() if payment_intent else None
    if purchase is None or not purchase.amount:
        return
    given_back = min(_given_back(payment_intent), purchase.amount)
    before = purchase.given_back
    if given_back == before:
        return
    _set(purchase, given_back=given_back)
    taken, used = _take(purchase, before)
    if given_back < before:
        _send(signals.purchase_restored, purchase, taken=taken)
    else:
        _send(signals.purchase_reversed, purchase, taken=taken, used=used)
        if used:
            alerts.alert_staff(
                "purchase_used",
                f"Money went back for what was used: {purchase.pack}, {purchase.pk}",
                f"Of what the customer {customer.pk} bought, {used:,} had been used when the money went back.",
            )


def _given_back(payment_intent: str) -> int:
    refunds = Refund.objects.filter(payment_intent=payment_intent).exclude(status__in=Refund.UNDONE)
    disputes = [row for row in Dispute.objects.filter(payment_intent=payment_intent) if _withholds(row)]
    return (refunds.aggregate(sum=Sum("amount"))["sum"] or 0) + sum(row.amount for row in disputes)


def _withholds(dispute: Dispute) -> bool:
    return not dispute.is_inquiry and (dispute.is_open or dispute.status == "lost")


def _take(purchase: Purchase, before: int) -> tuple[int, int]:
    """Return how much is taken back by now, and how much that should be was used."""
    if purchase.pack.feature:
        return _take_credits(purchase)
    if purchase.pack.plan:
        return _take_plan(purchase, before)
    return purchase.quantity * purchase.given_back // (purchase.amount or 1), 0  # whole ones


def _take_credits(purchase: Purchase) -> tuple[int, int]:
    """Take back the same part of the credits as of the money, the last one too where it does not divide."""
    given = (purchase.pack.quantity or 0) * purchase.quantity
    total = -(-given * purchase.given_back // (purchase.amount or 1))
    undone = crediting.take_back(purchase.customer.subscriber, purchase.source, total)
    return undone.taken, undone.used


def _take_plan(purchase: Purchase, before: int) -> tuple[int, int]:
    subscriber = purchase.customer.subscriber
    if subscriber is None:
        return 0, 0
    if purchase.given_back == purchase.amount:
        grants.revoke(subscriber, purchase.source)
        return 1, 0
    if before == purchase.amount:
        _give(purchase)
    return 0, 0


def _send(signal: Any, purchase: Purchase, **details: Any) -> None:
    signal.send(
        sender=Purchase,
        subscription=purchase.customer.subscription,
        subscriber=purchase.customer.subscriber,
        purchase=purchase,
        **details,
    )


def awaited() -> Any:
    """Return purchases whose payment may have come unheard, or that are paid and could not be delivered."""
    undelivered = Q(status=Status.PAID, delivered_at=None, guest_email="")
    waits = Q(status__in=[Status.OPEN, Status.PROCESSING]) & ~Q(session_id="")
    return Purchase.objects.filter(undelivered | waits, customer__deleted_at=None).order_by(F("created_at"))
