"""`compare_integrations`: what dj-stripe, pinax-stripe, a file or a function believe, beside what billing believes."""

import json
from contextlib import suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from djstripe.models import Customer as DjstripeCustomer
from djstripe.models import Subscription as DjstripeSubscription

from billing import clock
from billing.models import Customer, Price, Subscription
from billing.stripe_client.http_client import HttpClient

pytestmark = pytest.mark.django_db(transaction=True)

# The columns of pinax-stripe 4.4, as its migrations make them.
PINAX = """
CREATE TABLE pinax_stripe_customer (
    id integer PRIMARY KEY, created_at timestamp NOT NULL, stripe_id varchar(191) NOT NULL UNIQUE,
    account_balance decimal, currency varchar(10) NOT NULL, delinquent bool NOT NULL, default_source text NOT NULL,
    date_purged timestamp, user_id {key}, stripe_account_id integer);
CREATE TABLE pinax_stripe_plan (
    id integer PRIMARY KEY, created_at timestamp NOT NULL, stripe_id varchar(191) NOT NULL, amount decimal NOT NULL,
    currency varchar(15) NOT NULL, "interval" varchar(15) NOT NULL, interval_count integer NOT NULL,
    name varchar(150) NOT NULL, statement_descriptor text NOT NULL, trial_period_days integer, metadata text,
    stripe_account_id integer);
CREATE TABLE pinax_stripe_subscription (
    id integer PRIMARY KEY, created_at timestamp NOT NULL, stripe_id varchar(191) NOT NULL UNIQUE,
    application_fee_percent decimal, cancel_at_period_end bool NOT NULL, canceled_at timestamp,
    current_period_end {moment}, current_period_start {moment}, ended_at {moment}, quantity integer NOT NULL,
    start timestamp NOT NULL, status varchar(25) NOT NULL, trial_end timestamp, trial_start timestamp,
    customer_id integer NOT NULL, plan_id integer NOT NULL);
"""
TABLES = ("pinax_stripe_subscription", "pinax_stripe_plan", "pinax_stripe_customer")


def compare(*arguments):
    """Return the lines that are printed, and the summary."""
    out = StringIO()
    try:
        call_command("compare_integrations", *arguments, stdout=out)
    except CommandError as error:
        if error.returncode != 1:
            raise
        return out.getvalue().splitlines(), str(error)
    *lines, summary = out.getvalue().splitlines()
    return lines, summary


def about(lines):
    return [line.split("  ", 2)[2] for line in lines]


def wrong(*arguments):
    with pytest.raises(CommandError) as failed:
        call_command("compare_integrations", *arguments, stdout=StringIO())
    assert failed.value.returncode == 2
    return str(failed.value)


@pytest.fixture
def theirs(tmp_path):
    """Write a file of the other integration's, and return its path."""

    def write(*rows, columns=("customer", "status"), name="theirs.csv"):
        path = tmp_path / name
        path.write_text("\n".join(",".join(map(str, row)) for row in (columns, *rows)))
        return str(path)

    return write


def test_where_both_agree_the_exit_code_is_0_and_nothing_is_listed(world, theirs):
    ada = world.subscribed()
    row = Subscription.objects.get(customer=ada.customer)
    columns = ("customer", "subscriber", "status", "price", "period_end", "cancel_at_period_end", "access")
    end = f"{row.current_period_end:%Y-%m-%dT%H:%M:%S}Z"
    file = theirs((ada.customer, ada.user.pk, "active", row.price_id, end, "no", "yes"), columns=columns)
    assert compare("--file", file) == ([], "1 customer compared, 1 agree.")


def test_every_fact_on_which_both_disagree_is_named(world, theirs):
    ada = world.subscribed()
    row = Subscription.objects.get(customer=ada.customer)
    columns = ("customer", "subscriber", "status", "price", "period_end", "cancel_at_period_end", "access")
    file = theirs((ada.customer, 999, "past_due", "price_old", "2020-01-01", "true", "0"), columns=columns)
    lines, summary = compare("--file", file)
    assert about(lines) == [
        f"subscriber: 999 there, {ada.user.pk} here",
        "status: past_due there, active here",
        "access: no there, yes (active) here",
        f"price: price_old there, {row.price_id} here",
        f"period end: 2020-01-01 there, {row.current_period_end:%Y-%m-%dT%H:%M:%SZ} here",
        "cancels at period end: yes there, no here",
    ]
    assert all(line.startswith(f"  {ada.customer} ({row.stripe_id})") for line in lines)
    totals = "1 access, 1 cancels at period end, 1 period end, 1 price, 1 status, 1 subscriber"
    assert summary == f"1 customer compared, 0 agree; differences: {totals}."


