"""Most of our admins are read-only: only Stripe's events and the rules write these rows."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.views.decorators.http import require_POST

from billing.conf import conf
from billing.own_transactions import without_a_transaction

from . import needs, saved_lists, sidebar_words, values_filter
from .lookups import OwnColumnsOnly
from .paging import NearbyPaginator, page_asked_for

PAYLOAD_PERMISSION = f"{conf.app_label}.view_payload"


class ReadOnlyAdmin(OwnColumnsOnly, admin.ModelAdmin):
    """Rows cannot be added, changed or deleted; there are no full counts, and the search takes exact ids.

    An admin that shows Django's own form derives from `WithForm` first."""

    change_list_template = "billing/admin/change_list.html"
    change_form_template: Any = "billing/admin/row.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    actions: Any = None

    @property
    def media(self) -> forms.Media:
        """Return our styles, and Django's script for the actions of a list: nothing else here needs one, nor jQuery."""
        return forms.Media(css={"all": ["billing/admin.css"]}, js=["admin/js/actions.js"] if self.actions else [])

    @property
    def urls(self) -> Any:
        """Return the addresses of list, page and acts, each of which opens its own transactions."""
        return without_a_transaction(super().urls)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Return the list's filters, with what needs a person first."""
        own = (values_filter.in_words(self.model, name) for name in super().get_list_filter(request))
        return [needs.NeedFilter, *own]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = capfirst(self.opts.verbose_name_plural)
        shown = saved_lists.shown(request, self.model)
        shown["explained"] = sidebar_words.explained(self.opts.app_label, self.model.__name__)
        return super().changelist_view(request, {"title": title, **shown, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        save = self.admin_site.admin_view(self.saved_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_saved"
        return [path("saved/", save, name=name), *super().get_urls()]

    @method_decorator(require_POST)
    def saved_view(self, request: HttpRequest) -> HttpResponseRedirect:
        return saved_lists.change(self, request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        title = capfirst(self.opts.verbose_name)
        return super().change_view(request, object_id, form_url, {"title": title, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> NearbyPaginator:
        return NearbyPaginator(queryset, per_page, page_asked_for(request))


class WithForm:
    """This admin lets some staff edit its rows in Django's form, with the scripts that it needs."""

    change_form_template = None

    @property
    def media(self: Any) -> forms.Media:
        own: Any = admin.ModelAdmin.media
        return own.fget(self) + forms.Media(css={"all": ["billing/admin.css"]})


class ReadOnlyInline(admin.TabularInline):
    """Show rows of another table beneath a row."""

    template = "billing/admin/rows_beneath.html"
    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
