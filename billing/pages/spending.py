"""A subscriber sees what use beyond the limits costs this month, and sets a cap on it."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing import cause, localized, site, usage
from billing.access import payer
from billing.models import SpendCap
from billing.money import exponent

from . import trouble
from .days import day
from .signed_in import signed_in
from .status_words import humanize

WRITE_A_NUMBER = gettext_lazy("Write an amount, such as 50 or 49.90.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@signed_in
def spending(request: HttpRequest) -> HttpResponse:
    """Show the form of the cap; after a POST lead to the account page, or show the form with the reason."""
    try:
        subscriber = payer.managed_payer(request)
    except (payer.NobodyPays, payer.MayNotManage) as refusal:
        return trouble.not_yours(request, refusal)
    now = usage.spending_of(subscriber)
    if now is None:
        messages.info(request, _("Your plan has nothing that is paid by use."))
        return redirect(site.path_of("account"))
    if request.method != "POST":
        return _form(request, now, _entered(now))
    if "remove" in request.POST:
        usage.capping.remove_cap(subscriber)
        messages.success(request, _("Your own cap was removed."))
        return redirect(site.path_of("account"))
    text = request.POST.get("amount", "")
    amount = _minor(text, now.currency)
    if amount is None:
        return _form(request, now, text, str(WRITE_A_NUMBER), status=400)
    policy = SpendCap.Policy.WARN if request.POST.get("policy") == "warn" else SpendCap.Policy.STOP
    try:
        with cause.recorded_as("subscriber"):
            cap = usage.capping.set_cap(subscriber, amount, now.currency, policy)
    except usage.CapRefused as refusal:
        return _form(request, now, text, str(refusal), status=400)
    said = _("Your cap is {amount} a month.").format(amount=localized.amount(cap.amount, cap.currency))
    messages.success(request, said)
    return redirect(site.path_of("account"))


def account_rows(now: usage.Spending | None) -> dict[str, Any] | None:
    """Return what the account page shows of use beyond the limits; None where nothing is paid by use."""
    if now is None:
        return None
    return {
        "amount": localized.amount(now.amount, now.currency),
        "rows": [
            {
                "feature": humanize(each.feature),
                "quantity": localized.number(each.quantity),
                "unit": localized.amount(each.unit, now.currency),
                "amount": localized.amount(each.amount, now.currency),
            }
            for each in now.features
        ],
        "cap": _cap_words(now),
        "is_reached": now.is_reached,
        "resets_at": day(now.resets_at),
    }


def _cap_words(now: usage.Spending) -> str:
    if now.cap is None:
        return _("You have set no cap.")
    words = _("At {amount} use stops.") if now.cap.stops else _("At {amount} we tell you, and use goes on.")
    return words.format(amount=localized.amount(now.cap.amount, now.currency))


def _entered(now: usage.Spending) -> str:
    if now.cap is None:
        return ""
    return format(Decimal(now.cap.amount).scaleb(-exponent(now.currency)), "f")


def _minor(text: str, currency: str) -> int | None:
    """Return an amount as people write it in minor units; None if it is none, or could be two, as "1.000" can."""
    try:
        whole = Decimal(text.strip().replace(",", "."))
        amount = whole.scaleb(exponent(currency))
    except InvalidOperation:
        return None
    if len(text.replace(",", ".").strip().partition(".")[2]) > exponent(currency):
        return None
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 <= amount <= usage.capping.MOST:
        return None
    return int(amount)


def _form(request: HttpRequest, now: usage.Spending, text: str, problem: str = "", status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "amount": text[:30],
        "currency": now.currency.upper(),
        "policy": now.cap.policy if now.cap else "stop",
        "is_own": now.is_own,
        "so_far": localized.amount(now.amount, now.currency),
        "resets_at": day(now.resets_at),
        "problem": problem,
    }
    return render(request, "billing/spending.html", context, status=status)
