"""When the money of a purchase goes back, or comes again, it is said how much was taken."""

from types import SimpleNamespace

import pytest

from billing import signals
from billing.payments import purchases


@pytest.mark.parametrize(
    ("before", "given_back", "said"),
    [(0, 500, ("reversed", {"taken": 7, "used": 0})), (500, 0, ("restored", {"taken": 7})), (500, 500, None)],
)
def test_what_is_left_is_said_with_the_direction_in_which_the_money_went(monkeypatch, before, given_back, said):
    purchase = SimpleNamespace(amount=500, given_back=before, pack="credits", pk="p")
    rows = SimpleNamespace(exclude=lambda **_: rows, filter=lambda **_: rows, first=lambda: purchase)
    heard = []
    names = {signals.purchase_restored: "restored", signals.purchase_reversed: "reversed"}
    monkeypatch.setattr(purchases, "of_customer", lambda customer: rows)
    monkeypatch.setattr(purchases, "_given_back", lambda intent: given_back)
    monkeypatch.setattr(purchases, "_set", lambda row, **columns: None)
    monkeypatch.setattr(purchases, "_take", lambda row, before: (7, 0))
    monkeypatch.setattr(purchases, "_send", lambda signal, row, **what: heard.append((names[signal], what)))
    purchases.take_back(SimpleNamespace(pk="cus_1"), "pi_1")
    assert heard == ([said] if said else [])
