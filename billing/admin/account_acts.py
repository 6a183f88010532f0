"""Staff write a note about a customer, and make a second customer at Stripe one of the same subscriber's."""

from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from billing.lifecycle import by_hand
from billing.models import Customer

from . import people
from .action import Given
from .staff_forms import ReasonForm

NOTE = "Note"
SHOWN = 5


class NoteForm(ReasonForm):
    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        self.fields["reason"].label = "Note"
        self.fields["reason"].error_messages["required"] = "Write the note."


class MergeForm(ReasonForm):
    other = forms.CharField(
        label="Their other customer",
        max_length=255,
        help_text="Stripe's id of the customer, such as cus_123.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        error_messages={"required": "Enter the customer's id."},
    )
    field_order = ["other", "reason"]

    def clean_other(self) -> str:
        other = str(self.cleaned_data["other"]).strip()
        if by_hand.linkable(other) is None:
            raise forms.ValidationError(by_hand.NOT_FREE)
        return other


def notes_of(customer: Customer) -> list[tuple[str, Any, str]]:
    """Return the newest notes: text, time, author."""
    about = ContentType.objects.get_for_model(Customer)
    found = LogEntry.objects.filter(content_type=about, object_id=customer.pk, change_message__startswith=f"{NOTE}: ")
    rows = found.select_related("user").order_by("-action_time", "-pk")[:SHOWN]
    return [(row.change_message.removeprefix(f"{NOTE}: "), row.action_time, str(row.user)) for row in rows]


def can_be_noted(customer: Customer) -> bool:
    return True


def about_note(customer: Customer) -> list[str]:
    return ["The note stands at the top of this page, and in its history. It is deleted with the account."]


def note(customer: Customer, given: Given) -> str:
    return NOTE


def may_merge(customer: Customer) -> bool:
    return customer.subscriber is not None and customer.deleted_at is None


def about_merging(customer: Customer) -> list[str]:
    return [
        "Somebody who paid under another address, or without an account, has a customer at Stripe that nobody owns.",
        "That customer becomes this subscriber's: what it pays for is theirs from now on.",
        "Stripe keeps both customers. If both pay for the same plan, you are told, and cancel one.",
    ]


def preview_merging(customer: Customer, given: Given) -> list[str]:
    other = Customer.objects.get(pk=given["other"])
    rows = other.subscriptions.exclude(stripe_id="").select_related("plan").order_by("-counts", "pk")
    held = ", ".join(f"{row.plan or 'no plan'} ({row.status.replace('_', ' ')})" for row in rows)
    return [
        f"{other.pk} ({other.email or 'no address'}) becomes a customer of {people.name_of(customer)}.",
        f"It has: {held or 'no subscription'}, and {other.payments.count()} payments.",
    ]


def merge(customer: Customer, given: Given) -> str:
    by_hand.link(customer.subscriber, given["other"])
    return f"Linked the customer {given['other']} too"
