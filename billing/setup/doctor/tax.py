"""These checks ask whether tax is set up at Stripe as BILLING_TAX says, and name what waits for an address or staff."""

from collections.abc import Iterator

from billing import stripe_client
from billing.conf import conf
from billing.models import Invoice, Subscription
from billing.setup import publishing, taxing
from billing.stripe_client import StripeRefused
from billing.subscriptions import tax_ids

from .findings import Finding, error, ok, warning

SETUP = "Run `manage.py setup_stripe`."
MOST_NAMED = 20
TOLD = {"behavior", "code", "codes"}  # parts of BILLING_TAX that prices and products repeat at Stripe
IN_THE_DASHBOARD = "Set it up in Stripe's dashboard, under Tax."


def stripe_tax() -> Iterator[Finding]:
    """Check that Stripe can compute tax for this account, and collects some anywhere."""
    if not conf.tax.get("automatic"):
        return
    settings = stripe_client.get("/v1/tax/settings")
    if settings["status"] != "active":
        missing = ((settings.get("status_details") or {}).get("pending") or {}).get("missing_fields") or []
        text = f"Stripe Tax is {settings['status']}{f', and lacks {chr(44).join(missing)}' if missing else ''}."
        yield error("stripe tax", f"{text} Nobody can buy with automatic tax.", IN_THE_DASHBOARD)
        return
    places = {row["country"] for row in stripe_client.get("/v1/tax/registrations", status="active", limit=100)["data"]}
    if not places:
        text = "The account is registered nowhere, so Stripe Tax collects no tax."
        yield warning("stripe tax", text, "Add your registrations in Stripe's dashboard, under Tax.")
    elif not conf.tax.get("behavior") and not (settings.get("defaults") or {}).get("tax_behavior"):
        text = "Neither BILLING_TAX nor Stripe says whether prices include tax, so Stripe refuses to sell them."
        yield error("stripe tax", text, f'Add "behavior" to BILLING_TAX. {SETUP}')
    else:
        yield ok("stripe tax", f"Stripe Tax is active, with registrations in {', '.join(sorted(places))}.")


def tax_rates() -> Iterator[Finding]:
    """Check that the tax rates of BILLING_TAX are there, are not archived, and include tax as the prices do."""
    for rate in conf.tax.get("rates", ()):
        try:
            found = stripe_client.get(f"/v1/tax_rates/{rate}")
        except StripeRefused as problem:
            if problem.code != "resource_missing":
                raise
            yield error("tax rates", f"Stripe has no tax rate {rate}.", 'Correct "rates" in BILLING_TAX.')
            continue
        said = "inclusive" if found["inclusive"] else "exclusive"
        if not found["active"]:
            text = f"The tax rate {rate} is archived, so Stripe sells nothing with it."
            yield error("tax rates", text, 'Put another one into "rates" of BILLING_TAX.')
        elif said != conf.tax.get("behavior", said):
            text = f"The tax rate {rate} is {said}, but BILLING_TAX says that prices are {conf.tax['behavior']}."
            yield error("tax rates", text, 'Correct "behavior" or "rates" in BILLING_TAX.')
        else:
            yield ok("tax rates", f"The tax rate {rate} is there: {found['percentage']:g} %, {said}.")


def tax_of_prices() -> Iterator[Finding]:
    """Check that prices say whether they include tax, and products what they are."""
    found = list(publishing.existing_of_ours().values()) if conf.tax.keys() & TOLD else []
    for price in found:
        says = "-".join(sorted(taxing.behaviors_of(price)))
        if price["active"] and conf.tax.get("behavior") and says != conf.tax["behavior"]:
            text = f"The price {price['id']} is {says} of tax, and BILLING_TAX says {conf.tax['behavior']}."
            todo = SETUP if taxing.may_stay(price) else "Stripe cannot change that: make a new price."
            yield error("tax of prices", text, todo)
    for product in taxing.without_code(found):
        text = f"The product {product['id']} has not the tax code of BILLING_TAX."
        yield warning("tax of prices", text, SETUP)


def addresses() -> Iterator[Finding]:
    """Name what waits until a customer has an address."""
    drafts = list(Invoice.objects.awaiting_address().order_by("created_at", "pk"))
    for draft in drafts[:MOST_NAMED]:
        text = f"The invoice {draft.pk} of {draft.customer_id} waits for an address to be taxed, and is not charged."
        todo = "The subscriber was asked for it. Or enter it at Stripe; the invoice follows by itself."
        yield warning("addresses", text, todo)
    if len(drafts) > MOST_NAMED:
        more = f"{len(drafts) - MOST_NAMED} more invoices wait for an address."
        yield warning("addresses", more, "Filter the invoices in the admin by whether they lack an address.")
    untaxed = Subscription.objects.filter(lacks_address=True).exclude(whose=Subscription.Whose.FOREIGN)
    for row in untaxed.order_by("pk")[:MOST_NAMED]:
        text = f"The subscription {row.stripe_id} of {row.customer_id} is not taxed, since Stripe has no address."
        yield warning("addresses", text, "The subscriber was asked for it. Or enter it at Stripe.")


def unverified_tax_ids() -> Iterator[Finding]:
    for row in tax_ids.doubtful()[:MOST_NAMED]:
        yield warning("tax ids", f"The tax ID {row.pk} of {row.customer_id} is not verified.", tax_ids.TODO)


CHECKS = (stripe_tax, tax_rates, tax_of_prices, addresses, unverified_tax_ids)
