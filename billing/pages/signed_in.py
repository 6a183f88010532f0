"""A page for signed-in users asks visitors to log in, and afterwards leads them to what they had asked for."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url

from billing import site
from billing.access import payer

View = Callable[..., HttpResponse]
# What a form of ours sends that a page shows again when it is in the address.
KEPT = ("plan", "interval", "interval_count", "currency", "line", "code")


def signed_in(view: View) -> View:
    """Wrap a view for signed-in users.

    Django's own `login_required`, and its middleware, lead to the address of a form after the login, which answers no
    GET or has lost what was chosen. So this is checked here, and the middleware leaves the page alone.
    """

    @login_not_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs) if payer.is_signed_in(request) else _log_in(request)

    return guarded


def form_only(view: View) -> View:
    """Wrap a view that only a form of ours calls: whoever opens its address is led to the account page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs) if request.method == "POST" else redirect(site.path_of("account"))

    return guarded


def _log_in(request: HttpRequest) -> HttpResponse:
    login = resolve_url(settings.LOGIN_URL)
    asked = _asked(request)
    elsewhere = urlsplit(login).netloc not in {"", request.get_host()}
    return redirect_to_login(request.build_absolute_uri(asked) if elsewhere else asked, login)


def _asked(request: HttpRequest) -> str:
    """Return the address that shows what the request asked for; for a form, the page with the same choice."""
    if request.method != "POST":
        return request.get_full_path()
    chosen = {name: value for name in KEPT if (value := request.POST.get(name) or request.GET.get(name))}
    return f"{request.path}?{urlencode(chosen)}" if chosen else request.path
