"""These forms ask for an amount of money, in the currency's main unit, each with a reason.

A hidden word is drawn when the form is shown and goes to Stripe as the idempotency key: a form that is sent twice, or
again after a crash, acts once.
"""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms

from billing.access import moment
from billing.models import Customer, Invoice, Payment
from billing.money import exponent, format_amount

from .staff_forms import SETTLED, ReasonForm

MOST_PAYMENTS = 20
LARGEST = 10**11
TOO_FINE = "This currency has {} decimals."
NOT_OPEN = "Choose an invoice that is open and sent."
TEXT = forms.TextInput(attrs={"class": "vTextField"})


class OnceForm(ReasonForm):
    once = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        self.fields["once"].initial = str(uuid4())


class AmountForm(OnceForm):
    amount = forms.DecimalField(
        min_value=Decimal("0.001"), max_digits=14, decimal_places=3, error_messages={"required": "Enter an amount."}
    )
    currency = forms.ChoiceField()

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        found = currencies_of(customer)
        field: Any = self.fields["currency"]
        field.choices = [(code, code.upper()) for code in found]
        field.initial = found[0] if found else None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("amount") is not None and given.get("currency"):
            self.put_minor(given, given["currency"])
        return given

    def put_minor(self, given: dict[str, Any], currency: str) -> None:
        """Put the amount into minor units; refuse one that is finer than the currency."""
        minor = given["amount"].scaleb(exponent(currency))
        if minor != minor.to_integral_value():
            self.add_error("amount", TOO_FINE.format(exponent(currency) or "no"))
        else:
            given["minor"] = int(minor)


def currencies_of(customer: Customer) -> list[str]:
    """Return the currencies that the customer pays in, the one that Stripe has settled on first."""
    rows = customer.subscriptions.exclude(currency="").order_by("-counts", "pk").values_list("currency", flat=True)
    paid = customer.payments.order_by("-paid_at").values_list("currency", flat=True)[:MOST_PAYMENTS]
    return list(dict.fromkeys([*filter(None, [customer.currency]), *rows, *paid]))


class PaidChoice(forms.ModelChoiceField):
    def label_from_instance(self, payment: Payment) -> str:
        paid = format_amount(payment.amount, payment.currency)
        return f"{paid}, paid {moment(payment.paid_at)}: {payment.invoice_id}"


def given_back_from(customer: Customer) -> Any:
    """Return the payments that a refund may be of, the newest first."""
    return customer.payments.filter(amount__gt=0).order_by("-paid_at", "-pk")


class RefundForm(OnceForm):
    payment = PaidChoice(
        Payment.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a payment.", "invalid_choice": "Choose a payment of this customer."},
    )
    amount = forms.DecimalField(
        required=False,
        min_value=Decimal("0.001"),
        max_digits=14,
        decimal_places=3,
        help_text="Leave it empty to refund all that is left of the payment.",
    )
    field_order = ["payment", "amount", "reason", "once"]
    put_minor = AmountForm.put_minor

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        newest = given_back_from(customer).values_list("pk", flat=True)[:MOST_PAYMENTS]
        field: Any = self.fields["payment"]
        field.queryset = Payment.objects.filter(pk__in=list(newest)).order_by("-paid_at", "-pk")
        field.initial = field.queryset.first()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        given["minor"] = None
        if given.get("amount") is not None and given.get("payment"):
            self.put_minor(given, given["payment"].currency)
        return given


class CreditForm(AmountForm):
    field_order = ["amount", "currency", "reason", "once"]


class OneOffForm(AmountForm):
    description = forms.CharField(
        max_length=300,
        widget=TEXT,
        help_text="It stands on the invoice, which the customer sees.",
        error_messages={"required": "Say what the invoice is for."},
    )
    days = forms.IntegerField(
        min_value=1, max_value=365, initial=14, label="Due in", help_text="Days after the invoice was sent."
    )
    field_order = ["amount", "currency", "description", "days", "reason", "once"]


def open_sent(customer: Customer) -> Any:
    """Return the invoices that were sent and wait for money."""
    return Invoice.objects.owed().filter(customer=customer, collection_method=Invoice.SENT).order_by("created_at", "pk")


class SentChoice(forms.ModelChoiceField):
    def label_from_instance(self, invoice: Invoice) -> str:
        due = f", due {moment(invoice.due_at)}" if invoice.due_at else ""
        return f"{format_amount(invoice.amount_remaining, invoice.currency)}{due}: {invoice}"


class SendForm(OnceForm):
    invoice = SentChoice(
        Invoice.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": NOT_OPEN, "invalid_choice": SETTLED},
    )
    field_order = ["invoice", "reason", "once"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        field: Any = self.fields["invoice"]
        field.queryset = open_sent(customer)
        field.initial = field.queryset.first()
