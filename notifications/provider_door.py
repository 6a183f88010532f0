"""The door for mail providers: anymail's own views, behind a secret that must be set.

anymail lets everybody in where `ANYMAIL["WEBHOOK_SECRET"]` is not set; here nobody is.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.utils import get_anymail_setting
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

log = logging.getLogger(__name__)


def guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """200 heard; 403 without our secret; 400 for what is none of the provider's events."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if not get_anymail_setting("webhook_secret", default=None):
            return _refused(403, "no_webhook_secret", "Set ANYMAIL_WEBHOOK_SECRET to name:password to be told here.")
        try:
            return view(request, **kwargs)
        except AnymailWebhookValidationFailure:
            return _refused(403, "bad_credentials", "The address must carry the name and password that are set here.")
        except (SuspiciousOperation, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("mail provider not understood", extra={"error": type(error).__name__})
            return _refused(400, "not_tracking_events", "These are no events of this provider's.")

    return answer


def _refused(status: int, code: str, detail: str) -> JsonResponse:
    return JsonResponse({"code": code, "detail": detail}, status=status)
