"""These checks examine this site: events, queue, sync, grace, cache, mail."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Max, Min
from django.utils import timezone

from billing import payments
from billing.catalogue import definitions
from billing.conf import conf
from billing.events import webhooks
from billing.lifecycle import agreements as agreements_of
from billing.models import (
    PaymentFailure,
    Plan,
    Refund,
    StripeEvent,
    StripeWrite,
    SyncRun,
)
from billing.monitoring import health, unknown_values, workers
from billing.stripe_client import home as home_of
from billing.subscriptions import doubts, holds, mirror_failures
from billing.subscriptions import trials as trials_of

from .findings import Finding, error, ok, warning

Status = StripeEvent.Status
RECENT = timedelta(days=7)
MOST_NAMED = 20
MANY_TRIES = 6
LATE = timedelta(hours=3)
NOT_SEEN = timedelta(minutes=3)
WORKERS = {
    "django-q2": "Start `manage.py qcluster`, and wait a minute. `manage.py setup` adds a schedule that is missing.",
    "celery": "Start `celery worker` and `celery beat`, with the schedule of docs/queues.md, and wait a minute.",
    "rq": "Start `rq worker` and `rq cron`, with the schedule of docs/queues.md, and wait a minute.",
    "tasks": "Start the worker of your TASKS backend and `manage.py billing_worker --schedule-only`; wait a minute.",
    "none": "Start `manage.py billing_worker`, and wait some seconds.",
}
LATELY = timedelta(days=90)


def events() -> Iterator[Finding]:
    """Check that events arrive, that their version is ours, and with which secrets they were verified."""
    newest = StripeEvent.objects.filter(source=StripeEvent.Source.WEBHOOK).order_by("-received_at").first()
    if newest is None or newest.received_at < timezone.now() - RECENT:
        when = f"since {newest.received_at:%Y-%m-%d %H:%M}" if newest else "ever"
        yield warning("events", f"No webhook has arrived {when}.", "Send a test event from the Dashboard.")
        return
    yield ok("events", f"The last webhook, {newest.pk}, arrived {newest.received_at:%Y-%m-%d %H:%M} and was verified.")
    if newest.api_version and newest.api_version != conf.api_version:
        text = f"Its API version is {newest.api_version}, not {conf.api_version}."
        yield warning("events", text, "Run `manage.py setup_stripe`, then delete the endpoint of the other version.")


def home() -> Iterator[Finding]:
    """Find a database that was copied here from the site whose subscribers it holds."""
    if text := home_of.why_away():
        yield error("home", f"{text}.", "Until then events, writes to Stripe and mails wait here.")


def subscriptions() -> Iterator[Finding]:
    """Find subscriptions at prices that no plan knows, and customers who are billed twice in one line."""
    found = doubts.lasting()
    for sentence in found[:MOST_NAMED]:
        yield warning("subscriptions", sentence, "The customer's page in the admin shows both sides.")
    if len(found) > MOST_NAMED:
        text = f"{len(found) - MOST_NAMED} more subscriptions need a person."
        yield warning("subscriptions", text, "Filter the subscriptions in the admin by whose they are.")
    if not found:
        yield ok("subscriptions", "Every live subscription belongs to a plan, and nobody is billed twice.")


def trials() -> Iterator[Finding]:
    """Find trials whose card had one with another subscriber, and that wait for staff."""
    for sentence in trials_of.lasting()[:MOST_NAMED]:
        yield warning("trials", sentence, "The customer's page in the admin has the buttons.")


def agreements() -> Iterator[Finding]:
    """Find agreements that could not start, and those that Stripe has not answered for long."""
    for text, todo in agreements_of.lasting():
        yield warning("agreements", text, todo)


def secrets() -> Iterator[Finding]:
    if not conf.webhook_secrets:
        yield error("secrets", "No webhook secret is set, so every event is refused.", "Set STRIPE_WEBHOOK_SECRETS.")
    for fingerprint, at in webhooks.last_verified().items():
        if at:
            yield ok("secrets", f"The secret {fingerprint} last verified an event {at:%Y-%m-%d %H:%M}.")
        else:
            text = f"The secret {fingerprint} has verified no event."
            yield warning("secrets", text, "Remove it from STRIPE_WEBHOOK_SECRETS if it is an old one.")


def plans() -> Iterator[Finding]:
    if slugs := definitions.plans_out_of_line():
        text = f"{', '.join(slugs)}: the plans in the database are not those that are defined."
        yield error("plans", text, "Run `manage.py setup`, then `manage.py setup_stripe`.")
    if not Plan.objects.filter(slug=conf.free_plan).exists():
        text = f"There is no plan {conf.free_plan!r}, so subscribers who pay nothing can use nothing."
        yield error("plans", text, "Set BILLING_FREE_PLAN to the slug of a plan, or add that plan.")


def queue() -> Iterator[Finding]:
    """Report the queue, and whether its worker and its schedule run."""
    found, seen = health.backlog(), workers.last_seen()
    lag = found.queue_lag_seconds
    if seen is None or seen < timezone.now() - NOT_SEEN:
        when = f"since {seen:%Y-%m-%d %H:%M}" if seen else "yet"
        text = f"The queue is {conf.queue}. No worker has run the schedule {when}."
        yield error("queue", text, _to_run())
    elif lag and lag > health.TOO_OLD.total_seconds():
        yield error(
            "queue", f"A lane has waited {lag} s for a worker.", "Start another worker, or find out why this one hangs."
        )
    else:
        ago = int((timezone.now() - seen).total_seconds())
        text = f"The queue is {conf.queue}. A worker was seen {ago} s ago; the oldest waiting event has waited "
        yield ok("queue", f"{text}{found.oldest_waiting_seconds or 0} s.")


def backlog() -> Iterator[Finding]:
    oldest = health.backlog().oldest_waiting_seconds
    if oldest and oldest > health.TOO_OLD.total_seconds():
        yield error("backlog", f"The oldest event has waited {oldest} s.", "Check the worker and its log.")
    else:
        yield ok("backlog", f"The oldest waiting event has waited {oldest or 0} s.")
    for status, found, todo in (
        (
            Status.FAILED,
            StripeEvent.objects.filter(status=Status.FAILED),
            "They are tried again automatically. The admin shows why they failed.",
        ),
        (
            Status.DEAD,
            StripeEvent.objects.dead(),
            "See in the admin why they failed, then run `manage.py replay_events --dead`.",
        ),
    ):
        number = found.count()
        if number:
            said = (error if status == Status.DEAD else warning)(
                "backlog", f"The number of {status} events is {number}.", todo
            )
            yield said
        else:
            yield ok("backlog", f"No events are {status}.")


def requests() -> Iterator[Finding]:
    """Check that Stripe takes what we owe it."""
    refused = StripeWrite.objects.filter(refused_at__isnull=False).order_by("-refused_at")
    if rows := list(refused[:MOST_NAMED]):
        shown = ", ".join(f"{row.action} of {row.lane}" for row in rows)
        todo = "See Stripe's reason in the admin, under Stripe requests. Correct it and choose 'Try again now'."
        yield error("requests", f"Stripe refuses {refused.count()} of our requests for good: {shown}.", todo)
    failing = StripeWrite.objects.filter(done_at=None, withdrawn_at=None, attempts__gte=MANY_TRIES).count()
    if failing:
        todo = "They are tried again each hour. The admin shows why they fail, under Stripe requests."
        yield warning("requests", f"The number of our requests that fail again and again is {failing}.", todo)
    if not rows and not failing:
        yield ok("requests", "Stripe takes what we owe it.")


def unknown() -> Iterator[Finding]:
    """Report values from the last 30 days that Stripe sent and this version does not know."""
    for alert in unknown_values.recent():
        yield warning("unknown values", " ".join(alert.text.split()), unknown_values.TODO)


def _to_run() -> str:
    """Return what runs the chosen queue's tasks and its schedule."""
    return WORKERS.get(conf.queue, "Set BILLING_QUEUE as docs/queues.md says.")


