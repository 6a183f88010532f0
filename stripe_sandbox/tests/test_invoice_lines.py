"""The lines of a draft invoice: added in bulk, changed, removed; never those of an invoice that is final."""

from typing import Any

import pytest
import stripe

from .test_manual_invoices import payer, work

__all__ = ["payer"]


def test_lines_are_added_changed_and_removed(client: stripe.StripeClient, payer: Any) -> None:
    waiting = work(client, payer, 700)
    draft = client.v1.invoices.create({"customer": payer.id})
    lines: Any = [{"amount": 1000, "description": "Setup"}, {"amount": 500}, {"invoice_item": waiting.id}]
    added = client.v1.invoices.add_lines(draft.id, {"lines": lines, "invoice_metadata": {"order": "7"}})
    assert (added.total, added.metadata["order"], len(added.lines.data)) == (2200, "7", 3)
    first, second, third = (line.id for line in added.lines.data)
    changed = client.v1.invoices.update_lines(draft.id, {"lines": [{"id": second, "amount": 800}]})
    assert [line.amount for line in changed.lines.data] == [1000, 800, 700]
    assert client.v1.invoices.line_items.update(draft.id, first, {"description": "Start"}).description == "Start"
    gone: Any = [{"id": first, "behavior": "delete"}, {"id": third, "behavior": "unassign"}]
    assert client.v1.invoices.remove_lines(draft.id, {"lines": gone}).total == 800
    assert client.v1.invoice_items.retrieve(waiting.id).invoice is None
    client.v1.invoices.finalize_invoice(draft.id)
    with pytest.raises(stripe.InvalidRequestError, match="Finalized invoices"):
        client.v1.invoices.add_lines(draft.id, {"lines": lines})


def test_the_lines_of_a_plan_keep_their_price(client: stripe.StripeClient, payer: Any, price: Any) -> None:
    sent: Any = {"collection_method": "send_invoice", "days_until_due": 5}
    sub = client.v1.subscriptions.create({"customer": payer.id, "items": [{"price": price.id}], **sent})
    line = client.v1.invoices.retrieve(sub.latest_invoice).lines.data[0]
    told = client.v1.invoices.line_items.update(sub.latest_invoice, line.id, {"description": "Your plan"})
    assert told.description == "Your plan"
    with pytest.raises(stripe.InvalidRequestError, match="its item's"):
        client.v1.invoices.line_items.update(sub.latest_invoice, line.id, {"amount": 1})
    with pytest.raises(stripe.InvalidRequestError, match="stay on its invoice"):
        client.v1.invoices.remove_lines(sub.latest_invoice, {"lines": [{"id": line.id, "behavior": "delete"}]})
