"""Staff see what is sold on top of plans, at which prices, and how many subscriptions have it."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from billing.models import AddOn, AddOnPrice, Subscription
from billing.money import format_amount

from . import display
from .readonly import ReadOnlyAdmin


@admin.register(AddOn)
class AddOnAdmin(ReadOnlyAdmin):
    """The settings define add-ons; this shows what is for sale."""

    list_display = ["name", "slug", "gives", "sold_with", "prices_", "subscriptions", "state"]
    ordering = ["place", "slug"]
    search_fields = ["slug__exact", "prices__id__exact"]
    search_help_text = "Slug, or the id of a price at Stripe"
    fields = ["name", "slug", "description", "gives", "sold_with", "most", "prices_", "subscriptions", "state"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        lives = ~Q(prices__items__subscription__status__in=Subscription.TERMINAL)
        number = Count("prices__items__subscription", filter=lives, distinct=True)
        return super().get_queryset(request).annotate(billing_subscriptions=number).prefetch_related("prices")

    @display.column("gives, for each")
    def gives(self, add_on: AddOn) -> Any:
        return display.lines(
            *(f"{feature}: {'no limit' if each is None else f'{each:,}'}" for feature, each in add_on.limits.items())
        )

    @display.column("sold with")
    def sold_with(self, add_on: AddOn) -> str:
        return ", ".join(add_on.plans) or "every plan"

    @display.column("prices")
    def prices_(self, add_on: AddOn) -> Any:
        return display.lines(*(_price(price) for price in add_on.prices.all() if price.is_active))

    @display.column("subscriptions", ordering="billing_subscriptions")
    def subscriptions(self, add_on: Any) -> str:
        return f"{add_on.billing_subscriptions:,}"

    @display.column("status")
    def state(self, add_on: AddOn) -> Any:
        if not add_on.is_public:
            return display.badge("withdrawn", "quiet")
        is_published = any(price.is_active for price in add_on.prices.all())
        return display.badge("for sale", "good") if is_published else display.badge("not published", "waiting")


@admin.register(AddOnPrice)
class AddOnPriceAdmin(ReadOnlyAdmin):
    list_display = ["add_on", "amounts_", "state"]
    list_filter = ["add_on", "is_active"]
    list_select_related = ["add_on"]
    ordering = ["add_on__place", "id"]
    search_fields = ["id__exact", "lookup_key__exact"]
    search_help_text = "Id of the price at Stripe, or its lookup key"
    fields = ["id", "add_on", "lookup_key", "product", "amounts_", "state"]
    readonly_fields = fields

    @display.column("price")
    def amounts_(self, price: AddOnPrice) -> str:
        return _price(price)

    @display.column("status")
    def state(self, price: AddOnPrice) -> Any:
        return display.badge("for sale", "good") if price.is_active else display.badge("archived", "quiet")


def _price(price: AddOnPrice) -> str:
    amounts = ", ".join(format_amount(amount, currency) for currency, amount in price.amounts.items())
    return f"{amounts} {price.cadence.per}"
