"""The pages about money: prices, starting a Checkout, coming back from it, and what one has."""

import logging
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing import access, catalogue, usage
from billing.access import payer
from billing.api import checkout_wait, return_wait
from billing.lanes import LaneBusy
from billing.lifecycle import AccountClosing, EmailUnconfirmed, overview
from billing.lifecycle import checkout as buying
from billing.models import CheckoutAttempt, Customer, Payment, PaymentFailure, Price, Refund
from billing.money import format_amount
from billing.pages import invoice_links, wording
from billing.pages.managing import not_yours
from billing.pages.price_list import PriceList
from billing.payments import UNDONE
from billing.private_answers import keep_private
from billing.stripe_client import StripeRefused, StripeUnavailable
from billing.subscriptions import seats

log = logging.getLogger(__name__)

LATEST_PAYMENTS = 12
# What a payment without a period of its own was for, by Stripe's billing reason.
PAID_FOR = {"subscription_update": "Plan change", "manual": "One-off"}

WENT_WRONG: dict[type[Exception], tuple[int, str]] = {
    StripeUnavailable: (503, "Our payment provider does not answer. Nothing was charged; please try in a moment."),
    **dict.fromkeys(StripeRefused, (502, "Our payment provider did not accept this. Nothing was charged.")),
    AccountClosing: (409, "Your account is being deleted, and nothing can be bought with it. Nothing was charged."),
    EmailUnconfirmed: (403, EmailUnconfirmed.sentence),
    buying.CheckoutReplaced: (409, "You started another payment at the same moment. Go on there, or try again here."),
}


@require_safe
def prices(request: HttpRequest) -> HttpResponse:
    """/: every public plan, by month or year, in one currency; the choice stands in the address."""
    subscriber = payer.of(request)
    context = {
        "list": PriceList.asked_for(request.GET, request.headers.get("Accept-Language", ""), seats.shown(subscriber)),
        "current": access.of(subscriber),
        "why_not": payer.why_not(request, subscriber) if payer.is_signed_in(request) else "",
    }
    response = render(request, "billing/prices.html", context)
    if payer.is_signed_in(request):
        keep_private(response)  # it shows their address
    return response


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """/billing/checkout: GET shows what is about to be bought, POST leads to Stripe's page."""
    asked = request.POST if request.method == "POST" else request.GET
    try:
        subscriber = payer.managed(request)
    except (payer.NobodyPays, payer.MayNotManage) as refusal:
        return not_yours(request, refusal)
    card = PriceList.asked_for(asked, seats=seats.shown(subscriber)).card(asked.get("plan", ""))
    if card is None or card.price is None:
        raise Http404
    if request.method != "POST":
        return render(request, "billing/checkout.html", {"card": card})
    if seconds := checkout_wait(request):
        return _too_many(request, seconds)
    try:
        attempt = buying.start(subscriber, card.plan.slug, card.price.interval, asked.get("currency", "").lower())
    except buying.AlreadySubscribed as refusal:
        messages.info(request, f"{refusal} This is what the change would do.")
        return redirect(f"{reverse('billing:change')}?{urlencode({'plan': card.plan.slug, 'interval': card.interval})}")
    except tuple(WENT_WRONG) as error:
        status, sentence = next(words for kind, words in WENT_WRONG.items() if isinstance(error, kind))
        return render(request, "billing/checkout_failed.html", {"card": card, "sentence": sentence}, status=status)
    return redirect(attempt.url)


@never_cache
@login_required
@require_safe
def checkout_return(request: HttpRequest) -> HttpResponse:
    """/billing/return?session_id=: where Stripe sends the buyer; only the buyer's own session is answered."""
    session_id, subscriber = request.GET.get("session_id", ""), payer.of(request)
    if not session_id.isprintable() or not session_id or subscriber is None:
        raise Http404
    attempt = get_object_or_404(
        CheckoutAttempt.objects.select_related("price__plan"),
        session_id=session_id,
        customer__subscriber=subscriber,
    )
    if seconds := return_wait(request):
        return _too_many(request, seconds)
    try:
        outcome = buying.settle(attempt)
    except (StripeUnavailable, *StripeRefused, LaneBusy, catalogue.UnmappedPrice) as error:
        log.warning("checkout not settled on return", extra={"session": attempt.session_id, "error": str(error)})
        outcome = buying.Outcome.PAID if access.has_access(subscriber) else buying.Outcome.PROCESSING
    return render(request, "billing/return.html", {"outcome": outcome.value, "attempt": attempt})


