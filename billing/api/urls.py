from django.urls import path

from . import add_ons, agreements, cards, outcomes, own_data, purchases, redemptions, spending, usage_view, views

urlpatterns = [
    path("plans", views.Plans.as_view(), name="api_plans"),
    path("subscriptions", views.Subscriptions.as_view(), name="api_subscriptions"),
    path("subscriptions/current", views.CurrentSubscription.as_view(), name="api_current"),
    path("subscriptions/checkout", views.Checkout.as_view(), name="api_checkout"),
    path("subscriptions/checkout/<str:session_id>", outcomes.Outcome.as_view(), name="api_checkout_outcome"),
    path("subscriptions/preview", views.Preview.as_view(), name="api_preview"),
    path("subscriptions/change", views.Change.as_view(), name="api_change"),
    path("subscriptions/cancel", views.Cancel.as_view(), name="api_cancel"),
    path("subscriptions/resume", views.Resume.as_view(), name="api_resume"),
    path("subscriptions/pause", views.Pause.as_view(), name="api_pause"),
    path("subscriptions/portal", views.Portal.as_view(), name="api_portal"),
    path("subscriptions/card", cards.Card.as_view(), name="api_card"),
    path("subscriptions/invoices", views.Invoices.as_view(), name="api_invoices"),
    path("subscriptions/add-ons/preview", add_ons.AddOnPreview.as_view(), name="api_add_ons_preview"),
    path("subscriptions/add-ons/<slug:slug>", add_ons.OneAddOn.as_view(), name="api_add_on"),
    path("packs", purchases.Packs.as_view(), name="api_packs"),
    path("purchases", purchases.Purchases.as_view(), name="api_purchases"),
    path("purchases/checkout", purchases.PurchaseCheckout.as_view(), name="api_purchase_checkout"),
    path(
        "purchases/checkout/<str:session_id>",
        outcomes.PurchaseOutcome.as_view(),
        name="api_purchase_checkout_outcome",
    ),
    path("data", own_data.OwnData.as_view(), name="api_own_data"),
    path("redemptions", redemptions.Redemptions.as_view(), name="api_redemptions"),
    path("agreements", agreements.Agreements.as_view(), name="api_agreements"),
    path("agreements/<uuid:pk>", agreements.OneAgreement.as_view(), name="api_agreement"),
    path("agreements/<uuid:pk>/send", agreements.SendAgreement.as_view(), name="api_agreement_send"),
    path("spending", spending.Spending.as_view(), name="api_spending"),
    path("usage/<slug:feature>", usage_view.Usage.as_view(), name="api_usage"),
    path("usage/<slug:feature>/release", usage_view.Release.as_view(), name="api_usage_release"),
]
