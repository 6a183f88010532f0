"""The tests of price moves do this: they make a second price of pro, run command and worker, and send the mails."""

from io import StringIO

from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from billing import testing
from billing.events import sweep
from billing.lifecycle import price_moves
from billing.models import Price, PriceMove, PriceMoveRow, StripeWrite
from notifications import outbox
from notifications.models import Mail


def priced(world, amount=2500, of="pro_month", **params):
    """Make another price for the product of one, as staff do in Stripe's dashboard; no plan of ours knows it yet."""
    old = Price.objects.get(lookup_key=of)
    options = {currency: {"unit_amount": value + 500} for currency, value in old.currency_options.items()}
    given = {
        "product": old.product,
        "currency": "usd",
        "unit_amount": amount,
        "recurring": {"interval": old.interval, "interval_count": old.interval_count},
        "currency_options": options,
        **params,
    }
    return world.stripe("POST", "prices", **given)["id"]


def move(old, new, *args, **options):
    out = StringIO()
    call_command("move_price", old, new, *args, stdout=out, stderr=StringIO(), **options)
    return out.getvalue().strip()


def send():
    """Send the mails that wait."""
    for waiting in Mail.objects.filter(status=Mail.Status.QUEUED):
        outbox.deliver(str(waiting.pk))


def work():
    """Let the worker run for a minute or two: the moves, the owed writes, the mails."""
    for _ in range(2):
        price_moves.each_minute()
        StripeWrite.objects.filter(done_at=None, withdrawn_at=None).update(next_attempt_at=timezone.now())
        sweep.sweep()
        testing.work()
        send()


def row():
    return PriceMoveRow.objects.select_related("move", "subscription").get()


def rows():
    return dict(PriceMoveRow.objects.values_list("subscription__stripe_id", "status"))


def the_move():
    return PriceMove.objects.get()


def at_stripe(world, subscriber):
    return world.stripe("GET", f"subscriptions/{subscriber.subscription}")


def paid_price(world, subscriber):
    return at_stripe(world, subscriber)["items"]["data"][0]["price"]["id"]


def to_the_eve(world, at):
    """Let time pass until some hours before a moment, with what happens meanwhile, and let the worker run."""
    world.control("advance", to=int(at.timestamp()) - 6 * 3600)
    world.deliver()
    work()
    world.deliver()


def past(world, at):
    """Let time pass until a moment is over, and the renewal then charged."""
    world.control("advance", to=int(at.timestamp()) + 7200)
    world.deliver()
    work()
    world.deliver()


def invoices(world, subscriber):
    """Return what was charged, oldest first."""
    found = world.stripe("GET", "invoices", subscription=subscriber.subscription, limit=100)["data"]
    return [each["amount_due"] for each in reversed(found)]


def told(kind="price_change"):
    return list(Mail.objects.filter(kind=kind).order_by("created_at").values_list("status", flat=True))


def letter(words):
    """Return the newest mail that went out with these words in its subject."""
    return next(each for each in reversed(mail.outbox) if words in each.subject)
