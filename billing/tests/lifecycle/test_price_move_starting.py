"""A move begins with its own terms and takes its own old price from sale; other moves stay as they are."""

import pytest
import stripe

from billing import cause
from billing.lifecycle.price_moves import starting
from billing.lifecycle.price_moves.naming import NamedPrices, PriceMoveRefused
from billing.models import Price, PriceMove, PriceMoveRow
from billing.stripe_client import StripeUnavailable, fetch

from . import test_price_move_telling as told
from .test_price_move_telling import DAY, NOW, row_of

pytestmark = pytest.mark.django_db

_noon, plan = told._noon, told.plan


@pytest.fixture
def prices(plan):
    usual = {"plan": plan, "currency": "usd", "unit_amount": 500, "interval": "month"}
    return {name: Price.objects.create(pk=f"price_{name}", **usual) for name in ("third", "fourth", "old", "new")}


@pytest.fixture
def pair(prices):
    return NamedPrices(prices["old"], prices["new"])


def move_of(old, new, **columns):
    usual = {"notice_days": 10, "at_renewal": True, "started_at": NOW - DAY}
    return PriceMove.objects.create(old_price=old, new_price=new, **{**usual, **columns})


def facts_of(move):
    return PriceMove.objects.filter(pk=move.pk).values().get()


@pytest.fixture(autouse=True)
def bystander(prices):
    """Another move, which runs from before; nothing here concerns it."""
    move = move_of(prices["third"], prices["fourth"])
    row, before = row_of(move, "ben"), facts_of(move)
    yield move
    assert facts_of(move) == before
    assert PriceMoveRow.objects.get(pk=row.pk).due_at is None


@pytest.fixture
def at_stripe(monkeypatch):
    """The prices as Stripe has them, by id."""
    found = {
        name: {"id": name, "active": True, "lookup_key": None, "product": {"id": "prod_1", "default_price": None}}
        for name in ("price_old", "price_new")
    }
    found["price_old"]["lookup_key"] = "risen_month"
    monkeypatch.setattr(fetch, "price", found.get)
    return found


class Calls(list):
    fails: Exception | None = None


@pytest.fixture
def written(monkeypatch, at_stripe):
    """The writes that Stripe was asked for; it fails with what is in `fails`."""
    calls = Calls()

    def post(path, idempotency_key, **params):
        if calls.fails:
            raise calls.fails
        calls.append((path, idempotency_key, params))
        return {**at_stripe.get(path.removeprefix("/v1/prices/"), {}), **params}

    monkeypatch.setattr("billing.stripe_client.post", post)
    return calls


@pytest.fixture
def recorded(monkeypatch):
    """The prices that were kept as Stripe has them then: id and lookup key."""
    kept = []
    monkeypatch.setattr("billing.catalogue.record_price", lambda price: kept.append((price["id"], price["lookup_key"])))
    return kept


def start(prices, notice_days=10, *, at_renewal=True):
    return starting.start(prices, notice_days=notice_days, at_renewal=at_renewal)


def refusal_of(work, *args, **options):
    with pytest.raises(PriceMoveRefused) as refused:
        work(*args, **options)
    return refused.value.code, str(refused.value)


def named(move):
    return f"/v1/prices/{move.new_price_id}", f"price_move:{move.pk}:{move.attempts}:name", {
        "expand": fetch.PRICE_EXPAND, "lookup_key": "risen_month", "transfer_lookup_key": True}  # fmt: skip


# Begun


def test_a_move_has_its_terms_and_is_begun_once(pair, written, recorded):
    with cause.recorded_as("staff:7"):
        move = start(pair)
    assert (move.old_price, move.new_price, move.notice_days, move.at_renewal) == (pair.old, pair.new, 10, True)
    assert (move.started_at, move.started_by, move.retired_at) == (NOW, "staff:7", NOW)
    assert written == [named(move)]
    assert recorded == [("price_old", None), ("price_new", "risen_month")]
    assert start(pair) == move
    assert len(written) == 1


@pytest.mark.parametrize("terms", [{"notice_days": 11}, {"notice_days": 9999}, {"at_renewal": False}])
def test_other_terms_are_refused_while_it_runs_and_the_terms_that_run_are_named(pair, written, recorded, terms):
    move = move_of(pair.old, pair.new)
    code, text = refusal_of(start, pair, **terms)
    assert code == "already_moving"
    assert text.startswith("A move from price_old to price_new with 10 days of notice at the renewal is running.")
    PriceMove.objects.filter(pk=move.pk).update(at_renewal=False, notice_days=3)
    assert " to price_new with 3 days of notice is running." in refusal_of(start, pair)[1]
    assert written == recorded == []


def test_another_new_price_is_refused_while_it_runs(pair, prices, written):
    move_of(pair.old, pair.new)
    assert refusal_of(start, NamedPrices(pair.old, prices["third"]))[0] == "already_moving"
    assert written == []


def test_nobody_is_moved_to_a_price_from_which_a_move_runs(pair, written):
    running = move_of(pair.new, pair.old)
    text = "A move from price_new to another price is running, so nobody can be moved to it."
    assert refusal_of(start, pair) == ("already_moving", text)
    assert (written, PriceMove.objects.filter(old_price=pair.old).count()) == ([], 0)
    PriceMove.objects.filter(pk=running.pk).update(done_at=NOW)
    assert start(pair).retired_at == NOW


