from django.urls import path

from . import views

urlpatterns = [
    path("plans", views.Plans.as_view(), name="api_plans"),
    path("subscriptions/current", views.CurrentSubscription.as_view(), name="api_current"),
    path("subscriptions/checkout", views.Checkout.as_view(), name="api_checkout"),
    path("usage/<slug:feature>", views.Usage.as_view(), name="api_usage"),
]
