"""These checks ask the Stripe account about its key, endpoint, prices, portal and clock."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.utils import timezone
from stripe._api_version import _ApiVersion

from billing import catalogue, stripe_account, stripe_client
from billing.conf import conf
from billing.lifecycle import portal as stripe_portal
from billing.models import Customer, Plan, Price
from billing.setup import account, publishing, selling_at_stripe
from billing.setup.checks import check_api_key

from .findings import Finding, error, ok, warning

MOST_NAMED = 5
MOST_SKEW = timedelta(seconds=30)
SETUP = "Run `manage.py setup_stripe`."


def key() -> Iterator[Finding]:
    for message in check_api_key():
        yield error("key", str(message.msg), str(message.hint))
    account, mode = stripe_account.ask(), "live" if conf.live_mode else "test"
    if account:
        yield ok("key", f"Stripe accepts the key, for the Stripe account {account} in {mode} mode.")
    else:
        text = "The key may not read its Stripe account, so a key of another one is not noticed at once."
        yield warning("key", text, "Give the key permission to read the Stripe account.")


def customers() -> Iterator[Finding]:
    """Check that our customers live in the account and mode of the key, and that Stripe knows them."""
    if text := stripe_account.trouble():
        yield error("customers", text, "Until then the sync stops, and their events change nothing.")
        return
    here = Customer.objects.filter(deleted_at=None)
    if missing := list(here.exclude(missing_since=None).values_list("pk", flat=True)[:MOST_NAMED]):
        text = f"Stripe knows no such customer: {', '.join(missing)}. They keep the access they had."
        yield error(
            "customers", text, "Check STRIPE_SECRET_KEY. If they are gone, end them on their pages in the admin."
        )
    else:
        yield ok("customers", "Our customers live in the Stripe account of the key, as far as Stripe was asked.")


def api_version() -> Iterator[Finding]:
    if conf.api_version != _ApiVersion.CURRENT:
        text = f"STRIPE_API_VERSION is {conf.api_version}, but the stripe package is for {_ApiVersion.CURRENT}."
        yield warning("api version", text, "Install the stripe package for that version, or change both together.")
    else:
        yield ok("api version", f"The installed stripe package is built for {conf.api_version}.")


def webhook_endpoint() -> Iterator[Finding]:
    here = [row for row in account.endpoints() if row["url"].rstrip("/") == account.webhook_url()]
    if not here:
        text = f"No webhook endpoint at Stripe leads to {account.webhook_url()}."
        if account.is_on_loopback():
            yield ok("webhook endpoint", "The site is on loopback, which only a sandbox or Stripe's CLI can reach.")
        else:
            yield error("webhook endpoint", text, f"Check SITE_URL. {SETUP}")
    for row in here:
        if row["status"] != "enabled":
            yield error(
                "webhook endpoint", f"{row['id']} is disabled.", f"{SETUP} `sync_stripe` fetches what was missed."
            )
        elif row["api_version"] != conf.api_version:
            text = (
                f"{row['id']} sends events of {row['api_version'] or 'the account’s version'}, not {conf.api_version}."
            )
            yield warning("webhook endpoint", text, f"{SETUP} Then delete the old endpoint in the Dashboard.")
        elif lacking := account.lacks(row):
            text = f"{row['id']} does not send {len(lacking)} types: {', '.join(sorted(lacking)[:5])}."
            yield error("webhook endpoint", text, SETUP)
        else:
            yield ok("webhook endpoint", f"{row['id']} is enabled, at {row['url']}, and sends all types that we use.")


def prices() -> Iterator[Finding]:
    """Compare each public plan with the prices at Stripe, in every currency."""
    rows = list(Price.objects.filter(is_active=True).exclude(lookup_key="").select_related("plan"))
    theirs = selling_at_stripe.existing([row.lookup_key for row in rows])
    for missing in publishing.missing():
        yield error("prices", f"The price {missing} is missing or different at Stripe, or not known here.", SETUP)
    differing = [row for row in rows if (found := theirs.get(row.lookup_key)) and _differs(row, found)]
    for row in differing:
        text = f"{row.lookup_key}: amounts or currencies here differ from Stripe's, which are charged."
        yield error("prices", text, f"{SETUP} It reads Stripe's prices again.")
    unsold = Plan.objects.filter(is_public=True, prices=None).exclude(slug=conf.free_plan)
    for plan in unsold:
        yield warning("prices", f"The public plan {plan.slug} has no price.", "Add a price, or make the plan private.")
    if rows and not differing:
        currencies = sorted({currency for row in rows for currency in catalogue.amounts.currencies(row)})
        yield ok("prices", f"{len(rows)} prices agree with Stripe, in {', '.join(currencies)}.")


def portal() -> Iterator[Finding]:
    if (
        stripe_portal.configuration_of_ours()
        or stripe_client.get(stripe_portal.CONFIGURATIONS, is_default=True)["data"]
    ):
        yield ok("portal", "A portal configuration exists.")
    else:
        yield error("portal", "There is no portal configuration, so customers cannot change their card.", SETUP)


def clock() -> Iterator[Finding]:
    """Compare the clocks: signatures are valid for five minutes."""
    theirs = stripe_client.server_time()
    if theirs is None:
        yield warning("clock", "Stripe's answer has no time to compare with.", "Set this machine's clock by NTP.")
        return
    skew = abs(timezone.now() - theirs)
    text = f"The clock differs from Stripe's by {skew.total_seconds():.0f} s."
    if skew > MOST_SKEW:
        yield error("clock", text, "Set this machine's clock by NTP: signatures are refused after 5 minutes.")
    else:
        yield ok("clock", text)


def _differs(row: Price, found: dict[str, Any]) -> bool:
    facts = catalogue.price_columns(found)
    return any(getattr(row, name) != value for name, value in facts.items())


CHECKS = (key, customers, api_version, webhook_endpoint, prices, portal, clock)
