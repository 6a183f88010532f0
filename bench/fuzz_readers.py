"""This module runs everything that reads a stored event over all that a fuzz has left: pages, export, redaction."""

import json
from typing import Any

from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.test import Client

from billing.lifecycle.deletion import copies
from billing.models import Customer, StripeEvent
from billing.monitoring import metrics

HTTPS: Any = {"secure": True, "headers": {"host": "127.0.0.1"}}
CHANGELIST = "/admin/billing/stripeevent/"


def prepare() -> None:
    """Make half of the customers in the bodies ours, so that the worker applies their events in full."""
    Customer.objects.bulk_create([Customer(id=f"cus_fuzz{number}") for number in range(1, 11)])


def main() -> None:
    """Print what was read and what failed, as JSON."""
    print(json.dumps(read_all()))


def read_all() -> dict[str, Any]:
    failed: list[str] = []
    client = Client(raise_request_exception=False)
    users: Any = get_user_model().objects
    client.force_login(users.filter(is_superuser=True).first() or users.create_superuser("fuzz@example.com", "x" * 20))
    kept = list(StripeEvent.objects.order_by("pk").values_list("pk", flat=True))
    failed += [pk for pk in kept if client.get(f"{CHANGELIST}{quote(pk)}/change/", **HTTPS).status_code != 200]
    failed += [page for page in ("", "?q=cus_fuzz1") if client.get(CHANGELIST + page, **HTTPS).status_code != 200]
    exported = b"".join(client.get(f"{CHANGELIST}export/", **HTTPS))
    metrics.metrics(client.get("/metrics", **HTTPS).wsgi_request)
    left = redacted()
    return {"pages": len(kept), "exported_bytes": len(exported), "left_unredacted": left, "failed": failed}


def redacted() -> int:
    """Redact each lane's events as a deletion does; return how many are left that should not be."""
    for lane in sorted(set(StripeEvent.objects.values_list("lane", flat=True))):
        copies.redact_events(lane, lambda: None)
    return StripeEvent.objects.unredacted().count()
