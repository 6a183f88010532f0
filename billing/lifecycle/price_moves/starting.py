"""A move begins with the old price taken from sale, and staff may stop it at any time."""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from billing import catalogue, cause, clock, lanes, stripe_client
from billing.models import Price, PriceMove
from billing.stripe_client import StripeRefused, StripeUnavailable, fetch, id_of

from .naming import NamedPrices, PriceMoveRefused, known_price, replaced_by

LONGEST_NOTICE = 730


def start(prices: NamedPrices, *, notice_days: int, at_renewal: bool) -> PriceMove:
    """Begin the move, or return the one that runs already with the same terms. The old price is not sold any more.

    Raises `PriceMoveRefused`, `StripeUnavailable`, `StripeRefused`, `LaneBusy`. Asked again after an outage, it goes on
    where it stopped; nobody is told before the old price is off sale.
    """
    move = _running(prices) or _create(prices, notice_days, at_renewal=at_renewal)
    if (move.new_price_id, move.notice_days, move.at_renewal) != (prices.new.pk, notice_days, at_renewal):
        terms = f"to {move.new_price_id} with {move.notice_days} days of notice"
        when = " at the renewal" if move.at_renewal else ""
        text = f"A move from {move.old_price_id} {terms}{when} is running. Stop it first, or use the same terms."
        raise PriceMoveRefused("already_moving", text)
    retire(move)
    return move


def check_notice(days: int) -> None:
    """Raise `PriceMoveRefused` for a notice that nobody can mean."""
    if not 0 <= days <= LONGEST_NOTICE:
        raise PriceMoveRefused("notice_days", f"The notice must be between 0 and {LONGEST_NOTICE} days, not {days}.")


def stop(move: PriceMove) -> bool:
    """Stop the move; return whether it was running. Who has not moved keeps the old price, and is told so by the worker
    if another one was announced. Who has moved stays moved.
    """
    now, by = clock.now(), cause.current()
    with transaction.atomic():
        is_stopped = PriceMove.objects.running().filter(pk=move.pk).update(stopped_at=now, stopped_by=by)
        if is_stopped:
            move.rows.open().update(due_at=now)
    return bool(is_stopped)


def running_move(old_name: str, new_name: str) -> PriceMove:
    """Return the running move between two prices, by their ids or names. Raises `PriceMoveRefused`."""
    running = PriceMove.objects.running().select_related("old_price__plan", "new_price__plan")
    old, new = known_price(old_name), known_price(new_name)
    if old and new and old.pk == new.pk:
        old = replaced_by(new)
    move = running.filter(old_price=old, new_price=new).first()
    if move is None:
        others = ", ".join(str(each) for each in running) or "none"
        raise PriceMoveRefused("no_such_move", f"No such move is running. Those that run: {others}.")
    return move


def retire(move: PriceMove) -> None:
    """Take the old price from sale: the new one gets its lookup key, and becomes the product's default in its place.

    At Stripe the old price stays active until nobody pays it (`archive`): a subscription that pays it may get a
    schedule, and a Checkout that was open may be paid.
    """
    if move.retired_at is None:
        _write(move, _retire_at_stripe)
        PriceMove.objects.filter(pk=move.pk).update(retired_at=clock.now())
        move.refresh_from_db()


def archive(move: PriceMove) -> None:
    """Archive the old price at Stripe, which nobody pays any more."""
    _write(move, _archive_at_stripe)


def _write(move: PriceMove, write: Callable[[PriceMove, str], list[dict[str, Any]]]) -> None:
    """Write at Stripe in the catalogue's lane, and keep both prices as Stripe has them then."""
    with lanes.exclusive(catalogue.refreshing.LANE) as commit:
        try:
            answers = write(move, f"price_move:{move.pk}:{move.attempts}")
        except (StripeUnavailable, *StripeRefused):
            PriceMove.objects.filter(pk=move.pk).update(attempts=F("attempts") + 1)
            raise
        commit(lambda: _record(answers))


def _retire_at_stripe(move: PriceMove, key: str) -> list[dict[str, Any]]:
    old, new = fetch.price(move.old_price_id), fetch.price(move.new_price_id)
    if new is None or not new["active"]:
        raise PriceMoveRefused("not_for_sale", f"Stripe does not sell {move.new_price_id} any more. Stop this move.")
    ours = catalogue.lookup_key(move.old_price.plan.slug, move.old_price.cadence)
    if not Price.objects.filter(lookup_key=ours).exclude(pk=move.old_price_id).exists():
        new = _update(new, f"{key}:name", lookup_key=ours, transfer_lookup_key=True)
        old = old and {**old, "lookup_key": None if old["lookup_key"] == ours else old["lookup_key"]}
    if old and id_of(old["product"].get("default_price")) == old["id"]:
        path = f"/v1/products/{id_of(old['product'])}"
        stripe_client.post(path, idempotency_key=f"{key}:default", default_price=new["id"])
    return [new, *([old] if old else [])]


def _archive_at_stripe(move: PriceMove, key: str) -> list[dict[str, Any]]:
    old = fetch.price(move.old_price_id)
    return [_update(old, f"{key}:archive", active=False)] if old and old["active"] else []


def _update(price: dict[str, Any], key: str, **params: Any) -> dict[str, Any]:
    path = f"/v1/prices/{price['id']}"
    return stripe_client.post(path, idempotency_key=key, expand=fetch.PRICE_EXPAND, **params)


def _record(prices: list[dict[str, Any]]) -> None:
    for price in reversed(prices):
        catalogue.record_price(price)


def _running(prices: NamedPrices) -> PriceMove | None:
    rows = PriceMove.objects.running().select_related("old_price__plan", "new_price__plan")
    return rows.filter(old_price=prices.old).first()


def _create(prices: NamedPrices, notice_days: int, *, at_renewal: bool) -> PriceMove:
    check_notice(notice_days)
    if PriceMove.objects.running().filter(old_price=prices.new.pk).exists():
        text = f"A move from {prices.new.pk} to another price is running, so nobody can be moved to it."
        raise PriceMoveRefused("already_moving", text)
    if prices.new._state.adding:
        prices.new.save()
    try:
        with transaction.atomic():
            return PriceMove.objects.create(
                old_price=prices.old,
                new_price=prices.new,
                notice_days=notice_days,
                at_renewal=at_renewal,
                started_at=clock.now(),
                started_by=cause.current(),
            )
    except IntegrityError:  # somebody else has begun it at the same moment
        return (
            PriceMove.objects.running().select_related("old_price__plan", "new_price__plan").get(old_price=prices.old)
        )
