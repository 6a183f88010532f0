"""The watch looks each minute for conditions that no event tells of, reminds staff of them, and mails what waits.

Staff are reminded of a condition once an hour while it lasts.
"""

from datetime import timedelta

from django.utils import timezone

from billing.conf import conf
from billing.models import StripeEvent
from billing.monitoring import alerts, health
from billing.stripe_client import circuit, home

STRIPE_AWAY = timedelta(minutes=10)
Source = StripeEvent.Source


def each_minute() -> str:
    """Run the schedule's task and return how many mails it sent."""
    for look in (_queue, _stripe, _endpoint, _home):
        look()
    return f"{alerts.send()} alerts mailed"


def _queue() -> None:
    """Remind staff of work that waits too long. A worker runs, since this runs: it hangs at something, or there are
    too few. Where no worker runs at all only /readyz, asked from outside, can tell.
    """
    found = health.backlog()
    waits = max(found.oldest_waiting_seconds or 0, found.queue_lag_seconds or 0)
    if waits > health.TOO_OLD.total_seconds():
        alerts.remind_staff(
            "queue_stuck",
            "Events wait too long to be processed",
            f"The oldest event has waited {waits} seconds. Start another worker, or look into the worker's "
            "log. manage.py billing_doctor says more.",
        )


def _stripe() -> None:
    seconds = circuit.away_for()
    if seconds > STRIPE_AWAY.total_seconds():
        alerts.remind_staff(
            "stripe_away",
            "Stripe does not answer",
            f"No call has been answered for {seconds} seconds. Events wait, access stays as last known, and nobody can "
            "buy or change a plan. You do not have to act. See https://status.stripe.com",
        )


def _endpoint() -> None:
    """Remind staff of a webhook endpoint that gets no events. Silence alone means nothing: the sync must have found
    events which Stripe should have delivered, and has not.
    """
    since = timezone.now() - conf.silent_after
    recent = StripeEvent.objects.filter(received_at__gt=since)
    missed = recent.filter(source=Source.SYNC, deliveries=1)
    if missed.exists() and not recent.filter(source=Source.WEBHOOK).exists():
        hours = f"{conf.silent_after.total_seconds() / 3600:g}"
        alerts.remind_staff(
            "endpoint_silent",
            "No webhook arrives from Stripe",
            f"No webhook has arrived in {hours} hours, but the sync found events that Stripe should have sent.\n"
            "Run manage.py billing_doctor: it says what is wrong with the endpoint. Until then the hourly sync "
            "fetches the events.",
        )


def _home() -> None:
    if text := home.why_away():
        alerts.remind_staff("copied_database", "This site runs on a copy of another site's database", f"{text}.")
