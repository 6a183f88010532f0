"""A visitor buys on these pages: they see prices, start a Checkout and come back from it."""

import logging
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing import access, catalogue, confirmed, site
from billing.access import payer
from billing.conf import conf
from billing.lanes import LaneBusy
from billing.lifecycle import (
    OUTAGES,
    AccountClosing,
    CodeRefused,
    EmailUnconfirmed,
    embedded,
    languages,
    outage_of,
    overview,
    refusals,
    trials,
)
from billing.lifecycle import checkout as buying
from billing.models import CheckoutAttempt
from billing.private_answers import keep_by_language, keep_private
from billing.rates import checkout_wait, return_wait
from billing.stripe_client import StripeRefused, StripeUnavailable
from billing.subscriptions import seats

from . import add_on_words, choices, codes, policies, trouble
from .price_list import Card, PriceList, cadence_query
from .signed_in import signed_in

log = logging.getLogger(__name__)

WITHOUT_CODE = gettext_lazy("If you continue, you pay the price below, without a discount.")
ADD_ON = "add_on_"  # begins the name of a field of the form; the slug follows
NOTHING_CHARGED = gettext_lazy("Nothing was charged.")
# exception → HTTP status
NOT_STARTED: dict[type[Exception], int] = {
    EmailUnconfirmed: 403,
    AccountClosing: 409,
    buying.AccessWithheld: 409,
    buying.CheckoutReplaced: 409,
    refusals.CheckoutMisconfigured: 500,
    refusals.TrialTooLong: 500,
}


@login_not_required
@require_safe
def prices(request: HttpRequest) -> HttpResponse:
    """Show /: every public plan, by one cadence and in one currency. The address holds the choice."""
    subscriber = payer.payer_of(request)
    standing = _standing(request, subscriber)
    speaks, offers = request.headers.get("Accept-Language", ""), trials.Offers(subscriber)
    own = choices.own_terms(standing)
    usual = {"currency": own.usual.get("currency", "")} if "interval" in request.GET else own.usual
    asked = {**usual, **request.GET.dict(), **own.fixed}
    found = PriceList.asked_for(asked, speaks, seats.seats_shown(subscriber), offers)
    code = codes.shown(request, request.GET.get("code", ""), subscriber)
    cards = [code.on(card, subscriber) for card in found.cards]
    may_buy = subscriber is None or not confirmed.is_unconfirmed(subscriber)
    shown = [(card, choices.of_card(card, standing.get(card.plan.line), may_buy=may_buy)) for card in cards]
    why_not = payer.reason_not_to_manage(request, subscriber) if payer.is_signed_in(request) else ""
    context = {
        "list": found,
        "code": code,
        "code_query": f"&{urlencode({'code': code.text})}" if code.text else "",
        "cards": shown,
        "why_not": why_not,
        "refusal": "" if why_not else next(filter(None, map(choices.refusal, standing.values())), ""),
        "is_unconfirmed": not may_buy,
        "is_subscriber": not all(choices.is_bought(now) for now in standing.values()),
        "is_currency_fixed": bool(own.fixed),
        "has_packs": catalogue.packs.for_sale().exists() and not choices.is_withheld(standing.values()),
    }
    response = render(request, "billing/prices.html", context)
    keep_by_language(response)
    if payer.is_signed_in(request):
        keep_private(response)  # the page shows their e-mail address
    return response


def _standing(request: HttpRequest, subscriber: Any) -> dict[str, overview.Overview]:
    """Return how the reader stands in each line of the plans on sale; nothing for a visitor."""
    if not payer.is_signed_in(request):
        return {}
    lines = {plan.line for plan in catalogue.public_plans()}
    found = {now.line: now for now in overview.overviews_of(subscriber)}
    return found | {line: overview.overview_of(subscriber, line) for line in sorted(lines - set(found))}


@never_cache
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Answer /billing/checkout: GET shows what the subscriber is about to buy, POST redirects to Stripe's page."""
    asked = request.POST if request.method == "POST" else request.GET
    try:
        subscriber = payer.managed_payer(request)
    except (payer.NobodyPays, payer.MayNotManage) as refusal:
        return trouble.not_yours(request, refusal)
    offers = trials.Offers(subscriber)
    card = PriceList.asked_for(asked, seats=seats.seats_shown(subscriber), offers=offers).card(asked.get("plan", ""))
    if card is None or card.price is None:
        return _nothing_chosen(asked)
    if request.method != "POST":
        return _shown(request, card, asked.get("code", ""), subscriber)
    if seconds := checkout_wait(request):
        return trouble.too_often(request, seconds)
    return _begin(request, card, asked, subscriber)


