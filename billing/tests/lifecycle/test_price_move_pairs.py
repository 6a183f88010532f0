"""Which pair of prices can be moved, refused by each reason alone; and which rows of a move are next."""

from datetime import timedelta

import pytest

from billing.catalogue import amounts
from billing.lifecycle.price_moves import naming, running
from billing.models import Plan, Price, PriceMove, PriceMoveRow

from . import test_price_move_telling as told
from .test_price_move_telling import DAY, NOW, RENEWAL, SECOND, row_of

pytestmark = pytest.mark.django_db

_noon, plan, move, ben = told._noon, told.plan, told.move, told.ben


def price(name, plan, **columns):
    usual = {"product": "prod_1", "currency": "usd", "unit_amount": 500, "interval": "month"}
    return Price.objects.create(pk=f"price_{name}", plan=plan, **{**usual, **columns})


@pytest.fixture
def pair(plan):
    return price("one", plan), price("two", plan, unit_amount=900)


def refused(old="price_one", new="price_two"):
    try:
        naming.find_prices(old, new)
    except naming.PriceMoveRefused as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize(
    ("of_old", "of_new", "code"),
    [
        ({}, {}, ""),
        ({}, {"product": "prod_2"}, "other_product"),
        ({}, {"product": ""}, ""),
        ({"product": ""}, {}, ""),
        ({}, {"interval": "year"}, "other_interval"),
        ({}, {"interval_count": 3}, "other_interval"),
        ({}, {"currency": "eur"}, "other_currency"),
        ({"currency_options": {"eur": 450}}, {}, "other_currency"),
        ({"currency_options": {"eur": 450}}, {"currency_options": {"eur": 800}}, ""),
        ({}, {"currency_options": {"eur": 450}}, ""),
        ({"unit_amount": 0}, {}, "free_price"),
        ({}, {"unit_amount": 0}, ""),
        ({"tax_behavior": "inclusive"}, {"tax_behavior": "exclusive"}, "other_tax"),
        ({"tax_behavior": "inclusive"}, {"tax_behavior": "inclusive"}, ""),
        ({"tax_behavior": "inclusive"}, {"tax_behavior": "unspecified"}, ""),
        ({"tax_behavior": "inclusive"}, {}, ""),
        ({}, {"is_active": False}, "not_for_sale"),
        ({"is_active": False}, {}, ""),
    ],
)
def test_a_pair_is_refused_by_each_reason_alone(pair, of_old, of_new, code):
    for each, columns in zip(pair, (of_old, of_new), strict=True):
        Price.objects.filter(pk=each.pk).update(**columns)
    assert refused() == code


@pytest.mark.parametrize("which", [0, 1])
def test_a_price_by_usage_cannot_be_moved(pair, monkeypatch, which):
    monkeypatch.setattr(amounts, "is_metered", lambda price: price.pk == pair[which].pk)
    assert refused() == "metered_price"


def test_the_same_price_another_plans_and_one_that_nobody_knows_are_refused(pair):
    other = Plan.objects.create(slug="other", name="Other", rank=9)
    price("third", other)
    assert (refused("price_one", "price_one"), refused("price_one", "price_third")) == ("same_price", "other_product")
    assert (refused("price_none"), refused("pro:never"), refused("nobody:month")) == ("unknown_price",) * 3
    assert refused("price_one", "nobody:month") == "unknown_price"


def test_the_same_price_names_the_five_earlier_ones_of_its_plan_and_rhythm(pair, plan):
    other = Plan.objects.create(slug="other", name="Other", rank=9)
    newest = {"created_at": NOW + 99 * DAY}
    price("elsewhere", other, **newest), price("yearly", plan, interval="year", **newest)
    price("long", plan, interval_count=2, **newest)
    for number in range(6):
        price(f"at_{number}", plan, created_at=NOW + number * DAY)
    Price.objects.filter(pk="price_two").update(created_at=NOW - DAY)
    with pytest.raises(naming.PriceMoveRefused) as refusal:
        naming.find_prices("price_one", "price_one")
    assert "Earlier prices of it are price_at_5, price_at_4, price_at_3, price_at_2, price_at_1." in str(refusal.value)


