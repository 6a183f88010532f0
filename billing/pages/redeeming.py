"""A subscriber redeems a code on this page; a link may bring the code along."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing import site
from billing.access import payer
from billing.lifecycle import OUTAGES, Refused, redeeming
from billing.models import Redemption
from billing.rates import redeem_wait

from . import trouble
from .days import day
from .signed_in import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@signed_in
def redeem(request: HttpRequest) -> HttpResponse:
    """Show the form; after a POST lead to the account page, or show the form with the reason."""
    if request.method != "POST":
        return _form(request, request.GET.get("code", ""))
    if seconds := redeem_wait(request):
        return trouble.too_often(request, seconds)
    code = request.POST.get("code", "")
    try:
        made = redeeming.redeem(payer.managed_payer(request), code)
    except (payer.NobodyPays, payer.MayNotManage) as refusal:
        return trouble.not_yours(request, refusal)
    except Refused as refusal:
        return _form(request, code, str(refusal), status=400)
    except tuple(OUTAGES) as error:
        return trouble.not_now(request, error)
    messages.success(request, said(made))
    return redirect(site.path_of("account"))


def said(made: Redemption) -> str:
    if made.until:
        return _("Your code gave you {what} until {date}.").format(what=made.code.what, date=day(made.until))
    return _("Your code gave you {what}.").format(what=made.code.what)


def _form(request: HttpRequest, code: str, problem: str = "", status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"code": code[: redeeming.LONGEST], "problem": problem}
    return render(request, "billing/redeem.html", context, status=status)
