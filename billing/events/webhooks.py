"""The door verifies the signature, stores the event durably, wakes its lane and answers. It never calls Stripe."""

import hashlib
import logging
import time
from datetime import datetime
from functools import lru_cache

import stripe
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, JsonResponse, RawPostDataException, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from structlog.contextvars import bound_contextvars

from billing import queues
from billing.conf import conf
from billing.models import StripeEvent

from . import ledger, parsing

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 10


@lru_cache(maxsize=8)
def fingerprint(secret: str) -> str:
    """Return what stands for a webhook secret where it is shown: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def last_verified() -> dict[str, datetime | None]:
    """Return when each secret in use last verified an event, by fingerprint: a secret that no longer does can be
    dropped.

    Walks the ledger from its newest event to the one it looks for: for a doctor, not for a page.
    """
    newest = StripeEvent.objects.order_by("-received_at").values_list("received_at", flat=True)
    prints = [fingerprint(secret) for secret in conf.webhook_secrets]
    return {print_: newest.filter(verified_by=print_).first() for print_ in prints}


class Refused(Exception):
    """The door refuses a request with a status, a stable code and a sentence."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


@login_not_required
@csrf_exempt
def stripe_webhook(request: HttpRequest) -> JsonResponse:
    """Answer POST /api/v1/webhooks/stripe: 200 received, duplicate or ignored; 400, 405, 413, 503 as the contract
    says.
    """
    try:
        body = _body(request)
        secret = _verify(body, request.headers.get("Stripe-Signature", ""))
        return JsonResponse({"status": _store(parsing.parse(body), fingerprint(secret))})
    except Refused as refused:
        answer = JsonResponse({"code": refused.code, "detail": refused.detail}, status=refused.status)
    except (parsing.NotBearable, parsing.NotAnEvent) as error:
        answer = JsonResponse({"code": error.code, "detail": str(error)}, status=400)
    except DatabaseProblem:
        answer = JsonResponse(
            {"code": "not_stored", "detail": "The event was not stored. Send it again later."}, status=503
        )
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if answer.status_code == 405:
        answer["Allow"] = "POST"
    return answer


def _store(event: parsing.Event, verified_by: str) -> str:
    with bound_contextvars(stripe_event=event.id), queues.in_background():
        try:
            return ledger.record(event, verified_by=verified_by)
        except DatabaseProblem as error:
            log.error("event not stored", extra={"error": type(error).__name__})
            raise


def _body(request: HttpRequest) -> str:
    """Return the raw body as text; a body that is too large is refused unread."""
    if request.method != "POST":
        raise Refused(405, "method_not_allowed", "This address accepts only POST.")
    if _length(request) > conf.webhook_max_bytes:
        raise Refused(413, "too_large", f"An event has at most {conf.webhook_max_bytes} bytes.")
    try:
        return request.body.decode()
    except RequestDataTooBig as error:
        raise Refused(413, "too_large", "Set DATA_UPLOAD_MAX_MEMORY_SIZE to BILLING_WEBHOOK_MAX_BYTES.") from error
    except RawPostDataException as error:
        raise Refused(500, "body_taken", "A middleware of this site has read the body, and left nothing.") from error
    except UnreadablePostError as error:
        raise Refused(400, "body_not_received", "The connection ended before the body did.") from error
    except UnicodeDecodeError as error:
        raise Refused(400, "bad_json", "The body is not UTF-8.") from error


def _length(request: HttpRequest) -> int:
    announced = request.META.get("CONTENT_LENGTH") or ("" if "HTTP_TRANSFER_ENCODING" in request.META else "0")
    if not (announced.isascii() and announced.isdecimal()):
        raise Refused(400, "bad_length", "Content-Length must say how long the body is.")
    return int(announced[:20])


def _verify(body: str, signature: str) -> str:
    """Return the secret of ours that signed the body. Without a secret nothing is believed."""
    if not conf.webhook_secrets:
        raise Refused(400, "no_webhook_secret", "No webhook secret is set here: set STRIPE_WEBHOOK_SECRETS.")
    for secret in [] if not signature.isascii() or _is_dated_ahead(signature) else conf.webhook_secrets:
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, conf.webhook_tolerance)
        except stripe.SignatureVerificationError:
            continue
        return secret
    raise Refused(
        400,
        "bad_signature",
        "The Stripe-Signature header is missing, too far from the present time, or not made with our secret.",
    )


def _is_dated_ahead(signature: str) -> bool:
    """Return whether the signature is dated further ahead than our clock may be behind: Stripe's library refuses
    only old ones.
    """
    stamp = next((item[2:] for item in signature.split(",") if item.startswith("t=")), "")
    return stamp.isdecimal() and int(stamp[:20]) > time.time() + conf.webhook_tolerance
