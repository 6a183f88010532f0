"""The first test of a process sets up the plans as a site does; each later test gets a copy of them.

Kept are the calls that put the plans up for sale, which the sandbox answers anew, and the rows of a site that sells
already: our plans and prices, and dj-stripe's account, products and prices.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import models, transaction
from djstripe import models as djstripe

from billing import stripe_client
from billing.catalogue import definitions
from billing.conf import conf
from billing.models import OveragePrice, Plan, PlanLimit, Price
from billing.subscriptions import mirror
from stripe_sandbox import Sandbox
from stripe_sandbox.http.messages import Request

from . import plans

OURS = (Plan, PlanLimit, Price, OveragePrice)
MIRRORED = (djstripe.Account, djstripe.APIKey, djstripe.Product, djstripe.Price)
TIMES = ("created", "updated")

Rows = list[models.Model]
_kept: dict[str, tuple[list[Request], list[Rows]]] = {}


def set_up(sandbox: Sandbox, seed: int) -> None:
    """Empty the sandbox and put the plans up for sale there: those of the database, else those that `setup` makes."""
    if Plan.objects.exists():
        _empty(sandbox, seed)
        plans.publish()
        return
    stated = (definitions.is_from_settings(), definitions.defined_plans(), conf.tax)
    key = repr((seed, *stated, conf.api_key, conf.api_version))
    if key not in _kept:
        _kept[key] = _made(sandbox, seed)
    requests, rows = _kept[key]
    with sandbox.lock:  # a late call of the test before, in between, would take the id of the next object
        _empty(sandbox, seed)
        for request in requests:
            answer = sandbox.handle(request)
            assert answer is not None
            assert answer.status == 200, answer.body
    _insert(rows, sandbox.state.now())


def forget_sales() -> None:
    """Leave the site as it is before its first sale: dj-stripe knows neither the account nor its prices."""
    for model in reversed(MIRRORED):
        model.objects.all().delete()


def _made(sandbox: Sandbox, seed: int) -> tuple[list[Request], list[Rows]]:
    """Set up everything in a transaction that is rolled back, and return what a later test needs to copy it."""
    _empty(sandbox, seed)
    with transaction.atomic():
        plans.publish()
        requests = [_request(call) for call in sandbox.state.log]
        for price in Price.objects.values_list("pk", flat=True):
            mirror.write_object(stripe_client.get(f"/v1/prices/{price}", expand=["product"]))
        rows: list[Rows] = [list(model.objects.order_by("pk")) for model in (*OURS, *MIRRORED)]
        transaction.set_rollback(True)
    return requests, rows


def _empty(sandbox: Sandbox, seed: int) -> None:
    with sandbox.lock:
        sandbox.reset(str(seed), None)


def _request(call: dict[str, Any]) -> Request:
    headers = {"authorization": f"Bearer {conf.api_key}", "stripe-version": conf.api_version}
    if call["method"] == "POST":
        headers["idempotency-key"] = call["response"].headers["Idempotency-Key"]
    return Request(call["method"], call["path"], call["query"], headers, call["body"])


def _insert(kept: Iterable[Rows], now: int) -> None:
    """Insert copies with new keys of their own, made now."""
    keys: dict[tuple[type[models.Model], Any], Any] = {}
    for rows in kept:
        if rows:
            made = type(rows[0])._default_manager.bulk_create([_copy(row, keys, now) for row in rows])
            keys |= {(type(row), row.pk): new.pk for row, new in zip(rows, made, strict=True)}


def _copy(row: models.Model, keys: dict[tuple[type[models.Model], Any], Any], now: int) -> models.Model:
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    for field in row._meta.concrete_fields:
        if isinstance(field, models.AutoField):
            del columns[field.attname]
        elif isinstance(field, models.ForeignKey) and field.target_field.primary_key:
            columns[field.attname] = keys.get((field.related_model, columns[field.attname]), columns[field.attname])
    if isinstance(row, djstripe.Product | djstripe.Price):
        columns["stripe_data"] = row.stripe_data | {name: now for name in TIMES if name in row.stripe_data}
        columns["created"] = datetime.fromtimestamp(now, UTC)
    if isinstance(row, Price):
        columns["created_at"] = datetime.fromtimestamp(now, UTC)
    return type(row)(**columns)
