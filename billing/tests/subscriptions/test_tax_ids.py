"""Tax ids are rows as Stripe has them; one that no registry knows is told to staff, once, until they have judged it."""

import pytest
from django.utils import timezone

from billing import testing
from billing.lifecycle.deletion import copies
from billing.models import Alert, Customer, TaxId
from billing.subscriptions import tax_ids
from billing.tests.taxed import FRENCH_ID, PARIS, bought, sell_with_tax

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world, settings):
    sell_with_tax(world, settings)
    return bought(world, address=PARIS, tax_id=FRENCH_ID)


def answer(world, status):
    world.control(f"tax_ids/{TaxId.objects.get().pk}", status=status)
    world.deliver()


def alerts():
    return Alert.objects.filter(cause__startswith="tax_id_unverified:")


def test_one_entered_at_checkout_is_a_row_that_waits_and_is_verified_later(world, ada):
    row = TaxId.objects.get()
    assert (row.customer_id, row.type, row.value, row.status) == (ada.customer, "eu_vat", "FRAB123456789", "pending")
    world.advance(hours=1)
    world.deliver()
    assert TaxId.objects.get().status == "verified"
    assert not alerts().exists()


def test_one_that_turns_out_unverified_is_told_once_whatever_comes_twice(world, ada):
    answer(world, "unverified")
    world.deliver([event for event in world.sandbox.events() if event["type"].startswith("customer.tax_id")] * 2)
    [alert] = alerts()
    assert alert.waiting == 1
    assert TaxId.objects.get().pk in alert.text
    assert "FRAB" not in alert.subject + alert.text
    assert [row.pk for row in tax_ids.doubtful(ada.customer)] == [TaxId.objects.get().pk]


def test_what_staff_accepted_is_not_doubtful_and_is_judged_anew_after_another_answer(world, ada):
    answer(world, "unverified")
    TaxId.objects.update(accepted_at=timezone.now())
    assert tax_ids.doubtful() == []
    answer(world, "verified")
    answer(world, "unverified")
    assert len(tax_ids.doubtful()) == 1


def test_one_that_is_deleted_at_stripe_is_no_row_any_more(world, ada):
    world.stripe("DELETE", f"customers/{ada.customer}/tax_ids/{TaxId.objects.get().pk}")
    world.deliver()
    assert not TaxId.objects.exists()


def test_the_deletion_of_an_account_leaves_none(world, ada):
    copies.redact_reasons(Customer.objects.get())
    assert not TaxId.objects.exists()


def test_a_status_that_we_do_not_know_leaves_the_one_before(world, ada):
    world.sandbox.state.get("tax_id", TaxId.objects.get().pk)["verification"]["status"] = "appealed"
    world.deliver([testing.event("customer.tax_id.updated", world.stripe("GET", f"tax_ids/{TaxId.objects.get().pk}"))])
    assert TaxId.objects.get().status == "pending"
    assert Alert.objects.filter(cause__startswith="unknown").exists()


def test_an_event_that_names_anothers_tax_id_reads_only_ones_own(world, ada):
    eve = bought(world, "eve@example.com")
    forged = {**world.stripe("GET", f"tax_ids/{TaxId.objects.get().pk}"), "customer": eve.customer}
    world.deliver([testing.event("customer.tax_id.updated", forged)])
    assert TaxId.objects.get().customer_id == ada.customer
