"""Stripe's balance transactions, credit notes and tax rates become our rows here, a page at a time."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import DatabaseError, OperationalError, models, transaction
from django.db.models import OuterRef, QuerySet, Subquery

from billing.clock import from_timestamp
from billing.models import BalanceTransaction, CreditNote, Customer, InvoicePayment, TaxRate
from billing.money import exponent
from billing.stripe_client import id_of, readers

from . import lookups
from .sheets import Span

Found = dict[str, Any]
# A rate is rounded by Stripe: what comes back of a dispute differs from the whole by as much, and is no part of it.
ROUNDING = 0.01
BROKEN = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError)


class Recorder:
    """A recorder saves pages of one kind of object. What Stripe says replaces the row that we had; an object that is
    no row of ours is left out; one that cannot be saved is named in `bad`, and stops no other. A dry one only counts
    what has no row yet, in `unknown`. Raises `OperationalError` if the database is away.
    """

    def __init__(self, row_of: Callable[[Found], models.Model | None], *, is_dry: bool) -> None:
        self.row_of, self.is_dry = row_of, is_dry
        self.bad: list[str] = []
        self.unknown = 0

    def __call__(self, page: list[Found]) -> None:
        rows = [row for found in page if (row := self._made(found)) is not None]
        if not rows:
            return
        model = type(rows[0])
        if self.is_dry:
            known = model._default_manager.filter(pk__in=[row.pk for row in rows])
            self.unknown += len(rows) - known.count()
        else:
            self._save(model, rows)

    def _made(self, found: Found) -> models.Model | None:
        try:
            return self.row_of(found)
        except BROKEN:
            self.bad.append(id_of(found) or "one without an id")
            return None

    def _save(self, model: type[models.Model], rows: list[models.Model]) -> None:
        try:
            _upsert(model, rows)
        except OperationalError:  # the database is away or busy, which is no fault of a row
            raise
        except (DatabaseError, *BROKEN):
            for row in rows:
                self._save_one(model, row)

    def _save_one(self, model: type[models.Model], row: models.Model) -> None:
        try:
            _upsert(model, [row])
        except OperationalError:
            raise
        except (DatabaseError, *BROKEN):
            self.bad.append(str(row.pk))


def _upsert(model: type[models.Model], rows: list[models.Model]) -> None:
    kept_here = {"id", "is_without_invoice"}
    names = [field.name for field in model._meta.concrete_fields if field.name not in kept_here]
    with transaction.atomic():
        model._default_manager.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=names)


def transaction_of(found: Found) -> BalanceTransaction:
    """Return the row of a balance transaction, whose source is expanded."""
    source = found["source"] if isinstance(found["source"], dict) else {}
    kind, is_charge = source.get("object"), source.get("object") == "charge"
    face_amount, face_currency = _face(found, source)
    return BalanceTransaction(
        pk=_id(found),
        type=found["type"][:60],
        category=found["reporting_category"][:60],
        amount=found["amount"],
        fee=found["fee"],
        net=found["net"],
        currency=found["currency"],
        exchange_rate=found["exchange_rate"],
        face_amount=face_amount,
        face_currency=face_currency,
        created_at=from_timestamp(found["created"]),
        source=id_of(found["source"]),
        charge=id_of(source) if is_charge else id_of(source.get("charge")),
        payment_intent=id_of(source.get("payment_intent")),
        refund=id_of(source) if kind == "refund" else "",
        dispute=id_of(source) if kind == "dispute" else "",
        customer_id=id_of(source.get("customer")),
    )


def _face(found: Found, source: Found) -> tuple[int, str]:
    """Return the amount that the customer's bank moved: the transaction's, or its source's if Stripe converted it."""
    currency = source.get("currency") or found["currency"]
    if currency == found["currency"]:
        return found["amount"], currency
    whole = source["amount_captured"] if source["object"] == "charge" else source["amount"]
    whole = _given_back(found, whole, currency) if found["reporting_category"] == "dispute_reversal" else whole
    return (whole if found["amount"] >= 0 else -whole), currency


def _given_back(found: Found, whole: int, currency: str) -> int:
    """Return what came back of a dispute before Stripe converted it: all, or a part where the rate tells of one.

    The rate is of main units: it is asked only where both currencies have the same decimals.
    """
    if not found["exchange_rate"] or exponent(currency) != exponent(found["currency"]):
        return whole
    part = round(found["amount"] / found["exchange_rate"])
    return part if part < whole * (1 - ROUNDING) else whole


def credit_note_of(found: Found) -> CreditNote | None:
    """Return the row of a credit note; None for one of another's customer."""
    customer = id_of(found["customer"])
    if not Customer.objects.filter(pk=customer).exists():
        return None
    refunds = found["refunds"] or []
    after, out_of_band = found["post_payment_amount"], found["out_of_band_amount"] or 0
    is_to_balance = bool(found["customer_balance_transaction"])
    refunded = sum(each["amount_refunded"] for each in refunds)
    return CreditNote(
        pk=_id(found),
        customer_id=customer,
        invoice_id=id_of(found["invoice"]),
        currency=found["currency"],
        total=found["total"],
        taxes=readers.taxes_of(found),
        to_balance=after - refunded - out_of_band if is_to_balance else 0,
        out_of_band=out_of_band,
        refunds=[id_of(each["refund"]) for each in refunds],
        created_at=from_timestamp(found["created"]),
        voided_at=from_timestamp(found["voided_at"]),
    )


def tax_rate_of(found: Found) -> TaxRate:
    effective = found["effective_percentage"]
    return TaxRate(
        pk=_id(found),
        percentage=Decimal(str(found["percentage"] if effective is None else effective)),
        country=(found["country"] or "")[:2],
        state=(found["state"] or "")[:20],
        jurisdiction=(found["jurisdiction"] or "")[:200],
        name=(found["display_name"] or "")[:200],
        is_inclusive=found["inclusive"],
    )


def _id(found: Found) -> str:
    if identifier := id_of(found):
        return identifier
    raise ValueError("no id")


def fill_in_customers(since: datetime) -> None:
    """Write the customer of refunds and disputes, which name only their charge."""
    charges = BalanceTransaction.objects.filter(charge=OuterRef("charge"), category="charge").exclude(customer_id="")
    nameless = BalanceTransaction.objects.filter(created_at__gte=since, customer_id="").exclude(charge="")
    named = nameless.annotate(owner=Subquery(charges.values("customer_id")[:1])).exclude(owner=None)
    owners = dict(named.values_list("pk", "owner"))
    rows = [BalanceTransaction(pk=pk, customer_id=owner) for pk, owner in owners.items()]
    BalanceTransaction.objects.bulk_update(rows, ["customer_id"], batch_size=500)


def unlinked_charges(span: Span) -> QuerySet[BalanceTransaction]:
    """Return our customers' charges that Stripe has not been asked about yet: do they pay an invoice?"""
    charges = BalanceTransaction.objects.filter(span.has("created_at"), category="charge", is_without_invoice=False)
    rows = lookups.in_the_books(charges).exclude(_links("payment_intent")).exclude(_links("charge"))
    return rows.order_by("created_at", "pk")


def _links(name: str) -> models.Exists:
    linked = InvoicePayment.objects.filter(**{name: OuterRef(name)}).exclude(**{name: ""})
    return models.Exists(linked)
