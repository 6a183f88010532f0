"""A move is stopped alone, and found by the names of its prices."""

import pytest

from billing import cause
from billing.lifecycle.price_moves import starting
from billing.models import PriceMove, PriceMoveRow

from . import test_price_move_starting as begun
from .test_price_move_starting import facts_of, move_of, refusal_of
from .test_price_move_telling import DAY, NOW, row_of

pytestmark = pytest.mark.django_db

_noon, plan, prices, pair, bystander = begun._noon, begun.plan, begun.prices, begun.pair, begun.bystander


def test_a_move_is_stopped_once_with_its_open_rows_due_at_once(pair):
    move = move_of(pair.old, pair.new)
    is_open, is_over = row_of(move, "ada", status="told", due_at=NOW + DAY), row_of(move, "cat", status="moved")
    with cause.recorded_as("staff:7"):
        assert starting.stop(move) is True
    stopped = facts_of(move)
    assert (stopped["stopped_at"], stopped["stopped_by"]) == (NOW, "staff:7")
    assert dict(PriceMoveRow.objects.filter(move=move).values_list("pk", "due_at")) == {
        is_open.pk: NOW,
        is_over.pk: None,
    }
    PriceMoveRow.objects.filter(pk=is_open.pk).update(due_at=None)
    assert starting.stop(move) is False
    assert facts_of(move) == stopped
    assert PriceMoveRow.objects.get(pk=is_open.pk).due_at is None


def test_a_crash_while_it_is_stopped_leaves_it_running(pair, monkeypatch):
    move = move_of(pair.old, pair.new)

    def crash(rows):
        raise RuntimeError

    monkeypatch.setattr(type(PriceMoveRow.objects.all()), "open", crash)
    with pytest.raises(RuntimeError):
        starting.stop(move)
    assert facts_of(move)["stopped_at"] is None


@pytest.mark.parametrize(("old", "new"), [
    ("price_old", "price_fourth"), ("price_third", "price_new"), ("price_none", "price_new"),
    ("price_old", "price_none"), ("price_old", "price_old"), ("price_new", "price_old"),
])  # fmt: skip
def test_two_prices_between_which_no_move_runs_are_refused_with_those_that_run(pair, old, new):
    move_of(pair.old, pair.new)
    code, text = refusal_of(starting.running_move, old, new)
    assert (code, text.startswith("No such move is running. Those that run: price_")) == ("no_such_move", True)
    assert all(words in text for words in ("price_third to price_fourth", "price_old to price_new"))


def test_a_move_is_found_by_both_prices_and_by_one_name_for_both(pair, bystander):
    move = move_of(pair.old, pair.new)
    assert starting.running_move("price_old", "price_new") == move
    assert starting.running_move("price_new", "price_new") == move
    assert starting.running_move("price_third", "price_fourth") == bystander


def test_where_no_move_runs_there_is_none_to_be_found(pair, bystander):
    PriceMove.objects.filter(pk=bystander.pk).update(stopped_at=NOW)
    try:
        assert refusal_of(starting.running_move, "price_third", "price_fourth") == (
            "no_such_move", "No such move is running. Those that run: none.")  # fmt: skip
    finally:
        PriceMove.objects.filter(pk=bystander.pk).update(stopped_at=None)
