"""Agreements are drafted, sent and discarded here. Each change of the status is one conditional UPDATE, so that a
double click or a retry changes it once.
"""

import uuid
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from billing import cause, clock
from billing.lifecycle.customers import refuse_if_deleting
from billing.models import Agreement
from billing.subscriptions import customer_details

from . import starting, terms
from .terms import AgreementRefused

Status = Agreement.Status


def draft(
    subscriber: Any,
    *,
    plan: str,
    interval: str = "month",
    interval_count: int = 1,
    amount: int | None = None,
    currency: str = "",
    quantity: int | None = None,
    days_until_due: int | None = None,
    po_number: str = "",
    memo: str = "",
    starts_on: date | None = None,
    trial_days: int = 0,
    discount: str = "",
    key: str = "",
) -> Agreement:
    """Draft an agreement and return it; nothing happens at Stripe yet.

    `amount` is what was agreed for one unit and interval, in minor units of `currency`; without it the subscriber pays
    the plan's price. By default the quantity is what BILLING_SEATS counts, and the invoice is due in
    BILLING_INVOICE_DAYS days. `starts_on` is a day in the site's time zone; without it the subscription starts as soon
    as the agreement is sent. `trial_days` give access before the first invoice. `discount` is a coupon or promotion
    code; Stripe is asked for it, so call it outside transactions then. `key` names what asked for it: a second call
    with the same key and terms returns the first agreement.

    Raises `AgreementRefused`, `AccountClosing`; with a discount, `StripeUnavailable`.
    """
    refuse_if_deleting(subscriber)
    asked: dict[str, Any] = {
        "plan": plan,
        "interval": interval,
        "interval_count": interval_count,
        "amount": amount,
        "currency": currency,
        "quantity": quantity,
        "days_until_due": days_until_due,
        "po_number": po_number.strip(),
        "memo": memo.strip(),
        "starts_on": starts_on,
        "trial_days": trial_days,
        "discount": discount.strip(),
    }
    if known := Agreement.objects.filter(key=key).first() if key else None:
        return _same(known, subscriber, asked)
    columns = terms.columns(subscriber, **asked)
    try:
        with transaction.atomic():
            return Agreement.objects.create(
                key=key or str(uuid.uuid4()), drafted_at=clock.now(), drafted_by=cause.current(), **columns
            )
    except IntegrityError:  # the same key at the same moment
        return _same(Agreement.objects.get(key=key), subscriber, asked)


def send(agreement: Agreement) -> Agreement:
    """Send an agreement and return it as it is then: its subscription starts now, or on its day.

    Asked twice, it starts one subscription. If Stripe does not answer, the status stays `starting`, and the worker asks
    again each minute. Raises `AgreementRefused`: the subscriber has a live subscription of the line, or the terms are
    no longer possible; then nothing has started, and it can be sent again.
    """
    agreement.refresh_from_db()
    if agreement.status in {Status.STARTED, Status.STARTING, Status.SENT}:
        return agreement
    if not agreement.may_be_sent:
        raise AgreementRefused("not_a_draft", "This agreement was discarded. Draft a new one.")
    _check_sendable(agreement)
    today = timezone.localdate(clock.now())
    if agreement.status == Status.DRAFT and agreement.starts_on and agreement.starts_on < today:
        raise AgreementRefused("start_in_past", "Its start has passed. Discard it, and draft one that starts later.")
    is_later = agreement.starts_on is not None and agreement.starts_on > today
    stamps = {"sent_at": clock.now(), "sent_by": cause.current(), "error_message": ""}
    sendable = Agreement.objects.filter(pk=agreement.pk, status__in=Agreement.SENDABLE)
    if sendable.update(status=Status.SENT, **stamps) and not is_later:
        starting.begin(agreement.pk)
    agreement.refresh_from_db()
    return agreement


def start(subscriber: Any, *, key: str, **asked: Any) -> Agreement:
    """Draft an agreement and send it; the terms are those of `draft`. Asked again with the same key, it goes on with
    the agreement that is there, and starts one subscription.
    """
    return send(draft(subscriber, key=key, **asked))


def discard(agreement: Agreement) -> Agreement:
    """Discard an agreement whose subscription has not started, and return it.

    Raises `AgreementRefused` if it has started, or is being started.
    """
    discardable = Agreement.objects.filter(pk=agreement.pk, status__in=Agreement.DISCARDABLE)
    discardable.update(status=Status.DISCARDED)
    agreement.refresh_from_db()
    if agreement.status != Status.DISCARDED:
        raise AgreementRefused(
            "not_a_draft", "Its subscription has started, or is just being started. Cancel the subscription instead."
        )
    return agreement


def _same(known: Agreement, subscriber: Any, asked: dict[str, Any]) -> Agreement:
    """Return the agreement that a key names, if it has these terms; what was left out may have been anything."""
    other = {
        "subscriber_id": subscriber.pk,
        "plan.slug": asked["plan"],
        "interval": asked["interval"],
        "interval_count": asked["interval_count"],
        "unit_amount": asked["amount"],
        "po_number": asked["po_number"],
        "memo": asked["memo"],
        "trial_days": asked["trial_days"],
        "discount": asked["discount"],
        **{name: asked[name] for name in ("quantity", "days_until_due") if asked[name] is not None},
        **({"currency": asked["currency"].lower()} if asked["currency"] else {}),
    }
    had = {name: known.plan.slug if name == "plan.slug" else getattr(known, name) for name in other}
    starts_on = None if asked["starts_on"] == timezone.localdate(known.drafted_at) else asked["starts_on"]
    if had != other or known.starts_on != starts_on:
        raise AgreementRefused(
            "key_reused", "This key was used for an agreement with other terms. Use a new key for a new agreement."
        )
    return known


def _check_sendable(agreement: Agreement) -> None:
    """Refuse to send to an account that is being deleted, or to nobody's address: Stripe sends the invoice by mail."""
    refuse_if_deleting(agreement.subscriber)
    if not customer_details.email_of(agreement.subscriber):
        raise AgreementRefused(
            "no_email", "The subscriber has no e-mail address, so Stripe could send no invoice. Add one first."
        )
