"""These functions collect the facts that a mail is given: minor units, ISO dates, names. Templates make words of them
when the mail is sent."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import get_supported_language_variant

from billing import access, clock
from billing.catalogue import amounts
from billing.models import (
    MAIN_LINE,
    Customer,
    Discount,
    Dispute,
    Hold,
    Invoice,
    InvoicePayment,
    Payment,
    PaymentFailure,
    Plan,
    Price,
    PriceMoveRow,
    Refund,
    StripeWrite,
    Subscription,
)
from billing.subscriptions import customer_details, discounts, next_charges, renewals

from .conf import conf

A_MOMENT = timedelta(hours=1)

# What may have changed since a mail was reserved.
CHANGING = frozenset(
    {"has_access", "has_any_access", "has_other_access", "is_held", "grace_ends_at", "open_amount", "next_at"}
)


def cause(subscription: Subscription, reason: str) -> str:
    """Return why the subscription ended: `dispute` or `refund` if we cancelled it, else Stripe's reason."""
    ours = StripeWrite.objects.filter(object_id=subscription.stripe_id, action=StripeWrite.Action.CANCEL_SUBSCRIPTION)
    references = list(ours.filter(withdrawn_at=None).values_list("reference", flat=True))
    if reason == "payment_disputed" or Dispute.objects.filter(pk__in=references).exists():
        return "dispute"
    if references:
        return "refund"
    return "trial_over" if _ended_with_trial(subscription) else reason


def _ended_with_trial(subscription: Subscription) -> bool:
    """Return whether the subscription ended with its trial, and no card was ever there."""
    trial_end, ended_at = subscription.trial_end, subscription.ended_at
    is_so = trial_end is not None and ended_at is not None and abs(ended_at - trial_end) < A_MOMENT
    return is_so and subscription.has_payment_method is False


def has_access(subscription: Subscription) -> bool:
    """Return whether the subscriber has access now, in the line of the subscription."""
    return access.of_customer(subscription.customer_id, subscription.line).has_access


def has_any_access(subscription: Subscription) -> bool:
    """Return whether its customer has access now in any line."""
    return any(now.has_access for now in access.lines_of_customer(subscription.customer_id).values())


def has_other_access(subscription: Subscription) -> bool:
    """Return whether its customer has access now in another line."""
    lines = access.lines_of_customer(subscription.customer_id)
    return any(now.has_access for line, now in lines.items() if line != subscription.line)


def plan_in_effect(subscription: Subscription) -> dict[str, str]:
    """Return the plan that gives access now in the line of the subscription, else the subscription's own."""
    return plan(access.of_customer(subscription.customer_id, subscription.line).plan or subscription.plan)


def is_held(subscription: Subscription, dispute: str = "") -> bool:
    """Return whether the access of the subscription is on hold now, by that dispute if one is named."""
    holds = Hold.objects.active().filter(customer=subscription.customer_id)
    holds = holds.filter(subscription_id__in=["", subscription.stripe_id])
    return (holds.filter(kind=Hold.Kind.DISPUTE, reference=dispute) if dispute else holds).exists()


def held_since(subscription: Subscription) -> datetime | None:
    """Return since when the access of the subscription is on hold; None if it is not."""
    holds = Hold.objects.active().filter(customer=subscription.customer_id)
    holds = holds.filter(subscription_id__in=["", subscription.stripe_id])
    return holds.order_by("placed_at").values_list("placed_at", flat=True).first()


def grace(subscription: Subscription | None) -> dict[str, Any]:
    """Return until when access lasts while a payment is overdue, and whether that is over."""
    ends_at = access.grace_end(subscription) if subscription else None
    return {"grace_ends_at": iso(ends_at), "is_grace_over": ends_at is not None and ends_at <= clock.now()}


