"""The host project chooses the subscriber model by a setting.

Subscribers are read on the default database, where our rows are: the host's router may read its own models on a
replica, which does not have yet what was just written.
"""

from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor, ForwardOneToOneDescriptor

from billing.conf import conf


def all_subscribers() -> models.QuerySet[Any]:
    """Return all subscribers, as the default database has them."""
    model: Any = apps.get_model(conf.subscriber_model)
    return model._base_manager.using(DEFAULT_DB_ALIAS)


def listed_subscribers() -> models.QuerySet[Any]:
    """Return the subscribers that the model's own manager lists, as the default database has them."""
    model: Any = apps.get_model(conf.subscriber_model)
    return model._default_manager.using(DEFAULT_DB_ALIAS)


class _OnDefault:
    def get_queryset(self, **hints: Any) -> Any:
        return super().get_queryset(**hints).using(DEFAULT_DB_ALIAS)  # type: ignore[misc]


class _Accessor(_OnDefault, ForwardManyToOneDescriptor):
    """`row.subscriber` is read on the default database."""


class _OneAccessor(_OnDefault, ForwardOneToOneDescriptor):
    """The same of a column that names each subscriber once."""


class SubscriberKey(models.ForeignKey):
    """This column names a subscriber."""

    forward_related_accessor_class = _Accessor

    def deconstruct(self) -> Any:
        """Return the field as migrations write it: the database has a plain foreign key."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs


class OneSubscriberKey(models.OneToOneField):
    """This column names a subscriber, and each only once."""

    forward_related_accessor_class = _OneAccessor

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.OneToOneField", args, kwargs


def email_field() -> str | None:
    """Return the name of the e-mail field of the subscriber model, or None where it has none."""
    model = apps.get_model(conf.subscriber_model)
    name = getattr(model, "EMAIL_FIELD", None) or "email"
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return name
