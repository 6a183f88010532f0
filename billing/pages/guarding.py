"""The pages on which a subscription is managed share a guard: who may come in, and what becomes of a refusal."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from billing import site
from billing.access import payer
from billing.lifecycle import OUTAGES, NotConfirmed, Refused
from billing.models import Plan
from billing.rates import stripe_wait

from . import trouble
from .signed_in import signed_in

log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]


def for_manager(view: View) -> View:
    """Wrap a view: check login, rate limit and who may manage, and turn every refusal and outage into a page. The
    view also receives the subscriber."""

    @never_cache
    @signed_in
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if seconds := stripe_wait(request):
            return trouble.too_often(request, seconds)
        try:
            return view(request, payer.managed_payer(request), *args, **kwargs)
        except (payer.NobodyPays, payer.MayNotManage) as refusal:
            return trouble.not_yours(request, refusal)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(site.path_of("account"))
        except NotConfirmed as error:
            messages.warning(request, str(error))
            return redirect(site.path_of("account"))
        except tuple(OUTAGES) as error:
            log.warning("a page was not served", extra={"path": request.path}, exc_info=True)
            return trouble.not_now(request, error)

    return guarded


def line_of(request: HttpRequest) -> str:
    """Return the line that the form or the address names; "" means the only one, and so does a line that is none."""
    line = request.POST.get("line", "") or request.GET.get("line", "")
    return line if Plan.objects.filter(line=line).exists() else ""