def test_what_they_do_not_say_is_not_compared(world, theirs):
    ada = world.subscribed()
    file = theirs((ada.customer, "", ""), columns=("customer", "status", "access"))
    assert compare("--file", file)[0] == []


@pytest.mark.parametrize("name", ["lookup_key", "plan", "day", "seconds", "until"])
def test_they_may_name_a_price_and_a_moment_in_their_own_way(world, theirs, name):
    ada = world.subscribed()
    row = Subscription.objects.select_related("price", "plan").get(customer=ada.customer)
    end = row.current_period_end
    column, value = {
        "lookup_key": ("price", row.price.lookup_key),
        "plan": ("price", row.plan.slug),
        "day": ("period_end", f"{end:%Y-%m-%d}"),
        "seconds": ("period_end", int(end.timestamp())),
        "until": ("access_until", f"{clock.now() + timedelta(days=1):%Y-%m-%dT%H:%M}"),
    }[name]
    assert compare("--file", theirs((ada.customer, value), columns=("customer", column)))[0] == []


def test_access_until_yesterday_is_no_access_there(world, theirs):
    ada = world.subscribed()
    file = theirs((ada.customer, f"{clock.now() - timedelta(days=1):%Y-%m-%d}"), columns=("customer", "access_until"))
    assert about(compare("--file", file)[0]) == ["access: no there, yes (active) here"]


def test_a_customer_of_one_side_alone_is_named(world, theirs):
    ada = world.subscribed()
    lines, summary = compare("--file", theirs(("cus_theirs", "active")))
    assert about(lines) == ["only there: active there, not linked here", "only here: unknown there, active here"]
    assert ada.customer in lines[1]
    assert summary == "1 customer compared, 0 agree; differences: 1 only here, 1 only there."


def test_a_subscription_that_ended_on_both_sides_is_no_difference(world, theirs):
    ada = world.subscribed()
    world.stripe("DELETE", f"subscriptions/{Subscription.objects.get().stripe_id}")
    world.deliver()
    for status in ("none", "cancelled", "canceled", "free"):
        assert (
            compare("--file", theirs((ada.customer, status, "gold"), columns=("customer", "status", "price")))[0] == []
        )
    assert about(compare("--file", theirs((ada.customer, "active")))[0]) == ["status: active there, canceled here"]


def test_a_live_subscription_that_they_do_not_name_is_only_here(world, theirs):
    ada = world.subscribed()
    known = Subscription.objects.get()
    world.subscribe_again(ada, Price.objects.get(lookup_key="team_month").pk)
    world.deliver()
    other = Subscription.objects.exclude(pk=known.pk).get()
    file = theirs((ada.customer, known.stripe_id), columns=("customer", "subscription"))
    lines = compare("--file", file)[0]
    assert [(other.stripe_id in line, "only here" in line) for line in lines] == [(True, True)]


def test_json_lines_come_by_standard_input_and_go_out_as_such(world, monkeypatch):
    ada = world.subscribed()
    monkeypatch.setattr("sys.stdin", StringIO(json.dumps({"customer": ada.customer, "access": False}) + "\n\n"))
    lines, _ = compare("--file", "-", "--json")
    *found, totals = map(json.loads, lines)
    assert [(row["about"], row["theirs"], row["ours"]) for row in found] == [("access", "no", "yes (active)")]
    assert totals == {"compared": 1, "agree": 0, "differences": {"access": 1}}


def believed_by_the_view():
    """A function of a project's, as `--call` names it."""
    for customer in Customer.objects.all():
        yield {"customer": customer.pk, "status": "trial", "subscriber": customer.subscriber.email}


def test_a_function_of_the_project_says_what_its_view_believes(world):
    world.subscribed()
    lines, _ = compare("--call", f"{__name__}.believed_by_the_view", "--field", "email")
    assert about(lines) == ["status: trialing there, active here"]


def test_who_asks_by_the_primary_key_is_told_no_address(world, theirs):
    ada = world.subscribed()
    lines, _ = compare("--file", theirs((ada.customer, 0), columns=("customer", "subscriber")))
    assert "ada@example.com" not in "".join(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("customer,plan\ncus_1,pro", "row 1: unknown column 'plan'; known are customer,"),
        ("customer,access\ncus_1,perhaps", "row 1: `access` must be true or false, and is 'perhaps'"),
        ("customer,period_end\ncus_1,soon", "row 1: `period_end` must be ISO 8601"),
        ("customer,status\ncus_1,active\nada@example.com,active", "row 2: `customer` must be a customer at Stripe"),
        ('{"customer": "cus_1"}\n{"customer"', "row 2: is no JSON object"),
        ('{"customer": "cus_1"}\n[1]', "row 2: must be an object with the keys"),
    ],
)
def test_a_wrong_row_is_named_with_what_it_must_be(db, tmp_path, text, said):
    (tmp_path / "theirs.csv").write_text(text)
    assert said in wrong("--file", str(tmp_path / "theirs.csv"))


