"""The Stripe account is prepared for this site: prices, portal and webhook endpoint. The changes are planned first,
then made.

Objects that we make have `billing_setup` in their metadata. Any other object belongs to somebody else: it is read,
never changed.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from billing import site, stripe_client
from billing.catalogue import definitions
from billing.conf import LOOPBACK, conf
from billing.events import EVENT_TYPES
from billing.lifecycle import portal as stripe_portal
from billing.models import Price
from billing.setup import (
    publishing,
    publishing_add_ons,
    publishing_overage,
    publishing_packs,
    selling_at_stripe,
    taxing,
    thin_destination,
)
from billing.stripe_client import StripeRefused, id_of, readers

ENDPOINTS = "/v1/webhook_endpoints"


@dataclass(frozen=True)
class Change:
    """A change is still to be made at Stripe. `make` returns what must be shown once, such as a new secret."""

    text: str
    make: Callable[[], str]


def webhook_url() -> str:
    return site.absolute(site.path_of("stripe_webhook"))


def is_on_loopback() -> bool:
    return urlsplit(conf.site_url).hostname in LOOPBACK


def changes() -> list[Change]:
    """Return the changes that this account needs, in the order in which to make them. Raises `StripeUnavailable`,
    `StripeRefused`."""
    missing = publishing.missing()
    before = "; a price of another amount is archived" if definitions.is_from_settings() else ""
    prices = [Change(f"make the products and prices {', '.join(missing)}{before}", _publish)] if missing else []
    if add_ons := publishing_add_ons.missing():
        prices.append(Change(f"make the products and prices {', '.join(add_ons)}", _publish_add_ons))
    if packs := publishing_packs.missing():
        prices.append(Change(f"make the products and prices {', '.join(packs)}", _publish_packs))
    if metered := publishing_overage.missing():
        prices.append(Change(f"make the meters and metered prices {', '.join(metered)}", _publish_overage))
    endpoint = [*_endpoint_changes(), *_thin_changes(are_meters_missing=bool(metered))]
    return [*prices, *_tax_changes(), *_portal_changes(are_prices_missing=bool(missing)), *endpoint]


def endpoints() -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = stripe_client.get(ENDPOINTS, limit=100)["data"]
    return data


def lacks(endpoint: dict[str, Any]) -> frozenset[str]:
    """Return the event types that we use and the endpoint does not send."""
    sent = set(endpoint["enabled_events"])
    return frozenset() if "*" in sent else EVENT_TYPES - sent


def _publish() -> str:
    publishing.publish()
    return ""


def _publish_add_ons() -> str:
    publishing_add_ons.publish()
    return ""


def _publish_packs() -> str:
    publishing_packs.publish()
    return ""


def _publish_overage() -> str:
    publishing_overage.publish()
    return ""


def _tax_changes() -> list[Change]:
    """Plan what prices and products of ours do not say yet about tax."""
    found = list(publishing.existing_of_ours().values())
    prices, products = taxing.unsaid(found), taxing.without_code(found)
    ids = ", ".join(sorted([price["id"] for price in prices] + [product["id"] for product in products]))
    return [Change(f"say how {ids} is taxed", lambda: _say_tax(found))] if ids else []


def _say_tax(found: list[dict[str, Any]]) -> str:
    taxing.say(found)
    publishing.publish()
    return ""


def _portal_changes(*, are_prices_missing: bool) -> list[Change]:
    """Plan the portal configuration: plan switch, cancellation at the end of the period, card and invoices. Prices
    that do not exist yet are added when it is made."""
    ours = stripe_portal.configuration_of_ours()
    if ours is None:
        return [Change("make a portal configuration: plans, cancellation, cards, invoices", lambda: _save_portal(""))]
    is_as_wanted = not are_prices_missing and _holds(ours["features"], _features())
    text = f"update the portal configuration {ours['id']}"
    return [] if is_as_wanted else [Change(text, lambda: _save_portal(ours["id"]))]


def _features() -> dict[str, Any]:
    products = _products()
    switch: dict[str, Any] = {"enabled": bool(products)}
    if products:
        switch |= {
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
            "products": products,
            "schedule_at_period_end": {"conditions": [{"type": "decreasing_item_amount"}]},
        }
    return {
        "customer_update": {"enabled": True, "allowed_updates": _may_be_edited()},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": switch,
    }


def _may_be_edited() -> list[str]:
    return ["address", "email", "name", *(["tax_id"] if conf.tax.get("tax_ids") else [])]


def _products() -> list[dict[str, Any]]:
    """Return Stripe's products of the public plans, each with the prices for sale."""
    ids = Price.objects.filter(is_active=True, plan__is_public=True).exclude(lookup_key="")
    keys = sorted(ids.values_list("lookup_key", flat=True))
    found: dict[str, list[str]] = {}
    for price in selling_at_stripe.existing(keys).values():
        if price["active"]:
            found.setdefault(id_of(price["product"]), []).append(price["id"])
    return [{"product": product, "prices": sorted(prices)} for product, prices in sorted(found.items())]


