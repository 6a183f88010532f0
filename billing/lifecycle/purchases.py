"""A subscriber buys a pack here: one open Checkout for each pack, paid once, with an invoice.

Several packs may be bought at once. Nothing that runs at the same time can do harm: one open purchase for each pack is
a unique index, and its id is the session's idempotency key; what is paid is delivered by `payments.purchases`, once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from billing import access, clock, confirmed, lanes, site, stripe_client
from billing.catalogue import packs
from billing.models import Credit, Customer, Grant, Pack, Purchase
from billing.payments import purchases

from . import tax
from .customers import METADATA_KEY, customer_for, refuse_if_deleting, subscriber_key
from .refusals import (
    AccessWithheld,
    AccountClosing,
    AlreadyOwned,
    CheckoutReplaced,
    EmailUnconfirmed,
    PackNotOffered,
)

Status = Purchase.Status
PURCHASE_KEY = "billing_purchase"
MOST_AT_ONCE = 100
MOST_SHOWN = 100


def start(subscriber: Any, slug: str, quantity: int = 1, currency: str = "", locale: str = "") -> Purchase:
    """Return a purchase with a Checkout session; its `url` is the page to send the buyer to, in the language `locale`.

    Raises `PackNotOffered`, `EmailUnconfirmed`, `AccessWithheld`, `AlreadyOwned`, `CheckoutReplaced`, `AccountClosing`,
    `StripeUnavailable`, `StripeRefused`.
    """
    pack = pack_for_sale(slug, quantity, currency)
    currency = currency or pack.currency
    if confirmed.is_unconfirmed(subscriber):
        raise EmailUnconfirmed
    if pack.plan and pack.lasts_days is None and _owns(subscriber, pack):
        raise AlreadyOwned
    customer = customer_for(subscriber, currency)
    if access.withheld(customer):
        raise AccessWithheld
    wanted = {"quantity": quantity, "currency": currency, "locale": locale}
    if reusable := _reusable(customer, pack, wanted):
        return reusable
    purchase = _open(customer, pack, wanted)
    _give_up_if_deleting(subscriber, purchase)
    if not _is_as(wanted, purchase):
        raise CheckoutReplaced
    return purchase if purchase.session_id else with_session(purchase)


def pack_for_sale(slug: str, quantity: int, currency: str) -> Pack:
    """Return the pack that is for sale so often, in this currency. Raises `PackNotOffered`."""
    pack = packs.for_sale().filter(slug=slug).first()
    if pack is None:
        raise PackNotOffered(_("We don't sell a pack called “{pack}”.").format(pack=slug[:50]))
    if currency and currency not in pack.amounts:
        known = ", ".join(sorted(pack.amounts)).upper()
        facts = {"pack": pack.name, "currency": currency[:10].upper(), "others": known}
        raise PackNotOffered(_("{pack} is not sold in {currency}. It is sold in {others}.").format(**facts))
    most = 1 if pack.plan and pack.lasts_days is None else MOST_AT_ONCE
    if not 1 <= quantity <= most:
        words = (
            _("You can buy {pack} once at a time.")
            if most == 1
            else _("You can buy {pack} 1 to {most} times at a time.")
        )
        raise PackNotOffered(words.format(pack=pack.name, most=most))
    return pack


def _owns(subscriber: Any, pack: Pack) -> bool:
    return Grant.objects.open().filter(subscriber=subscriber, plan=pack.plan, until=None).exists()


def _is_as(wanted: dict[str, Any], purchase: Purchase) -> bool:
    return all(getattr(purchase, name) == value for name, value in wanted.items())


def _reusable(customer: Customer, pack: Pack, wanted: dict[str, Any]) -> Purchase | None:
    """Return the pack's open purchase if its page can be used again. Otherwise end it, at Stripe first."""
    purchase = Purchase.objects.filter(customer=customer, pack=pack, status=Status.OPEN).select_related("pack").first()
    if purchase is None or not purchase.session_id:
        return None
    session = stripe_client.get(f"/v1/checkout/sessions/{purchase.session_id}")
    if session["status"] == "open":
        if _is_as(wanted, purchase):
            return purchase
        _expire(purchase)
    refresh(purchase)
    return None


def refresh(purchase: Purchase) -> Purchase:
    """Record how a purchase stands at Stripe and deliver what is paid, in its lane. Raises `StripeUnavailable`,
    `LaneBusy`."""
    with lanes.exclusive(purchase.customer_id) as commit:
        found = commit(lambda: _refreshed(purchase))
    return found or purchase