def test_wrong_use_is_told_in_words(db, tmp_path):
    assert "cannot be read" in wrong("--file", str(tmp_path / "nothing.csv"))
    assert "cannot be imported" in wrong("--call", "shop.nothing")
    assert "There is no table pinax_stripe_subscription" in wrong("--with", "pinax")


def test_thousands_of_customers_take_a_few_queries_each_hundred(world, tmp_path, django_assert_max_num_queries):
    world.subscribed()
    path = tmp_path / "theirs.csv"
    path.write_text("customer\n" + "\n".join(f"cus_{number}" for number in range(2000)))
    with django_assert_max_num_queries(30):
        assert len(compare("--file", str(path))[0]) == 2001


def test_a_comparison_asks_nothing_of_stripe_and_writes_nothing(world, theirs, monkeypatch):
    ada = world.subscribed()
    before = list(Subscription.objects.values()), list(Customer.objects.values())
    monkeypatch.setattr(HttpClient, "send", lambda *_, **__: pytest.fail("Stripe was called"))
    compare("--file", theirs((ada.customer, "past_due")))
    assert (list(Subscription.objects.values()), list(Customer.objects.values())) == before


def test_djstripes_own_rows_are_compared(world):
    ada = world.subscribed()
    DjstripeCustomer.objects.filter(id=ada.customer).update(subscriber=ada.user)
    assert compare("--with", "djstripe") == ([], "1 customer compared, 1 agree.")
    row = DjstripeSubscription.objects.get()
    row.stripe_data = {**row.stripe_data, "status": "past_due", "cancel_at_period_end": True}
    row.save()
    assert about(compare("--with", "djstripe")[0]) == [
        "status: past_due there, active here",
        "access: no there, yes (active) here",
        "cancels at period end: yes there, no here",
    ]
    row.delete()
    assert about(compare("--with", "djstripe")[0]) == [
        "status: none there, active here",
        "access: no there, yes (active) here",
    ]


@pytest.fixture
def pinax(world):
    """Make pinax-stripe's tables, with a customer of whom it believes what is right."""
    ada = world.subscribed()
    ours = Subscription.objects.get()
    kinds = {"postgresql": ("uuid" if connection.features.has_native_uuid_field else "text", "timestamptz")}
    key, moment = kinds.get(connection.vendor, ("char(32)", "datetime"))
    if isinstance(ada.user.pk, int):
        key = "bigint"
    end = connection.ops.adapt_datetimefield_value(ours.current_period_end)
    user = ada.user._meta.pk.get_db_prep_value(ada.user.pk, connection)
    with connection.cursor() as cursor:
        for statement in PINAX.format(key=key, moment=moment).split(";")[:-1]:
            cursor.execute(statement)
        cursor.execute(
            "INSERT INTO pinax_stripe_customer VALUES (1, '2020-01-01', %s, 0, 'usd', %s, '', NULL, %s, NULL)",
            [ada.customer, False, user],
        )
        cursor.execute(
            "INSERT INTO pinax_stripe_plan VALUES (1, '2020-01-01', %s, 20, 'usd', 'month', 1, 'Pro', '', 0, '', NULL)",
            [ours.price_id],
        )
        cursor.execute(
            "INSERT INTO pinax_stripe_subscription VALUES (1, '2020-01-01', %s, NULL, %s, NULL, %s, %s, NULL, 1, "
            "'2020-01-01', 'active', NULL, NULL, 1, 1)",
            [ours.stripe_id, False, end, end],
        )
    yield ada
    with connection.cursor() as cursor, suppress(Exception):
        for table in TABLES:
            cursor.execute(f"DROP TABLE {table}")


def update(assignment, *values):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE pinax_stripe_subscription SET {assignment}", values)


@pytest.mark.postgres
def test_pinax_stripes_tables_are_compared(pinax):
    assert compare("--with", "pinax") == ([], "1 customer compared, 1 agree.")
    update("status = 'past_due', cancel_at_period_end = %s", True)
    assert about(compare("--with", "pinax")[0]) == [
        "status: past_due there, active here",
        "cancels at period end: yes there, no here",
    ]


@pytest.mark.postgres
def test_pinax_stripe_gives_no_access_for_a_subscription_that_has_ended(pinax):
    yesterday = connection.ops.adapt_datetimefield_value(clock.now() - timedelta(days=1))
    update("status = 'canceled', ended_at = %s", yesterday)
    lines = about(compare("--with", "pinax")[0])
    assert lines[:2] == ["status: none there, active here", "access: no there, yes (active) here"]
