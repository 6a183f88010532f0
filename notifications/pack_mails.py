"""Mails about what was bought once, and about credits, go to a subscriber who may have no subscription."""

from datetime import datetime
from typing import Any

from billing.models import Credit, Customer, Purchase

from . import facts, outbox
from .models import Mail

Kind = Mail.Kind


def waiting(purchase: Purchase) -> Mail:
    """Reserve the mail to a guest: what was paid, and that whoever confirms the address gets it. It says the same
    whether or not the address has an account, so that nobody learns of one."""
    return outbox.reserve(
        Kind.PACK_WAITING,
        f"pack_waiting:{purchase.pk}",
        customer=purchase.customer,
        recipient=purchase.guest_email,
        language=facts.supported(purchase.locale) or facts.language_of(purchase.customer),
        subscription="",
        **_pack(purchase),
        paid=purchase.amount or 0,
        currency=purchase.currency,
        invoice=purchase.invoice_id,
    )


def delivered(purchase: Purchase) -> Mail:
    """Reserve the mail that a pack is delivered, with what it gives and until when."""
    return outbox.reserve(
        Kind.PACK_DELIVERED,
        f"pack_delivered:{purchase.pk}",
        **_about(purchase.customer.subscriber, purchase.customer),
        **_pack(purchase),
        until=facts.iso(purchase.gives_until),
    )


def reversed_(purchase: Purchase, taken: int, used: int) -> Mail:
    """Reserve the mail that what a pack gave was taken back with its money, once for each sum given back."""
    return outbox.reserve(
        Kind.PACK_REVERSED,
        f"pack_reversed:{purchase.pk}:{purchase.given_back}",
        **_about(purchase.customer.subscriber, purchase.customer),
        **_pack(purchase),
        given_back=purchase.given_back,
        currency=purchase.currency,
        taken=taken,
        used=used,
    )


def low(subscriber: Any, credit: Credit, left: int, given: int) -> Mail:
    """Reserve the mail that credits run low, once until more are given."""
    return outbox.reserve(
        Kind.CREDITS_LOW,
        f"credits_low:{credit.pk}",
        **_about(subscriber, Customer.objects.of(subscriber)),
        credit=credit.pk,
        feature=_words(credit.feature),
        left=left,
        given=given,
    )


def expiring(credit: Credit, expires_at: datetime) -> Mail:
    """Reserve the mail that credits expire soon, once for each day of their end."""
    return outbox.reserve(
        Kind.CREDITS_EXPIRING,
        f"credits_expiring:{credit.pk}:{expires_at.date().isoformat()}",
        **_about(credit.subscriber, Customer.objects.of(credit.subscriber)),
        credit=credit.pk,
        feature=_words(credit.feature),
        left=credit.left,
        expires_at=facts.iso(expires_at),
    )


def _about(subscriber: Any, customer: Customer | None) -> dict[str, Any]:
    if customer is None:
        return facts.about_subscriber(subscriber)
    address, language = facts.address_of(customer), facts.language_of(customer)
    return {"customer": customer, "recipient": address, "language": language, "subscription": ""}


def _pack(purchase: Purchase) -> dict[str, Any]:
    pack = purchase.pack
    return {
        "purchase": str(purchase.pk),
        "pack": pack.name,
        "quantity": (pack.quantity or 0) * purchase.quantity,
        "feature": _words(pack.feature),
        **facts.plan(pack.plan),
    }


def _words(feature: str) -> str:
    return feature.replace("_", " ").replace("-", " ")
