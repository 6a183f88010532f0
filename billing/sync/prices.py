"""The prices of the plans are compared with Stripe in every run, in the catalogue's lane; what differs is corrected."""

from billing import catalogue, lanes, stripe_client, subscriptions
from billing.models import SyncRun

from . import report

WAIT_SECONDS = 5.0
NONE_HERE = "None of our prices is in this Stripe account. Check STRIPE_SECRET_KEY."


def refresh(run: SyncRun, *, is_dry: bool) -> None:
    """Compare every price of ours with Stripe; unless dry, correct it. Raises `StripeUnavailable`."""
    if is_dry:
        with stripe_client.drain_reads():
            _report(run, catalogue.refreshing.refresh_all(is_dry=True), is_dry=True)
        return
    try:
        with lanes.exclusive(catalogue.refreshing.LANE, WAIT_SECONDS) as commit:
            _report(run, commit(_refresh_all), is_dry=False)
    except lanes.LaneBusy:
        return  # whoever holds the lane refreshes the prices


def _refresh_all() -> catalogue.refreshing.Refreshed:
    done = catalogue.refreshing.refresh_all()
    subscriptions.next_charges.ask_again_of_prices(done.charging_otherwise)
    return done


def _report(run: SyncRun, done: catalogue.refreshing.Refreshed, *, is_dry: bool) -> None:
    if done.is_foreign:
        report.note(run, NONE_HERE)
    for price in done.added if not is_dry else []:
        report.note(run, f"Price {price} had no row here, so it was added.")
    for price, differences in done.differences.items():
        report.drift(run, price, differences, report.likely_cause(catalogue.refreshing.LANE))
        run.healed += 0 if is_dry else len(differences)
