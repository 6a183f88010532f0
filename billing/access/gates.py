"""Before a host project's views: a decorator that lets in who has access."""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect

from billing.access import payer

from .rules import has_access

View = Callable[..., Any]
NEEDS_ACCESS = "This needs a subscription with access."


def access_required(
    view: View | None = None,
    *,
    plan: str = "",
    feature: str = "",
    redirect_to: str = "",
    subscriber: Callable[[HttpRequest], Any] = payer.payer_of,
) -> Any:
    """Who is not signed in is led to log in; who has no access gets 403, or is led to `redirect_to`. One query.

    `plan` and `feature` as in `has_access`; `subscriber` finds who pays, where it is not BILLING_REQUEST_SUBSCRIBER's.
    Usable bare, `@access_required`, or with arguments, on sync and async views.
    """

    def refusal(request: HttpRequest) -> HttpResponseRedirect | None:
        if not payer.is_signed_in(request):
            return redirect_to_login(request.get_full_path())
        if has_access(subscriber(request), plan=plan, feature=feature):
            return None
        if redirect_to:
            return redirect(redirect_to)
        raise PermissionDenied(NEEDS_ACCESS)

    def decorate(guarded: View) -> View:
        if iscoroutinefunction(guarded):

            @wraps(guarded)
            async def wait_for(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                return await sync_to_async(refusal)(request) or await guarded(request, *args, **kwargs)

            return wait_for

        @wraps(guarded)
        def let_in(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return refusal(request) or guarded(request, *args, **kwargs)

        return let_in

    return decorate(view) if view else decorate