def mirror() -> Iterator[Finding]:
    """Name what could not be written into dj-stripe's tables of late, and is missing there."""
    found = mirror_failures.lasting()
    for sentence in found:
        yield warning("mirror", sentence, mirror_failures.TODO)
    if not found:
        yield ok("mirror", "dj-stripe's tables have everything of the last week.")


def sync() -> Iterator[Finding]:
    last = SyncRun.objects.exclude(mode=SyncRun.Mode.CUSTOMER).order_by("-started_at").first()
    if last is None or last.started_at < timezone.now() - LATE:
        when = f"since {last.started_at:%Y-%m-%d %H:%M}" if last else "yet"
        yield warning("sync", f"No sync has run {when}.", f"The schedule runs it every hour. {_to_run()}")
    elif last.status == SyncRun.Status.FAILED:
        yield error("sync", f"The last sync failed: {last.error}", "Run `manage.py sync_stripe`.")
    elif last.drifted > last.healed:
        text = f"{last.drifted - last.healed} differences could not be corrected."
        yield warning("sync", text, "The admin lists them under Sync runs.")
    else:
        text = (
            f"The sync of {last.started_at:%Y-%m-%d %H:%M} found {last.missed} missed events and {last.drifted} "
            "differences, and corrected all."
        )
        yield ok("sync", text)


