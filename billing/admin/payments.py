"""Staff see payments, failed payments, refunds, disputes, and which charge belongs to which invoice."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from billing.models import Dispute, Invoice, InvoicePayment, Payment, PaymentFailure, Refund

from . import balance_words, display, export_columns, payment_words
from .customers import OfCustomerAdmin
from .list_export import ExportedList
from .outcome_filter import OutcomeFilter
from .values_filter import ValuesFilter


class MoneyAdmin(OfCustomerAdmin):
    """This admin shows amounts, which are kept in minor units, in the reader's language."""

    list_filter: Any = ["currency"]
    facts: tuple[str, ...] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, Any]]:
        """Return the summary first, then all fields that the reader may see."""
        may_view = request.user.has_perm(balance_words.PERMISSION)
        facts = [name for name in self.facts if may_view or name != "on_balance"]
        return [
            (None, {"fields": ["headline"], "classes": ["billing-answer"]}),
            ("Facts", {"fields": facts, "classes": ["billing-facts"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["headline", *self.facts]

    @display.column("what")
    def headline(self, row: Any) -> Any:
        state, sentence = self.in_words(row)
        return display.lines(display.side_by_side([display.strong(self.money(row)), state or ""]), sentence)

    def in_words(self, row: Any) -> tuple[Any, str]:
        """Return the status as a badge, with its meaning."""
        raise NotImplementedError

    @display.column("amount", ordering="amount")
    def money(self, row: Any) -> Any:
        return display.amount(row.amount, row.currency)

    @display.column("invoice")
    def invoice(self, row: Any) -> Any:
        return display.at_stripe(row.invoice_id)

    @display.column("subscription")
    def subscription(self, row: Any) -> Any:
        return display.at_stripe(row.subscription_id)

    @display.column("charge")
    def charge_link(self, row: Any) -> Any:
        return display.at_stripe(row.charge)

    @display.column("on Stripe's balance")
    def on_balance(self, row: Any) -> Any:
        """Return what moved there, refunds and disputes of a payment included."""
        is_payment = isinstance(row, Payment)
        return balance_words.lines(
            balance_words.of_invoice(row.invoice_id) if is_payment else balance_words.of_source(row.pk)
        )

    @display.column("payment intent")
    def intent(self, row: Any) -> Any:
        return display.at_stripe(row.payment_intent)


class CurrencyFilter(ValuesFilter):
    """Offer the currencies that occur; there are few."""

    title = "currency"


DECLINE_CODES = ("decline_code", ValuesFilter)


@admin.register(Payment)
class PaymentAdmin(ExportedList, MoneyAdmin):
    export_columns = export_columns.PAYMENT
    list_display = ["money", "subscriber", "why", "paid", "receipt"]
    list_filter = ["paid_at", "bought_nothing", "billing_reason", ("currency", CurrencyFilter)]
    ordering = ["-paid_at"]
    ids_searched = ("invoice_id", "subscription_id")
    facts = ("subscriber", "reason", "invoice", "subscription", "period", "invoiced", "paid", "receipt", "on_balance")

    def in_words(self, payment: Payment) -> tuple[Any, str]:
        if payment.bought_nothing:
            return display.badge("bought nothing", "bad"), payment_words.BOUGHT_NOTHING
        return display.badge("paid", "good"), ""

    @display.column("reason", ordering="billing_reason")
    def reason(self, payment: Payment) -> str:
        return payment_words.reason(payment)

    @display.column("reason", ordering="billing_reason")
    def why(self, payment: Payment) -> Any:
        return display.lines(self.reason(payment), self.invoice(payment))

    @display.column("paid", ordering="paid_at")
    def paid(self, payment: Payment) -> Any:
        return display.moment(payment.paid_at)

    @display.column("invoiced")
    def invoiced(self, payment: Payment) -> Any:
        return display.moment(payment.invoiced_at)

    @display.column("paid for")
    def period(self, payment: Payment) -> Any:
        return display.span(payment.period_start, payment.period_end)

    @display.column("receipt")
    def receipt(self, payment: Payment) -> Any:
        return payment_words.receipt(payment)


@admin.register(Invoice)
class InvoiceAdmin(ExportedList, MoneyAdmin):
    export_columns = export_columns.INVOICE
    list_display = ["money", "subscriber", "state", "due", "invoice", "created"]
    list_filter = [
        "status",
        "payment",
        "purpose",
        "collection_method",
        "lacks_address",
        "created_at",
        ("currency", CurrencyFilter),
    ]
    ordering = ["-created_at"]
    ids_searched = ("id", "subscription_id", "number")
    facts = (
        "subscriber",
        "purpose",
        "description",
        "invoice",
        "subscription",
        "net",
        "tax",
        "remaining",
        "due",
        "created",
        "paid",
    )

    def in_words(self, invoice: Invoice) -> tuple[Any, str]:
        return payment_words.invoice_status(invoice), payment_words.about_address(invoice)

    @display.column("net")
    def net(self, invoice: Invoice) -> Any:
        return display.amount(invoice.net, invoice.currency)

    @display.column("tax")
    def tax(self, invoice: Invoice) -> Any:
        return "reverse charge" if invoice.is_reverse_charged else display.amount(invoice.tax, invoice.currency)

    @display.column("amount", ordering="total")
    def money(self, invoice: Invoice) -> Any:
        return display.amount(invoice.total, invoice.currency)

    @display.column("remaining")
    def remaining(self, invoice: Invoice) -> Any:
        return display.amount(invoice.amount_remaining, invoice.currency)

    @display.column("status", ordering="status")
    def state(self, invoice: Invoice) -> Any:
        return display.lines(payment_words.invoice_status(invoice), invoice.get_purpose_display())

    @display.column("invoice")
    def invoice(self, invoice: Invoice) -> Any:
        return display.at_stripe(invoice.pk)

    @display.column("due", ordering="due_at")
    def due(self, invoice: Invoice) -> Any:
        return display.day(invoice.due_at)

    @display.column("created", ordering="created_at")
    def created(self, invoice: Invoice) -> Any:
        return display.moment(invoice.created_at)

    @display.column("paid", ordering="paid_at")
    def paid(self, invoice: Invoice) -> Any:
        return display.moment(invoice.paid_at)


@admin.register(PaymentFailure)
class PaymentFailureAdmin(MoneyAdmin):
    list_display = ["money", "subscriber", "what_failed", "since", "failed"]
    list_filter = ["failed_at", OutcomeFilter, DECLINE_CODES, "is_action_required", ("currency", CurrencyFilter)]
    ordering = ["-failed_at"]
    ids_searched = ("invoice_id",)
    facts = ("subscriber", "what_failed", "invoice", "subscription", "failed", "next_try", "page")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentFailure]:
        paid = Payment.objects.filter(invoice_id=OuterRef("invoice_id"))
        return super().get_queryset(request).annotate(is_paid=Exists(paid))

    def in_words(self, failure: Any) -> tuple[Any, str]:
        return payment_words.what_came_of(failure), payment_words.what_is_next(failure)

    @display.column("outcome")
    def since(self, failure: Any) -> Any:
        return display.lines(payment_words.what_came_of(failure), payment_words.what_is_next(failure))

    @display.column("error", ordering="attempt")
    def what_failed(self, failure: PaymentFailure) -> Any:
        return payment_words.what_failed(failure)

    @display.column("failed", ordering="failed_at")
    def failed(self, failure: PaymentFailure) -> Any:
        return display.moment(failure.failed_at)

    @display.column("next attempt")
    def next_try(self, failure: PaymentFailure) -> Any:
        return display.moment(failure.next_attempt_at) or "none scheduled"

    @display.column("payment page")
    def page(self, failure: PaymentFailure) -> Any:
        return display.outside_link(failure.hosted_invoice_url, "Invoice")


@admin.register(Refund)
class RefundAdmin(ExportedList, MoneyAdmin):
    export_columns = export_columns.REFUND
    list_display = ["money", "subscriber", "state", "refund", "created"]
    list_filter = ["created_at", "is_full", ("currency", CurrencyFilter)]
    ordering = ["-created_at"]
    ids_searched = ("id", "charge", "payment_intent", "invoice_id")
    facts = ("subscriber", "created", "refund", "invoice", "charge_link", "intent", "on_balance")

    def in_words(self, refund: Refund) -> tuple[Any, str]:
        undone = payment_words.UNDONE_END if refund.ended_subscription else ""
        return payment_words.refund_status(refund), f"{payment_words.REFUND_SENTENCES.get(refund.status, '')}{undone}"

    @display.column("status", ordering="status")
    def state(self, refund: Refund) -> Any:
        return payment_words.refund_status(refund)

    @display.column("refund")
    def refund(self, refund: Refund) -> Any:
        return display.at_stripe(refund.pk)

    @display.column("created", ordering="created_at")
    def created(self, refund: Refund) -> Any:
        return display.moment(refund.created_at)


@admin.register(Dispute)
class DisputeAdmin(MoneyAdmin):
    list_display = ["money", "subscriber", "state", "why", "opened"]
    list_filter = ["opened_at", ("status", ValuesFilter), ("currency", CurrencyFilter)]
    ordering = ["-opened_at"]
    ids_searched = ("id", "charge", "payment_intent", "invoice_id")
    facts = (
        "subscriber",
        "reason",
        "opened",
        "answer_until",
        "dispute",
        "charge_link",
        "intent",
        "invoice",
        "on_balance",
    )

    def in_words(self, dispute: Dispute) -> tuple[Any, str]:
        return payment_words.dispute_status(dispute), payment_words.dispute_sentence(dispute)

    @display.column("status", ordering="status")
    def state(self, dispute: Dispute) -> Any:
        return display.lines(payment_words.dispute_status(dispute), payment_words.due(dispute))

    @display.column("reason", ordering="reason")
    def why(self, dispute: Dispute) -> Any:
        return display.lines(self.reason(dispute), display.at_stripe(dispute.pk))

    @display.column("answer until", ordering="evidence_due_at")
    def answer_until(self, dispute: Dispute) -> Any:
        return display.moment(dispute.evidence_due_at)

    @display.column("reason", ordering="reason")
    def reason(self, dispute: Dispute) -> str:
        return dispute.reason.replace("_", " ")

    @display.column("dispute")
    def dispute(self, dispute: Dispute) -> Any:
        return display.at_stripe(dispute.pk)

    @display.column("opened", ordering="opened_at")
    def opened(self, dispute: Dispute) -> Any:
        return display.moment(dispute.opened_at)


@admin.register(InvoicePayment)
class InvoicePaymentAdmin(MoneyAdmin):
    list_display = ["invoice_payment", "subscriber", "invoice", "intent", "charge_link", "subscription"]
    list_filter = []
    ordering = ["-pk"]
    ids_searched = ("id", "invoice_id", "payment_intent", "charge")
    facts = ("invoice_payment", "subscriber", "invoice", "intent", "charge_link", "subscription")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, Any]]:
        return super().get_fieldsets(request, obj)[1:]

    @display.column("invoice payment", ordering="id")
    def invoice_payment(self, row: InvoicePayment) -> Any:
        return display.plain_id(row.pk)
