from django.urls import include, path, re_path

from .conf import conf
from .events import webhooks
from .monitoring import health, metrics
from .own_transactions import without_a_transaction
from .pages import (
    account,
    add_ons,
    buying,
    guests,
    invoice_links,
    managing,
    own_data,
    packs,
    redeeming,
    spending,
    staying,
)

app_name = conf.app_label

addresses = [
    re_path(r"^api/v1/webhooks/stripe/?$", webhooks.stripe_webhook, name="stripe_webhook"),
    path("api/v1/", include("billing.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", buying.prices, name="prices"),
    path("billing/", account.account, name="account"),
    path("billing/checkout", buying.checkout, name="checkout"),
    path("billing/pay", buying.pay, name="pay"),
    path("billing/return", buying.checkout_return, name="return"),
    path("billing/change", managing.change, name="change"),
    path("billing/change/take-back", managing.take_back, name="take_back"),
    path("billing/add-ons", add_ons.add_ons, name="add_ons"),
    path("billing/cancel", managing.cancel, name="cancel"),
    path("billing/cancel/stay", staying.stay, name="stay"),
    path("billing/pause", staying.pause, name="pause"),
    path("billing/pause/resume", staying.resume_payments, name="resume_payments"),
    path("billing/resume", managing.resume, name="resume"),
    path("billing/card", managing.add_card, name="add_card"),
    path("billing/card/return", managing.card_return, name="card_return"),
    path("billing/portal", managing.portal, name="portal"),
    path("billing/pay/<str:signed>", invoice_links.lead_on, {"field": "hosted_invoice_url"}, name="invoice"),
    path("billing/pay/<str:signed>/pdf", invoice_links.lead_on, {"field": "invoice_pdf"}, name="invoice_pdf"),
    path("billing/packs", packs.packs, name="packs"),
    path("billing/packs/buy", packs.buy, name="buy_pack"),
    path("billing/packs/return", packs.purchase_return, name="purchase_return"),
    path("billing/packs/guest/return", guests.guest_return, name="guest_return"),
    path("billing/packs/<slug:slug>", guests.pack, name="pack"),
    path("billing/redeem", redeeming.redeem, name="redeem"),
    path("billing/data", own_data.download, name="own_data"),
    path("billing/spending", spending.spending, name="spending"),
    path("billing/invoices", managing.invoices, name="invoices"),
]

urlpatterns = without_a_transaction(addresses)
