"""A full run finds tax ids that were there before us, or changed while nobody listened, and tells them to nobody."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from billing import lanes
from billing.models import Alert, Customer, SyncRun, TaxId
from billing.subscriptions import tax_ids
from billing.sync import full
from billing.sync.tax_ids import expanded
from billing.tests.taxed import FRENCH_ID, PARIS, bought, sell_with_tax

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world, settings):
    sell_with_tax(world, settings)
    bought(world, "ben@example.com")
    return bought(world, address=PARIS, tax_id=FRENCH_ID)


def sync(*, is_dry=False):
    Customer.objects.update(created_at=datetime(2020, 1, 1, tzinfo=UTC))
    now = timezone.now()
    run = SyncRun.objects.create(mode="full", started_at=now, clock_at=now)
    full.compare_all(run, lambda: None, is_dry=is_dry)
    return run


def alerts():
    return Alert.objects.filter(cause__startswith="tax_id_unverified:")


def test_one_from_before_us_becomes_a_row_and_is_no_news(world, ada):
    world.control(f"tax_ids/{TaxId.objects.get().pk}", status="unverified")
    TaxId.objects.all().delete()
    run = sync()
    row = TaxId.objects.get()
    assert (row.customer_id, row.value, row.status) == (ada.customer, "FRAB123456789", "unverified")
    assert tax_ids.doubtful() == [row]
    assert not alerts().exists()
    [drift] = run.drifts
    assert (drift["customer"], drift["field"], drift["ours"]) == (ada.customer, f"{row.pk} verification", None)
    assert (run.drifted, run.healed) == (1, 1)
    assert sync().drifted == 0


def test_an_answer_that_was_not_heard_of_is_told_as_if_it_had_been(world, ada):
    world.deliver()
    world.control(f"tax_ids/{TaxId.objects.get().pk}", status="unverified")
    assert sync().drifted == 1
    assert alerts().count() == 1
    assert sync().drifted == 0


def test_one_that_is_gone_at_stripe_is_no_row_any_more(world, ada):
    world.stripe("DELETE", f"customers/{ada.customer}/tax_ids/{TaxId.objects.get().pk}")
    assert sync().healed == 1
    assert not TaxId.objects.exists()


def test_a_dry_run_says_it_and_writes_nothing(world, ada):
    TaxId.objects.all().delete()
    run = sync(is_dry=True)
    assert (run.drifted, run.healed, TaxId.objects.count()) == (1, 0, 0)


def test_a_lane_that_a_worker_holds_is_left_to_the_next_run(world, ada, monkeypatch):
    monkeypatch.setattr("billing.sync.tax_ids.WAIT_SECONDS", 0.1)
    TaxId.objects.all().delete()
    with lanes.exclusive(ada.customer, 1):
        assert sync().drifted == 0
    assert sync().healed == 1


def test_where_no_tax_is_set_up_nothing_is_asked_along(world, settings):
    world.subscribed()
    assert expanded() == {}
    settings.BILLING_TAX = {"tax_ids": True}
    assert expanded() == {"expand": ["data.tax_ids"]}