def _refreshed(purchase: Purchase) -> Purchase | None:
    return purchases.refresh(Customer.objects.get(pk=purchase.customer_id), purchase.session_id)


def _open(customer: Customer, pack: Pack, wanted: dict[str, Any]) -> Purchase:
    try:
        purchase, _ = Purchase.objects.select_related("customer", "pack").get_or_create(
            customer=customer,
            pack=pack,
            status=Status.OPEN,
            defaults={**wanted, "created_at": clock.now()},
        )
    except IntegrityError as error:
        raise CheckoutReplaced from error
    return purchase


def _give_up_if_deleting(subscriber: Any, purchase: Purchase) -> None:
    try:
        refuse_if_deleting(subscriber)
    except AccountClosing:
        Purchase.objects.filter(pk=purchase.pk, status=Status.OPEN).update(status=Status.EXPIRED)
        raise


def with_session(purchase: Purchase) -> Purchase:
    """Make the session, a guest's too. If the purchase was closed meanwhile, expire the session, so that nobody can pay
    it."""
    try:
        session = stripe_client.post(
            "/v1/checkout/sessions", idempotency_key=str(purchase.pk), **_session_params(purchase)
        )
    except stripe_client.StripeRefused:
        Purchase.objects.filter(pk=purchase.pk, status=Status.OPEN).update(status=Status.EXPIRED)
        raise
    purchase.session_id, purchase.url = session["id"], session.get("url") or ""
    still_open = Purchase.objects.filter(pk=purchase.pk, status=Status.OPEN)
    if not still_open.update(session_id=purchase.session_id, url=purchase.url):
        _expire(purchase)
        raise CheckoutReplaced
    return purchase


def _session_params(purchase: Purchase) -> dict[str, Any]:
    metadata = {PURCHASE_KEY: str(purchase.pk)}
    params: dict[str, Any] = {"mode": "payment", "customer": purchase.customer_id}
    back = "guest_return"
    if (subscriber := purchase.customer.subscriber) is not None:
        metadata[METADATA_KEY] = params["client_reference_id"] = subscriber_key(subscriber)
        back = "purchase_return"
    params |= {
        "line_items": [{"price": purchase.pack.price_id, "quantity": purchase.quantity}],
        "currency": purchase.currency,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "invoice_creation": {"enabled": True, "invoice_data": {"metadata": metadata}},
        "allow_promotion_codes": True,
        "success_url": f"{site.absolute(site.path_of(back))}?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": site.absolute(site.path_of("packs")),
        **({"locale": purchase.locale} if purchase.locale else {}),
    }
    return tax.taxed(params)


def _expire(purchase: Purchase) -> None:
    """Expire the session. One that was paid at the last moment refuses to expire."""
    path = f"/v1/checkout/sessions/{purchase.session_id}/expire"
    try:
        stripe_client.post(path, idempotency_key=f"expire:{purchase.pk}")
    except stripe_client.StripeRefused:
        return


@dataclass(frozen=True)
class StillGrants:
    """This tells what a purchase still gives: a plan (its slug), how many credits of a feature are left, or how many of
    what is the project's own."""

    own: int = 0
    plan: str = ""
    feature: str = ""
    credits: int = 0
    until: datetime | None = None


def bought_by(subscriber: Any) -> list[Purchase]:
    """Return a subscriber's latest purchases, the newest first, each with `still_grants`; not those abandoned."""
    customers = Customer.objects.all_of(subscriber).values("pk")
    found = Purchase.objects.filter(customer__in=customers).exclude(status__in=[Status.OPEN, Status.EXPIRED])
    rows: list[Any] = list(found.select_related("pack__plan").order_by("-created_at")[:MOST_SHOWN])
    sources = [row.source for row in rows]
    credit_of = {row.source: row for row in Credit.objects.filter(subscriber=subscriber, source__in=sources)}
    grant_of = {row.source: row for row in Grant.objects.filter(subscriber=subscriber, source__in=sources)}
    now = clock.now()
    for row in rows:
        credit, grant = credit_of.get(row.source), grant_of.get(row.source)
        row.still_grants = StillGrants()
        if credit is not None:
            is_over = credit.until is not None and credit.until <= now
            row.still_grants = StillGrants(
                feature=credit.feature, credits=0 if is_over else credit.left, until=credit.until
            )
        elif grant is not None and grant.is_in_force(now) and row.pack.plan:
            row.still_grants = StillGrants(plan=row.pack.plan.slug, until=grant.until)
        elif row.pack.is_own and row.delivered_at:
            row.still_grants = StillGrants(own=row.quantity - row.quantity * row.given_back // (row.amount or 1))
    return rows