def what_for(subscription: Subscription, row: Invoice | None, *, is_of_plan: bool = True) -> dict[str, Any]:
    """Return what an invoice is for: the plan, or what a one-off invoice names. `is_of_plan` tells it of an invoice
    that has no row; a payment without an invoice names nothing.
    """
    if row.is_one_off if row else not is_of_plan:
        return {"item": row.description if row else "", **plan(None)}
    return {"item": "", **plan(subscription.plan)}


def what_money_was_for(subscription: Subscription, row: Refund | Dispute) -> dict[str, Any]:
    """Return what the refunded or disputed payment was for."""
    paid = InvoicePayment.objects.filter(invoice_id=row.invoice_id).exclude(subscription_id="")
    invoice = Invoice.objects.filter(pk=row.invoice_id).first() if row.invoice_id else None
    return what_for(subscription, invoice, is_of_plan=bool(row.invoice_id) and paid.exists())


def was_held_by(dispute: Dispute) -> bool:
    """Return whether a dispute held access until it was closed; staff may have released it before."""
    hold = Hold.objects.filter(kind=Hold.Kind.DISPUTE, reference=dispute.pk).first()
    return hold is not None and not hold.was_released_by_staff


def now(mail: Any) -> dict[str, Any]:
    """Return the facts of a mail about access as they are at this moment, since they may have changed after it was
    reserved."""
    told: dict[str, Any] = mail.context
    if not mail.customer_id or not told.keys() & CHANGING:
        return {}
    row = Subscription.objects.filter(stripe_id=told.get("subscription", "")).select_related("customer", "plan").first()
    row = row or Subscription(customer=mail.customer, line=told.get("line", MAIN_LINE))
    found: dict[str, Any] = {}
    if "has_access" in told:
        found["has_access"] = has_access(row)
    if "has_any_access" in told:
        found["has_any_access"] = has_any_access(row)
    if "has_other_access" in told:
        found["has_other_access"] = has_other_access(row)
    if "is_held" in told:
        found["is_held"] = is_held(row, told.get("dispute", ""))
    if told.get("grace_ends_at"):
        found |= grace(row)
    if "open_amount" in told:
        found |= open_amount(row)
    if "next_at" in told:
        found["next_at"] = iso(renewal(row))
    if told.get("renews_at") and "is_held" in told:
        found["renews_at"] = iso(renewal(row))
    return found


def downgrade_key(subscription_id: str, price_id: str, at: datetime) -> str:
    """Return the key of the mail that announces this scheduled change."""
    return f"downgrade_scheduled:{subscription_id}:{price_id}:{at.date().isoformat()}"


def discount_given_key(subscription_id: str, discount_id: str) -> str:
    """Return the key of the mail that a subscription was given this discount."""
    return f"discount_given:{subscription_id}:{discount_id}"


def money(row: Payment | PaymentFailure | Dispute | Refund) -> dict[str, Any]:
    """Return the amount in minor units and its currency."""
    return {"amount": row.amount, "currency": row.currency}


def tax(row: Invoice | None) -> dict[str, Any]:
    """Return the net and the tax of an invoice; an empty result for one that bears none."""
    if row is None or not (row.tax or row.is_reverse_charged):
        return {}
    return {"net": row.net, "tax": row.tax, "is_reverse_charged": row.is_reverse_charged}


def price(subscription: Subscription, charged: Price | None) -> dict[str, Any]:
    """Return what is charged and how often, before discounts and taxes. The result is empty for a price that charges
    nothing, or by usage."""
    charge = amounts.cost(charged, subscription.currency, subscription.quantity) if charged else None
    if not charged or not charge:
        return {}
    return {"charge": charge, "currency": subscription.currency, "every": str(charged.cadence)}


def price_change_key(change: PriceMoveRow) -> str:
    """Return the key of the mail that announces a change of price, one for each time that it is told."""
    return f"price_change:{change.subscription.stripe_id}:{change.pk}:{change.tellings}"


