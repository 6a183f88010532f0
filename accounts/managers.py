"""The manager creates users by e-mail address, with a password that may be unusable but never plain."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import BaseUserManager

from . import addresses

if TYPE_CHECKING:
    from .models import User


class UserManager(BaseUserManager["User"]):
    """This manager finds users by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Create a user. Raises ValueError without an address, ValidationError for one that we do not accept
        (`addresses.check`), IntegrityError when it is taken in any spelling."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        addresses.check(email)
        user = self.model(email=email, **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)
