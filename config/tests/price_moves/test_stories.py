"""Everybody on an old price is told in time, charged the new one from the day named, and nobody twice."""

import pytest
from django.core.management import CommandError

from billing.lifecycle import cancel, overview, price_moves
from billing.models import Price, PriceMove, PriceMoveRow, StripeWrite
from billing.pages import wording
from notifications.models import Mail

from .moving import (
    at_stripe,
    invoices,
    letter,
    move,
    paid_price,
    past,
    priced,
    row,
    rows,
    send,
    the_move,
    to_the_eve,
    told,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def dearer(world):
    return priced(world)


def test_who_pays_by_the_month_is_told_and_pays_the_new_price_from_the_day_that_the_mail_names(world, ada, dearer):
    first_end = ada.row.current_period_end
    said = move("pro:month", dearer, "--at-renewal")
    moves_at = row().moves_at
    assert said.endswith(f"1 told; the first charges at the new price are of {moves_at:%Y-%m-%d}.")
    assert (row().status, row().old_amount, row().new_amount) == ("told", 2000, 2500)
    assert moves_at >= row().told_at + price_moves.notice.timedelta(days=30)
    work()
    text = " ".join(letter("The price of Pro changes on").body.split())
    for words in ("Price so far: $20.00 a month", "New price: $25.00 a month", "cancel it on your account page"):
        assert words in text
    if moves_at != first_end:
        past(world, first_end)
        assert paid_price(world, ada) != dearer
    to_the_eve(world, moves_at)
    assert (row().status, paid_price(world, ada)) == ("moved", dearer)
    past(world, moves_at)
    assert invoices(world, ada)[-1] == 2500
    assert set(invoices(world, ada)[:-1]) == {2000}
    assert told() == ["sent"]
    assert not Mail.objects.filter(kind="plan_changed", status="sent").exists()


def test_the_old_price_is_not_sold_any_more_and_the_new_one_is(world, ada, dearer):
    old = Price.objects.get(lookup_key="pro_month")
    world.stripe("POST", f"products/{old.product}", default_price=old.pk)
    move(old.pk, dearer)
    assert world.stripe("GET", f"prices/{old.pk}")["lookup_key"] is None
    assert world.stripe("GET", f"prices/{dearer}")["lookup_key"] == "pro_month"
    assert world.stripe("GET", f"products/{old.product}")["default_price"] == dearer
    world.deliver()
    assert Price.objects.get(lookup_key="pro_month").pk == dearer
    bob = world.subscribed(email="bob@example.com")
    assert paid_price(world, bob) == dearer


def test_run_again_it_goes_on_and_tells_nobody_twice(world, ada, dearer):
    move("pro:month", dearer)
    send()
    said = move("pro:month", dearer)
    assert " 1 told" in said
    move(the_move().old_price_id, dearer)
    work()
    assert (PriceMove.objects.count(), PriceMoveRow.objects.count(), told()) == (1, 1, ["sent"])


def test_killed_after_any_step_the_worker_finishes_it(world, ada, dearer, monkeypatch):
    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    for step in ("starting._record", "telling.plan"):
        with monkeypatch.context() as patch:
            patch.setattr(f"billing.lifecycle.price_moves.{step}", killed)
            with pytest.raises(KeyboardInterrupt):
                move("pro:month", dearer)
    assert (told(), rows()) == ([], {ada.subscription: "listed"})
    work()
    assert (told(), rows()) == (["sent"], {ada.subscription: "told"})


def test_while_stripe_is_down_nobody_is_told(world, ada, dearer):
    with world.writes_failing(), pytest.raises(CommandError, match="run it again") as failure:
        move("pro:month", dearer)
    assert failure.value.returncode == 1
    assert (told(), PriceMoveRow.objects.count()) == ([], 0)
    world.sandbox and move("pro:month", dearer)
    assert rows() == {ada.subscription: "told"}


def test_a_lost_answer_of_the_write_moves_once(world, ada, dearer):
    move("pro:month", dearer, notice_days=0)
    send()
    moves_at = row().moves_at
    world.control("faults", api={"lose_answer": 1})
    to_the_eve(world, moves_at)
    world.control("faults")
    work()
    assert (row().status, paid_price(world, ada)) == ("moved", dearer)
    past(world, moves_at)
    assert invoices(world, ada) == [2000, 2500]


def test_a_dry_run_says_who_and_when_and_changes_nothing(world, ada, dearer):
    said = move("pro:month", dearer, "--dry-run", verbosity=2)
    assert f"{ada.customer} {ada.subscription}: $20.00 to $25.00, from " in said
    assert said.endswith("1 would be told now, 0 later, of 1 subscriptions. Nothing was changed.")
    assert (PriceMove.objects.count(), Price.objects.filter(pk=dearer).count()) == (0, 0)
    assert world.stripe("GET", f"prices/{Price.objects.get(lookup_key='pro_month').pk}")["active"]


def test_who_cancels_has_objected_and_who_resumes_is_told_no_second_time(world, ada, dearer):
    move("pro:month", dearer)
    send()
    cancel.cancel(ada.user, "period_end")
    world.deliver()
    work()
    assert row().status == "objected"
    cancel.resume(ada.user)
    world.deliver()
    work()
    assert (row().status, told()) == ("told", ["sent"])


def test_who_leaves_is_never_moved(world, ada, dearer):
    move("pro:month", dearer, notice_days=0)
    send()
    moves_at = row().moves_at
    cancel.cancel(ada.user, "period_end")
    world.deliver()
    to_the_eve(world, moves_at)
    past(world, moves_at)
    assert (row().status, invoices(world, ada)) == ("objected", [2000])


def test_stopped_everybody_keeps_the_old_price_and_hears_so(world, ada, dearer):
    move("pro:month", dearer)
    send()
    said = move("pro:month", dearer, "--stop")
    assert said.endswith("is stopped: 1 keep the old price, since it was stopped.")
    work()
    assert (row().status, told("price_stays")) == ("stopped", ["sent"])
    assert "does not change" in letter("stays as it is").body
    past(world, ada.row.current_period_end)
    past(world, ada.row.current_period_end)
    assert set(invoices(world, ada)) == {2000}
    with pytest.raises(CommandError, match=r"\[no_such_move\]") as failure:
        move("pro:month", dearer, "--stop")
    assert failure.value.returncode == 2


def test_stopped_before_the_mail_went_out_nobody_hears_of_anything(world, ada, dearer):
    move("pro:month", dearer)
    move("pro:month", dearer, "--stop")
    work()
    assert (told(), told("price_stays")) == (["skipped"], ["skipped"])


def test_page_api_and_next_charge_tell_the_new_amount_for_the_day_that_has_it(world, ada, dearer):
    move("pro:month", dearer, notice_days=0)
    now = overview.overview_of(ada.user)
    assert now.next_charge.amount == 2500
    banner = next(each for each in wording.banners(now) if "changes on" in each.headline)
    assert banner.sentence.startswith("New price: $25.00 per month, instead of $20.00, before")
    move("pro:month", dearer, "--stop")
    now = overview.overview_of(ada.user)
    assert now.next_charge.amount == 2000
    assert not [each for each in wording.banners(now) if "changes on" in each.headline]


def test_before_a_later_renewal_the_next_charge_is_the_old_amount(world, ada, dearer):
    move("pro:month", dearer, notice_days=40)
    assert overview.overview_of(ada.user).next_charge.amount == 2000
    first = ada.row.current_period_end
    past(world, first)
    assert invoices(world, ada) == [2000, 2000]
    assert overview.overview_of(ada.user).next_charge.amount == 2500


def test_who_missed_the_renewal_is_told_again_with_the_whole_notice(world, ada, dearer):
    move("pro:month", dearer, notice_days=0)
    send()
    missed = row().moves_at
    past(world, missed)
    assert invoices(world, ada) == [2000, 2000]
    assert (row().status, row().moves_at > missed, told()) == ("told", True, ["sent", "sent"])


def test_nobody_whose_mail_bounced_is_moved_until_staff_decide(world, ada, dearer):
    move("pro:month", dearer, notice_days=0)
    send()
    Mail.objects.filter(kind="price_change").update(status="bounced", error="550 no such user")
    moves_at = row().moves_at
    to_the_eve(world, moves_at)
    assert (row().status, row().reason) == ("untold", "The mail is bounced: 550 no such user")
    assert StripeWrite.objects.filter(action="move_price").count() == 0
    assert price_moves.decide_told(row())
    work()
    assert (row().status, paid_price(world, ada)) == ("moved", dearer)


def test_a_mail_that_would_come_too_late_is_not_sent_and_a_later_renewal_is_told(world, ada, dearer):
    move("pro:month", dearer, notice_days=20)
    named = row().moves_at
    world.advance(days=15)
    world.deliver()
    send()
    assert told() == ["skipped"]
    work()
    assert row().moves_at > named
    send()
    assert sorted(told()) == ["sent", "skipped"]


def test_what_stripe_refuses_for_good_is_that_persons_row(world, ada, dearer):
    bob = world.subscribed(email="bob@example.com")
    move("pro:month", dearer, notice_days=0)
    send()
    world.stripe("POST", "subscription_items", subscription=ada.subscription, price=dearer, proration_behavior="none")
    moves_at = PriceMoveRow.objects.first().moves_at
    to_the_eve(world, moves_at)
    assert rows() == {ada.subscription: "refused", bob.subscription: "moved"}
    assert len(at_stripe(world, ada)["items"]["data"]) == 2