def _begin(request: HttpRequest, card: Card, asked: QueryDict, subscriber: Any) -> HttpResponse:
    """Start a Checkout and redirect to it; where it cannot be started, show why."""
    try:
        currency, cadence = asked.get("currency", "").lower(), card.cadence
        locale = languages.locale_of(request)
        wanted = (card.plan.slug, cadence.interval, currency, cadence.count, asked.get("code", ""))
        attempt = buying.start(subscriber, *wanted, locale=locale, add_ons=_add_ons_chosen(asked))
    except refusals.AddOnNotOffered as refusal:
        context = {"card": card, "problem": str(refusal), "add_ons": _add_ons(card, asked)}
        return render(request, "billing/checkout.html", context, status=400)
    except CodeRefused as refusal:
        problem = f"{refusal} {WITHOUT_CODE}"
        context = {"card": card, "problem": problem, "add_ons": _add_ons(card, asked)}
        return render(request, "billing/checkout.html", context, status=400)
    except buying.AlreadySubscribed as refusal:
        messages.info(request, str(refusal) + " " + gettext("Here is what the change would cost."))
        query = urlencode({"plan": card.plan.slug, **cadence_query(card.cadence)})
        return redirect(f"{site.path_of('change')}?{query}")
    except buying.SubscriptionPaused as refusal:
        messages.info(request, str(refusal))
        return redirect(site.path_of("account"))
    except tuple(NOT_STARTED) as refusal:
        return _not_started(request, card, f"{refusal} {NOTHING_CHARGED}", NOT_STARTED[type(refusal)])
    except tuple(OUTAGES) as error:
        log.warning("checkout not started", exc_info=True)
        outage = outage_of(error)
        return _not_started(request, card, str(outage.sentence), outage.status)
    return redirect(attempt.url)


def _shown(request: HttpRequest, card: Card, text: str, subscriber: Any) -> HttpResponse:
    """Show what is about to be bought. A code that is no good is named, and left out of what is bought."""
    code = codes.shown(request, text, subscriber)
    card = code.on(card, subscriber)
    problem = code.problem or card.code_problem
    if problem and not card.code:
        problem = f"{problem} {WITHOUT_CODE}"
    ends = conf.trial_same_card == "end"
    context = {"card": card, "code": code, "problem": problem, "ends_for_same_card": ends}
    context["add_ons"] = _add_ons(card, request.GET)
    return render(request, "billing/checkout.html", context)


def _add_ons_chosen(asked: QueryDict) -> dict[str, int]:
    """Return how many of each add-on a form names, by slug; what is no number is none."""
    named = {name.removeprefix(ADD_ON): asked.get(name, "") for name in asked if name.startswith(ADD_ON)}
    return {slug: int(text) for slug, text in named.items() if text.isdecimal() and len(text) < 7}


def _add_ons(card: Card, asked: QueryDict) -> list[dict[str, Any]]:
    """Return what is sold with the plan, with the numbers that are chosen; nothing beside a plan that is free."""
    chosen = _add_ons_chosen(asked)
    offers = [] if card.costs_nothing else add_on_words.beside(card.plan, card.cadence, card.currency)
    return [{**offer, "chosen": chosen.get(offer["add_on"].slug, 0)} for offer in offers]


def _nothing_chosen(asked: QueryDict) -> HttpResponse:
    """Redirect a visitor who chose no plan to the prices; answer 404 for a plan that is not for sale."""
    if "plan" in asked:
        raise Http404
    return redirect(site.path_of("prices"))


def _not_started(request: HttpRequest, card: Card, sentence: str, status: int) -> HttpResponse:
    return render(request, "billing/checkout_failed.html", {"card": card, "sentence": sentence}, status=status)


@never_cache
@signed_in
@require_safe
def pay(request: HttpRequest) -> HttpResponse:
    """Answer /billing/pay?session_id=: show a Checkout of the buyer's own on this page, or how it has ended."""
    attempt = _own_attempt(request)
    if seconds := return_wait(request):
        return trouble.too_often(request, seconds)
    try:
        secret = embedded.secret_of(attempt)
    except tuple(OUTAGES) as error:
        return trouble.not_now(request, error)
    if not secret:
        return redirect(f"{site.path_of('return')}?{urlencode({'session_id': attempt.session_id})}")
    context = {"attempt": attempt, "secret": secret, "script": embedded.script(), "key": conf.publishable_key}
    return policies.allowing_stripe(render(request, "billing/pay.html", context))


def _own_attempt(request: HttpRequest) -> CheckoutAttempt:
    """Return the attempt of `session_id`, if it is the buyer's own. Raises `Http404`."""
    session_id, subscriber = request.GET.get("session_id", ""), payer.payer_of(request)
    if not session_id.isprintable() or not session_id or subscriber is None:
        raise Http404
    rows = CheckoutAttempt.objects.select_related("price__plan")
    return get_object_or_404(rows, session_id=session_id, customer__subscriber=subscriber)


@never_cache
@signed_in
@require_safe
def checkout_return(request: HttpRequest) -> HttpResponse:
    """Answer /billing/return?session_id=, to which Stripe sends the buyer. Only the buyer's own session is shown."""
    attempt, subscriber = _own_attempt(request), payer.payer_of(request)
    if seconds := return_wait(request):
        return trouble.too_often(request, seconds)
    try:
        outcome = buying.refresh_outcome(attempt)
    except (StripeUnavailable, *StripeRefused, LaneBusy, catalogue.UnmappedPrice) as error:
        log.warning("checkout not confirmed on return", extra={"session": attempt.session_id, "error": str(error)})
        has_it = access.has_access(subscriber, line=attempt.price.plan.line)
        outcome = buying.Outcome.PAID if has_it else buying.Outcome.PROCESSING
    return render(request, "billing/return.html", {"outcome": outcome.value, "attempt": attempt})
