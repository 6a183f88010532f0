"""The doctor posts a signed event through the project's middleware, reads it back from the ledger, and deletes it."""

import json
import time
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.http import HttpResponseBase
from django.test import Client

from billing import site
from billing.conf import conf
from billing.events import sign
from billing.models import StripeEvent

from .findings import Finding, error, ok

PREFIX = "evt_billing_doctor_"
TYPE = "billing.doctor"  # nobody listens to it, so it is stored and never applied
ALWAYS_OPEN = "Let POST requests to {path} pass, in whichever middleware or setting stops them."


def door() -> Iterator[Finding]:
    """Check that an event which Stripe sends reaches the ledger, whatever stands before our view."""
    if not conf.webhook_secrets:
        return  # said under "secrets"
    path = site.without_prefix(site.path_of("stripe_webhook"))
    event_id = f"{PREFIX}{uuid.uuid4().hex}"
    answer = _post(path, event_id)
    is_stored, _ = StripeEvent.objects.filter(pk=event_id).delete()
    if is_stored:
        yield ok("door", "A signed event passes all middleware and is stored. It is deleted again.")
    else:
        yield error("door", f"A signed event is not stored: {_in_words(answer)}.", ALWAYS_OPEN.format(path=path))


def _post(path: str, event_id: str) -> HttpResponseBase:
    event = {
        "id": event_id,
        "object": "event",
        "type": TYPE,
        "api_version": conf.api_version,
        "created": int(time.time()),
        "livemode": conf.live_mode,
        "data": {"object": {"id": event_id, "object": "billing_doctor"}},
    }
    body = json.dumps(event).encode()
    public = urlsplit(conf.site_url)
    return Client(enforce_csrf_checks=True, raise_request_exception=False).post(
        path,
        data=body,
        content_type="application/json",
        headers={"Stripe-Signature": sign(body, conf.webhook_secrets[0]), "Host": public.netloc},
        secure=public.scheme == "https",
    )


def _in_words(answer: HttpResponseBase) -> str:
    led = answer.headers.get("Location", "")
    text = " ".join(getattr(answer, "content", b"").decode(errors="replace").split())[:200]
    return f"the site answers {answer.status_code}{f' and leads to {led}' if led else f', {text}' if text else ''}"
