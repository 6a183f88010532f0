"""The admin shows and finds subscribers, whose model is a setting and may have no e-mail address."""

from typing import Any

from django.apps import apps
from django.db.models import Model

from billing.conf import conf
from billing.models import Customer, email_field

from . import display


def email_paths(subscriber: str = "subscriber") -> list[str]:
    """Return search paths to the subscriber's e-mail address, along the relation `subscriber`."""
    name = email_field()
    return [f"{subscriber}__{name}"] if name else []


def is_known(address: str) -> bool:
    """Return whether a subscriber has this e-mail address, even one who never was a customer."""
    name = email_field()
    model = apps.get_model(conf.subscriber_model)
    return bool(name) and model._default_manager.filter(**{f"{name}__iexact": address}).exists()


def name_of(customer: Customer) -> str:
    """Return the subscriber's own name; for a customer without a subscriber, what Stripe knew."""
    subscriber: Model | None = customer.subscriber
    return str(subscriber) if subscriber is not None else customer.email or "no subscriber"


def link(customer: Customer) -> Any:
    """Return the name, linked to the subscriber's page."""
    return display.row_link("customer", customer.pk, display.breakable(name_of(customer)))
