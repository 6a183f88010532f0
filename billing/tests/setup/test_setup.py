"""`setup` and `setup_stripe`: ready in seconds, and safe to run again."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Barrier

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.module_loading import import_string
from django_q.models import Schedule

from billing import queues
from billing.conf import conf
from billing.events.event_types import EVENT_TYPES
from billing.lanes import claims
from billing.models import Plan, Price
from billing.setup import publishing


def manage(*arguments, database):
    environment = {**os.environ, "DATABASE_URL": database}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_an_empty_database_is_ready_with_nothing_left_to_migrate(tmp_path):
    database = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    first = manage("setup", database=database)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("Ready: tables created, 3 plans and ")
    assert manage("migrate", "--check", database=database).returncode == 0
    second = manage("setup", database=database)
    assert second.stdout.startswith("Ready: tables up to date, 0 plans and 0 schedules added")


def test_a_setup_that_was_broken_off_is_completed_by_the_next(tmp_path):
    database = f"sqlite:///{tmp_path / 'half.sqlite3'}"
    assert manage("migrate", "accounts", database=database).returncode == 0
    assert manage("setup", database=database).returncode == 0
    assert manage("migrate", "--check", database=database).returncode == 0


def test_a_database_out_of_reach_is_an_error_in_one_sentence(tmp_path):
    answer = manage("setup", database=f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite3'}")
    assert answer.returncode == 1
    assert "The database was not set up" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_wrong_option_is_wrong_use(tmp_path):
    assert manage("setup", "--nonsense", database=f"sqlite:///{tmp_path / 'x.sqlite3'}").returncode == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres_only
def test_an_empty_postgres_is_ready_in_seconds_with_nothing_left_to_migrate():
    name = "setup_from_nothing"
    options = connection.settings_dict
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    database = f"postgres://{options['USER']}@/{name}?host={options['OPTIONS'].get('host') or options['HOST']}"
    try:
        assert manage("setup", database=database).returncode == 0
        assert manage("migrate", "--check", database=database).returncode == 0
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


@pytest.mark.django_db
def test_every_apps_schedules_are_made_once_and_then_left_to_staff():
    assert queues.declared_schedules()["billing.events.sweep.sweep"] == 1
    made = queues.keep_schedules()
    assert made == len(queues.declared_schedules())
    Schedule.objects.filter(name="billing.events.sweep.sweep").update(minutes=5)
    assert queues.keep_schedules() == 0
    assert Schedule.objects.get(name="billing.events.sweep.sweep").minutes == 5


@pytest.mark.django_db
def test_a_schedule_that_no_app_declares_any_more_is_dropped_and_a_hosts_own_stays():
    moved = Schedule.objects.create(name="billing.worker.sweep", func="billing.worker.sweep", schedule_type="I")
    by_hand = Schedule.objects.create(name="billing.usage.tidy", func="billing.usage.tidy", schedule_type="D")
    renamed_by_staff = Schedule.objects.create(name="sweep at night", func="billing.events.sweep.sweep")
    of_the_host = Schedule.objects.create(name="shop.tasks.tidy", func="shop.tasks.tidy")
    of_a_like_named_app = Schedule.objects.create(name="billing_extras.tidy", func="billing_extras.tidy")
    queues.keep_schedules()
    others = {by_hand, renamed_by_staff, of_the_host, of_a_like_named_app}
    kept = Schedule.objects.filter(pk__in=[moved.pk, *(schedule.pk for schedule in others)])
    assert set(kept) == others


@pytest.mark.django_db
def test_of_two_like_schedules_the_older_one_stays_and_staffs_own_too():
    queues.keep_schedules()
    name = "billing.events.sweep.sweep"
    older = Schedule.objects.get(name=name)
    Schedule.objects.create(name=name, func=name)
    of_staff = Schedule.objects.create(name=name, func="shop.tasks.sweep")
    assert queues.keep_schedules() == 0
    assert list(Schedule.objects.filter(name=name).order_by("pk")) == [older, of_staff]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_hosts_that_are_set_up_at_once_make_each_schedule_once():
    Schedule.objects.all().delete()
    together = Barrier(2)

    def set_up(_host):
        try:
            together.wait()
            return queues.keep_schedules()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as hosts:
        made = list(hosts.map(set_up, range(2)))
    assert sum(made) == Schedule.objects.count() == len(queues.declared_schedules())


@pytest.mark.django_db
def test_every_task_that_the_queue_knows_by_name_is_there():
    assert all(
        callable(import_string(task))
        for task in [claims.DRAIN, *queues.declared_schedules(), *queues.declared_tasks().values()]
    )


def test_prices_are_published_once_with_an_amount_in_every_currency(world):
    again = publishing.publish()
    assert (again.products, again.made, again.found) == (0, 0, 4)
    price = Price.objects.get(lookup_key="pro_year")
    assert (price.currency, price.unit_amount) == ("usd", 20_000)
    assert price.currency_options == {"eur": 19_000, "gbp": 16_000, "jpy": 30_000}
    assert len(world.stripe("GET", "prices", limit=100)["data"]) == 4


def test_prices_found_at_stripe_are_read_and_never_changed(world):
    Price.objects.all().delete()
    price = world.stripe("GET", "prices", lookup_keys=["team_month"])["data"][0]
    world.stripe("POST", f"prices/{price['id']}", active=False)
    out = StringIO()
    call_command("setup_stripe", "--yes", stdout=out)
    assert out.getvalue().endswith(" changes at Stripe, and found 4 prices.\n")
    assert not Price.objects.get(lookup_key="team_month").is_active


def test_a_plan_that_staff_removed_is_not_published(world):
    world.control("reset", seed=2)
    Price.objects.all().delete()
    Plan.objects.filter(slug="team").delete()
    assert publishing.publish().products == 1


def test_stripe_out_of_reach_is_an_error_in_one_sentence(world):
    world.control("faults", api={"fail_next": 10, "status": 503})
    with pytest.raises(CommandError, match="Run this again"):
        call_command("setup_stripe")


@pytest.mark.django_db
def test_publishing_before_setup_says_what_to_run_first():
    with pytest.raises(CommandError, match=r"manage\.py setup"):
        call_command("setup_stripe")


@pytest.fixture
def reachable(settings):
    """A site that Stripe could reach, as far as its address tells; nothing listens there."""
    settings.SITE_URL = "http://127.0.0.2:9"


def set_up_stripe(*options):
    out = StringIO()
    call_command("setup_stripe", *options, stdout=out)
    return out.getvalue()


def test_portal_and_endpoint_are_made_once_and_the_secret_told_once(world, reachable):
    first = set_up_stripe("--yes")
    assert "whsec_" in first
    assert set_up_stripe() == "Made 0 changes at Stripe, and found 4 prices.\n"
    [endpoint] = world.stripe("GET", "webhook_endpoints")["data"]
    assert (endpoint["api_version"], set(endpoint["enabled_events"])) == (conf.api_version, set(EVENT_TYPES))
    [portal] = world.stripe("GET", "billing_portal/configurations")["data"]
    assert portal["features"]["subscription_cancel"]["mode"] == "at_period_end"
    assert len(portal["features"]["subscription_update"]["products"]) == 2


def test_a_dry_run_of_the_setup_changes_nothing_at_stripe(world, reachable):
    assert "Dry run: 4 changes to make." in set_up_stripe("--dry-run")
    assert not world.stripe("GET", "webhook_endpoints")["data"]


def test_an_endpoint_that_was_disabled_or_deleted_is_mended(world, reachable):
    set_up_stripe("--yes")
    [endpoint] = world.stripe("GET", "webhook_endpoints")["data"]
    world.stripe("POST", f"webhook_endpoints/{endpoint['id']}", disabled=True, enabled_events=["invoice.paid"])
    assert endpoint["id"] in set_up_stripe("--yes")
    [mended] = world.stripe("GET", "webhook_endpoints")["data"]
    assert (mended["status"], set(mended["enabled_events"])) == ("enabled", set(EVENT_TYPES))
    world.stripe("DELETE", f"webhook_endpoints/{endpoint['id']}")
    assert "whsec_" in set_up_stripe("--yes")


def test_what_somebody_else_made_is_left_alone(world, reachable):
    theirs = {"url": "http://127.0.0.2:9/api/v1/webhooks/stripe", "enabled_events": ["invoice.paid"]}
    made = world.stripe("POST", "webhook_endpoints", **theirs)
    set_up_stripe("--yes")
    assert world.stripe("GET", f"webhook_endpoints/{made['id']}")["enabled_events"] == ["invoice.paid"]


def test_a_site_on_loopback_gets_no_endpoint_since_stripe_does_not_reach_it(world):
    set_up_stripe("--yes")
    assert world.stripe("GET", "webhook_endpoints")["data"] == []
