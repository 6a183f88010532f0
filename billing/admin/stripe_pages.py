"""The prefix of an id says where Stripe's dashboard shows the object."""

from billing.conf import conf

DASHBOARD = "https://dashboard.stripe.com"

# The first match wins, so `sub_sched_` comes before `sub_`.
PAGES = {
    "sub_sched_": "subscription_schedules",
    "sub_": "subscriptions",
    "cus_": "customers",
    "in_": "invoices",
    "pi_": "payments",
    "ch_": "payments",
    "py_": "payments",
    "prod_": "products",
    "price_": "prices",
    "evt_": "events",
    "po_": "payouts",
    "cs_": "checkout/sessions",
    "we_": "webhooks",
}


def url(object_id: str, livemode: bool | None = None) -> str:
    """Return the object's own page, or a search for its id. `livemode` None means the mode of this project."""
    is_live = conf.live_mode if livemode is None else livemode
    base = DASHBOARD if is_live else f"{DASHBOARD}/test"
    for prefix, page in PAGES.items():
        if object_id.startswith(prefix):
            return f"{base}/{page}/{object_id}"
    return f"{base}/search?query={object_id}"
