"""Trials are remembered here, with what tells their person again: subscriber, card and normalised e-mail address.

A card is only known after Checkout. If it had a trial with another subscriber, BILLING_TRIAL_SAME_CARD decides: staff
are alerted (families and companies share cards, and the buyer was promised that nothing is charged until the trial
ends), or the trial ends at once. An address that began two trials, by Checkouts that were open at the same time, is
always a question for staff.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.crypto import salted_hmac

from billing import cause, clock, lanes
from billing.clock import from_timestamp
from billing.conf import conf
from billing.lanes import writes
from billing.models import Customer, Subscription, Trial
from billing.monitoring import alerts

from . import customer_details
from .columns import payment_method_of

Pair = tuple[Subscription, Subscription]
Found = dict[str, Any]

CARD, EMAIL = "card", "email"
MADE_WITH = ("status", "trial_end", "default_payment_method", "has_payment_method", "card_last4", "plan_id")
# At Gmail dots in a name mean nothing, and both domains are one.
GMAIL = frozenset({"gmail.com", "googlemail.com"})


def note(pairs: Iterable[Pair], told: dict[str, Found]) -> None:
    """Remember the trials among the subscriptions that have changed. `told`: all of them by id, as Stripe has them."""
    for before, row in pairs:
        found = told.get(row.stripe_id)
        is_new = before.pk is None or any(getattr(before, name) != getattr(row, name) for name in MADE_WITH)
        if found and row.is_ours and is_new and _began_with_trial(found):
            _note(row, found)


def _began_with_trial(found: Found) -> bool:
    """Return whether the subscription began with its trial. Staff also give time by a trial in a paid subscription."""
    return bool(found["trial_end"]) and found.get("trial_start") in (None, found["start_date"])


def _note(row: Subscription, found: Found) -> None:
    card = digest(fingerprint_of(found)) if CARD in conf.trial_once_per else ""
    columns = {"customer": row.customer, "line": row.line, "started_at": from_timestamp(found["start_date"])}
    address = row.customer.email or customer_details.email_of(row.customer.subscriber)
    columns["email_digest"] = digest(normalised(address)) if EMAIL in conf.trial_once_per else ""
    seen = {"ends_at": row.trial_end, "plan": row.plan, **({"card_digest": card} if card else {})}
    trial, _ = Trial.objects.update_or_create(
        subscription_id=row.stripe_id, defaults=seen, create_defaults={**columns, **seen}
    )
    if row.status == Subscription.Status.TRIALING and trial.same_person_as_id is None:
        compare(trial)


def compare(trial: Trial) -> bool:
    """Do what BILLING_TRIAL_SAME_CARD says if the card had an earlier trial with another subscriber, and alert staff if
    the address had. Call it in the customer's lane. Returns whether either had.
    """
    earlier = _earlier(trial, card_digest=trial.card_digest) or _earlier(trial, email_digest=trial.email_digest)
    if earlier is None:
        return False
    trial.same_person_as = earlier
    if conf.trial_same_card == "end" and trial.has_same_card:
        writes.owe_trial_end(trial.customer, trial.subscription_id, None)
        trial.settled_at = clock.now()
    trial.save(update_fields=["same_person_as", "settled_at"])
    alerts.alert_staff(f"second_trial:{trial.subscription_id}"[:100], "Somebody may have a second trial", _words(trial))
    return True


def _earlier(trial: Trial, **by: str) -> Trial | None:
    """Return the first earlier trial of another subscriber by a digest; None by an empty one."""
    if not any(by.values()):
        return None
    same = Trial.objects.filter(line=trial.line, pk__lt=trial.pk, **by).select_related("customer").order_by("pk")
    return next((row for row in same if _is_another(row, trial.customer.subscriber_id)), None)


def _is_another(row: Trial, subscriber_id: Any) -> bool:
    return row.customer.subscriber_id is None or row.customer.subscriber_id != subscriber_id


def compare_missed() -> int:
    """Compare running trials once more: two that begin at the same moment do not see each other. Returns how many were
    found to be a second one."""
    earlier = Trial.objects.filter(line=OuterRef("line"), pk__lt=OuterRef("pk"))
    by_card = ~Q(card_digest="") & Q(Exists(earlier.filter(card_digest=OuterRef("card_digest"))))
    by_email = ~Q(email_digest="") & Q(Exists(earlier.filter(email_digest=OuterRef("email_digest"))))
    running = Trial.objects.filter(by_card | by_email, ends_at__gt=clock.now(), same_person_as=None)
    return sum(_compare_in_lane(trial) for trial in running)


def unsettled(customer: Customer | None = None) -> QuerySet[Trial]:
    """Return the running trials whose card or address had one before, and about which staff have not decided."""
    rows = Trial.objects.filter(same_person_as__isnull=False, settled_at=None, ends_at__gt=clock.now())
    rows = rows.filter(subscription_id__in=_trialing().values("stripe_id")).select_related("same_person_as", "plan")
    return rows.filter(customer=customer) if customer else rows


def lasting() -> list[str]:
    """Return a sentence for each trial that waits for staff."""
    return [_words(trial) for trial in unsettled().order_by("pk")]


def settle(customer: Customer, subscription_id: str = "") -> bool:
    """Note that staff have decided about the trials, or one of them. Returns whether any waited for that."""
    waiting = unsettled(customer).values_list("pk", flat=True)
    waiting = waiting.filter(subscription_id=subscription_id) if subscription_id else waiting
    return bool(Trial.objects.filter(pk__in=list(waiting)).update(settled_at=clock.now()))


def why_none(subscriber: Any, line: str) -> str:
    """Return why a subscriber gets no trial in a line, by our rows: `subscribed` before, or a trial of theirs by
    `email`; "" if they may have one.
    """
    if subscriber is None or getattr(subscriber, "pk", None) is None:
        return ""
    theirs = Customer.objects.all_of(subscriber)
    rows = Subscription.objects.filter(customer__in=theirs.values("pk"), line=line).select_related("price")
    if any(not row.is_free for row in rows):
        return "subscribed"
    return EMAIL if EMAIL in conf.trial_once_per and trials_by_address(subscriber, line).exists() else ""


def trials_by_address(subscriber: Any, line: str) -> QuerySet[Trial]:
    """Return the trials in a line that were begun with the subscriber's e-mail address."""
    address = normalised(customer_details.email_of(subscriber))
    known = Trial.objects.filter(line=line, email_digest__in=digests(address)) if address else Trial.objects.none()
    return known.select_related("plan", "customer").order_by("pk")


