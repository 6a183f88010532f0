"""Who signs in: a user known by an e-mail address, the same one however its letters are cased."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models
from django.utils import timezone

from .managers import UserManager


def languages() -> list[tuple[str, Any]]:
    return list(settings.LANGUAGES)


class LowercaseEmailField(models.EmailField):
    """Stored, compared and looked up in lower case, so that one unique index is enough for every spelling."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return value.strip().lower() if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = LowercaseEmailField("e-mail address", unique=True, error_messages={"unique": "This address is taken."})
    is_staff = models.BooleanField("staff", default=False, help_text="May sign in to the admin.")
    is_active = models.BooleanField("active", default=True, help_text="May sign in at all.")
    leaving_token = models.CharField(
        max_length=64, blank=True, default="", db_index=True, editable=False, help_text="Digest of the token it had"
    )
    language = models.CharField(
        max_length=10, blank=True, default="", choices=languages, help_text="What mails are written in"
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["-date_joined"]

    def __str__(self) -> str:
        return self.email
