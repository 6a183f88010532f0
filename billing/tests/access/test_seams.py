"""docs/seams.md, executed: every example of the page is taken from it, and does what the page says."""

import re
import sys
from io import StringIO
from pathlib import Path
from types import ModuleType

import django
import pytest
from django.core import mail
from django.core.management import call_command
from django.db.models import ProtectedError
from django.urls import reverse
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Schedule

from billing import access, mailer, queues
from billing.catalogue import definitions
from billing.lifecycle import checkout
from billing.models import Plan
from billing.monitoring import alerts
from billing.setup import checks
from billing.tests.world import SIGNALS

pytestmark = pytest.mark.django_db

PAGE = Path(__file__).parents[3] / "docs" / "seams.md"
BLOCK = re.compile(r"^```(?:python|html)\n(?:# (.+?)|{# (.+?) #})\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXAMPLES = {python or html: text for python, html, text in BLOCK.findall(PAGE.read_text())}


@pytest.fixture
def example(settings, monkeypatch, tmp_path):
    """Puts an example of the page in force, as its first line says where: a module, a file of templates, settings."""
    connected = {signal: list(signal.receivers) for signal in SIGNALS.values()}

    def take(name):
        path, text = Path(name.partition(",")[0]), EXAMPLES[name]
        if path.suffix == ".html":
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        elif path.name == "settings.py":
            stated = {"BASE_DIR": tmp_path}
            exec(text, stated)
            for key in filter(str.isupper, stated):
                setattr(settings, key, stated[key])
        else:
            _import(".".join(path.with_suffix("").parts), text, monkeypatch)

    yield take
    for signal, receivers in connected.items():
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


def _import(name, text, monkeypatch):
    package, module = ModuleType(name.partition(".")[0]), ModuleType(name)
    monkeypatch.setitem(sys.modules, package.__name__, sys.modules.get(package.__name__, package))
    monkeypatch.setitem(sys.modules, name, module)
    exec(text, vars(module))


def complaints():
    return [said for check in checks.CHECKS for said in check() if said.id.startswith("billing.E")]


def test_every_example_of_the_page_is_executed_below():
    executed = re.findall(r'^    example\("(.+)"\)$', Path(__file__).read_text(), re.MULTILINE)
    assert EXAMPLES.keys() == set(executed)
    assert PAGE.read_text().count("```") == 2 * len(EXAMPLES), "each names its file on its first line"


def test_signals_let_members_join_and_leave(world, example):
    example("shop/members.py")
    ada = world.subscribed()
    assert list(ada.user.groups.values_list("name", flat=True)) == ["members"]
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    assert not ada.user.groups.exists()


def test_plans_of_the_settings_are_sold_as_stated(world, example):
    example("mysite/settings.py, plans")
    assert complaints() == []
    definitions.update_plans()
    call_command("setup_stripe", "--yes", stdout=StringIO())
    assert list(Plan.objects.filter(is_public=True).values_list("slug", "rank")) == [("free", 0), ("studio", 1)]
    ada = world.subscribed(plan="studio")
    assert (ada.access.reason, ada.access.plan.slug, ada.row.price.unit_amount) == ("trialing", "studio", 2900)
    assert access.has_access(ada.user, plan="studio", feature="projects")


def test_policies_let_access_go_on(world, example):
    example("mysite/settings.py, policies")
    assert complaints() == []
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    dispute = world.control("disputes", charge=world.charge_of(ada)["id"])
    world.control(f"disputes/{dispute['id']}", status="lost")
    world.stripe("POST", "refunds", charge=world.charge_of(ben)["id"])
    world.deliver()
    assert (ada.access.reason, ben.access.reason) == ("active", "active")
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    assert ada.access.reason == "grace"
    assert (ada.access.grace_ends_at - ada.row.past_due_since).days == 7


def test_a_rule_of_the_hosts_takes_access_away_with_its_reason(world, example):
    example("shop/rules.py")
    example("mysite/settings.py, a rule")
    assert complaints() == []
    ada = world.subscribed()
    assert ada.access.has_access
    ada.user.is_active = False
    ada.user.save()
    assert (ada.access.has_access, ada.access.reason) == (False, "host_suspended")
    assert "own rule says: suspended" in str(access.explain(ada.user))


def test_what_a_host_adds_to_checkout_reaches_the_session(world, example):
    example("shop/checkout.py")
    example("mysite/settings.py, Checkout")
    assert complaints() == []
    ada = world.sign_up()
    attempt = checkout.start(ada, "pro", "month")
    session = world.stripe("GET", f"checkout/sessions/{attempt.session_id}")
    assert session["phone_number_collection"] == {"enabled": True}
    assert session["custom_fields"][0]["label"]["custom"] == "Order number"
    assert session["metadata"]["campaign"] == "spring"
    assert checkout.start(ada, "pro", "month") == attempt


def test_checkout_is_shown_on_a_page_of_the_hosts(world, example, client):
    example("mysite/settings.py, embedded")
    assert complaints() == []
    ada = world.sign_up()
    client.force_login(ada)
    page = client.get(checkout.start(ada, "pro", "month").url.partition("8000")[2])
    assert 'data-key="pk_test_51"' in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_whoever_leaves_is_billed_no_more_and_their_row_goes(world, example):
    example("shop/leaving.py")
    ada = world.subscribed()
    with pytest.raises(ProtectedError):
        ada.user.delete()
    import_string("shop.leaving.leave")(ada.user)
    assert not access.has_access(ada.user)
    world.deliver()
    assert not type(ada.user).objects.filter(pk=ada.user.pk).exists()
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "canceled"


@pytest.mark.skipif(not mailer.HAS_MAILERS, reason="MAILERS came with Django 6.1")
@pytest.mark.django_db(transaction=True)
def test_what_staff_must_know_goes_by_the_hosts_mailer(example, tmp_path):
    example("mysite/settings.py, on Django 6.1")
    staff_are_mailed(tmp_path)


@pytest.mark.skipif(django.VERSION >= (6, 0), reason="Django 6 deprecates names in ADMINS, and EMAIL_*")
@pytest.mark.django_db(transaction=True)
def test_what_staff_must_know_goes_by_the_hosts_mail_backend(example, tmp_path):
    example("mysite/settings.py, on Django 5.2")
    staff_are_mailed(tmp_path)


def staff_are_mailed(tmp_path):
    alerts.alert_staff("full", "The disk is full", "Make room.")
    assert alerts.send() == 1
    (file,) = (tmp_path / "mail").iterdir()
    assert "To: grace@example.com" in file.read_text()


def test_a_hosts_own_mail_is_a_task_of_the_same_transaction(world, example):
    example("shop/mail.py")
    ada = world.subscribed()
    (task,) = (row.task for row in OrmQ.objects.all() if row.func() == "shop.mail.send_welcome")
    import_string(task["func"])(*task["args"])
    (sent,) = mail.outbox
    assert (sent.to, sent.body) == ([ada.user.email], "You are on Pro.")


def test_templates_of_the_hosts_take_the_place_of_ours(world, example, settings, client, tmp_path):
    example("templates/billing/account.html")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path / "templates"]}]
    client.force_login(world.subscribed().user)
    page = client.get(reverse("billing:account")).content.decode()
    assert "Questions? Write to help@example.com." in page


def test_a_schedule_that_was_changed_stays_so(example):
    queues.keep_schedules()
    example("shop/oftener.py")
    assert queues.keep_schedules() == 0
    assert Schedule.objects.get(name="billing.sync.runs.hourly").minutes == 15
