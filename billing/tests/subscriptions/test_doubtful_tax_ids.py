"""Staff are shown the tax ids that wait for them: those of one customer, or all, the oldest first."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import Customer, TaxId
from billing.subscriptions import tax_ids

pytestmark = pytest.mark.django_db


def test_doubtful_ones_of_a_customer_are_theirs_and_of_nobody_are_all():
    for number, name in enumerate(("cat", "ada", "ben")):
        customer = Customer.objects.create(pk=f"cus_{name}")
        TaxId.objects.create(pk=f"txi_{name}", customer=customer, type="eu_vat", status="unverified",
                             created_at=timezone.now() - number * timedelta(days=1))  # fmt: skip
    assert [row.pk for row in tax_ids.doubtful("cus_ada")] == ["txi_ada"]
    assert [row.pk for row in tax_ids.doubtful()] == ["txi_ben", "txi_ada", "txi_cat"]


def test_the_cause_of_an_alert_has_a_hundred_characters_at_most(monkeypatch):
    told = []
    monkeypatch.setattr(tax_ids.alerts, "alert_staff", lambda cause, subject, text: told.append((cause, subject)))
    row = TaxId(pk="txi_" + "x" * 200, customer_id="cus_ada", type="eu_vat")
    tax_ids._alert(row)
    assert told == [(f"tax_id_unverified:{row.pk}"[:100], f"The tax ID {row.pk} is not verified")]
