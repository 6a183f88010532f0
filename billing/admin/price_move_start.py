"""Staff begin a price move: they see first who would be told and moved, then start it, with a reason."""

from itertools import islice
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import ngettext

from billing import cause, lanes
from billing.catalogue import definitions
from billing.conf import conf
from billing.lifecycle import price_moves
from billing.models import PriceMove
from billing.money import format_amount
from billing.stripe_client import StripeRefused, StripeUnavailable

from . import display, people
from .cause_words import STAFF as BY_STAFF
from .staff_forms import ReasonForm

START = f"{conf.app_label}.start_pricemove"
TITLE = "Start a price move"
DEFAULT_NOTICE = 30
LISTED, LOOKED_AT = 20, 500
# Which field a refusal is about; the others stand above the form.
FIELDS = {
    "unknown_price": "new_price",
    "same_price": "new_price",
    "other_product": "new_price",
    "other_interval": "new_price",
    "other_currency": "new_price",
    "other_tax": "new_price",
    "not_for_sale": "new_price",
    "free_price": "old_price",
    "notice_days": "notice_days",
}
UNAVAILABLE = "Stripe did not answer. Nobody is told before the old price is off sale: start it again in a moment."
REFUSED = "Stripe refused it, and nobody was told. The log says why. Start it again, or stop the move in the list."
BUSY = "The prices are being refreshed from Stripe. Nothing was changed. Try again in a moment."
NAMING = "An id at Stripe (price_…), or plan:interval, such as pro:month or pro:3_month."
FROM_SETTINGS = (
    "Started. BILLING_PLANS defines the plans: state the new amount there too, or setup_stripe sells at the old one "
    "again. The worker tells everybody."
)
NOTHING_YET = "The old price is not sold any more once it is started. Nothing has been changed yet."
STARTED = "Started: the old price is not sold any more, and the worker tells everybody who pays it."


WIDE = forms.TextInput(attrs={"size": 40})


class StartForm(ReasonForm):
    old_price = forms.CharField(label="Price that is paid now", max_length=255, help_text=NAMING, widget=WIDE)
    new_price = forms.CharField(
        label="Price to move to", max_length=255, help_text="Of the same plan and interval.", widget=WIDE
    )
    notice_days = forms.IntegerField(
        label="Days of notice",
        initial=DEFAULT_NOTICE,
        help_text="Between the mail and the first charge at the new price.",
    )
    at_renewal = forms.BooleanField(
        label="Tell Stripe only before the renewal",
        required=False,
        help_text="A day before the renewal, and not as soon as the notice is over. Either way nothing is prorated.",
    )
    field_order = ["old_price", "new_price", "notice_days", "at_renewal", "reason"]

    def terms(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("notice_days", "at_renewal")}

    def prices(self) -> price_moves.NamedPrices:
        """Return the prices that are named. Raises `PriceMoveRefused`, `StripeUnavailable`."""
        return price_moves.find_prices(self.cleaned_data["old_price"].strip(), self.cleaned_data["new_price"].strip())

    def refuse(self, error: price_moves.PriceMoveRefused) -> None:
        """Show a refusal at its field, or above the form."""
        self.add_error(FIELDS.get(error.code), str(error))


def preview(form: StartForm) -> dict[str, Any]:
    """Return who would be told, as sentences and the first rows. Changes nothing. Raises as `start` does."""
    prices = form.prices()
    found = list(islice(price_moves.forecast(prices, **form.terms()), LOOKED_AT + 1))
    shown, more = found[:LOOKED_AT], len(found) > LOOKED_AT
    waiting = sum(bool(why) for _, why in shown)
    pay = ngettext("%d subscription pays", "%d subscriptions pay", len(shown)) % len(shown)
    of = f"More than {pay}" if more else pay
    told = f"{len(shown) - waiting:,} would be told now of {prices.new.pk}, {waiting:,} later."
    return {
        "terms": _terms(form),
        "sentences": [f"{of} {prices.old.pk}. {'Of the first, ' if more else ''}{told}", NOTHING_YET],
        "rows": [_row(row, why) for row, why in shown[:LISTED]],
        "is_cut": len(shown) > LISTED or more,
    }


def is_as_shown(request: HttpRequest, form: StartForm) -> bool:
    """Return whether the form asks for what its page has shown before."""
    return "start" in request.POST and request.POST.get("shown") == _terms(form)


def _terms(form: StartForm) -> str:
    given = form.cleaned_data
    return "|".join(str(given[name]) for name in ("old_price", "new_price", "notice_days", "at_renewal"))


def _row(row: Any, why: str) -> dict[str, Any]:
    amounts = [
        "by usage" if each is None else format_amount(each, row.currency) for each in (row.old_amount, row.new_amount)
    ]
    return {
        "who": people.link(row.subscription.customer),
        "amounts": " to ".join(amounts),
        "when": why or display.day(row.moves_at),
    }


def start(request: HttpRequest, form: StartForm) -> PriceMove:
    """Start the move; the worker goes on with it. Raises `PriceMoveRefused`, `StripeUnavailable`, `StripeRefused`,
    `LaneBusy`."""
    with cause.recorded_as(f"{BY_STAFF}{request.user.pk}"):
        return price_moves.start(form.prices(), **form.terms())


def problem_of(error: Exception) -> tuple[str, int]:
    """Return the sentence for staff, and the status of the answer."""
    if isinstance(error, StripeUnavailable):
        return UNAVAILABLE, 503
    return (BUSY, 503) if isinstance(error, lanes.LaneBusy) else (REFUSED, 502)


def said_of_started() -> str:
    return FROM_SETTINGS if definitions.is_from_settings() else STARTED


FAILURES = (StripeUnavailable, lanes.LaneBusy, *StripeRefused)
