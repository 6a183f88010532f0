"""An amount is split by tax rate, to the minor unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.books.taxes import Part, parts_of, scaled


def tax(rate, amount, taxable):
    return {"rate": rate, "amount": amount, "taxable": taxable}


@pytest.mark.parametrize(
    ("total", "taxes", "parts"),
    [
        (1000, [], [Part(1000, 0)]),
        (0, [], [Part(0, 0)]),
        (1190, [tax("de", 190, 1000)], [Part(1000, 190, "de")]),
        (1190, [tax("de", 190, None)], [Part(1000, 190, "de")]),
        (2260, [tax("low", 70, 1000), tax("de", 190, 1000)], [Part(1000, 190, "de"), Part(1000, 70, "low")]),
        (1690, [tax("de", 190, 1000)], [Part(1000, 190, "de"), Part(500, 0)]),
        (1100, [tax("county", 40, 1000), tax("state", 60, 1000)], [Part(1000, 40, "county"), Part(0, 60, "state")]),
        (1000, [tax("reverse", 0, 1000)], [Part(1000, 0, "reverse")]),
        (-1190, [tax("de", -190, -1000)], [Part(-1000, -190, "de")]),
    ],
)
def test_a_total_is_split_by_rate(total, taxes, parts):
    assert sorted(parts_of(total, taxes), key=str) == sorted(parts, key=str)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**6)), min_size=1), st.integers(0, 10**8))
def test_a_scaled_split_comes_to_its_amount_exactly(values, amount):
    parts = [Part(net, tax, "") for net, tax in values]
    found = scaled(parts, amount)
    assert sum(part.gross for part in found) == amount
    assert scaled(parts, sum(part.gross for part in parts)) == parts