@pytest.mark.parametrize(("days", "is_refused"), [(-1, True), (0, False), (730, False), (731, True)])
def test_a_notice_that_nobody_can_mean_is_refused_and_nothing_begun(pair, written, recorded, days, is_refused):
    if not is_refused:
        assert start(pair, days).notice_days == days
        return
    text = f"The notice must be between 0 and 730 days, not {days}."
    assert refusal_of(start, pair, days) == ("notice_days", text)
    assert (written, PriceMove.objects.count()) == ([], 1)


def test_a_price_that_only_stripe_had_is_kept(pair, plan, written, recorded, at_stripe):
    at_stripe["price_fresh"] = {**at_stripe["price_new"], "id": "price_fresh"}
    fresh = Price(pk="price_fresh", plan=plan, currency="usd", unit_amount=900, interval="month")
    move = start(NamedPrices(pair.old, fresh))
    assert Price.objects.get(pk="price_fresh").unit_amount == 900
    assert written == [named(move)]


def test_what_is_known_of_a_price_is_not_written_over_by_an_older_copy(pair, written, recorded):
    Price.objects.filter(pk="price_new").update(unit_amount=901)
    start(pair)
    assert Price.objects.get(pk="price_new").unit_amount == 901


def test_two_who_begin_it_at_the_same_moment_have_one_move(pair, written, recorded, monkeypatch):
    running = move_of(pair.old, pair.new)
    monkeypatch.setattr(starting, "_running", lambda prices: None)
    assert start(pair) == running
    assert PriceMove.objects.count() == 2


# Taken from sale


def retired(pair):
    move = move_of(pair.old, pair.new)
    starting.retire(move)
    return move


def test_a_name_that_another_price_has_taken_stays_there(pair, written, recorded):
    Price.objects.filter(pk="price_third").update(lookup_key="risen_month")
    retired(pair)
    assert written == []
    assert recorded == [("price_old", "risen_month"), ("price_new", None)]


@pytest.mark.parametrize("kept_by", ["price_old", None])
def test_the_name_goes_over_from_the_old_price_and_from_nobody(pair, written, recorded, kept_by):
    Price.objects.filter(pk=kept_by).update(lookup_key="risen_month")
    move = retired(pair)
    assert written == [named(move)]


def test_another_name_of_the_old_price_stays_its_own(pair, written, recorded, at_stripe):
    at_stripe["price_old"]["lookup_key"] = "loyal"
    retired(pair)
    assert recorded == [("price_old", "loyal"), ("price_new", "risen_month")]


@pytest.mark.parametrize("default", ["price_old", {"id": "price_old"}])
def test_the_new_price_is_the_products_default_where_the_old_one_was(pair, written, recorded, at_stripe, default):
    at_stripe["price_old"]["product"]["default_price"] = default
    move = retired(pair)
    to_default = ("/v1/products/prod_1", f"price_move:{move.pk}:0:default", {"default_price": "price_new"})
    assert written == [named(move), to_default]


def test_another_default_of_the_product_stays(pair, written, recorded, at_stripe):
    at_stripe["price_old"]["product"]["default_price"] = "price_third"
    move = retired(pair)
    assert written == [named(move)]


def test_an_old_price_that_stripe_has_not_is_no_hindrance(pair, written, recorded, at_stripe):
    del at_stripe["price_old"]
    move = retired(pair)
    assert (move.retired_at, written, recorded) == (NOW, [named(move)], [("price_new", "risen_month")])


@pytest.mark.parametrize("gone", [True, False])
def test_a_new_price_that_stripe_does_not_sell_stops_it_before_anything_is_written(
    pair, written, recorded, at_stripe, gone
):
    at_stripe["price_new"]["active"] = False
    if gone:
        del at_stripe["price_new"]
    move = move_of(pair.old, pair.new)
    code, text = refusal_of(starting.retire, move)
    assert (code, text) == ("not_for_sale", "Stripe does not sell price_new any more. Stop this move.")
    assert (written, recorded, facts_of(move)["retired_at"]) == ([], [], None)


@pytest.mark.parametrize("fails", [StripeUnavailable("away"), stripe.InvalidRequestError("no", "lookup_key")])
def test_after_a_write_that_failed_the_next_one_has_another_key(pair, written, recorded, fails):
    written.fails = fails
    move = move_of(pair.old, pair.new)
    with pytest.raises(type(fails)):
        starting.retire(move)
    assert (facts_of(move)["attempts"], facts_of(move)["retired_at"], recorded) == (1, None, [])
    written.fails = None
    move.refresh_from_db()
    starting.retire(move)
    assert written == [(f"/v1/prices/{pair.new.pk}", f"price_move:{move.pk}:1:name", named(move)[2])]


@pytest.mark.parametrize("is_active", [True, False, None])
def test_the_old_price_is_archived_where_it_is_active_and_there(pair, written, recorded, at_stripe, is_active):
    at_stripe["price_old"]["active"] = is_active
    if is_active is None:
        del at_stripe["price_old"]
    move = move_of(pair.old, pair.new)
    starting.archive(move)
    params = {"expand": fetch.PRICE_EXPAND, "active": False}
    assert written == ([("/v1/prices/price_old", f"price_move:{move.pk}:0:archive", params)] if is_active else [])
    assert recorded == ([("price_old", "risen_month")] if is_active else [])