def price_change(change: PriceMoveRow) -> dict[str, Any]:
    """Return the amounts of a price move, before discounts and taxes, and the renewal that charges the new one first.
    An amount of a price by usage is not known."""
    return {
        "change": change.pk,
        "old_amount": change.old_amount,
        "charge": change.new_amount,
        "currency": change.currency,
        "quantity": change.quantity,
        "every": str(change.move.new_price.cadence),
        "changes_at": iso(change.moves_at),
    }


def discounted_price(subscription: Subscription, charged: Price | None) -> dict[str, Any]:
    """Return what is charged at a price and how often, after the discounts of the subscription, and what `discount`
    returns."""
    told, less = price(subscription, charged), discount(subscription)
    return {**told, **less, **({"charge": less["full"] - less["saves"]} if told and less else {})}


def discount(subscription: Subscription) -> dict[str, Any]:
    """Return what discounts take off the next payment, and from when on the full price is charged, if that is known.
    The result is empty without a discount, and where usage decides the amount."""
    found = discounts.discounts_of(subscription)
    full = (
        amounts.cost(subscription.price, subscription.currency, subscription.quantity) if subscription.price else None
    )
    saves = min(sum(each.saves or 0 for each in found), full or 0)
    if not saves or subscription.price is None:
        return {}
    return {
        "saves": saves,
        "full": full,
        "full_from": iso(_full_from(subscription, found[0])) if len(found) == 1 else "",
        "discount_currency": subscription.currency,
        "discount_every": str(subscription.price.cadence),
    }


def _full_from(subscription: Subscription, found: Discount) -> datetime | None:
    """Return the first renewal without the discount; None if it stays."""
    if found.duration == Discount.Duration.ONCE:
        return next(islice(renewals.renewals_of(subscription), 1, None), None)
    return renewals.first_from(subscription, found.ends_at) if found.ends_at else None


def paused(subscription: Subscription) -> dict[str, Any]:
    """Return until when payments are paused, and what becomes of access meanwhile."""
    until, paid_until = subscription.collection_resumes_at, subscription.paid_until
    return {
        "until": iso((renewals.first_from(subscription, until) or until) if until else None),
        "resumes_at": iso(until),
        "paid_until": iso(paid_until),
        "is_used_up": paid_until is not None and paid_until <= clock.now(),
        "is_draft": subscription.collection_paused == "keep_as_draft",
    }


def next_charge(subscription: Subscription, at: datetime) -> dict[str, Any]:
    """Return what will be charged on that day, after discounts, balance and tax. The result is empty if that is not
    known, or if it is nothing."""
    charge = next_charges.next_charge_of(subscription)
    if charge is None or not charge.amount or charge.at is None or charge.at.date() != at.date():
        return {}
    return {"charge": charge.amount, "currency": charge.currency}


def renewal(subscription: Subscription) -> datetime | None:
    """Return when the subscription is charged next; None if it is not. While the amount is not known, it is charged
    when the period ends, unless the subscription ends by then."""
    charge = next_charges.next_charge_of(subscription)
    if charge is not None or not next_charges.is_awaited(subscription):
        return charge.at if charge and charge.amount else None
    end, ends_at = subscription.current_period_end, subscription.cancel_at
    return end if end and (ends_at is None or ends_at > end) else None


def access_end(subscription: Subscription) -> datetime | None:
    """Return when access really ends as things stand, in the line of the subscription."""
    return access.access_ends_at(access.of_customer(subscription.customer_id, subscription.line))


def open_amount(subscription: Subscription) -> dict[str, Any]:
    """Return the amount that is still due for a subscription that ends or has ended, in minor units, and whether a bank
    is already paying all of it. What will be voided is not collected."""
    unsettled = (Invoice.Status.DRAFT, Invoice.Status.OPEN)
    rows = Invoice.objects.filter(subscription_id=subscription.stripe_id, status__in=unsettled, amount_remaining__gt=0)
    found = [row for row in rows if row.purpose == Invoice.Purpose.PLAN or row.payment == Invoice.Standing.PROCESSING]
    return {
        "open_amount": sum(row.amount_remaining for row in found),
        "open_currency": found[0].currency if found else "",
        "is_under_way": all(row.payment == Invoice.Standing.PROCESSING for row in found),
    }