@never_cache
@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """/billing/: what one has, what happens next, what needs doing, what was used and paid."""
    subscriber = payer.of(request)
    why_not = payer.why_not(request, subscriber)
    now = overview.of(subscriber).to_look_at() if why_not else overview.of(subscriber)
    customer = Customer.objects.filter(subscriber=subscriber).first() if subscriber is not None else None
    context = {
        "overview": now,
        "subscriber": subscriber,
        "why_not": why_not,
        "plan_name": now.effective_plan.name if now.effective_plan else "Free",
        "can_choose": now.status in buying.NOT_LIVE,
        "status": wording.status_words(now),
        "next": wording.next_date(now),
        "banners": wording.banners(now, None if why_not else _open_failure(customer)),
        "usage": [_usage_bar(feature, quota) for feature, quota in now.usage.items()],
        "resets_at": now.resets_at,
        "price": _price_words(now),
        "payments": [] if why_not else _latest_payments(customer),
    }
    return render(request, "billing/account.html", context)


def _open_failure(customer: Customer | None) -> PaymentFailure | None:
    """The last failure of an invoice that was not paid since."""
    if customer is None:
        return None
    paid = Payment.objects.filter(customer=customer).values("invoice_id")
    failures = PaymentFailure.objects.filter(customer=customer).exclude(invoice_id__in=paid)
    return failures.order_by("-failed_at", "-attempt").first()


def _usage_bar(feature: str, quota: usage.Quota) -> dict[str, Any]:
    return {
        "feature": wording.humanize(feature),
        "quota": quota,
        "used": f"{quota.used:,}",
        "limit": "" if quota.limit is None else f"{quota.limit:,}",
        "is_full": quota.remaining == 0,
    }


def _price_words(now: overview.Overview) -> str:
    subscription = now.subscription
    if not now.decided.is_paid or subscription is None or subscription.price is None:
        return ""
    amount = catalogue.amounts(subscription.price).get(subscription.currency)
    if amount is None:
        return ""
    total = format_amount(amount * subscription.quantity, subscription.currency)
    several = f" ({subscription.quantity} × {format_amount(amount, subscription.currency)})"
    each = several if subscription.quantity > 1 else ""
    return f"{total} per {Price.Interval(subscription.price.interval).value}{each}"


def _latest_payments(customer: Customer | None) -> list[dict[str, Any]]:
    if customer is None:
        return []
    given_back = Sum("amount", filter=~Q(status__in=UNDONE))
    refunds = Refund.objects.filter(customer=customer).exclude(invoice_id="").values("invoice_id")
    refunded = dict(refunds.annotate(sum=given_back).values_list("invoice_id", "sum"))
    rows = Payment.objects.filter(customer=customer).order_by("-paid_at")[:LATEST_PAYMENTS]
    return [
        {
            "row": row,
            "paid_for": _paid_for(row),
            "amount": format_amount(row.amount, row.currency),
            "page": invoice_links.page_of(row.invoice_id),
            "pdf": invoice_links.pdf_of(row.invoice_id),
            "refunded": format_amount(sum_, row.currency) if (sum_ := refunded.get(row.invoice_id)) else "",
        }
        for row in rows
    ]


def _paid_for(row: Payment) -> str:
    if row.period_start and row.period_end:
        return f"{date_format(row.period_start, 'j M Y')} – {date_format(row.period_end, 'j M Y')}"
    return PAID_FOR.get(row.billing_reason, "–")


def _too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    response = render(request, "billing/too_often.html", {"seconds": seconds}, status=429)
    response["Retry-After"] = str(seconds)
    return response
