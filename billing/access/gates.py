"""A decorator guards a host project's views: only subscribers with access get in."""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy

from billing.access import payer

from .rules import has_access

View = Callable[..., Any]
NEEDS_ACCESS = gettext_lazy("You need an active subscription for this.")


def access_required(
    view: View | None = None,
    *,
    plan: str = "",
    feature: str = "",
    line: str = "",
    redirect_to: str = "",
    subscriber: Callable[[HttpRequest], Any] = payer.payer_of,
) -> Any:
    """Let only requests with access reach the view: one query. Works bare or with arguments, on sync and async views.

    A visitor who is not signed in is sent to log in; a user without access gets 403, or is sent to `redirect_to`.
    `plan`, `feature` and `line` are those of `has_access`; `subscriber` finds who pays, by default as
    BILLING_REQUEST_SUBSCRIBER says.
    """

    def refusal(request: HttpRequest) -> HttpResponseRedirect | None:
        if not payer.is_signed_in(request):
            return redirect_to_login(request.get_full_path())
        if has_access(subscriber(request), plan=plan, feature=feature, line=line):
            return None
        if redirect_to:
            return redirect(redirect_to)
        raise PermissionDenied(str(NEEDS_ACCESS))

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
