"""The packages that billing brings, dj-stripe and django-q2, get read-only admins here, or none.

dj-stripe 2.11's own ones offer what calls Stripe or writes past the lanes (add, resync, cancel, delete), and crash: the
invoices' list and page on today's shapes, the searches of Account, Customer, Session, Invoice and PromotionCode on
fields that are gone. Here each mirrored object is read-only, told from its `stripe_data` alone. django-q2's own let
staff write which function the worker calls. An admin that a later version of either adds is taken away until it is
named here. A host project's own admins are left alone.
"""

from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from djstripe.models import (
    Account,
    APIKey,
    BalanceTransaction,
    Event,
    IdempotencyKey,
    LineItem,
    PaymentIntent,
    Product,
    StripeModel,
    WebhookEventTrigger,
)

from billing.subscriptions import mirror_failures

from . import display
from .mirror_columns import columns_of
from .readonly import PAYLOAD_PERMISSION, ReadOnlyAdmin

# dj-stripe's own webhook and its own calls to Stripe fill these tables. This project uses neither, so they stay empty.
UNUSED = (IdempotencyKey, WebhookEventTrigger)
# The mirror writes these, and dj-stripe writes some of them along with it.
FILLED = frozenset(mirror_failures.MODELS.values())
FILLED |= {Account, APIKey, BalanceTransaction, Event, LineItem, PaymentIntent, Product}
BROUGHT = ("djstripe", "django_q") if apps.is_installed("django_q") else ("djstripe",)
# Columns that are shown and filtered by. Every other column is a payload, or may be one.
SHOWN = ("livemode", "created", "djstripe_created", "djstripe_updated", "type", "status", "api_version", "request_id")
SHOWN += ("currency", "amount", "active", "date_purged", "end_behavior", "url")


class MirrorAdmin(ReadOnlyAdmin):
    """This admin shows an object as dj-stripe mirrors it: a few facts in the list, and all of Stripe's JSON for staff
    who may see payloads."""

    list_filter = ["livemode", "created"]
    ordering = ["-created"]
    search_fields = ["id__exact"]
    filterable = frozenset({*SHOWN, "id", "customer"})

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Hide tables that billing never fills from the index; their pages remain for projects that fill them
        otherwise."""
        return self.model in FILLED and super().has_module_permission(request)

    def __init__(self, model: type[Model], admin_site: AdminSite) -> None:
        super().__init__(model, admin_site)
        self.columns = columns_of(model)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return ["stripe_id", *self.columns, "created_at", "livemode"]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        names = {field.name for field in self.model._meta.get_fields()}
        return ["id__exact", "customer__id__exact"] if "customer" in names else ["id__exact"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.model._default_manager.order_by(*self.get_ordering(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        columns = {field.name for field in self.model._meta.concrete_fields}
        known = [name for name in SHOWN if name in columns]
        shown = ["at_stripe", *self.columns, "belongs_to", *known]
        return [*shown, "stripe_json"] if request.user.has_perm(PAYLOAD_PERMISSION) else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    @display.column("id", ordering="id")
    def stripe_id(self, row: Any) -> Any:
        return display.plain_id(row.id)

    @display.column("created", ordering="created")
    def created_at(self, row: Any) -> Any:
        return display.moment(row.created)

    @display.column("at Stripe")
    def at_stripe(self, row: Any) -> Any:
        return display.at_stripe(row.id, row.livemode)

    @display.column("belongs to")
    def belongs_to(self, row: Any) -> Any:
        """Return the keys of related rows as they are stored: following them crashes."""
        relations = [field for field in row._meta.concrete_fields if field.is_relation]
        found = [(field.verbose_name, field.value_from_object(row)) for field in relations]
        return display.lines(*(f"{name}: {key}" for name, key in found if key))

    @display.column("Stripe's JSON")
    def stripe_json(self, row: Any) -> Any:
        return display.folded_json(row.stripe_data, "Show the JSON that Stripe last sent")


class KeyAdmin(MirrorAdmin):
    """API keys are never readable; the list only shows which exist."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["name", "type", "secret_redacted", "livemode", "belongs_to"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return ["secret_redacted", "name", "type", "livemode"]


def allowed() -> dict[type[Model], type[ReadOnlyAdmin]]:
    if not apps.is_installed("django_q"):
        return {APIKey: KeyAdmin}
    from . import queue

    return {APIKey: KeyAdmin, **queue.ALLOWED}


def register(site: AdminSite) -> None:
    """Replace the admins that the packages' modules registered when imported."""
    for app in BROUGHT:
        import_module(f"{app}.admin")
        for model in apps.get_app_config(app).get_models():
            if site.is_registered(model):
                _replace(site, model)


def _replace(site: AdminSite, model: type[Model]) -> None:
    site.unregister(model)
    if ours := allowed().get(model):
        site.register(model, ours)
    elif issubclass(model, StripeModel) and model not in UNUSED:
        site.register(model, MirrorAdmin)


register(admin.site)
