"""This module adds to the project's URLs the list of events in a stock ModelAdmin, as a team first registers it."""

from django.contrib import admin
from django.urls import path

from billing.models import StripeEvent
from config import urls

site = admin.AdminSite(name="stock")


@admin.register(StripeEvent, site=site)
class StockEventAdmin(admin.ModelAdmin):
    list_display = ("id", "type", "status", "received_at", "attempts", "lane", "object_id", "processed_at")
    list_filter = ("status", "type", "source", "livemode", "received_at")
    search_fields = ("id", "object_id", "lane")
    ordering = ("-received_at",)


urlpatterns = [path("stock/", site.urls), *urls.urlpatterns]
