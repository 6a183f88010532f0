"""The host project chooses the subscriber model by a setting."""

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from billing.conf import conf


def email_field() -> str | None:
    """Return the name of the e-mail field of the subscriber model, or None where it has none."""
    model = apps.get_model(conf.subscriber_model)
    name = getattr(model, "EMAIL_FIELD", None) or "email"
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return name
