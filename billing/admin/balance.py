"""Staff see Stripe's own books: each balance transaction that the sync has listed, and what of ours it belongs to."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.db.models import Max, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from billing import books
from billing.models import BalanceTransaction, Customer, Dispute, Invoice, InvoicePayment, Payment, Refund

from . import balance_words, display
from .payments import CurrencyFilter, MoneyAdmin
from .values_filter import ValuesFilter

OFFERED_MONTHS = 24


class MonthFilter(admin.SimpleListFilter):
    """Offer the newest months that have rows; `?month=2026-10` takes any. They are in UTC, as in the ledger."""

    title = "month"
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        ends = BalanceTransaction.objects.aggregate(first=Min("created_at"), last=Max("created_at"))
        return [(name, name) for name in _months(ends["first"], ends["last"])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (asked := self.value()):
            return queryset
        try:
            return queryset.filter(books.Month.parse(asked).span.has("created_at"))
        except books.NotAMonth:
            return queryset.none()


def _months(first: datetime | None, last: datetime | None) -> list[str]:
    """Return the months from the last back to the first, as many as are offered."""
    if first is None or last is None:
        return []
    begin, end = (at.year * 12 + at.month - 1 for at in (first.astimezone(UTC), last.astimezone(UTC)))
    return [f"{number // 12}-{number % 12 + 1:02}" for number in range(end, begin - 1, -1)][:OFFERED_MONTHS]


@admin.register(BalanceTransaction)
class BalanceTransactionAdmin(MoneyAdmin):
    list_display = ["money", "subscriber", "what", "invoice", "created"]
    list_filter = [MonthFilter, ("type", ValuesFilter), ("currency", CurrencyFilter)]
    list_select_related = False
    ordering = ["-created_at", "-pk"]
    ids_searched = ("id", "source", "charge", "payment_intent", "customer_id")
    search_help_text = "Whole id of a transaction, charge, payment, refund, dispute, invoice or customer"
    facts = (
        "subscriber", "created", "invoice", "payment", "refund", "dispute", "charge_link", "intent",
        "fee_kept", "left_over", "at_the_bank", "transaction",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Add the customer's address and the invoice, which a transaction names by the ids of its payment alone."""
        customer = Customer.objects.filter(pk=OuterRef("customer_id"))
        links = InvoicePayment.objects.order_by("pk")
        by_intent = links.exclude(payment_intent="").filter(payment_intent=OuterRef("payment_intent"))
        by_charge = links.exclude(charge="").filter(charge=OuterRef("charge"))
        found = [Subquery(each.values("invoice_id")[:1]) for each in (by_intent, by_charge)]
        ours = Invoice.objects.filter(pk=OuterRef("paid_invoice"))
        rows = BalanceTransaction.objects.annotate(
            customer_pk=Subquery(customer.values("pk")[:1]),
            customer_email=Subquery(customer.values("email")[:1]),
            paid_invoice=Coalesce(*found),
        )
        return rows.annotate(invoice_pk=Subquery(ours.values("pk")[:1]))

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [f"{name}__exact" for name in self.ids_searched]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if term.startswith("in_"):
            return queryset.filter(pk__in=balance_words.of_invoice(term).values("pk")), False
        return super().get_search_results(request, queryset, search_term)

    def in_words(self, row: BalanceTransaction) -> tuple[Any, str]:
        fee = f"Stripe's fee is {display.amount(row.fee, row.currency)}." if row.fee else ""
        return display.badge(balance_words.kind(row), "quiet"), fee

    @display.column("subscriber", ordering="customer_id")
    def subscriber(self, row: Any) -> Any:
        if row.customer_pk is None:
            return display.at_stripe(row.customer_id)
        name = display.breakable(row.customer_email or "no e-mail address")
        return display.lines(display.row_link("customer", row.customer_pk, name), display.plain_id(row.customer_pk))

    @display.column("type", ordering="type")
    def what(self, row: BalanceTransaction) -> Any:
        fee = f"fee {display.amount(row.fee, row.currency)}" if row.fee else ""
        return display.lines(balance_words.kind(row), fee)

    @display.column("invoice")
    def invoice(self, row: Any) -> Any:
        invoice = row.invoice_pk
        return _link("invoice", invoice) if invoice else display.at_stripe(row.paid_invoice or "")

    @display.column("payment")
    def payment(self, row: Any) -> Any:
        found = Payment.objects.filter(invoice_id=row.paid_invoice or "").first()
        return display.row_link("payment", found.pk, display.amount(found.amount, found.currency)) if found else None

    @display.column("refund")
    def refund(self, row: BalanceTransaction) -> Any:
        return _ours(Refund, row.refund)

    @display.column("dispute")
    def dispute(self, row: BalanceTransaction) -> Any:
        return _ours(Dispute, row.dispute)

    @display.column("fee")
    def fee_kept(self, row: BalanceTransaction) -> Any:
        return display.amount(row.fee, row.currency)

    @display.column("net")
    def left_over(self, row: BalanceTransaction) -> Any:
        return display.amount(row.net, row.currency)

    @display.column("at the customer's bank")
    def at_the_bank(self, row: BalanceTransaction) -> Any:
        """Return the amount that Stripe converted, with its rate."""
        if not row.is_converted:
            return None
        return display.lines(display.amount(row.face_amount, row.face_currency), f"converted at {row.exchange_rate}")

    @display.column("balance transaction")
    def transaction(self, row: BalanceTransaction) -> Any:
        return display.at_stripe(row.pk)

    @display.column("moved", ordering="created_at")
    def created(self, row: BalanceTransaction) -> Any:
        return display.moment(row.created_at)


def _ours(model: Any, pk: str) -> Any:
    """Return an id, linked to our page of the row; to Stripe's if we have no row."""
    is_ours = pk and model.objects.filter(pk=pk).exists()
    return _link(model._meta.model_name, pk) if is_ours else display.at_stripe(pk)


def _link(model: str, pk: str) -> Any:
    return display.row_link(model, pk, display.plain_id(pk))
