"""Admin of users and of their API tokens."""

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

# Their pages show the keys: who may view them could pass anybody's second step.
admin.site.unregister([TOTPDevice, StaticDevice])
admin.site.unregister(Group)  # registered again below

# Django's own rule lets a filter made up in the address reach a key through any relation, letter by letter.
USER_FILTERS = frozenset({"date_joined", "email", "groups", "id", "is_active", "is_staff", "is_superuser", "language"})
TOKEN_FILTERS = frozenset({"created_at", "expires_at", "id", "last_used_at", "revoked_at", "revoked_because"})
TOKENS_OF = "user__id__exact"

WHAT_HAPPENS = (
    "The user is signed out and locked out at once, their tokens revoked.",
    "Every subscription at Stripe is cancelled, open invoices are voided, the customer is removed there.",
    "Then the user is anonymised. The row stays, and so do the records of payments.",
)
CLOSING = "The account is closing: it is anonymised as soon as Stripe has confirmed that nothing bills it any more."


@admin.register(User)
class UserAdmin(OwnColumnsOnly, SecondStepAdmin, RankedAdmin, DjangoUserAdmin):
    """Admin of users. Deleting a user runs the same deletion as the user's own request; otherwise Stripe would go on
    billing them."""

    filterable = USER_FILTERS
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
                "description": "Deleting a user cancels what Stripe bills them, then anonymises them.",
            },
        ),
        ("May", {"fields": ("is_active", "second_step", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)

    @admin.display(description="billing")
    def billing(self, user: User) -> str:
        address = reverse("admin:billing_customer_find", query={"q": user.email})
        return format_html('<a href="{}">What they have, and why</a>', address)

    @admin.display(description="address confirmed", boolean=True)
    def confirmed(self, user: User) -> bool:
        return user.has_confirmed_email

    @admin.display(description="API tokens")
    def tokens(self, user: User) -> str:
        address = reverse("admin:accounts_apitoken_changelist", query={TOKENS_OF: user.pk})
        return format_html('<a href="{}">{} valid</a>', address, ApiToken.objects.of(user).count())

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Remove bulk deletion: users are deleted one at a time, on a page that says what will happen."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_deleted_objects(self, objs: QuerySet[User] | list[User], request: HttpRequest) -> Any:
        """List what the confirmation page shows. Nothing is protected, since no row is deleted."""
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
    """Lists the API tokens and revokes them. Their values are stored nowhere, and no page shows their digests."""

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
        messages.success(request, f"Revoked: {len(chosen)}. They open nothing any more.")
