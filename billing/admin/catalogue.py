"""Staff change the texts, limits and days of plans here. Prices come from Stripe; staff only choose their plan."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from billing.catalogue import definitions, labels
from billing.commands import spelled
from billing.conf import conf
from billing.models import Plan, PlanLimit, Price

from . import display
from .lookups import OwnColumnsOnly
from .readonly import ReadOnlyAdmin, ReadOnlyInline, WithForm

FROM_STRIPE = [
    "id", "lookup_key", "product_name", "amount", "interval_in_words", "other_currencies", "tax_behavior", "is_active",
    "created_at",
]  # fmt: skip


class EditableInTheDatabase(BaseModelAdmin):
    """The rows are read-only where the settings define the plans."""

    def has_add_permission(self, request: HttpRequest, *of: Any) -> bool:
        return not definitions.is_from_settings() and super().has_add_permission(request, *of)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not definitions.is_from_settings() and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not definitions.is_from_settings() and super().has_delete_permission(request, obj)


class PlanLimitInline(EditableInTheDatabase, admin.StackedInline):
    """Each field of a limit has its label beside it."""

    model = PlanLimit
    extra = 0


class PriceInline(ReadOnlyInline):
    model = Price
    fields = ["lookup_key", "amount", "interval_in_words", "is_active"]
    readonly_fields = fields
    verbose_name_plural = "Prices at Stripe"

    @display.column("amount")
    def amount(self, price: Price) -> Any:
        return amount_words(price)

    @display.column("interval")
    def interval_in_words(self, price: Price) -> str:
        return price.cadence.per


@admin.register(Plan)
class PlanAdmin(OwnColumnsOnly, EditableInTheDatabase, admin.ModelAdmin):
    list_display = ["name", "slug", "rank", "limits_in_words", "prices_in_words", "subscribers", "grace", "is_public"]
    search_fields = ["name", "slug"]
    inlines = [PlanLimitInline, PriceInline]
    fieldsets = [
        (None, {"fields": ["name", "slug", "description", "is_public"]}),
        ("Rules", {"fields": ["line", "rank", "grace_days", "trial_days", "trial_without_card", "min_seats"]}),
    ]

    class Media:
        css = {"all": ("billing/admin.css",)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), **_why_read_only()})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **_why_read_only()})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        rows = super().get_queryset(request).prefetch_related("limits", "prices")
        return rows.annotate(subscriber_count=Count("subscriptions", filter=Q(subscriptions__counts=True)))

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> list[str]:
        """The slug never changes: settings, code and Stripe's metadata use it to name a plan."""
        return ["slug"] if obj else []

    @display.column("limits")
    def limits_in_words(self, plan: Plan) -> Any:
        return display.lines(*(str(limit) for limit in plan.limits.all()))

    @display.column("prices")
    def prices_in_words(self, plan: Plan) -> Any:
        active = [price for price in plan.prices.all() if price.is_active]
        return display.lines(*(f"{amount_words(price)} {price.cadence.per}" for price in active))

    @display.column("subscribers", ordering="subscriber_count")
    def subscribers(self, plan: Any) -> int:
        return plan.subscriber_count

    @display.column("grace")
    def grace(self, plan: Plan) -> str:
        return "default" if plan.grace_days is None else f"{plan.grace_days} days"


@admin.register(Price)
class PriceAdmin(WithForm, ReadOnlyAdmin):
    list_display = ["name", "plan", "amount", "interval_in_words", "is_active"]
    list_filter = ["is_active", "interval", "plan"]
    list_select_related = ["plan"]
    search_fields = ["id__exact", "lookup_key__istartswith", "plan__name__istartswith"]
    search_help_text = "Price id, or the beginning of a lookup key or plan"
    fields = ["plan", *FROM_STRIPE]
    readonly_fields = FROM_STRIPE

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(f"{conf.app_label}.change_price")

    @display.column("price", ordering="lookup_key")
    def name(self, price: Price) -> Any:
        return display.lines(display.breakable(price.lookup_key), display.plain_id(price.pk))

    @display.column("amount", ordering="unit_amount")
    def amount(self, price: Price) -> Any:
        return amount_words(price)

    @display.column("interval", ordering="interval")
    def interval_in_words(self, price: Price) -> str:
        return price.cadence.per

    @display.column("other currencies")
    def other_currencies(self, price: Price) -> Any:
        return display.lines(*(display.amount(minor, code) for code, minor in price.currency_options.items()))


def _why_read_only() -> dict[str, str]:
    return {"subtitle": spelled(definitions.WHY_READ_ONLY)} if definitions.is_from_settings() else {}


def amount_words(price: Price) -> str:
    """Return the amount in the price's own currency, of a unit or package, or of the first tier."""
    unit = labels.unit_words(price)
    return f"{labels.figure(price, price.currency) or 'unknown'}{f' for {unit}' if unit else ''}"