def is_charged_before(subscription: Subscription, end: datetime) -> bool:
    """Return whether anything is charged before the subscription ends: renewals, or an invoice that is unpaid."""
    if subscription.status == Subscription.Status.PAST_DUE or renewal(subscription):
        return True
    unpaid = Invoice.objects.owed().filter(subscription_id=subscription.stripe_id)
    if unpaid.exclude(collection_method=Invoice.SENT).exclude(payment=Invoice.Standing.PROCESSING).exists():
        return True
    period_end = subscription.current_period_end
    return period_end is not None and period_end < end and not subscription.collection_paused


def needs_card(subscription: Subscription) -> str:
    """Return `ends` or `pauses` if the trial ends access for want of a card, `due` if a payment will fail then, else
    nothing."""
    if is_by_invoice(subscription):
        return ""
    if access.ends_with_trial(subscription):
        return "pauses" if subscription.trial_end_without_card == Plan.WithoutCard.PAUSE else "ends"
    return "due" if subscription.has_payment_method is False else ""


def is_by_invoice(subscription: Subscription) -> bool:
    """Return whether the subscriber gets invoices to pay, and no card is charged."""
    return subscription.collection_method == Invoice.SENT


def card(subscription: Subscription) -> str:
    """Return the card as receipts show it: `Visa •••• 4242`. The result is empty if no card is known."""
    brand = subscription.card_brand.replace("_", " ").title()
    return f"{brand} •••• {subscription.card_last4}" if subscription.card_last4 else ""


def plan(row: Plan | None) -> dict[str, str]:
    """Return the plan's name and slug, or empty strings without a plan."""
    return {"plan": row.name if row else "", "plan_slug": row.slug if row else ""}


def iso(at: datetime | None) -> str:
    """Return the time in ISO format, or an empty string without a time."""
    return at.isoformat() if at else ""


def about(subscription: Subscription) -> dict[str, Any]:
    """Return the facts that every mail about a subscription needs: customer, recipient, language, line and plan."""
    customer: Customer = subscription.customer
    return {
        "customer": customer,
        "recipient": address_of(customer),
        "language": language_of(customer),
        "subscription": subscription.stripe_id,
        "line": subscription.line,
        **plan(subscription.plan),
    }


def address_of(customer: Customer | None) -> str:
    """Return the address that Stripe has, else the subscriber's own; "" where there is neither."""
    return (customer.email or customer_details.email_of(customer.subscriber)) if customer else ""


def about_subscriber(subscriber: Any) -> dict[str, Any]:
    """Return the facts that a mail needs to a subscriber who has no Stripe customer."""
    recipient, language = customer_details.email_of(subscriber), language_of(None, subscriber)
    return {"customer": None, "recipient": recipient, "language": language, "subscription": ""}


def language_of(customer: Customer | None, subscriber: Any = None) -> str:
    """Return the first of these that is one of LANGUAGES: what NOTIFICATIONS_LANGUAGE_OF returns for the subscriber,
    their attribute `language`, the locale that Stripe has of its customer; else LANGUAGE_CODE."""
    subscriber = subscriber or (customer.subscriber if customer else None)
    asked = import_string(conf.language_of)(subscriber) if conf.language_of and subscriber else ""
    known = (asked, getattr(subscriber, "language", ""), customer.preferred_locale if customer else "")
    return next(filter(None, map(supported, known)), settings.LANGUAGE_CODE)


def supported(code: str | None) -> str:
    """Return the supported language for a code, or an empty string: de-AT gives de where there is no Austrian."""
    if not code:
        return ""
    try:
        return get_supported_language_variant(code.lower().replace("_", "-"))
    except LookupError:
        return ""
