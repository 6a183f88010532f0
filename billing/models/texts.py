"""A text of Stripe's may be longer than our column, which then keeps its beginning."""

from typing import Any

from django.db import models


class StripeText(models.CharField):
    """This column cuts a text to its width, so that a long one does not hold up the object that it belongs to."""

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return text[: self.max_length] if isinstance(text, str) else text

    def deconstruct(self) -> Any:
        """Return the field as migrations write it: the database has a plain column."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
