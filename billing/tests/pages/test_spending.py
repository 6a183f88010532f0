"""The account page shows what is paid by use, and a page sets the cap on it."""

import pytest

from billing.models import SpendCap
from billing.tests.usage.metered_plans import metered_plans, shop, use  # noqa: F401

pytestmark = pytest.mark.django_db
PAGE = "/billing/spending"


@pytest.fixture
def ada(shop, client):  # noqa: F811
    subscriber = shop.subscribed("pro")
    client.force_login(subscriber.user)
    return subscriber


def test_the_account_page_shows_the_running_amount(ada, client):
    use(ada, 140)
    text = client.get("/billing/").content.decode()
    assert "40 generations beyond the limit, $0.025 each" in text
    assert "$1.00 so far, on your next invoice. You have set no cap." in text


def test_who_pays_nothing_by_use_sees_nothing_of_it(shop, client):  # noqa: F811
    client.force_login(shop.subscribed("flat").user)
    assert "Paid by use" not in client.get("/billing/").content.decode()
    assert client.get(PAGE).status_code == 302


def test_a_cap_is_set_and_removed(ada, client):
    assert "Spend cap" in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"amount": "12,50", "policy": "warn"}).status_code == 302
    row = SpendCap.objects.get()
    assert (row.amount, row.currency, row.policy, row.set_by) == (1250, "usd", "warn", "subscriber")
    assert "At $12.50 we tell you, and use goes on." in client.get("/billing/").content.decode()
    assert 'value="12.50"' in client.get(PAGE).content.decode()
    client.post(PAGE, {"remove": "1"})
    assert not SpendCap.objects.exists()


@pytest.mark.parametrize("amount", ["", "much", "-5", "0.001", "1.000", "1,000", "1e99", "NaN"])
def test_what_is_no_amount_is_refused_with_a_sentence(ada, client, amount):
    answer = client.post(PAGE, {"amount": amount})
    assert answer.status_code == 400
    assert "Write an amount, such as 50 or 49.90." in answer.content.decode()
    assert not SpendCap.objects.exists()


def test_the_pages_speak_the_language_of_the_reader(ada, client):
    german = {"headers": {"Accept-Language": "de"}}
    use(ada, 140)
    text = client.get("/billing/", **german).content.decode().replace("\xa0", " ")
    assert "40 Generierungen über das Limit hinaus, je 0,025 $" in text
    assert "Bisher 1,00 $, auf Ihrer nächsten Rechnung. Sie haben keine Obergrenze festgelegt." in text
    assert "zum Beispiel 50 oder 49,90" in client.post(PAGE, {"amount": "viel"}, **german).content.decode()
    text = client.post(PAGE, {"amount": "12,50", "policy": "stop"}, follow=True, **german).content.decode()
    assert "Bei 12,50 $ endet die Nutzung." in text.replace("\xa0", " ")
    assert "At $12.50 use stops." in client.get("/billing/").content.decode()
