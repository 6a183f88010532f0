"""Staff refund, credit and invoice a customer: previewed, allowed, logged, and done once."""

import pytest

from billing.models import Invoice, Payment, Refund

from .test_at_stripe import confirm, text
from .test_staff_actions import address, do, logged, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(world):
    return member("root@example.com", "give_back_payment", "credit_customer", "invoice_customer")


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def ben(world):
    return world.subscribed(email="ben@example.com")


def refunded(world, who):
    return world.stripe("GET", f"charges/{world.charge_of(who)['id']}")["amount_refunded"]


def test_a_part_is_refunded_after_a_preview_and_access_stays(world, staff, ada, ben):
    preview, answer = confirm(staff, ada, "refund-money", amount="5.00")
    assert "$5.00 is refunded; $15.00 of this payment is kept." in text(preview)
    assert "Refunded $5.00 of" in text(answer)
    assert (refunded(world, ada), refunded(world, ben)) == (500, 0)
    row = Refund.objects.get()
    assert (row.amount, row.customer_id, row.is_full) == (500, ada.customer, False)
    assert ada.access.has_access
    assert logged()[0].endswith("): they wrote to us")
    world.deliver()
    assert Refund.objects.count() == 1
    assert world.said(ada) == ["refund_issued"]


def test_all_that_is_left_is_refunded_and_access_ends(world, staff, ada, ben):
    confirm(staff, ada, "refund-money", amount="5.00")
    preview, _ = confirm(staff, ada, "refund-money")
    assert "$15.00 is refunded, which is all that is left of this payment." in text(preview)
    world.deliver()
    assert refunded(world, ada) == 2000
    assert not ada.access.has_access
    assert ben.access.has_access
    assert "Nothing is left of this payment" in text(do(staff, ada, "refund-money"))


@pytest.mark.parametrize(
    ("amount", "said"), [("20.01", "Only $20.00 is left"), ("0.005", "2 decimals"), ("-1", "greater"), ("x", "number")]
)
def test_too_much_and_no_amount_are_refused(world, staff, ada, amount, said):
    assert said in text(do(staff, ada, "refund-money", amount=amount))
    assert (Refund.objects.count(), logged()) == (0, [])


def test_the_same_form_sent_twice_refunds_once(world, staff, ada):
    preview = do(staff, ada, "refund-money", amount="5.00")
    sent = {**preview.context["form"].data.dict(), "confirmed": preview.context["confirmed"]}
    staff.post(address(ada, "refund-money"), sent)
    answer = staff.post(address(ada, "refund-money"), sent)
    assert "This form was sent before" in text(answer)
    assert (refunded(world, ada), len(logged())) == (500, 1)


def test_anothers_payment_cannot_be_chosen(world, staff, ada, ben):
    theirs = Payment.objects.get(customer=ben.customer)
    assert "Choose a payment of this customer." in text(do(staff, ada, "refund-money", payment=theirs.pk))
    assert refunded(world, ben) == 0


def test_during_an_outage_nothing_is_refunded_and_the_form_stays(world, staff, ada):
    preview = do(staff, ada, "refund-money", amount="5.00")
    sent = {**preview.context["form"].data.dict(), "confirmed": preview.context["confirmed"]}
    with world.writes_failing():
        answer = staff.post(address(ada, "refund-money"), sent)
    assert answer.status_code == 503
    assert 'value="5.00"' in answer.content.decode()


def test_a_credit_reduces_the_next_invoice_and_is_given_once(world, staff, ada, ben):
    preview = do(staff, ada, "credit", amount="7.50")
    assert "The customer gets a credit of $7.50." in text(preview)
    sent = {**preview.context["form"].data.dict(), "confirmed": preview.context["confirmed"]}
    assert "Gave a credit of $7.50" in text(staff.post(address(ada, "credit"), sent, follow=True))
    assert "This form was sent before" in text(staff.post(address(ada, "credit"), sent))
    assert world.stripe("GET", f"customers/{ada.customer}")["balance"] == -750
    assert world.stripe("GET", f"customers/{ben.customer}")["balance"] == 0


def test_an_invoice_is_sent_once_and_sent_again(world, staff, ada):
    given = {"amount": "120", "description": "Onboarding", "days": "10"}
    preview, answer = confirm(staff, ada, "invoice", **given)
    assert "An invoice for $120.00 for “Onboarding” is sent, due in 10 days." in text(preview)
    assert "Sent an invoice for $120.00" in text(answer)
    world.deliver()
    row = Invoice.objects.get(purpose="one_off")
    assert (row.amount_remaining, row.status, row.description) == (12000, "open", "Onboarding")
    assert f"Sent the invoice {row.pk} again." in text(do(staff, ada, "send-invoice"))
    assert len(logged()) == 2


def test_without_the_permission_there_is_no_door(world, ada):
    bob = member("bob@example.com", "refund_payment")
    for name in ("refund-money", "credit", "invoice", "send-invoice"):
        assert bob.post(address(ada, name), {"reason": "r"}).status_code == 403
