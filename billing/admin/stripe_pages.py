"""Where an object is found in Stripe's dashboard, told by the prefix of its id."""

from billing.conf import conf

DASHBOARD = "https://dashboard.stripe.com"

# What stands first wins: `sub_sched_` before `sub_`.
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
    """The object's own page, else a search for its id. `livemode` None: the mode this project runs in."""
    is_live = conf.live_mode if livemode is None else livemode
    base = DASHBOARD if is_live else f"{DASHBOARD}/test"
    for prefix, page in PAGES.items():
        if object_id.startswith(prefix):
            return f"{base}/{page}/{object_id}"
    return f"{base}/search?query={object_id}"
