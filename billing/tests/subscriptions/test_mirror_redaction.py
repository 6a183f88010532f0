"""dj-stripe's rows of who left: every row that leads to them is emptied of the person, and a bystander's none."""

import pytest
from django.utils import timezone
from djstripe import models as djstripe

from billing.models import AccountDeletion, Customer
from billing.subscriptions import mirror_redaction
from billing.subscriptions.mirror_redaction import redact_if_deleted, redact_rows

pytestmark = pytest.mark.django_db

PERSON = {"email": "ada@example.com", "name": "Ada"}


def rows_of(name):
    """A customer with an invoice, a charge, its dispute, and a payment method that points at nobody any more."""
    data = {"object": "customer", "id": f"cus_{name}", **PERSON}
    settings = {"invoice_settings": {"default_payment_method": f"pm_settings_{name}"}}
    customer = djstripe.Customer.objects.create(
        id=f"cus_{name}", livemode=False, email="ada@example.com", stripe_data={**data, **settings}
    )
    usual = {"livemode": False, "customer": customer}
    details = {"billing_details": PERSON, "payment_method": f"pm_{name}"}
    charge = djstripe.Charge.objects.create(
        id=f"ch_{name}", amount=1, currency="usd", status="succeeded", stripe_data=details, **usual
    )
    found = [
        customer,
        charge,
        djstripe.Invoice.objects.create(id=f"in_{name}", stripe_data={"customer_email": "ada@example.com"}, **usual),
        djstripe.Dispute.objects.create(
            id=f"dp_{name}", livemode=False, charge=charge, stripe_data={"evidence": PERSON}
        ),
    ]
    methods = (f"pm_{name}", f"pm_settings_{name}")
    return found + [
        djstripe.PaymentMethod.objects.create(id=method, livemode=False, stripe_data={"billing_details": PERSON})
        for method in methods
    ]


def named(rows):
    """The ids of rows in which the person still stands."""
    for row in rows:
        row.refresh_from_db()
    return [row.id for row in rows if "Ada" in str(row.stripe_data) or "ada@" in str(vars(row))]


def test_all_that_leads_to_the_person_is_emptied_and_a_bystanders_rows_stay():
    hers, his = rows_of("ada"), rows_of("ben")
    assert len(named(hers)) == len(hers)
    redact_rows("cus_ada")
    assert named(hers) == []
    assert named(his) == [row.id for row in his]
    assert djstripe.Charge.objects.get(id="ch_ada").stripe_data == {"billing_details": None, "payment_method": "pm_ada"}


@pytest.mark.parametrize(
    ("columns", "is_redacted"), [({"done_at": timezone.now()}, True), ({"done_at": None}, False), (None, False)]
)
def test_rows_are_emptied_only_once_the_deletion_is_done(columns, is_redacted):
    ada, ben = (Customer.objects.create(pk=f"cus_{name}") for name in ("ada", "ben"))
    if columns is not None:
        AccountDeletion.objects.create(customer=ada, lane="cus_ada", requested_at=timezone.now(), **columns)
    AccountDeletion.objects.create(customer=ben, lane="cus_ben", requested_at=timezone.now(), done_at=timezone.now())
    hers = rows_of("ada")
    redact_if_deleted("cus_ada")
    assert (named(hers) == []) is is_redacted


def test_the_payment_methods_that_an_object_names_are_found_by_either_name():
    found = {"payment_method": {"id": "pm_1"}, "default_payment_method": "pm_2", "other": "pm_3"}
    assert mirror_redaction._methods(found) == {"pm_1", "pm_2"}


def test_every_model_with_a_customer_is_looked_through():
    owned = mirror_redaction._owned()
    assert (owned[djstripe.Customer], owned[djstripe.Dispute]) == ("id", "charge__customer__id")
    for model in (djstripe.Charge, djstripe.Invoice, djstripe.PaymentMethod, djstripe.Subscription):
        assert owned[model] == "customer__id"
    assert djstripe.Product not in owned
