"""A subscriber's page begins with this answer: whether there is access, why, now or at a given time, with the facts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import ngettext

from billing import access, clock, usage
from billing.access import Explanation, words
from billing.conf import conf
from billing.models import Customer, Hold, StripeEvent, Subscription

from . import display, subscription_words, trial_moves
from .event_filters import StateFilter
from .timeline import is_sane

NO_TIME = "“{}” is not a valid time. Write it as 2026-11-23 14:30, or choose it from the calendar."
FAILED = ("%d of their events has failed and is not applied", "%d of their events have failed and are not applied")
WAITING = ("%d of their events waits to be applied", "%d of their events wait to be applied")
TO_COME = "That is in the future. Choose a time in the past, or leave the field empty for now."


class NotAMoment(ValueError):
    """The time asked for cannot be answered; the message says why."""


@dataclass(frozen=True)
class Answer:
    """`at` is empty for now; `facts` are names and values."""

    at: datetime | None
    told: Explanation
    badges: list[Any]
    facts: list[tuple[str, Any]]
    problem: str = ""

    @property
    def sentence(self) -> str:
        return words.sentence_of(self.told.decided)

    @property
    def asked(self) -> str:
        """Return the time for the field of the form."""
        return timezone.localtime(self.told.at).strftime("%Y-%m-%dT%H:%M")

    @property
    def holds(self) -> list[tuple[Hold, Any]]:
        return [(hold, hold.reason or display.at_stripe(hold.reference)) for hold in self.told.holds]


def answer_for(request: HttpRequest, customer: Customer) -> Answer:
    """Answer for `?at=`, a local time; for now if it is missing or invalid."""
    try:
        at, problem = _moment(request.GET.get("at", "").strip()), ""
    except NotAMoment as error:
        at, problem = None, str(error)
    told = access.explain_customer(customer, at)
    then = told.decided.subscription
    now = customer.subscription_in(then.line) if then is not None and not at else None
    facts = [(name, value) for name, value in _facts(told, now if now and now.pk else None) if value]
    return Answer(at, told, list(_badges(told)), facts, problem)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or not is_sane(at):
        raise NotAMoment(NO_TIME.format(text[:40]))
    at = at if at.tzinfo else timezone.make_aware(at)
    if at > clock.now():
        raise NotAMoment(TO_COME)
    return at


def _badges(told: Explanation) -> Iterator[Any]:
    yield subscription_words.access_badge(told.decided)
    yield subscription_words.status_badge(told.status)
    for hold in told.holds:
        yield display.badge(f"{hold.get_kind_display().lower()} hold", "bad")
    if told.grants:
        yield display.badge("grant", "good")


def _facts(told: Explanation, now: Subscription | None) -> Iterator[tuple[str, Any]]:
    """Return the facts of that time, then those known only for now."""
    then = told.decided.subscription
    yield "Plan in effect", str(told.decided.plan or "Free")
    if then is not None:
        yield "Subscribed to", " at ".join(str(part) for part in (then.plan, then.price) if part)
        yield "Price of no plan", display.at_stripe(then.unmapped_price)
        yield "Period", display.span(then.current_period_start, then.current_period_end)
        yield "Trial until", display.moment(then.trial_end)
        yield "Ends on", display.moment(then.cancel_at)
        yield "Past due since", display.moment(then.past_due_since)
        yield "Grace ends", display.moment(told.grace_ends_at)
        yield "Ended", display.moment(then.ended_at)
    for line, other in told.others.items():
        yield f"In the line {line}", display.lines(str(other.plan or "no access"), words.sentence_of(other))
    for grant in told.grants:
        yield "Given", display.lines(words.capitalized(words.given(grant)), grant.reason)
    if told.deletion:
        state = "done" if told.deletion.is_done else f"running, next step: {told.deletion.next_step}"
        yield "Account deletion", display.lines(display.moment(told.deletion.requested_at), state)
    if now is not None:
        yield from _only_now(now)


def _only_now(row: Subscription) -> Iterator[tuple[str, Any]]:
    if row.add_ons:
        then = "" if row.pending_add_ons in (None, row.add_ons) else f"then {_counted(row.pending_add_ons)}"
        yield "Add-ons", display.lines(_counted(row.add_ons), then)
    if row.pending_kind:
        change = [row.pending_price or "a price without a plan", row.get_pending_kind_display()]
        yield "Changes to", display.lines(display.side_by_side(change), display.moment(row.pending_at))
    if row.card_last4:
        yield "Card", f"{row.card_brand.capitalize()} ending in {row.card_last4}, until {row.card_expires_on:%m/%Y}"
    yield "A further trial", trial_moves.why_no_trial(row.customer, row.line)
    yield "Last refreshed from Stripe", display.moment(row.fetched_at)


def _counted(add_ons: dict[str, int]) -> str:
    return ", ".join(f"{count} × {slug}" for slug, count in add_ons.items()) or "none"


def not_applied(request: HttpRequest, customer: Customer) -> list[Any]:
    """Return sentences about events that Stripe has sent and that are not applied yet, with links to them."""
    events = StripeEvent.objects.filter(lane=customer.pk)
    wrong = Q(status__in=StateFilter.WENT_WRONG, handled_at=None)
    counted = events.aggregate(
        wrong=Count("pk", filter=wrong), waiting=Count("pk", filter=Q(status=StripeEvent.Status.RECEIVED))
    )
    kinds = (
        (FAILED, StateFilter.TROUBLE, counted["wrong"]),
        (WAITING, StripeEvent.Status.RECEIVED.value, counted["waiting"]),
    )
    told = [(ngettext(*words, number) % number, state) for words, state, number in kinds if number]
    if not request.user.has_perm(f"{conf.app_label}.view_stripeevent"):
        return [sentence for sentence, _ in told]
    return [display.list_link("stripeevent", said, q=customer.pk, status__exact=state) for said, state in told]


def used(customer: Customer) -> list[tuple[str, str]]:
    """Return each feature with its use in the current period."""
    if customer.subscriber is None:
        return []
    quotas = usage.summary(customer.subscriber)
    return [(name, f"{q.used:,} of {'no limit' if q.limit is None else f'{q.limit:,}'}") for name, q in quotas.items()]
