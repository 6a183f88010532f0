"""Staff draft an agreement by this form; amounts are written in the currency's main unit."""

from decimal import Decimal
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.contrib.admin.widgets import ForeignKeyRawIdWidget
from django.utils import timezone

from billing import catalogue, clock
from billing.conf import conf
from billing.lifecycle.agreements import AgreementRefused
from billing.models import Agreement, Plan, Price
from billing.money import exponent

from . import people
from .giving import SubscriberSelect
from .staff_forms import ReasonForm

NO_FRACTION = "Write the amount with at most %(digits)s decimals."
# Which field a refusal is about; the others stand above the form.
FIELDS = {
    "price_not_offered": "plan",
    "interval_not_offered": "interval",
    "amount_out_of_range": "amount",
    "currency_not_offered": "currency",
    "quantity_out_of_range": "quantity",
    "days_out_of_range": "days_until_due",
    "trial_out_of_range": "trial_days",
    "discount_unknown": "discount",
    "discount_other_currency": "discount",
    "discount_other_plan": "discount",
    "start_in_past": "starts_on",
    "start_too_far": "starts_on",
    "no_email": "subscriber",
    "account_closing": "subscriber",
}


class AgreementForm(ReasonForm):
    """`key` names this form: sent again, it drafts nothing twice."""

    subscriber: Any = forms.ModelChoiceField(None, error_messages={"required": "Choose a subscriber."})
    plan: Any = forms.ModelChoiceField(Plan.objects.none(), error_messages={"required": "Choose a plan."})
    interval = forms.ChoiceField(choices=Price.Interval.choices, initial=Price.Interval.MONTH)
    interval_count = forms.IntegerField(label="Number of intervals", min_value=1, max_value=1095, initial=1)
    amount = forms.DecimalField(
        label="Agreed amount",
        required=False,
        max_digits=12,
        decimal_places=3,
        help_text="For one unit and interval, before tax, such as 1500.00. Empty: the plan's price.",
    )
    currency: Any = forms.ChoiceField(required=False, help_text="Empty: the currency of the plan's price.")
    quantity = forms.IntegerField(required=False, help_text="Seats or units. Empty: what BILLING_SEATS counts, else 1.")
    days_until_due = forms.IntegerField(label="Days until due")
    po_number = forms.CharField(
        label="Purchase order number", required=False, max_length=140, help_text="Stands on each invoice."
    )
    memo = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="Stands on each invoice. The subscriber sees it.",
    )
    trial_days = forms.IntegerField(
        label="Days of trial", required=False, initial=0, help_text="Days of access before the first invoice."
    )
    discount = forms.CharField(
        required=False, max_length=200, help_text="A coupon or promotion code at Stripe, such as WELCOME."
    )
    starts_on = forms.DateField(
        label="Starts on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Empty: as soon as it is sent.",
        error_messages={"invalid": "Write the day as 2026-12-31."},
    )
    key = forms.CharField(max_length=100, widget=forms.HiddenInput)
    field_order = [
        "subscriber", "plan", "interval", "interval_count", "amount", "currency", "quantity", "days_until_due",
        "po_number", "memo", "trial_days", "discount", "starts_on", "reason", "key",
    ]  # fmt: skip

    def __init__(self, site: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)
        self._offer_subscribers(site)
        plans, currencies = cast("Any", self.fields["plan"]), cast("Any", self.fields["currency"])
        plans.queryset = Plan.objects.exclude(slug=conf.free_plan).order_by("line", "rank")
        sold = catalogue.currencies_of(Plan.objects.prefetch_related("prices"))
        currencies.choices = [("", "the plan's"), *((code, code.upper()) for code in sold)]
        self.fields["days_until_due"].initial = conf.invoice_days
        self.fields["starts_on"].widget.attrs["min"] = timezone.localdate(clock.now()).isoformat()
        self.fields["key"].initial = f"staff:{uuid4()}"

    def _offer_subscribers(self, site: Any) -> None:
        field: Any = self.fields["subscriber"]
        relation: Any = Agreement._meta.get_field("subscriber")
        model = people.subscriber_model()
        is_searched = site.is_registered(model) and site.get_model_admin(model).search_fields
        field.widget = (
            SubscriberSelect(relation, site) if is_searched else ForeignKeyRawIdWidget(relation.remote_field, site)
        )
        field.queryset = model._default_manager.all()

    def minor_amount(self) -> int | None:
        """Return the agreed amount in minor units. Raises `AgreementRefused` for a fraction of one."""
        amount: Decimal | None = self.cleaned_data["amount"]
        if amount is None:
            return None
        digits = exponent(self._currency())
        minor = amount.scaleb(digits)
        if minor != minor.to_integral_value():
            raise AgreementRefused("amount_out_of_range", NO_FRACTION % {"digits": digits})
        return int(minor)

    def _currency(self) -> str:
        """Return the currency in which the amount is written: the one chosen, else the plan's."""
        plan: Plan = self.cleaned_data["plan"]
        model = next((price for price in plan.prices.all() if price.is_active), None) or plan.prices.first()
        return str(self.cleaned_data["currency"] or (model.currency if model else ""))

    def terms(self) -> dict[str, Any]:
        """Return the arguments of `agreements.draft`."""
        given = self.cleaned_data
        names = (
            "interval", "interval_count", "quantity", "days_until_due", "po_number", "memo", "discount", "starts_on",
            "key",
        )  # fmt: skip
        amount = self.minor_amount()
        return {
            "plan": given["plan"].slug,
            "amount": amount,
            "currency": given["currency"] or (self._currency() if amount is not None else ""),
            "trial_days": given["trial_days"] or 0,
            **{name: given[name] for name in names},
        }

    def refuse(self, error: AgreementRefused) -> None:
        """Show a refusal at its field, or above the form."""
        self.add_error(FIELDS.get(error.code), str(error))
