"""Bank debits at the hosted pages: Checkout, the invoice, the portal."""

from typing import Any

import pytest
import stripe

from .conftest import Checked, Control
from .test_debited_subscriptions import DAY, FAILS, HOUR, SUCCESS, renewed, standing, told
from .test_pages import Browser


@pytest.fixture
def browse(sandbox: Checked) -> Any:
    """Opens a hosted page, or sends its form; the page that is shown then."""

    def open_page(path: str, **form: str) -> str:
        status, body, _ = Browser(sandbox.url).ask("POST" if form else "GET", f"{sandbox.url}{path}", **form)
        assert status in (200, 303), body
        return body

    return open_page


def test_a_checkout_paid_by_debit_is_complete_and_unpaid_until_the_bank_answers(
    client: stripe.StripeClient, control: Control, checkout: Any, sandbox: Checked
) -> None:
    session = checkout(payment_method_types=["card", "us_bank_account"])
    done = control(f"/checkout/{session.id}/complete", {"payment_method": SUCCESS})
    assert (done["outcome"], done["session"]["payment_status"]) == ("processing", "unpaid")
    sub = done["session"]["subscription"]
    assert standing(client, sub) == ("incomplete", "open", "processing")
    bought = told(sandbox, 0)
    assert bought.index("charge.pending") < bought.index("checkout.session.completed")
    assert bought.index("checkout.session.completed") < bought.index("payment_intent.processing")
    control("/advance", {"seconds": 6 * DAY})
    assert standing(client, sub) == ("active", "paid", "succeeded")
    assert told(sandbox, 0)[-1] == "checkout.session.async_payment_succeeded"
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_checkout_whose_debit_fails_says_so_once(
    client: stripe.StripeClient, control: Control, checkout: Any, sandbox: Checked
) -> None:
    session = checkout(payment_method_types=["us_bank_account"])
    done = control(f"/checkout/{session.id}/complete", {"payment_method": FAILS})["session"]
    control("/advance", {"seconds": 5 * DAY + 60})
    assert told(sandbox, 0).count("checkout.session.async_payment_failed") == 1
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    control("/advance", {"seconds": DAY})
    assert standing(client, done["subscription"])[0] == "incomplete_expired"
    assert told(sandbox, 0).count("checkout.session.async_payment_failed") == 1


@pytest.mark.parametrize(
    ("named", "token", "outcome", "says"),
    [
        (["card"], SUCCESS, None, "takes no us_bank_account"),
        (["us_bank_account"], "pm_sepaDebit_success_de", None, "takes no sepa_debit"),
        (["us_bank_account"], SUCCESS, "paid", "processing first"),
    ],
)
def test_a_checkout_takes_the_accounts_it_names(
    control: Control, checkout: Any, named: list[str], token: str, outcome: str | None, says: str
) -> None:
    session = checkout(payment_method_types=named)
    body = {"payment_method": token, "outcome": outcome}
    assert says in control(f"/checkout/{session.id}/complete", body)["error"]["message"]


def test_a_checkout_in_another_currency_cannot_name_the_account(checkout: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"currency provided \(usd\)"):
        checkout(payment_method_types=["sepa_debit"])


def test_a_trial_by_debit_saves_the_account_under_a_mandate_and_debits_it_at_its_end(
    client: stripe.StripeClient, control: Control, checkout: Any
) -> None:
    session = checkout(payment_method_types=["us_bank_account"], subscription_data={"trial_period_days": 7})
    done = control(f"/checkout/{session.id}/complete", {})["session"]
    sub = client.v1.subscriptions.retrieve(done["subscription"])
    assert (sub.status, done["payment_status"]) == ("trialing", "no_payment_required")
    (setup,) = client.v1.setup_intents.list({"customer": str(sub.customer)}).data
    assert client.v1.mandates.retrieve(str(setup.mandate)).status == "active"
    control("/advance", {"seconds": 7 * DAY + 2 * HOUR})
    assert standing(client, sub.id) == ("active", "open", "processing")


def test_the_checkout_page_debits_the_account_that_is_chosen(
    client: stripe.StripeClient, checkout: Any, browse: Any
) -> None:
    session = checkout(payment_method_types=["card", "us_bank_account"])
    assert "Bank debit" in browse(f"/c/{session.id}")
    browse(f"/c/{session.id}", account=FAILS)
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, standing(client, str(done.subscription))) == (
        "complete",
        ("incomplete", "open", "processing"),
    )


def test_the_invoice_page_takes_an_account_and_then_says_that_it_waits(
    client: stripe.StripeClient, control: Control, subscribed: Any, browse: Any
) -> None:
    sub = subscribed("pm_card_visa")
    card = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": str(sub.customer)})
    client.v1.subscriptions.update(sub.id, {"default_payment_method": card.id})
    invoice = renewed(client, control, sub.id)
    assert standing(client, sub.id) == ("past_due", "open", "requires_payment_method")
    assert "Debit this account" in browse(f"/i/{invoice}")
    browse(f"/i/{invoice}", account=SUCCESS)
    page = browse(f"/i/{invoice}")
    assert "The payment is processing" in page
    assert "Debit this account" not in page
    control("/advance", {"seconds": 6 * DAY})
    assert standing(client, sub.id)[:2] == ("active", "paid")


def test_the_portal_shows_an_account_and_takes_another(
    client: stripe.StripeClient, control: Control, browse: Any
) -> None:
    control("/portal", {})
    customer = client.v1.customers.create({"payment_method": SUCCESS})
    method = client.v1.payment_methods.list({"customer": customer.id}).data[0].id
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method}})
    session = client.v1.billing_portal.sessions.create({"customer": customer.id})
    path = session.url.partition("/p/")[2]
    assert "ending in 6789" in browse(f"/p/{path}")
    browse(f"/p/{path}", action="card", account="pm_usBankAccount_dispute")
    assert "ending in 5559" in browse(f"/p/{path}")
