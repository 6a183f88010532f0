"""This view receives reports from the mail provider in use: it asks for a secret, then calls anymail's own view.

anymail accepts everybody if `ANYMAIL["WEBHOOK_SECRET"]` is not set, and its views for providers that are not set up
fail before they ask. Here everybody is refused without the secret, and those views are not reached.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.utils import get_anymail_setting, get_request_basic_auth
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from .conf import conf

log = logging.getLogger(__name__)

# What anymail's readers raise over a body that is none of the provider's: nesting and numbers among it.
NOT_UNDERSTOOD = (
    SuspiciousOperation,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    OSError,
    RecursionError,
)


def guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Wrap anymail's view. It answers 200 for a report; 404 for a provider not in use; 403 without our secret; 400 for
    a body that is no event."""

    @login_not_required
    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return _refusal(request) or _heard(view, request, **kwargs)

    return answer


def _refusal(request: HttpRequest) -> JsonResponse | None:
    if _provider(request) not in conf.tracking:
        return _refused(
            404, "not_in_use", "This site does not send mail through this provider, so it accepts no reports from it."
        )
    secrets = get_anymail_setting("webhook_secret", default=None)
    if not secrets:
        return _refused(403, "no_webhook_secret", "Set ANYMAIL_WEBHOOK_SECRET to name:password to accept reports here.")
    given = get_request_basic_auth(request) or ""
    if not any(constant_time_compare(given, secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)):
        return _refused(
            403, "bad_credentials", "Put the name and password of ANYMAIL_WEBHOOK_SECRET into the webhook's address."
        )
    return None


def _provider(request: HttpRequest) -> str:
    """Return the provider's name in the address: `sendgrid` for sendgrid/tracking/, `mandrill` for mandrill/."""
    name = request.resolver_match.url_name if request.resolver_match else None
    return (name or "").removesuffix("_webhook").removesuffix("_tracking")


def _heard(view: Callable[..., HttpResponseBase], request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
    try:
        return view(request, **kwargs)
    except AnymailWebhookValidationFailure:
        return _refused(403, "bad_credentials", "The provider's signature is missing or was not made with our key.")
    except ImproperlyConfigured as error:
        log.error("mail provider not set up", extra={"error": type(error).__name__})
        return _refused(403, "not_set_up", "This provider signs its reports. Set its key in ANYMAIL_… first.")
    except NOT_UNDERSTOOD as error:
        log.warning("mail provider not understood", extra={"error": type(error).__name__})
        return _refused(400, "not_tracking_events", "The body is not a report of this provider.")


def _refused(status: int, code: str, detail: str) -> JsonResponse:
    return JsonResponse({"code": code, "detail": detail}, status=status)
