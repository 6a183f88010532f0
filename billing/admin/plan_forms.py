"""These forms ask how a subscription is to go on: cancelled, resumed, on another plan or with another quantity."""

from typing import Any

from django import forms

from billing import catalogue
from billing.lifecycle import seats_by_staff
from billing.models import Customer, Plan, Price
from billing.money import format_amount

from . import at_stripe
from .at_stripe_forms import SubscriptionForm
from .money_forms import OnceForm

ENDS = {"period_end": "At the end of the period", "now": "Now"}


class CancelForm(SubscriptionForm):
    when = forms.ChoiceField(choices=list(ENDS.items()), widget=forms.RadioSelect, initial="period_end", label="Ends")
    field_order = ["subscription", "when", "reason"]


class ResumeForm(SubscriptionForm):
    def rows(self, customer: Customer) -> list[Any]:
        return cancelled_rows(customer)


def cancelled_rows(customer: Customer) -> list[Any]:
    return [row for row in at_stripe.live_rows(customer) if row.cancel_at]


def changeable_rows(customer: Customer) -> list[Any]:
    return [row for row in at_stripe.live_rows(customer) if not row.cancel_at and row.price]


class PriceChoice(forms.ModelChoiceField):
    currency = ""

    def label_from_instance(self, price: Price) -> str:
        amount = catalogue.amounts.cost(price, self.currency, 1)
        words = "by usage" if amount is None else format_amount(amount, self.currency)
        return f"{price.plan}, {words} {price.cadence.adverb}"


class PlanForm(SubscriptionForm):
    price = PriceChoice(
        Price.objects.none(),
        label="To",
        empty_label=None,
        error_messages={"required": "Choose a plan.", "invalid_choice": "This price is not sold any more."},
    )
    field_order = ["subscription", "price", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        rows = changeable_rows(customer)
        field: Any = self.fields["price"]
        field.currency = rows[0].currency if rows else ""
        field.queryset = prices_for(rows)
        field.initial = field.queryset.exclude(pk__in=[row.price_id for row in rows]).first()

    def rows(self, customer: Customer) -> list[Any]:
        return changeable_rows(customer)


def prices_for(rows: list[Any]) -> Any:
    """Return the prices that are sold in the lines and currencies of these subscriptions."""
    plans = Plan.objects.filter(is_public=True, line__in={row.line for row in rows}).prefetch_related("prices__plan")
    sold = [price for plan in plans for price in plan.prices.all() if price.is_active]
    of = {row.currency for row in rows}
    fitting = [price.pk for price in sold if of & set(catalogue.amounts.currencies(price))]
    return Price.objects.filter(pk__in=fitting).select_related("plan").order_by("plan__rank", "interval", "pk")


class QuantityForm(SubscriptionForm, OnceForm):
    quantity = forms.IntegerField(
        min_value=1, max_value=seats_by_staff.MOST, error_messages={"required": "Enter a number."}
    )
    field_order = ["subscription", "quantity", "reason", "once"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        rows = changeable_rows(customer)
        self.fields["quantity"].initial = rows[0].quantity if rows else None

    def rows(self, customer: Customer) -> list[Any]:
        return changeable_rows(customer)
