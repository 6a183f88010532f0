"""The pages say how a subscription and an invoice stand, in a word or two."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.lifecycle import Overview, checkout
from billing.localized import own_words

from .days import day

STATUS_WORDS = {
    "none": gettext_lazy("No subscription"),
    "incomplete": gettext_lazy("Waiting for the first payment"),
    "incomplete_expired": gettext_lazy("Never started"),
    "trialing": gettext_lazy("Trial"),
    "active": gettext_lazy("Active"),
    "past_due": gettext_lazy("Payment overdue"),
    "unpaid": gettext_lazy("Unpaid"),
    "paused": gettext_lazy("Paused"),
    "canceled": gettext_lazy("Ended"),
}
INVOICE_STATUS = {
    "draft": gettext_lazy("Draft"),
    "open": gettext_lazy("Open"),
    "paid": gettext_lazy("Paid"),
    "void": gettext_lazy("Void"),
    "uncollectible": gettext_lazy("Uncollectible"),
}


def plan_name(overview: Overview) -> str:
    """Return the plan that the status is about: the one in effect, or the one subscribed to while its access is away.

    So a page reads "Pro · On hold", never "Free · Active".
    """
    held = overview.subscription
    if held and held.plan and not overview.has_access and overview.status not in checkout.NOT_LIVE:
        return held.plan.name
    return overview.effective_plan.name if overview.effective_plan else _("Free")


def tone(overview: Overview) -> str:
    """Return how the status looks: `good`, `problem`, or "" for neither."""
    if overview.status in checkout.NOT_LIVE and not overview.has_access:
        return ""
    return "good" if overview.has_access and overview.status != "past_due" else "problem"


def status_words(overview: Overview) -> str:
    if overview.is_cancelling and not overview.is_by_grant:
        return _("Being cancelled")
    if overview.is_by_grant:
        until = overview.grant_ends_at
        return _("Yours until {date}").format(date=day(until)) if until else _("Yours permanently")
    if overview.holds and not overview.has_access and overview.status not in checkout.NOT_LIVE:
        return _("On hold")
    if overview.decided.refused_by_host and not overview.has_access:
        return _("No access")
    if overview.collection_paused and overview.status in {"active", "trialing"}:
        return _("Payments paused")
    words = str(STATUS_WORDS.get(overview.status) or humanize(overview.status).capitalize())
    if overview.access_ends_at and overview.status in {"active", "trialing"}:
        return _("{status}, ends on {date}").format(status=words, date=day(overview.access_ends_at))
    return words


def invoice_status(status: str) -> str:
    """Return Stripe's status of an invoice in words."""
    return str(INVOICE_STATUS.get(status) or humanize(status).capitalize())


def humanize(feature: str) -> str:
    """Return the name of a feature, as a catalogue has it."""
    return own_words(feature.replace("_", " ").replace("-", " "))
