from django.urls import include, path, re_path

from . import health, metrics, pages, webhooks

app_name = "billing"

urlpatterns = [
    re_path(r"^api/v1/webhooks/stripe/?$", webhooks.stripe_webhook, name="stripe_webhook"),
    path("api/v1/", include("billing.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", pages.prices, name="prices"),
    path("billing/", pages.account, name="account"),
    path("billing/checkout", pages.checkout, name="checkout"),
    path("billing/return", pages.checkout_return, name="return"),
]
