"""The admin shows and finds subscribers, whose model is a setting and may have no e-mail address."""

from typing import Any

from django.apps import apps
from django.contrib.admin.utils import quote
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from billing.conf import conf
from billing.models import Customer, email_field, listed_subscribers

from . import display


def email_paths(subscriber: str = "subscriber") -> list[str]:
    """Return search paths to the subscriber's e-mail address, along the relation `subscriber`."""
    name = email_field()
    return [f"{subscriber}__{name}"] if name else []


def subscriber_model() -> type[Model]:
    model: type[Model] = apps.get_model(conf.subscriber_model)
    return model


def is_key(text: Any) -> bool:
    """Return whether this may be the primary key of a subscriber."""
    try:
        return bool(subscriber_model()._meta.pk.to_python(text))
    except ValidationError:
        return False


def view_permission() -> str:
    """Return the permission to see subscribers."""
    meta = subscriber_model()._meta
    return f"{meta.app_label}.view_{meta.model_name}"


def with_address(address: str) -> Model | None:
    """Return a subscriber with this e-mail address, even one who never was a customer."""
    name = email_field()
    return listed_subscribers().filter(**{f"{name}__iexact": address}).first() if name else None


def subscriber_link(subscriber: Model) -> Any:
    """Return the subscriber's name, linked to their own page if the admin has one."""
    try:
        address = reverse(f"admin:{subscriber._meta.label_lower.replace('.', '_')}_change", args=[quote(subscriber.pk)])
    except NoReverseMatch:
        return str(subscriber)
    return format_html('<a href="{}">{}</a>', address, subscriber)


def name_of(customer: Customer) -> str:
    """Return the subscriber's own name; for a customer without a subscriber, what Stripe knew."""
    subscriber: Model | None = customer.subscriber
    return str(subscriber) if subscriber is not None else customer.email or "no subscriber"


def link(customer: Customer) -> Any:
    """Return the name, linked to the subscriber's page."""
    return display.row_link("customer", customer.pk, display.breakable(name_of(customer)))


def subscriber_or_customer_link(subscriber: Any) -> Any:
    """Return the subscriber's name, linked to the page of their current customer if there is one."""
    customer = next((each for each in subscriber.billing_customers.all() if each.is_current), None)
    return link(customer) if customer else display.breakable(str(subscriber))
