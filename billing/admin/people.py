"""How a subscriber is shown and found: the model is a setting, and may have no e-mail address of its own."""

from typing import Any

from django.apps import apps
from django.db.models import Model

from billing.conf import conf
from billing.models import Customer, email_field

from . import display


def email_paths(subscriber: str = "subscriber") -> list[str]:
    """Search paths to the subscriber's e-mail address, along the relation `subscriber`."""
    name = email_field()
    return [f"{subscriber}__{name}"] if name else []


def is_known(address: str) -> bool:
    """Whether a subscriber, who may never have been a customer, has this e-mail address."""
    name = email_field()
    model = apps.get_model(conf.subscriber_model)
    return bool(name) and model._default_manager.filter(**{f"{name}__iexact": address}).exists()


def name_of(customer: Customer) -> str:
    """Who pays, in the subscriber model's own words; a customer without one by what Stripe knew."""
    subscriber: Model | None = customer.subscriber
    return str(subscriber) if subscriber is not None else customer.email or "no subscriber"


def link(customer: Customer) -> Any:
    """The name, leading to the page that tells all about them."""
    return display.row_link("customer", customer.pk, display.breakable(name_of(customer)))