def _save_portal(configuration: str) -> str:
    features = _features()
    path = f"{stripe_portal.CONFIGURATIONS}/{configuration}" if configuration else stripe_portal.CONFIGURATIONS
    key = _key("portal", configuration, features)
    made = stripe_client.post(path, idempotency_key=key, features=features, metadata={stripe_portal.MARK: "portal"})
    return "" if configuration else f"Portal configuration: {made['id']}"


def _is_ours(row: dict[str, Any]) -> bool:
    return bool(readers.metadata_of(row).get(stripe_portal.MARK))


def _endpoint_changes() -> list[Change]:
    """Plan one endpoint of ours at our address and version; endpoints of others stay as they are.

    A site on loopback needs none: Stripe cannot reach it, and the sandbox and Stripe's CLI forward events themselves.
    """
    if is_on_loopback():
        return []
    here = [row for row in endpoints() if row["url"].rstrip("/") == webhook_url()]
    ours = [
        row
        for row in here
        if readers.metadata_of(row).get(stripe_portal.MARK) and row["api_version"] == conf.api_version
    ]
    if not ours:
        others = sorted(row["id"] for row in here)
        text = f"make a webhook endpoint at {webhook_url()} for {len(EVENT_TYPES)} event types at {conf.api_version}"
        return [Change(text + _beside(others), lambda: _make_endpoint(others))]
    endpoint = ours[0]
    if not lacks(endpoint) and endpoint["status"] == "enabled":
        return []
    text = f"enable the webhook endpoint {endpoint['id']} and send it all {len(EVENT_TYPES)} event types"
    return [Change(text, lambda: _mend_endpoint(endpoint))]


def _thin_changes(*, are_meters_missing: bool) -> list[Change]:
    """Plan one event destination of thin events at our address, where use beyond a limit is priced. One that somebody
    else made and that sends all is enough; any other of theirs stays as it is."""
    if is_on_loopback() or not (are_meters_missing or thin_destination.is_needed()):
        return []
    url = webhook_url()
    here = thin_destination.at(url)
    if any(map(thin_destination.is_right, here)):
        return []
    ours = [row for row in here if thin_destination.is_ours(row)]
    if not ours:
        return [Change(f"make an event destination at {url} for meter errors", lambda: thin_destination.make(url))]
    text = f"enable the event destination {ours[0]['id']} and send it all meter errors"
    return [Change(text, lambda: thin_destination.mend(ours[0]))]


def _beside(others: list[str]) -> str:
    return f", beside {', '.join(others)}, which is not ours or has another version" if others else ""


def _make_endpoint(others: list[str]) -> str:
    """Make the endpoint. Stripe answers a known key with what it made then, even if that is deleted, so the next key
    asks anew."""
    params = {"url": webhook_url(), "enabled_events": sorted(EVENT_TYPES), "api_version": conf.api_version}
    key = _key("endpoint", *others, params)
    while True:
        made = stripe_client.post(ENDPOINTS, idempotency_key=key, metadata={stripe_portal.MARK: "webhook"}, **params)
        if _exists(made["id"]):
            place = "STRIPE_WEBHOOK_SECRETS (in the environment STRIPE_WEBHOOK_SECRET)"
            return f"Webhook secret, shown only once: {made['secret']}\nPut it into {place}."
        key = f"{key}:after:{made['id']}"


def _exists(endpoint: str) -> bool:
    try:
        stripe_client.get(f"{ENDPOINTS}/{endpoint}")
    except StripeRefused as error:
        if error.code == "resource_missing":
            return False
        raise
    return True


def _mend_endpoint(endpoint: dict[str, Any]) -> str:
    """Correct the endpoint, and keep the other types that it sends."""
    events = ["*"] if "*" in endpoint["enabled_events"] else sorted({*endpoint["enabled_events"], *EVENT_TYPES})
    key = _key("correct", endpoint["id"], endpoint["status"], endpoint["enabled_events"], events)
    stripe_client.post(f"{ENDPOINTS}/{endpoint['id']}", idempotency_key=key, enabled_events=events, disabled=False)
    return ""


def _holds(found: Any, wanted: Any) -> bool:
    """Return whether all values that we want are set, whatever else is set."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_holds(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_holds, _sorted(found), wanted))
    return bool(found == wanted)


def _sorted(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: value.get("product", "") if isinstance(value, dict) else str(value))


def _key(*what: Any) -> str:
    """Return an idempotency key: the same change at the same state of the account is the same write."""
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]
    return f"setup:{what[0]}:{digest}"
