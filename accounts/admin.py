"""Staff see users, groups and API tokens in these admins."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.second_step.admin import SecondStepAdmin
from billing.admin import OwnColumnsOnly

from . import closing
from .models import ApiToken, User
from .rank import RankedAdmin, SuperusersAlone

# Their pages show the keys: anybody who may view them could pass another user's second step.
admin.site.unregister([TOTPDevice, StaticDevice])
admin.site.unregister(Group)  # registered again below

# Django alone would allow a filter, typed into the address, that reveals a key through a relation, letter by letter.
USER_FILTERS = frozenset({"date_joined", "email", "groups", "id", "is_active", "is_staff", "is_superuser", "language"})
TOKEN_FILTERS = frozenset({"created_at", "expires_at", "id", "last_used_at", "revoked_at", "revoked_because"})
TOKENS_OF = "user__id__exact"

WHAT_HAPPENS = (
    "The user is logged out and locked out at once, and their API tokens are revoked.",
    "Their subscriptions at Stripe are cancelled, open invoices are voided, and the customer is deleted there.",
    "Then the user is anonymised. The row and the records of payments stay.",
)
CLOSING = (
    "The account is being deleted. We anonymise it as soon as Stripe has confirmed that it bills nothing any more."
)


@admin.register(User)
class UserAdmin(OwnColumnsOnly, SecondStepAdmin, RankedAdmin, DjangoUserAdmin):
    """Deleting a user runs the same deletion as when a user asks for it, or Stripe would keep billing them."""

    filterable = USER_FILTERS
    # No bulk deletion: the page of one user says what a deletion does.
    actions = None
    ordering = ("-date_joined",)
    list_display = ("email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "date_joined")
    search_fields = ("email",)
    readonly_fields = ("id", "confirmed", "date_joined", "last_login", "billing", "tokens", "second_step")
    fieldsets = (
        (
            None,
            {
                "fields": ("id", "email", "confirmed", "billing", "tokens", "language", "password"),
                "description": "Deleting a user cancels their subscriptions at Stripe, then anonymises them.",
            },
        ),
        (
            "Permissions",
            {"fields": ("is_active", "second_step", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)

    @admin.display(description="billing")
    def billing(self, user: User) -> str:
        address = reverse("admin:billing_customer_find", query={"q": user.email})
        return format_html('<a href="{}">Plan and access</a>', address)

    @admin.display(description="e-mail address confirmed", boolean=True)
    def confirmed(self, user: User) -> bool:
        return user.has_confirmed_email

    @admin.display(description="API tokens")
    def tokens(self, user: User) -> str:
        address = reverse("admin:accounts_apitoken_changelist", query={TOKENS_OF: user.pk})
        return format_html('<a href="{}">{} valid</a>', address, ApiToken.objects.of(user).count())

    def get_deleted_objects(self, objs: QuerySet[User] | list[User], request: HttpRequest) -> Any:
        """Return what the confirmation page lists. Nothing is protected, since no row is deleted."""
        return [f"{user}: {sentence}" for user in objs for sentence in WHAT_HAPPENS], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        closing.close(obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        messages.success(request, CLOSING)
        return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))


@admin.register(Group)
class GroupAdmin(SuperusersAlone, DjangoGroupAdmin):
    pass


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Staff list API tokens and revoke them. Nothing stores a token's value, and no page shows its digest."""

    list_display = ("name", "prefix", "user", "state", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("revoked_because", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "name", "prefix__startswith")
    fields = (
        "user",
        "name",
        "prefix",
        "state",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
        "revoked_because",
    )
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.revoke_apitoken")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        is_own = lookup.split("__", maxsplit=1)[0] in TOKEN_FILTERS and super().lookup_allowed(lookup, value, request)
        return is_own or lookup == TOKENS_OF

    @admin.action(description="Revoke the selected tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        chosen = list(queryset.filter(revoked_at=None))
        ApiToken.objects.filter(pk__in=[token.pk for token in chosen]).revoke(ApiToken.Because.STAFF)
        for token in chosen:
            self.log_change(request, token, "Revoked")
        messages.success(request, f"Revoked {len(chosen)} tokens.")
