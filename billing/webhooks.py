"""The door: verify the signature, store the event durably, wake its lane, answer. Never a Stripe call."""

import json
import logging
from typing import Any, NoReturn

import stripe
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from billing import ledger
from billing.conf import conf

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 10


class Refused(Exception):
    """Answered to whoever posted: a status, a stable code and a sentence."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


@csrf_exempt
def stripe_webhook(request: HttpRequest) -> JsonResponse:
    """POST /api/v1/webhooks/stripe: 200 received, duplicate or ignored; 400, 405, 413, 503 as the contract says."""
    try:
        body = _body(request)
        _verify(body, request.headers.get("Stripe-Signature", ""))
        return JsonResponse({"status": ledger.record(_parse(body), body)})
    except Refused as refused:
        answer = JsonResponse({"code": refused.code, "detail": refused.detail}, status=refused.status)
    except ledger.NotAnEvent as error:
        answer = JsonResponse({"code": "not_an_event", "detail": str(error)}, status=400)
    except DatabaseProblem as error:
        log.error("event not stored", extra={"error": type(error).__name__})
        answer = JsonResponse({"code": "not_stored", "detail": "Not stored: send it again later."}, status=503)
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if answer.status_code == 405:
        answer["Allow"] = "POST"
    return answer


def _body(request: HttpRequest) -> str:
    """The raw body as text; refused unread when it is too large."""
    if request.method != "POST":
        raise Refused(405, "method_not_allowed", "Only POST is answered here.")
    if _length(request) > conf.webhook_max_bytes:
        raise Refused(413, "too_large", f"An event has at most {conf.webhook_max_bytes} bytes.")
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise Refused(400, "bad_json", "The body is not UTF-8.") from error


def _length(request: HttpRequest) -> int:
    announced = request.META.get("CONTENT_LENGTH") or ("" if "HTTP_TRANSFER_ENCODING" in request.META else "0")
    if not announced.isdecimal():
        raise Refused(400, "bad_length", "Content-Length must say how long the body is.")
    return int(announced[:20])


def _verify(body: str, signature: str) -> None:
    """Any of our secrets may have signed it. Without one nothing is believed."""
    if not conf.webhook_secrets:
        raise Refused(400, "no_webhook_secret", "No webhook secret is set here: set STRIPE_WEBHOOK_SECRET.")
    for secret in conf.webhook_secrets if signature.isascii() else []:
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, conf.webhook_tolerance)
        except stripe.SignatureVerificationError:
            continue
        return
    raise Refused(400, "bad_signature", "The Stripe-Signature header is missing, stale or not made with our secret.")


def _parse(body: str) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "bad_json", "The body is not JSON.") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
