"""What shoppers bought, were given and used, beside Stripe's payments and what the callers were told."""

from collections import Counter, defaultdict

from django.db.models import F, Sum

from billing.models import Credit, Grant, Purchase, Usage, UsageReport
from billing.setup.doctor import balances

from . import goods
from .comparing import unfinished
from .oracle import HOLDS_ACCESS, UNDONE
from .plans import PACKS
from .shoppers import FEATURE, PURCHASE_KEY

State = UsageReport.State
SOLD = {pack["slug"]: pack for pack in PACKS}


def differences(truth, people):
    """(customer, sentence) of each. Used in place of what the lives of subscribers are compared by."""
    yield from unfinished(truth)
    intents = {row["id"]: row for row in truth.world.stripe.all("payment_intents") if PURCHASE_KEY in row["metadata"]}
    yield from _delivered(truth, intents)
    for person in people:
        yield from ((person.customer, text) for text in _balances(person))
        yield from ((person.customer, text) for text in _reports(truth, person))
    for check in balances.CHECKS:
        yield from (("", f"doctor: {each.text}") for each in check() if each.level != "ok")


def _given_back(truth, intent):
    refunds = [row["amount"] for row in truth.refunds.values()
               if row["payment_intent"] == intent and row["status"] not in UNDONE]  # fmt: skip
    disputes = [row["amount"] for row in truth.disputes.values()
                if row["payment_intent"] == intent and row["status"] in HOLDS_ACCESS]  # fmt: skip
    return sum(refunds) + sum(disputes)


def _delivered(truth, intents):
    """Each that is paid is delivered once; nothing else is; as much is taken back as of the money."""
    paid = {row["metadata"][PURCHASE_KEY]: row for row in intents.values() if row["status"] == "succeeded"}
    rows = {str(row.pk): row for row in Purchase.objects.select_related("pack", "customer")}
    for pk in paid.keys() - rows.keys():
        yield paid[pk]["customer"], f"purchase {pk} is paid at Stripe, and is no row"
    for pk, row in rows.items():
        if (pk in paid) != (row.delivered_at is not None):
            yield row.customer_id, f"purchase {pk} is {row.status}, delivered {row.delivered_at}, paid {pk in paid}"
        elif pk in paid:
            back = min(_given_back(truth, paid[pk]["id"]), paid[pk]["amount_received"])
            if (row.amount, row.given_back) != (paid[pk]["amount_received"], back):
                yield row.customer_id, f"purchase {pk}: {row.given_back} of {row.amount} went back, at Stripe {back}"
            yield from ((row.customer_id, text) for text in _goods(row, back))
        elif Credit.objects.filter(source__startswith=f"pack:{pk}").exists():
            yield row.customer_id, f"purchase {pk} gave credits and is not paid"


def _goods(row, back):
    if row.pack.plan_id:
        given = Grant.objects.filter(source__startswith=f"pack:{row.pk}")
        wanted = int(back < row.amount)
        if given.open().count() != wanted:
            yield f"purchase {row.pk} has {given.open().count()} open grants, should have {wanted}"
        return
    if row.pack.is_own:
        wanted = [(row.quantity, row.quantity * back // row.amount)]
        if (found := goods.of(row)) != wanted:
            yield f"purchase {row.pk} was delivered (how many, taken) as {found}, should be {wanted}"
        return
    given = SOLD[row.pack.slug]["quantity"] * row.quantity
    yield from _taken(row.customer.subscriber, f"pack:{row.pk}", given, -(-given * back // row.amount))
    if Credit.objects.filter(source__startswith=f"pack:{row.pk}").count() != 1:
        yield f"purchase {row.pk} gave credits more than once"


def _taken(subscriber, source, given, wanted):
    """What can't be taken, since it was used, is owed; what has expired can't be taken at all."""
    credit = Credit.objects.filter(subscriber=subscriber, source=source).first()
    if credit is None or credit.quantity != given:
        yield f"{source} gave {credit and credit.quantity}, should have given {given}"
    elif credit.taken_back + credit.owed_back != min(wanted, given - credit.expired):
        taken = f"{credit.taken_back} taken and {credit.owed_back} owed, {credit.expired} expired"
        yield f"{source}: {taken} of {given}, should be {wanted}"


def _balances(person):
    """What callers were told they had used is counted, each once, and nothing else."""
    rows = Credit.objects.filter(subscriber=person.user)
    counters = Usage.objects.filter(subscriber=person.user, feature=FEATURE)
    counted = counters.aggregate(sum=Sum(F("used") + F("overage")))["sum"] or 0
    spent = rows.aggregate(sum=Sum("used"))["sum"] or 0
    if counted + spent != person.uses.total():
        yield f"{counted} counted and {spent} of credits used, callers used {person.uses.total()}"
    for source, quantity in person.given.items():
        yield from _taken(person.user, source, quantity, person.wanted_back.get(source, 0))
    known = rows.exclude(source__startswith="pack:").values_list("source", flat=True)
    if set(known) != person.given.keys():
        yield f"has credits of {sorted(known)}, was given {sorted(person.given)}"


def _reports(truth, person):
    """What was used beyond the limit is in reports, and Stripe has summed up what was sent."""
    counters = Usage.objects.filter(subscriber=person.user).aggregate(over=Sum("overage"), told=Sum("reported"))
    states = Counter()
    doubtful = []
    for row in UsageReport.objects.filter(usage__subscriber=person.user):
        states[row.state] += row.quantity
        doubtful += [row.quantity] if row.state == State.DOUBTFUL else []
    over = counters["over"] or 0
    if not over == (counters["told"] or 0) == states.total():
        yield f"used {over} beyond the limit, {counters['told']} reported, in reports {dict(states)}"
    if left := states.keys() - {State.SENT, State.LATE, State.DOUBTFUL}:
        yield f"reports are {sorted(left)} when all is quiet"
    summed = sum(_summed(truth, customer) for customer in person.customers)
    if summed not in _sums(states[State.SENT], doubtful):
        yield f"Stripe has summed up {summed}, we sent {states[State.SENT]}, in doubt {doubtful}"


def _sums(sure, doubtful):
    sums = {sure}
    for each in doubtful:
        sums |= {one + each for one in sums}
    return sums


def _summed(truth, customer):
    stripe = truth.world.stripe
    times = {"customer": customer, "start_time": 0, "end_time": truth.now - truth.now % 60 + 60}
    found = [stripe.get(f"billing/meters/{row['id']}/event_summaries", **times) for row in stripe.all("billing/meters")]
    return sum(row["aggregated_value"] for answer in found for row in answer["data"])


def shapes(people):
    """What happened, for the line that the test prints."""
    bought, reports = Purchase.objects.exclude(delivered_at=None), UsageReport.objects.values_list("state", "quantity")
    told = defaultdict(int)
    for state, _ in reports:
        told[f"reports {state}"] += 1
    return Counter(
        {
            "packs delivered": bought.count(),
            "own packs delivered": bought.filter(pack__is_own=True).count(),
            "packs taken back": bought.filter(given_back__gt=0).count(),
            "credits expired": Credit.objects.filter(expired__gt=0).count(),
            "credits owed back": Credit.objects.filter(owed_back__gt=0).count(),
            "uses": sum(len(person.uses) for person in people),
            **told,
        }
    )
