"""The buttons of the first page: what a person clicks happens, and the page says so."""

import http.client
import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe

from stripe_sandbox import Sandbox

from .conftest import Control
from .test_billing_cycle import fresh

HOUR, DAY = 3600, 86_400


class Person:
    """Presses buttons, and reads the page that follows."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection(self.host, timeout=5)
        connection.request(method, path, "", {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        body = unescape(answer.read().decode())
        connection.close()
        return answer.status, body, answer.getheader("Location") or ""

    def press(self, act: str, **headers: str) -> str:
        """Return what the page says afterwards, after the role in which it says it."""
        status, _, location = self.ask("POST", f"/act/{act}", **headers)
        assert status == 303
        [(role, words)] = re.findall(r'role="(status|alert)">([^<]*)', self.ask("GET", location)[1])
        return f"{role}: {words}"

    def page(self) -> str:
        return self.ask("GET", "/")[1]


@pytest.fixture
def person(sandbox: Sandbox) -> Person:
    return Person(sandbox.url)


@pytest.mark.parametrize(("act", "seconds"), [("hour", HOUR), ("day", DAY)])
def test_the_clock_is_moved_by_what_the_button_says(person: Person, control: Control, act: str, seconds: int) -> None:
    before = control("/", method="GET")["now"]
    assert person.press(act).startswith("status: The clock says 20")
    assert control("/", method="GET")["now"] - before in (seconds, seconds + 1)


def test_a_month_on_a_subscription_has_renewed(person: Person, client: stripe.StripeClient, subscribed: Any) -> None:
    sub = subscribed()
    assert re.search(r"\d+ events came of it", person.press("month"))
    assert fresh(client, sub)["items"].data[0].current_period_end > sub["items"].data[0].current_period_end


def test_the_clock_goes_to_the_next_event_and_no_further(
    person: Person, client: stripe.StripeClient, subscribed: Any
) -> None:
    sub = subscribed()
    end = sub["items"].data[0].current_period_end
    newest = client.v1.events.list({"limit": 1}).data[0].id
    assert "the next event is invoice.upcoming" in person.press("next")
    assert [event.type for event in client.v1.events.list({"ending_before": newest}).data] == ["invoice.upcoming"]
    assert fresh(client, sub)["items"].data[0].current_period_end == end


def test_where_nothing_is_due_the_page_says_so(person: Person) -> None:
    assert person.press("next").startswith("alert: Nothing that would bring an event is due")


def test_a_checkout_is_declined_then_paid(person: Person, client: stripe.StripeClient, checkout: Any) -> None:
    session, bystander = checkout(), checkout()
    assert f"/act/checkout-pay/{session.id}" in person.page()
    assert person.press(f"checkout-decline/{session.id}") == "status: The checkout of alice@example.com is declined."
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert person.press(f"checkout-pay/{session.id}") == "status: The checkout of alice@example.com is paid."
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"
    assert client.v1.checkout.sessions.retrieve(bystander.id).status == "open"
    assert f"/act/checkout-pay/{session.id}" not in person.page()
    assert person.press(f"checkout-pay/{session.id}").startswith("alert: The Checkout Session")


def test_a_renewal_is_declined_and_its_invoice_paid_after_all(
    person: Person, client: stripe.StripeClient, subscribed: Any
) -> None:
    sub = subscribed()
    assert "is declined" in person.press(f"renewal-decline/{sub.id}")
    person.press("month")
    person.press("day")
    assert fresh(client, sub).status == "past_due"
    invoice = fresh(client, sub).latest_invoice
    assert f"/act/invoice-pay/{invoice.id}" in person.page()
    assert person.press(f"invoice-decline/{invoice.id}").endswith("of alice@example.com is declined.")
    assert person.press(f"invoice-pay/{invoice.id}").endswith("of alice@example.com is paid.")
    assert fresh(client, sub).status == "active"
    assert f"/act/renewal-pay/{sub.id}" in person.page()
    assert "is paid" in person.press(f"renewal-pay/{sub.id}")
    person.press("month")
    person.press("day")
    assert fresh(client, sub).status == "active"


def test_a_payment_is_disputed_once_and_the_dispute_won(
    person: Person, client: stripe.StripeClient, subscribed: Any
) -> None:
    subscribed()
    charge = client.v1.charges.list().data[0]
    assert person.press(f"dispute/{charge.id}") == "status: alice@example.com disputes the payment of $20.00."
    assert person.press(f"dispute/{charge.id}").startswith("alert: ")
    [dispute] = client.v1.disputes.list().data
    assert person.press(f"refund/{charge.id}").startswith("alert: Charge")
    assert person.press(f"dispute-win/{dispute.id}") == "status: The dispute about $20.00 is won."
    assert client.v1.disputes.retrieve(dispute.id).status == "won"
    assert person.press(f"dispute-lose/{dispute.id}").startswith("alert: The dispute")


def test_a_payment_is_refunded_in_full_and_leaves_the_page(
    person: Person, client: stripe.StripeClient, subscribed: Any
) -> None:
    subscribed()
    charge = client.v1.charges.list().data[0]
    assert person.press(f"refund/{charge.id}") == "status: alice@example.com was refunded $20.00."
    assert client.v1.charges.retrieve(charge.id).refunded
    assert f"/act/refund/{charge.id}" not in person.page()


@pytest.mark.parametrize("act", ["checkout-pay/cs_none", "invoice-pay/in_none", "refund/ch_none", "dispute-win/du_1"])
def test_what_is_not_there_is_said_in_a_sentence(person: Person, act: str) -> None:
    assert person.press(act).startswith("alert: No such ")


@pytest.mark.parametrize(("method", "path"), [("POST", "/act/steal"), ("GET", "/act/day"), ("POST", "/act/day/a/b")])
def test_there_is_no_other_button(person: Person, method: str, path: str) -> None:
    assert person.ask(method, path)[0] == 404


FOREIGN: list[dict[str, str]] = [
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "{ours}", "Sec_Fetch_Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/act/day", "/_sandbox/reset", "/c/cs_any"])
def test_another_sites_page_can_press_nothing(
    person: Person, control: Control, path: str, headers: dict[str, str]
) -> None:
    before = control("/", method="GET")["now"]
    given = {name: value.format(ours=f"http://{person.host}") for name, value in headers.items()}
    status, body, _ = person.ask("POST", path, **given)
    assert (status, "Another site's page sent this" in body) == (403, True)
    assert control("/", method="GET")["now"] - before < HOUR


@pytest.mark.parametrize("headers", [{"Sec_Fetch_Site": "same-origin"}, {"Origin": "{ours}"}, {}])
def test_the_sandboxs_own_page_and_programs_can(person: Person, headers: dict[str, str]) -> None:
    given = {name: value.format(ours=f"http://{person.host}") for name, value in headers.items()}
    assert person.press("day", **given).startswith("status: ")


def test_words_that_somebody_else_put_into_a_link_are_not_shown(person: Person) -> None:
    for query in ("said=You+won", "said=You+won&mark=", "error=You+won&mark=00", "said=You+won&mark=%C3%A9"):
        assert "You won" not in person.ask("GET", f"/?{query}")[1]
