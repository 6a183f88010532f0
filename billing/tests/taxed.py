"""A German business sells with tax: its table at the sandbox, its buyers, and the setting."""

from io import StringIO

from django.core.management import call_command

from billing.lifecycle import checkout
from billing.tests.world import Subscriber

BERLIN = {"line1": "Torstr. 1", "city": "Berlin", "country": "DE", "postal_code": "10115"}
PARIS = {"line1": "Rue 1", "city": "Paris", "country": "FR", "postal_code": "75001"}
FRENCH_ID = {"type": "eu_vat", "value": "FRAB123456789"}
RATES = [{"country": "DE", "percentage": 19}, {"country": "FR", "percentage": 20}]
AUTOMATIC = {"automatic": True, "tax_ids": True, "behavior": "inclusive", "code": "txcd_10103001"}


def sell_with_tax(world, settings, **tax):
    """Set BILLING_TAX, and prepare Stripe for it as the command does."""
    settings.BILLING_TAX = tax or AUTOMATIC
    world.control("tax", country="DE", rates=RATES)
    call_command("setup_stripe", "--yes", stdout=StringIO())


def buy(world, email="ada@example.com", plan="pro", currency="eur", **entered):
    """Buy at Checkout with what the buyer enters there; nothing of it is delivered yet."""
    user = world.sign_up(email)
    attempt = checkout.start(user, plan, "month", currency)
    entries = {"name": "Ada SA", "address": BERLIN, **entered}
    world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa", **entries)
    session = world.stripe("GET", f"checkout/sessions/{attempt.session_id}")
    return Subscriber(user, session["customer"], session["subscription"])


def bought(world, *args, **entered):
    """`buy`, and all events delivered and applied."""
    subscriber = buy(world, *args, **entered)
    world.deliver()
    world.heard.clear()
    return subscriber


def latest_invoice(world, subscriber):
    found = world.stripe("GET", f"subscriptions/{subscriber.subscription}", expand=["latest_invoice"])
    return found["latest_invoice"]
