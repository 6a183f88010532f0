"""How much of a price is tax is read from the latest invoice, whose amounts are rounded."""

from decimal import Decimal

import pytest

from billing.subscriptions.taxes import included_percent

NONE = Decimal(0)


def invoice(net, *taxes, behavior="inclusive"):
    told = [{"amount": amount, "tax_behavior": behavior} for amount in taxes]
    return {"total": net + sum(taxes), "total_taxes": told}


@pytest.mark.parametrize(
    ("net", "taxes", "percent"),
    [
        (1597, [303], "19"),
        (9174, [826], "9"),
        (91_848, [8_152], "8.875"),
        (10_000, [500, 700], "12"),
        (1900, [0], "0"),
        (1900, [], "0"),
    ],
)
def test_the_rate_with_the_fewest_digits_that_explains_the_amounts(net, taxes, percent):
    found = included_percent(invoice(net, *taxes), NONE)
    assert abs(found - Decimal(percent)) < Decimal("0.01")


def test_a_small_invoice_does_not_move_a_rate_that_explains_it_too():
    assert included_percent(invoice(8, 2), Decimal(19)) == 19
    assert included_percent(invoice(1638, 262), Decimal(19)) == 16


@pytest.mark.parametrize("net", [0, -500])
def test_an_invoice_over_nothing_leaves_what_is_known(net):
    assert included_percent(invoice(net), Decimal(19)) == 19


def test_tax_on_top_is_none_within():
    assert included_percent(invoice(1900, 361, behavior="exclusive"), Decimal(19)) == 0


def test_an_invoice_without_taxes_is_not_told_as_null_alone():
    assert included_percent({"total": 1900, "total_taxes": None}, Decimal(19)) == 0
