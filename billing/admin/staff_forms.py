"""Each action of staff has a form, which always asks for a reason."""

from datetime import datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone

from billing import clock
from billing.access import moment, words
from billing.conf import conf
from billing.models import Customer, Grant, Hold, Invoice, Payment, Plan, PlanLimit, Subscription, TaxId
from billing.money import format_amount
from billing.payments import nothing
from billing.subscriptions import doubts, grants

from . import trial_moves

LONGEST = timedelta(days=3660)
OVER = "This hold has already been released. Nothing was changed."
SETTLED = "This invoice is paid, void or being paid by a bank already. Nothing was changed."
FINALIZED = "This invoice does not wait for an address any more. Nothing was changed."
JUDGED = "This tax ID was verified, accepted or removed already. Nothing was changed."
DECIDED = "This payment was refunded or kept already. Nothing was changed."
ENDED = "This has ended already. Nothing was changed."
EITHER = "Choose either a plan or a feature."
OF_A_FEATURE = "Only a feature has a quantity."
KNOWN = "This price has been given to a plan or kept already. Nothing was changed."
NOT_AHEAD = "Choose a day in the future."
TOO_FAR = "Choose a day in the next ten years."


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="Your colleagues see it with your name. The subscriber does not see it.",
        error_messages={"required": "Enter a reason, so that your colleagues can find it later."},
    )

    def __init__(self, customer: Customer | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer


class HoldChoice(forms.ModelChoiceField):
    def label_from_instance(self, hold: Hold) -> str:
        why = hold.reason or hold.reference
        return f"{hold.get_kind_display()}, since {moment(hold.placed_at)}: {why}"


class ReleaseForm(ReasonForm):
    hold = HoldChoice(
        Hold.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": OVER, "required": "Choose a hold."},
    )
    field_order = ["hold", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        in_force = customer.holds.active().order_by("placed_at", "pk")
        field: Any = self.fields["hold"]
        field.queryset = in_force
        field.initial = in_force.first()


class PaymentChoice(forms.ModelChoiceField):
    def label_from_instance(self, payment: Payment) -> str:
        return (
            f"{format_amount(payment.amount, payment.currency)}, paid {moment(payment.paid_at)}: {payment.invoice_id}"
        )


class PaymentForm(ReasonForm):
    payment = PaymentChoice(
        Payment.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": DECIDED, "required": "Choose a payment."},
    )
    field_order = ["payment", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        waiting = nothing.waiting().filter(customer=customer).order_by("paid_at", "pk")
        field: Any = self.fields["payment"]
        field.queryset = waiting
        field.initial = waiting.first()


def voidable(customer: Customer) -> Any:
    """Return the invoices that wait for money, but for those that a bank is paying already."""
    owed = Invoice.objects.owed().filter(customer=customer).exclude(payment=Invoice.Standing.PROCESSING)
    return owed.order_by("created_at", "pk")


class InvoiceChoice(forms.ModelChoiceField):
    def label_from_instance(self, invoice: Invoice) -> str:
        what = invoice.description if invoice.is_one_off else invoice.get_purpose_display()
        return f"{format_amount(invoice.amount_remaining, invoice.currency)}, {what or 'one-off'}: {invoice.pk}"


class InvoiceForm(ReasonForm):
    invoice = InvoiceChoice(
        Invoice.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": SETTLED, "required": "Choose an invoice."},
    )
    field_order = ["invoice", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        field: Any = self.fields["invoice"]
        field.queryset = voidable(customer)
        field.initial = voidable(customer).first()


def finalizable(customer: Customer) -> Any:
    """Return the drafts that wait for an address."""
    return Invoice.objects.awaiting_address().filter(customer=customer).order_by("created_at", "pk")


class DraftChoice(forms.ModelChoiceField):
    def label_from_instance(self, invoice: Invoice) -> str:
        return f"{format_amount(invoice.total, invoice.currency)}: {invoice.pk}"


class DraftForm(ReasonForm):
    invoice = DraftChoice(
        Invoice.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": FINALIZED, "required": "Choose an invoice."},
    )
    field_order = ["invoice", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        field: Any = self.fields["invoice"]
        field.queryset = finalizable(customer)
        field.initial = finalizable(customer).first()


class TaxIdForm(ReasonForm):
    tax_id = forms.ModelChoiceField(
        TaxId.objects.none(),
        label="Tax ID",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": JUDGED, "required": "Choose a tax ID."},
    )
    field_order = ["tax_id", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        doubtful = TaxId.objects.doubtful().filter(customer=customer)
        field: Any = self.fields["tax_id"]
        field.queryset = doubtful
        field.initial = doubtful.first()


def grants_of(customer: Customer) -> Any:
    return Grant.objects.filter(subscriber=customer.subscriber_id) if customer.subscriber_id else Grant.objects.none()


def open_grants(customer: Customer) -> Any:
    return grants_of(customer).open().select_related("plan").order_by("granted_at", "pk")


def newest_grant(customer: Customer) -> int | None:
    newest: int | None = grants_of(customer).order_by("-pk").values_list("pk", flat=True).first()
    return newest


class UnknownPriceForm(ReasonForm):
    price = forms.ChoiceField(error_messages={"invalid_choice": KNOWN, "required": "Choose a price."})
    field_order = ["price", "plan", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        ids = dict.fromkeys(row.unmapped_price for row in doubts.unknown_of(customer))
        price: Any = self.fields["price"]
        price.choices = [(price_id, price_id) for price_id in ids]
        price.initial = next(iter(ids), None)


class MapPriceForm(UnknownPriceForm):
    plan = forms.ModelChoiceField(Plan.objects.none())

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        plans: Any = self.fields["plan"]
        plans.queryset = Plan.objects.order_by("line", "rank")


class DayForm(ReasonForm):
    until = forms.DateField(
        label="Until the end of",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Leave it empty to give it for good.",
        error_messages={"invalid": "Write the day as 2026-12-31."},
    )

    def __init__(self, customer: Customer | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        self.fields["until"].widget.attrs["min"] = timezone.localdate(clock.now()).isoformat()

    def clean_until(self) -> datetime | None:
        """Return the midnight that ends the chosen day; None for good."""
        day, today = self.cleaned_data["until"], timezone.localdate(clock.now())
        if day is None:
            return None
        if day < today:
            raise forms.ValidationError(NOT_AHEAD)
        if day > today + LONGEST:
            raise forms.ValidationError(TOO_FAR)
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


class GiftForm(DayForm):
    """This form says what is given: a plan, or a feature with or without a quantity, until a day or for good."""

    plan = forms.ModelChoiceField(Plan.objects.none(), required=False, empty_label="no plan, but a feature")
    feature = forms.ChoiceField(required=False)
    quantity = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=grants.MOST_QUANTITY,
        help_text="Of the feature: what is added to the limit of each month. Empty: no limit.",
    )

    def __init__(self, customer: Customer | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        plans, features = cast("Any", self.fields["plan"]), cast("Any", self.fields["feature"])
        plans.queryset = Plan.objects.exclude(slug=conf.free_plan)
        names = PlanLimit.objects.order_by("feature").values_list("feature", flat=True).distinct()
        features.choices = [("", "no feature"), *((name, name) for name in names)]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors and bool(given["plan"]) == bool(given["feature"]):
            raise forms.ValidationError(EITHER)
        if given.get("quantity") and not given.get("feature"):
            self.add_error("quantity", OF_A_FEATURE)
        return given


class GrantForm(GiftForm):
    newest = forms.IntegerField(required=False, widget=forms.HiddenInput)
    field_order = ["plan", "feature", "quantity", "until", "reason", "newest"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        self.fields["newest"].initial = newest_grant(customer)


class GrantChoice(forms.ModelChoiceField):
    def label_from_instance(self, grant: Grant) -> str:
        return words.capitalized(words.given(grant))


class EndGrantForm(ReasonForm):
    grant = GrantChoice(
        Grant.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": ENDED, "required": "Choose what was given."},
    )
    field_order = ["grant", "until", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        field: Any = self.fields["grant"]
        field.queryset = open_grants(customer)
        field.initial = open_grants(customer).first()


class ExtendForm(EndGrantForm, DayForm):
    """This form chooses a grant and its new end."""


class TrialForm(ReasonForm):
    """This form chooses a trial that runs."""

    subscription = trial_moves.TrialChoice(
        Subscription.objects.none(),
        label="Trial",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": trial_moves.OVER, "required": "Choose a trial."},
    )
    field_order = ["subscription", "until", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        field: Any = self.fields["subscription"]
        field.queryset = trial_moves.movable(customer)
        field.initial = trial_moves.movable(customer).first()


class ExtendTrialForm(TrialForm, DayForm):
    """This form chooses a trial and its later end, two years from now at most."""

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        self.fields["until"].required = True
        self.fields["until"].help_text = "The first payment is charged when this day ends."

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        row, until = given.get("subscription"), given.get("until")
        if until and trial_moves.too_long(until):
            self.add_error("until", trial_moves.REFUSED_AS_TOO_LONG)
        elif row and until and until <= row.trial_end:
            self.add_error("until", trial_moves.NOT_LATER.format(moment(row.trial_end)))
        return given
