"""These pages explain why a request was not carried out, and what to do about it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from billing.lifecycle import outage_of


def too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    """Answer 429, with a page that says when to try again. The pages of `accounts` use it too."""
    response = render(request, "billing/too_often.html", {"seconds": seconds}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def not_yours(request: HttpRequest, refusal: Exception) -> HttpResponse:
    """Answer 403 to a person who may not manage this subscription."""
    context = {"heading": _("You can't change this subscription"), "sentence": str(refusal)}
    return render(request, "billing/not_now.html", context, status=403)


def not_now(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer as the table of outages says for `error`, which is one of `billing.lifecycle.OUTAGES`."""
    outage = outage_of(error)
    response = render(request, "billing/not_now.html", {"sentence": outage.sentence}, status=outage.status)
    if outage.retry_after:
        response["Retry-After"] = str(outage.retry_after)
    return response
