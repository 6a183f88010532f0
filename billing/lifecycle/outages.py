"""One table holds what subscribers, programs and staff read when Stripe does not answer, or another change runs."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.catalogue import UnmappedPrice
from billing.lanes import LaneBusy
from billing.monitoring import alerts
from billing.stripe_account import OfAnotherAccount
from billing.stripe_client import NoSuchCustomer, NoTaxAddress, StripeRefused, StripeUnavailable, TaxIdInvalid

from .refusals import NotConfirmed, TaxAddressNeeded


@dataclass(frozen=True)
class Outage:
    """An outage has a `status` of HTTP, a `code` for programs, and `retry_after` seconds (0: a retry does not help).

    `sentence` is for the subscriber, `for_staff` for a member of staff who acts for them.
    """

    status: int
    code: str
    sentence: str | Promise
    for_staff: str | Promise
    retry_after: int = 0


WHAT_TO_DO = (
    "The subscriber could not buy or change anything, and keeps the access they had. Run manage.py billing_doctor: it "
    "says whether STRIPE_SECRET_KEY is of another Stripe account or mode. If the customer is gone for good, end them "
    "on their page in the admin."
)

OUTAGES: dict[type[Exception], Outage] = {
    StripeUnavailable: Outage(
        503,
        "stripe_unavailable",
        _(
            "Our payment provider is not answering, so we do not know yet whether this went through. "
            "Please try again in a moment: you won't be charged twice."
        ),
        for_staff="Stripe did not answer. Nothing was changed. Try again in a moment.",
        retry_after=5,
    ),
    NotConfirmed: Outage(503, "not_confirmed", NotConfirmed.sentence, NotConfirmed.sentence, 5),
    LaneBusy: Outage(
        503,
        "busy",
        _("Another change to your subscription is in progress. Nothing was changed. Please try again in a moment."),
        for_staff="This customer's events are being applied right now. Nothing was changed. Try again in a moment.",
        retry_after=2,
    ),
    **dict.fromkeys(
        (OfAnotherAccount, NoSuchCustomer),
        Outage(
            409,
            "customer_unknown",
            _(
                "Our payment provider no longer recognises you as our customer, so nothing can be bought or changed. "
                "Nothing was changed. Our team has been notified. Please write to us, and we'll fix it."
            ),
            for_staff="Stripe knows no such customer by our key, so nothing was changed. Check STRIPE_SECRET_KEY with "
            "`manage.py billing_doctor`. If the customer is gone for good, end them on their page.",
        ),
    ),
    NoTaxAddress: Outage(
        409,
        "tax_address_needed",
        TaxAddressNeeded.sentence,
        for_staff=(
            "Stripe finds no place to tax for this customer, so nothing was changed. Enter a country, in two letters, "
            "and a postal code at Stripe."
        ),
    ),
    TaxIdInvalid: Outage(
        400,
        "tax_id_invalid",
        _(
            "This tax ID is not valid for its country. Nothing was changed. Check its digits and its country, then try "
            "again."
        ),
        for_staff="Stripe refuses the tax ID, since it cannot be one of its kind. Nothing was changed.",
    ),
    **dict.fromkeys(
        StripeRefused,
        Outage(
            502,
            "stripe_refused",
            _("Our payment provider refused this. Nothing was changed. Write to us and we'll look into it."),
            for_staff="Stripe refused the request about this customer. Nothing was changed. The log says why.",
        ),
    ),
    UnmappedPrice: Outage(
        500,
        "unmapped_price",
        _("Your subscription has a price that we don't know. Nothing was changed. Write to us and we'll look into it."),
        for_staff=(
            "The price at Stripe belongs to none of our plans. Nothing was changed. Give the price a plan, under "
            "Prices."
        ),
    ),
}


def outage_of(error: Exception) -> Outage:
    """Return the outage that describes an error of one of the kinds in `OUTAGES`; staff are alerted of an unknown
    customer, since nothing but a person can help there.
    """
    if isinstance(error, OfAnotherAccount | NoSuchCustomer):
        alerts.remind_staff("customer_unknown", "Stripe does not know a customer of ours", f"{error}.\n{WHAT_TO_DO}")
    return next(outage for kind, outage in OUTAGES.items() if isinstance(error, kind))
