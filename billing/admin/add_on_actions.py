"""Staff change how many of an add-on a subscriber has: more is charged now, less waits for the end of the period."""

from typing import Any

from django import forms

from billing.access import moment
from billing.lifecycle import Effect, add_ons, live_subscription
from billing.models import AddOn, Customer
from billing.money import format_amount

from . import at_stripe
from .at_stripe_forms import SubscriptionForm

Given = dict[str, Any]


class AddOnForm(SubscriptionForm):
    add_on = forms.ModelChoiceField(
        AddOn.objects.none(), empty_label=None, error_messages={"required": "Choose an add-on."}
    )
    quantity = forms.IntegerField(
        min_value=0,
        max_value=1_000_000,
        help_text="How many there are to be; 0 removes it.",
        error_messages={"required": "Enter a number."},
    )
    field_order = ["subscription", "add_on", "quantity", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        field: Any = self.fields["add_on"]
        field.queryset = _choices(customer)
        field.initial = field.queryset.first()


def about(customer: Customer) -> list[str]:
    held = [f"{count} × {slug}" for row in at_stripe.live_rows(customer) for slug, count in row.add_ons.items()]
    return [
        f"Current add-ons: {', '.join(held) or 'none'}.",
        "More is charged now, to the card of the subscription, and counts when it is paid.",
        "Less takes effect at the end of the period. Nothing is paid back.",
    ]


def may_change(customer: Customer) -> bool:
    return at_stripe.has_live(customer) and _choices(customer).exists()


def preview(customer: Customer, given: Given) -> list[str]:
    now = live_subscription.standing_with(customer, given["subscription"])
    found = add_ons.preview_of(customer.subscriber, now, given["add_on"], given["quantity"])
    if found.effect is None:
        return ["There are as many already, or it was chosen before. Nothing changes."]
    if found.effect == Effect.TAKES_BACK:
        return ["The pending change is cancelled. Nothing is charged."]
    at = f"on {moment(found.takes_effect_at)}" if found.effect == Effect.PERIOD_END else "now"
    said = [f"It takes effect {at}. {format_amount(found.amount_due, found.currency)} is charged now."]
    if found.renewal_amount is not None:
        said.append(
            f"At each renewal it costs {format_amount(found.renewal_amount, found.currency)}, before discounts."
        )
    over = "{0.used} of {0.feature} are used in this period, {0.over_by} more than there would be."
    return [*said, *(over.format(row) for row in found.overflows)]


def change(customer: Customer, given: Given) -> str:
    now = live_subscription.standing_with(customer, given["subscription"])
    add_on, quantity, had = given["add_on"], given["quantity"], now.add_ons.get(given["add_on"].slug, 0)
    add_ons.change_quantity(now, add_on, quantity)
    when = ", from the next period on" if quantity < had and not now.is_trial else ""
    return f"Changed {add_on.slug} from {had} to {quantity}{when}"


def _choices(customer: Customer) -> Any:
    """Return the add-ons that are sold, or that a subscription has."""
    held = {slug for row in at_stripe.live_rows(customer) for slug in row.add_ons}
    return AddOn.objects.filter(is_public=True) | AddOn.objects.filter(slug__in=held)
