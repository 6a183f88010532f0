"""Staff may not give rights that they lack, and may not change users who have more rights."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q
from django.http import HttpRequest

# A superuser alone sets these.
PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")


def outranks(actor: Any, user: Any) -> bool:
    """Return whether the actor has every right that the user has, or would have if active."""
    if actor.is_superuser or actor == user:
        return True
    return not user.is_superuser and rights_of(user) <= rights_of(actor)


def rights_of(user: Any) -> set[int]:
    granted = Permission.objects.filter(Q(user=user) | Q(group__user=user))
    return set(granted.values_list("pk", flat=True))


class RankedAdmin:
    """Staff change or delete a user, or set a password, only if they outrank the user."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may: bool = super().has_change_permission(request, obj)  # type: ignore[misc]  # a mixin
        return may and (obj is None or outranks(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may: bool = super().has_delete_permission(request, obj)  # type: ignore[misc]  # a mixin
        return may and (obj is None or outranks(request.user, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))  # type: ignore[misc]  # a mixin
        user: Any = request.user
        return fields if user.is_superuser else (*fields, *PRIVILEGES)


class SuperusersAlone:
    """Superusers alone change groups, since changing a group changes the rights of its members."""

    def _may(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)
