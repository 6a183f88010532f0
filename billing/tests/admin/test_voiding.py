"""Staff void an invoice that waits for money: with a permission, a reason and a log entry, and once."""

import pytest
from django.contrib.admin.models import LogEntry

from billing import testing
from billing.models import Invoice

from .test_staff_actions import address, do, member, page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(world):
    return member("root@example.com", "void_invoice", "view_subscription")


@pytest.fixture
def ada(world):
    """Her renewal was declined, and so was charlie's."""
    ada, ada.bystander = world.subscribed(), world.subscribed(email="charlie@example.com")
    for each in (ada, ada.bystander):
        world.change_card(each, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    return ada


def invoice_of(person):
    return Invoice.objects.get(customer=person.customer, status="open")


def test_it_asks_for_nothing_any_more_at_stripe_and_here_and_a_bystanders_stays(world, staff, ada):
    invoice = invoice_of(ada)
    assert address(ada, "void") in page(staff, ada)
    do(staff, ada, "void", "agreed with her", invoice=invoice.pk)
    testing.work()
    world.deliver()
    assert world.stripe("GET", f"invoices/{invoice.pk}")["status"] == "void"
    assert Invoice.objects.get(pk=invoice.pk).status == "void"
    assert invoice_of(ada.bystander).amount_remaining == 2000
    assert LogEntry.objects.get().change_message == f"Voided the invoice {invoice.pk}: agreed with her"
    assert address(ada, "void") not in page(staff, ada)


def test_without_the_permission_it_is_neither_offered_nor_done(world, staff, ada):
    other = member("other@example.com", "refund_payment")
    assert address(ada, "void") not in page(other, ada)
    assert other.post(address(ada, "void"), {"reason": "because"}).status_code == 403
    assert invoice_of(ada).status == "open"


@pytest.mark.parametrize("change", [{"status": "paid", "amount_remaining": 0}, {"payment": "processing"}])
def test_one_that_is_paid_or_being_paid_meanwhile_is_left_alone(world, staff, ada, change):
    invoice = invoice_of(ada)
    Invoice.objects.filter(pk=invoice.pk).update(**change)
    staff.post(address(ada, "void"), {"reason": "because", "invoice": invoice.pk})
    testing.work()
    assert world.stripe("GET", f"invoices/{invoice.pk}")["status"] == "open"
    assert not LogEntry.objects.exists()


def test_another_customers_invoice_cannot_be_chosen(world, staff, ada):
    staff.post(address(ada, "void"), {"reason": "because", "invoice": invoice_of(ada.bystander).pk})
    assert not LogEntry.objects.exists()