def fingerprint_of(found: Found) -> str:
    """Return Stripe's fingerprint of the card or account that will be charged; "" where there is none, or where the
    payment method was not expanded."""
    method = payment_method_of(found)
    if not isinstance(method, dict):
        return ""
    known = method.get(method.get("type") or "card") or {}
    return str(known.get("fingerprint") or "")


def normalised(address: str) -> str:
    """Return an e-mail address as one person would have it: in lower case, without what follows a +; at Gmail without
    dots."""
    name, _, domain = (address or "").strip().lower().rpartition("@")
    name = name.partition("+")[0]
    if domain in GMAIL:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}" if name and domain else ""


def digest(text: str) -> str:
    return digests(text)[0] if text else ""


def digests(text: str) -> list[str]:
    """Return the digest by the secret key, and those by the keys before it."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac("billing.trial", text, secret=key, algorithm="sha256").hexdigest() for key in keys]


def _trialing() -> QuerySet[Subscription]:
    return Subscription.objects.filter(status=Subscription.Status.TRIALING)


def _words(trial: Trial) -> str:
    earlier = trial.same_person_as
    known = f"the trial {earlier.subscription_id} of the customer {earlier.customer_id}" if earlier else "another trial"
    what = "card" if trial.has_same_card else "e-mail address"
    said = f"The {what} of the trial {trial.subscription_id} of the customer {trial.customer_id} was used for {known}."
    if trial.settled_at:
        return f"{said} It ends at once, and the first payment is charged (BILLING_TRIAL_SAME_CARD)."
    return f"{said} On the customer's page in the admin, choose 'End the trial' or 'Let the trial run'."


def _compare_in_lane(trial: Trial) -> bool:
    def work() -> bool:
        row = Trial.objects.select_related("customer").get(pk=trial.pk)
        is_open = row.same_person_as_id is None and _trialing().filter(stripe_id=row.subscription_id).exists()
        return is_open and compare(row)

    try:
        with cause.recorded_as("calendar"), lanes.exclusive(trial.customer_id, wait_seconds=0) as commit:
            return commit(work)
    except lanes.LaneBusy:
        return False  # the next run, in an hour, compares it
