"""Each action of staff has a form, which always asks for a reason."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from billing import clock
from billing.access import moment
from billing.conf import conf
from billing.models import Customer, Hold, Payment, Plan
from billing.money import format_amount
from billing.payments import nothing
from billing.subscriptions import doubts

LONGEST = timedelta(days=3660)
OVER = "This hold has already been released. Nothing was changed."
DECIDED = "This payment was refunded or kept already. Nothing was changed."
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

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
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


class CompForm(ReasonForm):
    plan = forms.ModelChoiceField(Plan.objects.none(), empty_label=None)
    until = forms.DateField(
        label="Until the end of",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day as 2026-12-31."},
    )
    replaces = forms.IntegerField(required=False, widget=forms.HiddenInput)
    field_order = ["plan", "until", "reason", "replaces"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        self.fields["replaces"].initial = customer.comps.open().values_list("pk", flat=True).first()
        today = timezone.localdate(clock.now())
        self.fields["until"].widget.attrs["min"] = today.isoformat()
        plans: Any = self.fields["plan"]
        plans.queryset = Plan.objects.exclude(slug=conf.free_plan)

    def clean_until(self) -> datetime:
        """Return the midnight that ends the chosen day."""
        day, now = self.cleaned_data["until"], clock.now()
        today = timezone.localdate(now)
        if day < today:
            raise forms.ValidationError(NOT_AHEAD)
        if day > today + LONGEST:
            raise forms.ValidationError(TOO_FAR)
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