def test_a_name_means_what_is_sold_and_while_a_move_runs_what_it_replaces(pair, plan):
    old, new = pair
    Price.objects.filter(pk=old.pk).update(is_active=False)
    assert naming.known_price("risen:month") == new
    assert naming.known_price("risen:3_month") is None
    assert price("quarter", plan, interval_count=3) == naming.known_price("risen:3_month")
    assert naming.known_price("risen:year") is naming.known_price("risen:fortnight") is None
    assert refused("risen:month", "price_two") == "same_price"
    running_move = PriceMove.objects.create(
        old_price=old, new_price=new, notice_days=1, at_renewal=True, started_at=NOW
    )
    assert naming.find_prices("risen:month", "price_two") == naming.NamedPrices(old, new)
    assert refused("price_two", "price_two") == "same_price"
    PriceMove.objects.filter(pk=running_move.pk).update(done_at=NOW)
    assert naming.replaced_by(new) is None


# The rows that are next


def test_those_whose_time_has_come_are_next_the_longest_waiting_first_and_of_that_move_alone(move, plan):
    at = {"ada": NOW - DAY, "cat": NOW - 2 * DAY, "dan": NOW, "eve": NOW + SECOND, "fay": None}
    rows = {name: row_of(move, name, due_at=due_at) for name, due_at in at.items()}
    told_row = row_of(move, "gil", status="told", due_at=NOW)
    other = PriceMove.objects.create(old_price=move.new_price, new_price=move.old_price, notice_days=1,
                                     at_renewal=True, started_at=NOW)  # fmt: skip
    row_of(other, "hal", due_at=NOW)
    expected = [rows[name].pk for name in ("cat", "ada", "dan")]
    assert running._due(move, "listed", 9) == running._next_to_tell(move) == expected
    assert running._due(move, "listed", 2) == expected[:2]
    assert running._due(move, "told", 9) == [told_row.pk]
    PriceMove.objects.filter(pk=move.pk).update(stopped_at=NOW)
    move.refresh_from_db()
    assert set(running._next_to_tell(move)) == {*expected, told_row.pk}


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 1), (1, 2), (10, 1024), (11, 1440), (12, 1440)])
def test_what_goes_wrong_is_noted_on_its_own_row_and_tried_later_each_time(move, ben, attempts, minutes):
    before = PriceMoveRow.objects.filter(pk=ben.pk).values().get()
    row = row_of(move, attempts=attempts)
    running._note(row.pk, ValueError("odd"))
    row.refresh_from_db()
    assert (row.reason, row.attempts) == ("ValueError: odd", min(attempts + 1, 12))
    assert row.due_at == NOW + timedelta(minutes=minutes)
    assert PriceMoveRow.objects.filter(pk=ben.pk).values().get() == before


def test_a_row_that_fails_does_not_keep_the_others_from_their_turn(move, ben):
    ada = row_of(move)

    def step(row):
        if row.pk == ada.pk:
            raise ValueError("odd")
        row.reason = "seen"
        row.save()

    assert running._each([ada.pk, ben.pk, 0], step) == 3
    assert dict(PriceMoveRow.objects.values_list("pk", "reason")) == {ada.pk: "ValueError: odd", ben.pk: "seen"}


@pytest.mark.parametrize(
    ("ago", "status", "is_done"),
    [
        (running.CHECKOUT_LASTS + SECOND, "moved", True),
        (running.CHECKOUT_LASTS, "moved", False),
        (running.CHECKOUT_LASTS + SECOND, "told", False),
    ],
)
def test_a_move_ends_once_nobody_is_left_and_no_checkout_can_be_open(move, monkeypatch, ago, status, is_done):
    archived = []
    monkeypatch.setattr(running.starting, "archive", archived.append)
    row_of(move, status=status)
    PriceMove.objects.filter(pk=move.pk).update(started_at=NOW - ago)
    move.refresh_from_db()
    running._finish(move)
    move.refresh_from_db()
    assert (move.done_at, archived) == ((NOW, [move]) if is_done else (None, []))


def test_a_tally_counts_each_status_and_says_when_those_who_are_open_are_charged(move, ben):
    assert running.in_words(running.Tally({}, None, None)) == "nobody pays the old price"
    row_of(move, "ada", status="told", moves_at=RENEWAL + DAY)
    row_of(move, "cat", status="told", moves_at=RENEWAL)
    row_of(move, "dan", status="moved", moves_at=RENEWAL + 9 * DAY)
    tally = running.Tally.of(move)
    assert (tally.counts, tally.total, tally.first, tally.last) == (
        {"listed": 1, "told": 2, "moved": 1}, 4, RENEWAL, RENEWAL + DAY)  # fmt: skip
    assert running.in_words(tally) == (
        "1 to be told, 2 told, 1 moved; the first charges at the new price are of 2027-03-30 to 2027-03-31"
    )
    one_day = running.Tally({"told": 1}, RENEWAL, RENEWAL)
    assert running.in_words(one_day).endswith("are of 2027-03-30")
