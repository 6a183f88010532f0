from django.urls import include, path, re_path

from . import health, invoice_links, metrics, pages, plan_pages, webhooks

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
    path("billing/change", plan_pages.change, name="change"),
    path("billing/change/take-back", plan_pages.take_back, name="take_back"),
    path("billing/cancel", plan_pages.cancel, name="cancel"),
    path("billing/resume", plan_pages.resume, name="resume"),
    path("billing/portal", plan_pages.portal, name="portal"),
    path("billing/pay/<str:signed>", invoice_links.lead_on, {"field": "hosted_invoice_url"}, name="invoice"),
    path("billing/pay/<str:signed>/pdf", invoice_links.lead_on, {"field": "invoice_pdf"}, name="invoice_pdf"),
    path("billing/invoices", plan_pages.invoices, name="invoices"),
]
