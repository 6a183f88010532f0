"""Users log in with an e-mail address, in any spelling of it, and own API tokens."""

import hashlib
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import addresses
from .conf import conf
from .managers import UserManager


def languages() -> list[tuple[str, Any]]:
    return list(settings.LANGUAGES)


def digest(secret: str) -> str:
    """Return the SHA-256 digest. It is enough for values that nobody can guess: a random token, a salted password
    hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


class AddressField(models.EmailField):
    """This field stores, compares and looks up addresses in one spelling, so that one unique index is enough."""

    default_validators = [addresses.check]

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return addresses.spelled(value) if isinstance(value, str) else value

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """Check the address as typed: the stored spelling may hide what is wrong."""
        if isinstance(value, str) and value:
            addresses.check(value)
        return super().clean(value, model_instance)

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = AddressField("e-mail address", unique=True, error_messages={"unique": _("This address is taken.")})
    confirmed_email = AddressField(blank=True, default="", editable=False, help_text="Address confirmed by e-mail")
    is_staff = models.BooleanField("staff", default=False, help_text="The user may log in to the admin.")
    is_active = models.BooleanField("active", default=True, help_text="The user may log in.")
    language = models.CharField(
        max_length=10, blank=True, default="", choices=languages, help_text="Language of the e-mails"
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    # What the row held when it was last read or written; never changed in place.
    _read: Mapping[str, Any] = MappingProxyType({})

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["-date_joined"]

    def __str__(self) -> str:
        return self.email

    @property
    def has_confirmed_email(self) -> bool:
        """Return whether the present address is confirmed; a changed address is not."""
        return self.confirmed_email == addresses.spelled(self.email)

    @property
    def must_confirm_email(self) -> bool:
        """Return whether the user must confirm the address before they can buy."""
        return conf.confirms_email and not self.has_confirmed_email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write only what changed since the row was read, unless the call says what to write. A request that took long,
        as hashing a password does, must not undo a deletion or a new address meanwhile.

        Also revoke the tokens of a deactivated user for good. A new password needs nothing here: see `ApiToken`.
        """
        if not (args or kwargs or self._state.adding):
            kwargs["update_fields"] = [name for name, value in self._columns().items() if self._read.get(name) != value]
        super().save(*args, **kwargs)
        self._note_read(kwargs.get("update_fields"))
        if not self.is_active:
            self.api_tokens.revoke(ApiToken.Because.DEACTIVATED)

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any, **options: Any) -> "User":
        user = super().from_db(db, field_names, values, **options)
        user._note_read()
        return user

    def refresh_from_db(self, using: str | None = None, fields: Any = None, from_queryset: Any = None) -> None:
        super().refresh_from_db(using, fields, from_queryset)
        self._note_read(fields)

    def _note_read(self, names: Any = None) -> None:
        """Note what the row holds in these columns, or in all."""
        self._read = {
            **self._read,
            **{name: v for name, v in self._columns().items() if names is None or name in names},
        }

    def _columns(self) -> dict[str, Any]:
        return {f.attname: self.__dict__[f.attname] for f in self._meta.concrete_fields if f.attname in self.__dict__}

    def check_password(self, raw_password: str | None) -> bool:
        """Check the password. Django may store the same password in a stronger hash meanwhile; tokens of the old hash
        stay valid."""
        before = digest(self.password)
        is_right = super().check_password(raw_password)
        if (now := digest(self.password)) != before:
            self.api_tokens.filter(password_digest=before).update(password_digest=now)
        return is_right


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def current(self) -> "ApiTokenQuerySet":
        """Return tokens that are neither revoked nor expired."""
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now()), revoked_at=None)

    def of(self, user: User) -> "ApiTokenQuerySet":
        """Return the user's valid tokens, newest first."""
        mine = self.current().filter(user=user, user__is_active=True, password_digest=digest(user.password))
        return mine.order_by("-created_at")

    def revoke(self, because: "ApiToken.Because") -> int:
        """Revoke the tokens; return how many were not revoked before."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now(), revoked_because=because)


class ApiToken(models.Model):
    """A token authenticates requests to the API. Its value is shown once and stored nowhere; its digest finds this row.

    The row also stores the digest of the password hash that the token was made under. A token is invalid once the two
    differ, so no way of changing a password, not even a raw UPDATE, leaves a valid token behind.
    """

    class Because(models.TextChoices):
        OWNER = "owner", "revoked by its owner"
        STAFF = "staff", "revoked by staff"
        CROWDED_OUT = "crowded_out", "replaced by newer tokens"
        DEACTIVATED = "deactivated", "the account was deactivated"
        DELETION = "deletion", "the account is deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    password_digest = models.CharField(max_length=64, editable=False)
    prefix = models.CharField("begins with", max_length=8)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField("created", default=timezone.now)
    last_used_at = models.DateTimeField("last used", null=True, blank=True)
    expires_at = models.DateTimeField("expires", null=True, blank=True)
    revoked_at = models.DateTimeField("revoked", null=True, blank=True)
    revoked_because = models.CharField("because", max_length=20, blank=True, default="", choices=Because.choices)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API token"
        default_permissions = ("view",)
        permissions = [("revoke_apitoken", "Can revoke API tokens")]

    def __str__(self) -> str:
        """Leave out the name, which the owner chose, since the admin's log keeps this text after the account is
        deleted."""
        return f"{self.prefix}…"

    @property
    def state(self) -> str:
        """Return why the token is invalid, in a few words; "valid" if it is valid."""
        if self.revoked_at:
            return str(self.get_revoked_because_display())
        if self.expires_at and self.expires_at <= timezone.now():
            return "expired"
        if self.password_digest != digest(self.user.password):
            return "the password was changed"
        return "valid" if self.user.is_active else "the account is not active"


class LoginSession(models.Model):
    """A row names a session of a user, under the password that it was begun with; `accounts.logins` keeps it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    password_digest = models.CharField(max_length=64)
    browser = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions: ClassVar[tuple[str, ...]] = ()

    def __str__(self) -> str:
        return self.browser or str(self.pk)
