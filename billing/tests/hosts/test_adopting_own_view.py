"""A host that has sold for a while by a webhook view of its own goes the way of docs/adopting.md, and switches."""

import json
from urllib.request import Request, urlopen

import pytest

from billing.tests.processes import until

from . import recipe
from .browsing import Person

pytestmark = [pytest.mark.postgres_only, pytest.mark.slow]

ADOPTING = recipe.PAGE.with_name("adopting.md")
DAY = 86400
MODELS = """
from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    stripe_id = models.CharField(max_length=255, blank=True)
    paid_until = models.DateTimeField(null=True)
"""
# What a team writes in an afternoon.
OWN_VIEW = """
import datetime
import os

import stripe
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt

from .models import User


@csrf_exempt
def stripe_webhook(request):
    try:
        event = stripe.Webhook.construct_event(request.body, request.headers["Stripe-Signature"], "whsec_sandbox")
    except (ValueError, KeyError, stripe.SignatureVerificationError):
        return HttpResponse(status=400)
    about = event["data"]["object"]
    if event["type"] == "invoice.paid":
        until = about["lines"]["data"][0]["period"]["end"]
        paid_until = datetime.datetime.fromtimestamp(until, datetime.UTC)
        User.objects.filter(stripe_id=about["customer"]).update(paid_until=paid_until)
    if event["type"] == "customer.subscription.deleted":
        User.objects.filter(stripe_id=about["customer"]).update(paid_until=None)
    return HttpResponse("ok")
"""
OWN_SETTINGS = """
INSTALLED_APPS += ["shop"]
AUTH_USER_MODEL = "shop.User"
"""
OWN_URLS = """
from shop.views import stripe_webhook

urlpatterns += [path("stripe/webhook/", stripe_webhook)]
"""
# The team's own subscriptions, made by its own calls.
SOLD = """
import stripe
from shop.models import User

stripe.api_key, stripe.api_base = "sk_test_sandbox0sandbox0sandbox0", "http://127.0.0.1:12111"
gold = stripe.Product.create(name="Gold")
price = stripe.Price.create(product=gold.id, currency="eur", unit_amount=1900, recurring={"interval": "month"})
for name in ("ada", "ben", "eve"):
    user = User.objects.create_user(name, f"{name}@example.com", "correct-horse-battery")
    if name != "eve":
        customer = stripe.Customer.create(email=user.email)
        User.objects.filter(pk=user.pk).update(stripe_id=customer.id)
        card = stripe.PaymentMethod.attach("pm_card_visa", customer=customer.id)
        stripe.Subscription.create(customer=customer.id, items=[{"price": price.id}], default_payment_method=card.id)
print(price.id)
"""
PAID = """
from shop.models import User

print(*User.objects.exclude(paid_until=None).order_by("username").values_list("username", flat=True))
"""
CANCELLED_BY_THEIR_CODE = """
import stripe
from shop.models import User

stripe.api_key, stripe.api_base = "sk_test_sandbox0sandbox0sandbox0", "http://127.0.0.1:12111"
[one] = stripe.Subscription.list(customer=User.objects.get(username="ben").stripe_id).data
stripe.Subscription.cancel(one.id)
"""
SAID = """
from shop.models import User
from billing.access import has_access
from billing.models import StripeEvent

waiting = StripeEvent.objects.exclude(status__in=["processed", "ignored"]).count()
print(*(u.username for u in User.objects.order_by("username") if has_access(u, plan="pro")), waiting)
"""


def page(path):
    """Return what adopting.md adds to this file."""
    [found] = [addition for addition in recipe.additions(ADOPTING) if addition.path == path and not addition.when]
    return found.text


@pytest.fixture(scope="module")
def shop(host):
    """The host as it was: two who pay, by its own calls, view and columns."""
    host.write("shop/__init__.py", "")
    host.write("shop/models.py", MODELS)
    host.write("shop/views.py", OWN_VIEW)
    host.add("mysite/settings.py", OWN_SETTINGS)
    host.manage("makemigrations", "shop")
    host.add("mysite/urls.py", OWN_URLS)
    host.manage("migrate")
    return host


