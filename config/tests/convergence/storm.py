"""One batch of lives lived in a storm, and what is wrong afterwards."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.models import F, Q
from django.utils import timezone
from django_q.models import OrmQ

from billing import subscriptions, usage
from billing.events import sweep
from billing.models import Lane, StripeEvent, StripeWrite, UsageReport
from billing.payments import due
from billing.sync import runs
from notifications import outbox
from notifications.models import Mail

from . import books, sales
from .comparing import differences
from .courier import Courier
from .expected_mails import Mails
from .lives import TURNS
from .oracle import Truth
from .people import DAY, Subscriber
from .shoppers import Shopper
from .site import SECRET
from .workers import work

TOGETHER = 8  # lives whose events are brought together
AGO = timedelta(days=1)
QUIET_SECONDS = 60
WAITS_FOR_A_BANK = "while its payment is processing"
BETWEEN_STRIKES = (0.1, 0.7)
FAULTS = [
    {},
    {"latency_ms": 15},
    {"fail_next": 0.2, "status": 500},
    {"fail_next": 0.3, "status": 429, "retry_after": 0.1},
    {"lose_answer": 0.3},
    {"fail_next": 1.0, "status": 503},
]


@dataclass
class Outcome:
    """An outcome says what happened in one batch; `wrong` is (number of the life or None, sentence) of each
    difference."""

    histories: int = 0
    events: int = 0
    deliveries: int = 0
    seconds: float = 0.0
    happened: Counter = field(default_factory=Counter)
    shapes: Counter = field(default_factory=Counter)
    wrong: list = field(default_factory=list)

    def line(self):
        counted = sorted(self.happened.items()) + sorted(self.shapes.items())
        happened = ", ".join(f"{number} {what}" for what, number in counted)
        return (
            f"{self.histories} histories, {self.events} events, {self.deliveries} deliveries, {happened}, "
            f"{len(self.wrong)} mismatches, {self.seconds:.1f} s"
        )


def weather(site, batch, workers=3):
    """Live the batch; half-way and at the end all calms down, and must agree with Stripe each time.

    Without workers there is no storm: this process drains what comes, as it comes, late, twice or not at all.
    """
    began = time.monotonic()
    outcome, chance = Outcome(len(batch.lives)), random.Random(batch.seed)
    world = site.new_world(batch.seed)
    courier, mails = Courier(site.stripe, site.door, chance, SECRET), Mails()
    person_of = Shopper if batch.is_of_shoppers else Subscriber
    people = [person_of(world, number, life) for number, life in enumerate(batch.lives)]
    try:
        for turn in range(TURNS):
            if turn % 2 == 0 and workers:
                site.workers.tell(f"start {workers}")
                storm = Storm(site, outcome, chance.random())
            site.stripe.control("advance", seconds=int(batch.gaps[turn] * DAY))
            for person in people:
                person.turn(turn)
                if person.number % TOGETHER == TOGETHER - 1 or person is people[-1]:
                    courier.bring_in_disorder()
                    if not workers:
                        courier.wait()
                        _work_here()
            if turn % 2 == 1:
                if workers:
                    storm.calm_down()
                wait_until_quiet(site, courier, workers)
                compare = _compare_sales if batch.is_of_shoppers else _compare
                outcome.wrong = compare(site, Truth(world, courier.events), people, mails, outcome)
                if outcome.wrong:
                    break
    finally:
        if workers:
            storm.calm_down()
            site.workers.tell("stop")
        courier.close()
    outcome.events, outcome.deliveries = len(courier.known), courier.deliveries
    outcome.seconds = time.monotonic() - began
    return outcome


def _work_here():
    while OrmQ.objects.exists():
        work()


def _compare(site, truth, people, mails, outcome):
    mails.learn(truth)
    outcome.shapes = truth.shapes()
    spared = {sub: since for person in people for sub, since in person.spared.items()}
    outcome.shapes["refunds before an upgrade"] = len(spared)
    whose = {customer: person.number for person in people for customer in person.customers}
    found = [*differences(truth, mails, spared, site.folder), *books.differences(truth, site.stripe)]
    return [(whose.get(customer), sentence) for customer, sentence in found]


def _compare_sales(site, truth, people, mails, outcome):
    outcome.shapes = sales.shapes(people)
    whose = {customer: person.number for person in people for customer in person.customers}
    found = [*sales.differences(truth, people), *books.differences(truth, site.stripe)]
    return [(whose.get(customer), sentence) for customer, sentence in found]


class Storm(threading.Thread):
    """Workers killed and stopped, leases that end under their holders, a Stripe in trouble: until it calms down."""

    def __init__(self, site, outcome, seed):
        super().__init__(name="storm", daemon=True)
        self.site, self.happened, self.chance = site, outcome.happened, random.Random(seed)
        self.is_over = threading.Event()
        self.failure = None
        self.start()

    def run(self):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '300ms'")
            while not self.is_over.wait(self.chance.uniform(*BETWEEN_STRIKES)):
                strike = self.chance.choice([self.kill, self.kill, self.faults, self.faults, self.freeze, self.lapse])
                strike()
                self.happened[strike.__name__] += 1
                # The probe of the circuit may have died with its worker: its time passes at once.
                cache.delete("billing.stripe.probe")
        except Exception as error:  # noqa: BLE001 (raised again where the storm is waited for)
            self.failure = error
        finally:
            connection.close()

    def kill(self):
        self.site.workers.tell("thaw")
        self.site.workers.tell("kill")

    def freeze(self):
        """One stands still while its lanes are taken over, and goes on later as if nothing had happened."""
        self.site.workers.tell("freeze")
        self.lapse()

    def lapse(self):
        """One that was stopped inside a transaction keeps its rows to itself until it goes on."""
        try:
            Lane.objects.exclude(token=None).update(leased_until=timezone.now() - AGO)
            left_behind()
        except OperationalError:
            self.site.workers.tell("thaw")
        if self.chance.random() < 0.5:
            self.site.workers.tell("thaw")

    def faults(self):
        self.site.stripe.control("faults", api=self.chance.choice(FAULTS))

    def calm_down(self):
        self.is_over.set()
        self.join()
        self.site.stripe.control("faults")
        if self.failure:
            raise self.failure


def left_behind():
    """As if lanes had been awake for long."""
    Lane.objects.filter(arrived__gt=F("drained")).update(woken_at=timezone.now() - AGO)
    OrmQ.objects.filter(lock__gt=timezone.now()).update(lock=timezone.now() - AGO)


def wait_until_quiet(site, courier, workers):
    """Everybody is killed; a day passes; new workers, the sweep and the sync bring all to an end."""
    site.workers.tell("stop")
    courier.bring_the_rest()
    _let_a_day_pass()
    site.workers.tell(f"start {workers}")
    runs.hourly()
    _work_on(courier, is_alone=not workers)
    found = _of_customers()
    courier.find_the_lost()
    assert _of_customers() == found, "the sync did not find what was lost"
    due.hourly()
    _work_on(courier, is_alone=not workers)  # of prices and products it finds what changed, and not the events
    site.workers.tell("stop")


def _of_customers():
    return StripeEvent.objects.exclude(status="ignored").exclude(lane="catalogue").count()


def _work_on(courier, *, is_alone):
    deadline = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < deadline:
        _retries_are_due()
        sweep.sweep()
        outbox.sweep()
        usage.each_minute()
        if is_alone:
            _work_here()
        if not courier.bring_the_rest() and _is_quiet():
            return
        time.sleep(0.1)


def _let_a_day_pass():
    """Let a day pass for whatever waits for an end of a lease, a lock or a pause. Nobody is at work."""
    cache.clear()
    past = timezone.now() - AGO
    Lane.objects.exclude(token=None).update(leased_until=past)
    Mail.objects.exclude(token=None).update(leased_until=past)
    Mail.objects.exclude(woken_at=None).update(woken_at=past)
    left_behind()
    _retries_are_due()


def _retries_are_due():
    now = timezone.now()
    StripeEvent.objects.waiting().exclude(next_attempt_at=None).update(next_attempt_at=now)
    StripeWrite.objects.filter(done_at=None, next_attempt_at__gt=now).update(next_attempt_at=now)
    Mail.objects.filter(status=Mail.Status.QUEUED, next_attempt_at__gt=now).update(next_attempt_at=now)
    UsageReport.objects.filter(state__in=UsageReport.OPEN, next_attempt_at__gt=now).update(next_attempt_at=now)


def _is_quiet():
    busy = (
        StripeEvent.objects.waiting(),
        Lane.objects.filter(Q(arrived__gt=F("drained")) | ~Q(token=None)),
        StripeWrite.objects.filter(done_at=None, withdrawn_at=None).exclude(error_message__contains=WAITS_FOR_A_BANK),
        Mail.objects.filter(status__in=["queued", "sending"]),
        OrmQ.objects.all(),
        UsageReport.objects.filter(state__in=UsageReport.OPEN),
    )
    return not any(rows.exists() for rows in busy) and not subscriptions.customers_past_grace()
