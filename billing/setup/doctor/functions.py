"""These checks call the functions of the project that decide what is sold, as the pages would."""

from collections.abc import Iterator

from django.utils.module_loading import import_string

from billing import catalogue
from billing.conf import conf
from billing.lifecycle import host_params, offers, send_details, trials
from billing.models import LONGEST_TRIAL, CheckoutAttempt, Customer, Plan, Subscription
from billing.subscriptions import customer_details as details_of_subscribers

from .findings import Finding, error, ok, warning

GOES_ON = "Correct the function; the log has the error. The pages go on without it"


def checkout() -> Iterator[Finding]:
    """Ask BILLING_CHECKOUT what it would add to the newest Checkout, and find what billing refuses."""
    newest = CheckoutAttempt.objects.exclude(customer__subscriber=None).order_by("-created_at").first()
    if not conf.checkout or newest is None:
        return
    try:
        found = list(host_params.problems(import_string(conf.checkout)(newest.customer.subscriber, newest)))
    except Exception as raised:  # noqa: BLE001, whatever the project's function raises
        found = [f"BILLING_CHECKOUT raised {type(raised).__name__}: {raised}."]
    for sentence in found:
        yield error("checkout", sentence, "Nobody can buy until this is corrected (docs/seams.md).")
    if not found:
        yield ok("checkout", "BILLING_CHECKOUT adds nothing that billing refuses.")


def trial_days() -> Iterator[Finding]:
    """Ask BILLING_TRIAL_DAYS for each plan on the price page, as for a visitor."""
    if not conf.trial_days:
        return
    plans = list(catalogue.public_plans())
    found = [finding for plan in plans if (finding := _wrong_days(plan)) is not None]
    yield from found
    if not found:
        yield ok("trial days", f"BILLING_TRIAL_DAYS answers for each of {len(plans)} plans.")


def cancel_offer() -> Iterator[Finding]:
    """Ask BILLING_CANCEL_OFFER about the newest subscription to which something could be offered."""
    if not conf.cancel_offer:
        return
    newest = Subscription.objects.filter(counts=True, status=Subscription.Status.ACTIVE, cancel_at=None)
    for row in newest.select_related("customer", "plan", "price").order_by("-started_at", "-pk")[:1]:
        try:
            offers.offer_for(row)
        except Exception as raised:  # noqa: BLE001, whatever the project's function raises
            text = f"BILLING_CANCEL_OFFER raised {type(raised).__name__}: {raised}."
            yield warning("cancel offer", text, f"{GOES_ON}: nothing is offered to who cancels (docs/discounts.md).")
        else:
            yield ok("cancel offer", "BILLING_CANCEL_OFFER answers about the newest subscription.")


def customer_details() -> Iterator[Finding]:
    """Ask BILLING_CUSTOMER_DETAILS about the newest customer, and find an address in no country."""
    newest = Customer.objects.exclude(subscriber=None).order_by("-created_at", "pk").first()
    if not conf.customer_details or newest is None:
        return
    try:
        details = details_of_subscribers.details_of(newest.subscriber)
        wrong = [why for name, value in details.items() if (why := send_details.wrong_country(name, value))]
    except Exception as raised:  # noqa: BLE001, whatever the project's function raises
        wrong = [f"It raised {type(raised).__name__}: {raised}."]
    for sentence in wrong:
        text = f"BILLING_CUSTOMER_DETAILS about the subscriber of {newest.pk}: {sentence}"
        yield warning("customer details", text, "Correct the function: what is wrong is not sent (docs/tax.md).")
    if not wrong:
        yield ok("customer details", "BILLING_CUSTOMER_DETAILS answers about the newest customer.")


def _wrong_days(plan: Plan) -> Finding | None:
    try:
        days = trials.asked_days(None, plan)
    except Exception as raised:  # noqa: BLE001, whatever the project's function raises
        text = f"BILLING_TRIAL_DAYS raised {type(raised).__name__} for the plan {plan}: {raised}."
        return warning("trial days", text, f"{GOES_ON}: nobody is offered a trial of it (docs/trials.md).")
    if type(days) is int and 0 <= days <= LONGEST_TRIAL:
        return None
    text = f"BILLING_TRIAL_DAYS gives the plan {plan} a trial of {days!r} days: Stripe takes 0 to {LONGEST_TRIAL}."
    return error("trial days", text, "Nobody can buy it until this is corrected (docs/trials.md).")


CHECKS = (checkout, trial_days, cancel_offer, customer_details)
