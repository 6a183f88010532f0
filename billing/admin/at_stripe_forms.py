"""These forms ask what Stripe is to do about a subscription, each with a reason."""

from typing import Any

from django import forms

from billing.models import Customer, Discount
from billing.subscriptions import discounts

from . import at_stripe
from .staff_forms import ENDED, DayForm, ReasonForm

NO_END = "Choose a day, so that the link does not work for ever."


class SubscriptionForm(ReasonForm):
    """This form is about one of the customer's subscriptions."""

    subscription = forms.ChoiceField(error_messages={"invalid_choice": ENDED})
    field_order = ["subscription", "coupon", "until", "access", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        field: Any = self.fields["subscription"]
        rows = self.rows(customer)
        field.choices = [(row.stripe_id, f"{row.plan or row.line}: {row.stripe_id}") for row in rows]
        field.initial = rows[0].stripe_id if rows else None

    def rows(self, customer: Customer) -> list[Any]:
        return at_stripe.live_rows(customer)


class DiscountForm(SubscriptionForm):
    coupon = forms.CharField(
        label="Coupon or code",
        max_length=200,
        help_text="The id of a coupon at Stripe, or a promotion code.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        error_messages={"required": "Enter the coupon or the promotion code."},
    )


class DiscountChoice(forms.ModelChoiceField):
    def label_from_instance(self, discount: Discount) -> str:
        coupon = discounts.coupon_of(discount)
        off = f"{coupon.percent_off:g}% off" if coupon.percent_off is not None else "amount off"
        named = discount.code or discount.name or discount.coupon
        return f"{off}, {named}: {discount.subscription.stripe_id}"


class EndDiscountForm(ReasonForm):
    discount = DiscountChoice(
        Discount.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": ENDED, "required": "Choose a discount."},
    )
    field_order = ["discount", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        theirs = customer.discounts.filter(is_of_customer=False).select_related("subscription")
        field: Any = self.fields["discount"]
        field.queryset = theirs.filter(subscription__in=[row.pk for row in at_stripe.live_rows(customer)])
        field.initial = field.queryset.first()


class LinkForm(DayForm):
    coupon = forms.CharField(
        max_length=200,
        help_text="The id of a coupon at Stripe.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        error_messages={"required": "Enter the coupon."},
    )
    field_order = ["coupon", "until", "reason"]

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        self.fields["until"].required = True
        self.fields["until"].help_text = "After that day the link shows the prices without a discount."
        self.fields["until"].error_messages["required"] = NO_END


class PauseForm(SubscriptionForm, DayForm):
    access = forms.ChoiceField(choices=list(at_stripe.KINDS.items()), widget=forms.RadioSelect, label="Meanwhile")

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        self.fields["access"].initial = next(iter(at_stripe.KINDS))
        self.fields["until"].help_text = "Leave it empty to pause until somebody resumes the payments."


class ResumeForm(SubscriptionForm):
    def rows(self, customer: Customer) -> list[Any]:
        return [row for row in at_stripe.live_rows(customer) if row.collection_paused]
