"""The account page shows a subscriber what they have, what happens next, and what they used and paid."""

from datetime import datetime
from typing import Any

from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.access import payer
from billing.lifecycle import checkout, invoice_links, overview, pausing
from billing.localized import amount
from billing.models import Code, Customer, Invoice, Payment, Refund
from billing.payments import UNDONE

from . import (
    add_on_words,
    choices,
    discount_words,
    money_facts,
    packs,
    spending,
    status_words,
    tax_words,
    usage_bars,
    wording,
)
from .banners import price_words
from .days import period
from .signed_in import signed_in
from .status_words import humanize

LATEST_PAYMENTS = 12
# Stripe's billing reason → what the payment was for, when it has no period of its own.
PAID_FOR = {"subscription_update": gettext_lazy("Plan change"), "manual": gettext_lazy("One-time purchase")}


@never_cache
@signed_in
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show /billing/: the subscriber's plan, what happens next, what needs doing, usage and payments."""
    subscriber = payer.payer_of(request)
    why_not = payer.reason_not_to_manage(request, subscriber)
    found = overview.overviews_of(subscriber)
    now, *others = [each.to_look_at() for each in found] if why_not else found
    context = {
        "overview": now,
        "subscriber": subscriber,
        "why_not": why_not,
        "plan_name": status_words.plan_name(now),
        "tone": status_words.tone(now),
        "can_choose": choices.is_bought(now),
        "can_change": not choices.refusal(now),
        "can_pause": bool(pausing.days_offered(now.subscription)) and not now.collection_paused,
        "others": [_other_line(each, shows_card=not why_not) for each in others],
        "status": status_words.status_words(now),
        "money": money_facts.of_account(now, shows_card=not why_not),
        "banners": [*tax_words.address_banner(subscriber), *wording.banners(now)],
        "usage": usage_bars.of_account(subscriber, now),
        "spending": spending.account_rows(now.spending),
        "resets_at": _one_day_of(now),
        "price": _price_words(now),
        "discounts": discount_words.for_account(now),
        "add_ons": add_on_words.of_account(now),
        "has_add_ons": bool(now.has_access and add_on_words.offers(now.subscription)),
        "purchases": [] if why_not else packs.account_rows(subscriber),
        "has_codes": Code.objects.exists(),
        "payments": [] if why_not else _latest_payments(subscriber),
    }
    return render(request, "billing/account.html", context)


def _other_line(now: overview.Overview, *, shows_card: bool) -> dict[str, Any]:
    """Return what the page shows of a further line, for who has several."""
    held = now.subscription
    is_named = now.effective_plan or (held and held.plan)
    return {
        "overview": now,
        "name": status_words.plan_name(now) if is_named else humanize(now.line).capitalize(),
        "status": status_words.status_words(now),
        "tone": status_words.tone(now),
        "money": money_facts.of_line(now, shows_card=shows_card),
        "price": _price_words(now),
        "discounts": discount_words.for_account(now),
        "add_ons": add_on_words.of_account(now),
        "has_add_ons": bool(now.has_access and add_on_words.offers(now.subscription)),
        "can_choose": choices.is_bought(now),
        "can_change": not choices.refusal(now),
        "banners": wording.banners_of_line(now),
    }


def _one_day_of(now: overview.Overview) -> datetime | None:
    """Return when all usage resets; None if that differs, as between lines."""
    days = {quota.resets_at for quota in now.usage.values()}
    return days.pop() if len(days) == 1 else None


def _price_words(now: overview.Overview) -> str:
    """Return what the subscription costs; with its plan, if another plan was given and stands above it."""
    subscription = now.subscription
    if now.status in checkout.NOT_LIVE or subscription is None or subscription.price is None:
        return ""
    words = price_words(subscription.price, subscription.currency, subscription.quantity)
    said = tax_words.of_price(subscription.price, subscription.currency)
    words = f"{words}, {said}" if words and said and words != gettext("Free") else words
    return f"{subscription.plan}, {words}" if words and now.is_by_grant and subscription.plan else words


def _latest_payments(subscriber: Any) -> list[dict[str, Any]]:
    customers = Customer.objects.all_of(subscriber).values("pk")
    given_back = Sum("amount", filter=~Q(status__in=UNDONE))
    refunds = Refund.objects.filter(customer__in=customers).exclude(invoice_id="").values("invoice_id")
    refunded = dict(refunds.annotate(sum=given_back).values_list("invoice_id", "sum"))
    paid = Payment.objects.filter(customer__in=customers).exclude(amount=0)  # such as the invoice that begins a trial
    rows = paid.order_by("-paid_at")[:LATEST_PAYMENTS]
    invoices = Invoice.objects.in_bulk([row.invoice_id for row in rows])
    return [
        {
            "row": row,
            "tax": tax_words.of_invoice(invoices[row.invoice_id]) if row.invoice_id in invoices else "",
            "paid_for": _paid_for(row),
            "amount": amount(row.amount, row.currency),
            "page": invoice_links.page_of(row.invoice_id),
            "pdf": invoice_links.pdf_of(row.invoice_id),
            "refunded": amount(sum_, row.currency) if (sum_ := refunded.get(row.invoice_id)) else "",
        }
        for row in rows
    ]


def _paid_for(row: Payment) -> str:
    if row.period_start and row.period_end:
        return period(row.period_start, row.period_end)
    return str(PAID_FOR.get(row.billing_reason, "–"))
