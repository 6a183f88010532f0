"""The mail that asks for an address goes out once, and not once the address is known; receipts name net and tax."""

import pytest

from billing import testing
from billing.models import Invoice
from billing.tests.lifecycle.test_tax import nowhere
from billing.tests.taxed import BERLIN, bought, sell_with_tax
from notifications.models import Mail
from notifications.reasons import not_to_send

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("way", "is_draft"), [("fail", True), ("finalize", False)])
def test_the_address_is_asked_for_once_until_it_is_known(world, settings, way, is_draft):
    sell_with_tax(world, settings)
    world.control("tax", without_location=way)
    ada = bought(world)
    nowhere(world, ada)
    world.advance(days=32)
    world.deliver(scramble=True)
    mail = Mail.objects.get(kind="address_needed")
    assert (mail.customer_id, mail.context["is_draft"]) == (ada.customer, is_draft)
    assert mail.key == f"address_needed:{Invoice.objects.latest('created_at').pk}"
    assert not_to_send(mail) == ""
    world.stripe("POST", f"customers/{ada.customer}", address=BERLIN)
    world.deliver()
    testing.work()
    world.deliver()
    assert not_to_send(mail) == "The address is known now, or nothing waits for it."


def test_a_receipt_names_net_and_tax(world, settings):
    sell_with_tax(world, settings)
    ada = bought(world)
    told = Mail.objects.get(kind="payment_received", customer=ada.customer).context
    assert (told["amount"], told["net"], told["tax"], told["is_reverse_charged"]) == (1900, 1597, 303, False)