@pytest.fixture(scope="module")
def old_price(shop):
    """getting-started.md up to its third step, while the old code goes on; the price that is sold."""
    shop.add_all(recipe.for_a_new_project())
    shop.manage("setup")
    own = ["--forward", f"{shop.url}/stripe/webhook/", "--webhook-secret", "whsec_sandbox"]
    shop.follow("stripe_sandbox", *own)
    shop.follow("runserver")
    price = shop.run(SOLD)
    until(lambda: shop.run(PAID) == "ada ben", what="the old code's webhooks")
    return price


@pytest.fixture(scope="module")
def adopted(shop, old_price):
    """Each step of the page in its order, the comparison by the function that it shows."""
    shop.manage("import_customers", "--price", f"{old_price}=pro")
    dry = shop.manage("import_customers", "--by", "id", "--field", "stripe_id", "--dry-run")
    assert "2 would be linked" in dry
    shop.manage("import_customers", "--by", "id", "--field", "stripe_id")
    shop.write("shop/stripe.py", page("shop/stripe.py"))
    shop.write("shop/webhooks.py", page("shop/webhooks.py"))
    shop.add("mysite/urls.py", OWN_BY_BOTH)
    restart(shop)
    shop.follow("qcluster")
    shop.manage("sync_stripe", "--full")
    return shop


OWN_BY_BOTH = """
from shop.webhooks import both

urlpatterns = [path("stripe/webhook/", both(stripe_webhook)), *urlpatterns]
"""


def restart(shop):
    web = shop.processes.pop("web")
    web.terminate()
    web.wait(30)
    shop.follow("runserver")


def advance(shop, days):
    body = json.dumps({"seconds": days * DAY}).encode()
    with urlopen(Request(f"{shop.sandbox_url}/_sandbox/advance", body, method="POST"), timeout=120):
        pass


def compared(shop):
    return shop.manage("compare_integrations", "--call", "shop.stripe.beliefs").strip().splitlines()[-1]


def test_who_paid_before_has_access_here_and_both_agree(adopted):
    assert adopted.run(SAID).startswith("ada ben ")
    assert "2 agree" in compared(adopted)
    assert "ada" in adopted.manage("explain_access", "ada@example.com").lower()


def test_a_renewal_and_a_cancellation_by_the_old_code_reach_both_by_one_endpoint(adopted):
    advance(adopted, 32)
    adopted.run(CANCELLED_BY_THEIR_CODE)
    until(lambda: adopted.run(SAID) == "ada 0", seconds=90, what="the worker's part")
    until(lambda: adopted.run(PAID) == "ada", what="the old code's part")
    assert "2 agree" in compared(adopted)


def test_a_page_is_switched_and_who_was_linked_reads_it_and_may_cancel(adopted):
    ada, ben, eve = Person(), Person(), Person()
    for person, name in ((ada, "ada"), (ben, "ben"), (eve, "eve")):
        person.log_in(f"{adopted.url}/billing/", name, "correct-horse-battery")
        person.open(f"{adopted.url}/report/")
    assert ada.page.text == "For subscribers of Pro."
    assert "For subscribers of Pro." not in ben.page.text + eve.page.text
    ada.open(f"{adopted.url}/billing/cancel")
    assert ada.page.status_code == 200


def test_the_old_view_can_go_when_our_endpoint_is_made(adopted):
    assert "whsec_" not in adopted.manage("setup_stripe", "--yes"), "Stripe cannot reach this machine"
    adopted.add("mysite/settings.py", 'SITE_URL = "https://shop.example.com"')
    said = adopted.manage("setup_stripe", "--yes")
    assert "https://shop.example.com/api/v1/webhooks/stripe" in said
    assert "whsec_" in said
