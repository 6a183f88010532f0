from django.urls import path

from . import usage_view, views

urlpatterns = [
    path("plans", views.Plans.as_view(), name="api_plans"),
    path("subscriptions", views.Subscriptions.as_view(), name="api_subscriptions"),
    path("subscriptions/current", views.CurrentSubscription.as_view(), name="api_current"),
    path("subscriptions/checkout", views.Checkout.as_view(), name="api_checkout"),
    path("subscriptions/preview", views.Preview.as_view(), name="api_preview"),
    path("subscriptions/change", views.Change.as_view(), name="api_change"),
    path("subscriptions/cancel", views.Cancel.as_view(), name="api_cancel"),
    path("subscriptions/resume", views.Resume.as_view(), name="api_resume"),
    path("subscriptions/pause", views.Pause.as_view(), name="api_pause"),
    path("subscriptions/portal", views.Portal.as_view(), name="api_portal"),
    path("subscriptions/invoices", views.Invoices.as_view(), name="api_invoices"),
    path("usage/<slug:feature>", usage_view.Usage.as_view(), name="api_usage"),
]