def held() -> Iterator[Finding]:
    """Check that nobody is charged while a hold keeps their access away."""
    for sentence in holds.lasting()[:MOST_NAMED]:
        yield warning("holds", sentence, "The admin lists them under Holds.")


def grace() -> Iterator[Finding]:
    """Compare grace with Stripe's retries. Its API does not tell the schedule, so the last failed payments are used."""
    tries = PaymentFailure.objects.filter(next_attempt_at__isnull=False).values("invoice_id")
    spans = tries.annotate(first=Min("failed_at"), last=Max("next_attempt_at")).order_by("-first")[:100]
    longest = max((row["last"] - row["first"] for row in spans), default=None)
    days = max(conf.grace_days, Plan.objects.aggregate(most=Max("grace_days"))["most"] or 0)
    if longest is None:
        yield ok("grace", f"Grace is {days} days. Stripe has not retried a payment yet.")
    elif longest > timedelta(days=days):
        text = f"Access ends after {days} days, but Stripe still charges the card after {longest.days} days."
        yield warning(
            "grace", text, "Raise BILLING_GRACE_DAYS, or shorten the retries in the Dashboard, unless you want this."
        )
    else:
        yield ok("grace", f"Grace is {days} days, and Stripe's retries so far ended within it.")


def money() -> Iterator[Finding]:
    """Report what waits for a person: money that bought nothing, and subscriptions ended by a refund that failed."""
    number = payments.nothing.waiting().count()
    if number:
        text = f"{number} payments bought nothing, since their subscription had ended or stays unpaid."
        yield warning("money", text, "The admin lists them under Payments. Refund or keep each on its customer's page.")
    undone = Refund.objects.filter(status="failed", created_at__gt=timezone.now() - LATELY).exclude(
        ended_subscription=""
    )
    if number := undone.count():
        text = f"{number} refunds failed after a subscription was cancelled for them."
        yield warning(
            "money", text, "The admin lists them under Refunds. Give access, or return the money another way."
        )


CHECKS = (
    home,
    plans,
    subscriptions,
    trials,
    agreements,
    events,
    secrets,
    queue,
    backlog,
    requests,
    unknown,
    mirror,
    sync,
    grace,
    money,
    held,
)
