"""Staff judge unverified tax ids, and have an invoice finalized again: with a permission, a reason and a log entry."""

import pytest
from django.contrib.admin.models import LogEntry

from billing import testing
from billing.models import Invoice, TaxId
from billing.tests.lifecycle.test_tax import nowhere
from billing.tests.taxed import BERLIN, FRENCH_ID, PARIS, bought, sell_with_tax

from .test_staff_actions import address, do, member, page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(world):
    return member("root@example.com", "judge_taxid", "finalize_invoice", "view_subscription", "view_taxid")


@pytest.fixture
def doubtful(world, settings):
    """Hers came out unverified, and so did charlie's."""
    sell_with_tax(world, settings)
    doubtful, doubtful.bystander = (
        bought(world, email, address=PARIS, tax_id=FRENCH_ID) for email in ("ada@example.com", "charlie@example.com")
    )
    for row in TaxId.objects.all():
        world.control(f"tax_ids/{row.pk}", status="unverified")
    world.deliver()
    return doubtful


def id_of(person):
    return TaxId.objects.get(customer=person.customer)


def test_one_is_accepted_and_waits_no_more(world, staff, doubtful):
    assert address(doubtful, "accept-tax-id") in page(staff, doubtful)
    do(staff, doubtful, "accept-tax-id", "saw the certificate", tax_id=id_of(doubtful).pk)
    assert id_of(doubtful).accepted_at is not None
    assert id_of(doubtful.bystander).accepted_at is None
    assert LogEntry.objects.get().change_message == f"Accepted the tax ID {id_of(doubtful).pk}: saw the certificate"
    assert address(doubtful, "accept-tax-id") not in page(staff, doubtful)


def test_one_is_removed_at_stripe_and_here(world, staff, doubtful):
    do(staff, doubtful, "remove-tax-id", "made up", tax_id=id_of(doubtful).pk)
    testing.work()
    world.deliver()
    assert world.stripe("GET", f"customers/{doubtful.customer}/tax_ids")["data"] == []
    assert list(TaxId.objects.all()) == [id_of(doubtful.bystander)]


@pytest.mark.parametrize("name", ["accept-tax-id", "remove-tax-id"])
def test_anothers_cannot_be_chosen_nor_without_the_permission(world, staff, doubtful, name):
    theirs = {"reason": "because", "tax_id": id_of(doubtful.bystander).pk}
    assert staff.post(address(doubtful, name), theirs).status_code == 400
    other = member("other@example.com", "refund_payment")
    assert other.post(address(doubtful, name), {"reason": "because"}).status_code == 403
    assert not LogEntry.objects.exists()


def test_the_list_shows_which_are_unverified(world, staff, doubtful):
    answer = staff.get("/admin/billing/taxid/?status__exact=unverified").content.decode()
    assert answer.count("FRAB123456789") == 2


def test_a_draft_is_finalized_once_stripe_has_an_address(world, staff, settings):
    sell_with_tax(world, settings)
    world.control("tax", without_location="fail")
    ada = bought(world)
    nowhere(world, ada)
    world.advance(days=32)
    world.deliver()
    draft = Invoice.objects.get(status="draft")
    world.sandbox.state.get("customer", ada.customer)["address"] = BERLIN  # of which no event tells
    do(staff, ada, "finalize", "she called", invoice=draft.pk)
    testing.work()
    world.deliver()
    assert Invoice.objects.get(pk=draft.pk).status == "open"  # Stripe charges it within the hour
    assert address(ada, "finalize") not in page(staff, ada)
