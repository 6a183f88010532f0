"""This benchmark measures `consume` by 1, 10 and 100 callers, of one subscriber and of many, beside a bare UPDATE of a
counter by as many.

    python -m bench.usage

Callers are threads of one process with a connection each. CPU is the process's and the database's, for one use.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

from bench.postgres import postgres_server
from bench.running import ROOT, command, cpu_seconds, environment, new_database, postmaster
from bench.table import Row, main

CALLERS = (1, 10, 100)
USES = 600
BARE = "UPDATE billing_usage SET used = used + 1 WHERE id = %s"
INSIDE = "--inside"


def rows() -> list[Row]:
    with postgres_server() as url:
        env = environment(new_database(url, "usage"))
        command(env, "setup")
        run = subprocess.run(
            [sys.executable, "-m", "bench.usage", INSIDE, url], env=env, cwd=ROOT, check=True, stdout=-1
        )
    return [Row(**row) for row in json.loads(run.stdout.splitlines()[-1])]


def inside(url: str) -> list[dict[str, Any]]:
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.db import connection

    from billing import grants, usage
    from billing.models import PlanLimit, Usage

    PlanLimit.objects.filter(plan__slug="free").update(quantity=None)
    users = [get_user_model().objects.create(email=f"{number}@example.com") for number in range(100)]
    for user in users:
        usage.consume(user, "generations")
    counters = list(Usage.objects.order_by("pk").values_list("pk", flat=True))

    def bare(number: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(BARE, [counters[number]])

    def anew(of: int) -> None:
        Usage.objects.filter(pk=counters[of]).update(kept_until=None)
        usage.consume(users[of], "generations")

    kinds: dict[str, Callable[[int, int], Any]] = {
        "": lambda of, _: usage.consume(users[of], "generations"),
        ", access decided anew": lambda of, _: anew(of),
        ", with a key": lambda of, turn: usage.consume(users[of], "generations", key=f"{time.monotonic_ns()} {turn}"),
    }
    found = []
    for kind, consume in kinds.items():
        for callers in CALLERS:
            for whose, of in (("one subscriber", lambda turn: 0), ("many subscribers", lambda turn: turn % 100)):
                theirs = spent(url, callers, lambda turn, of=of: bare(of(turn)))
                ours = spent(url, callers, lambda turn, of=of, consume=consume: consume(of(turn), turn))
                found.append(row(f"consume{kind}, {callers} at once, {whose}", theirs, ours))
    PlanLimit.objects.filter(plan__slug="free").update(quantity=0)
    grants.give_credits(users[0], "generations", 1_000_000, source="bench")
    for callers in CALLERS:
        theirs = spent(url, callers, lambda turn: bare(0))
        ours = spent(url, callers, lambda turn: usage.consume(users[0], "generations"))
        found.append(row(f"consume of credits, {callers} at once, one subscriber", theirs, ours))
    return [*found, *beyond_the_limit(url, users, bare)]


def beyond_the_limit(url: str, users: list[Any], bare: Callable[[int], None]) -> list[dict[str, Any]]:
    """Measure use that is paid by use, without and with a spend cap, while reports are cut at every hundredth use."""
    from billing import usage
    from billing.models import (
        Customer,
        OveragePrice,
        Plan,
        PlanLimit,
        Price,
        Subscription,
        SubscriptionItem,
        Usage,
        UsageReport,
    )

    now = {"current_period_start": at(-5), "current_period_end": at(25), "billing_cycle_anchor": at(-5)}
    plan = Plan.objects.get(slug="pro")
    PlanLimit.objects.filter(plan=plan, feature="generations").update(quantity=0, overage={"usd": "2.5"})
    price = Price.objects.create(pk="price_1", plan=plan, currency="usd", unit_amount=2000, interval="month")
    metered = OveragePrice.objects.create(
        pk="price_2", plan=plan, feature="generations", interval="month", amounts={"usd": "2.5"}, meter="mtr_1"
    )
    for number, user in enumerate(users):
        customer = Customer.objects.create(pk=f"cus_{number}", subscriber=user, currency="usd")
        held = Subscription.objects.create(
            customer=customer, stripe_id=f"sub_{number}", plan=plan, price=price, status="active", currency="usd", **now
        )
        SubscriptionItem.objects.create(
            subscription=held, stripe_id=f"si_{number}", stripe_price=metered.pk, is_metered=True
        )

    def use(of: int, turn: int) -> None:
        usage.consume(users[of], "generations")
        if turn % 100 == 0:
            usage.reporting.cut_all()

    found = []
    usage.crediting.take_back(users[0], "bench")
    for cap in ("", ", with a cap"):
        if cap:
            usage.capping.set_cap(users[0], 2**40, "usd")
        for callers in CALLERS:
            for whose, of in (("one subscriber", lambda turn: 0), ("many subscribers", lambda turn: turn % 100)):
                theirs = spent(url, callers, lambda turn, of=of: bare(of(turn)))
                ours = spent(url, callers, lambda turn, of=of: use(of(turn), turn))
                found.append(row(f"consume beyond the limit{cap}, {callers} at once, {whose}", theirs, ours))
    usage.reporting.cut_all()
    used = sum(Usage.objects.values_list("overage", flat=True))
    made = list(UsageReport.objects.values_list("quantity", flat=True))
    assert sum(made) == used, (sum(made), used)
    print(f"{used:,} uses beyond the limit made {len(made):,} usage reports", file=sys.stderr)
    return found


def at(days: int) -> Any:
    from django.utils import timezone

    return timezone.now() + timedelta(days=days)


def row(work: str, theirs: tuple[float, float], ours: tuple[float, float]) -> dict[str, Any]:
    words = [f"{cpu:.2f} ms CPU, {rate:,.0f}/s" for cpu, rate in (theirs, ours)]
    print(work, *words, sep="; ", file=sys.stderr)  # a run takes minutes
    return {"work": work, "baseline": words[0], "ours": words[1], "ratio": f"{ours[0] / theirs[0]:.1f} ×",
            "cost": ours[0] / theirs[0]}  # fmt: skip


def spent(url: str, callers: int, work: Callable[[int], Any]) -> tuple[float, float]:
    """Return CPU ms a use, and uses a second, from when each caller has its connection to when the last is done."""
    from django.db import connection

    database, noted = postmaster(url), []

    def note() -> None:
        noted.append((time.perf_counter(), cpu(database)))

    ready, done = Barrier(callers, action=note), Barrier(callers, action=note)

    def call(caller: int) -> None:
        try:
            work(caller)
            ready.wait()
            for turn in range(caller, USES, callers):
                work(turn)
            done.wait()
        finally:
            connection.close()

    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(call, range(callers)))
    (began, before), (ended, after) = noted
    return (after - before) * 1000 / USES, USES / (ended - began)


def cpu(database: int) -> float:
    return cpu_seconds(os.getpid()) + cpu_seconds(database)


if __name__ == "__main__":
    if INSIDE in sys.argv:
        print(json.dumps(inside(sys.argv[-1])))
    else:
        sys.exit(main(rows))
