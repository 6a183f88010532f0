"""`import_customers`: a team's own users and the customers Stripe already has, linked without a guess or a mail."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from djstripe.models import Customer as DjstripeCustomer

from billing import access, stripe_client
from billing.lifecycle import deletion
from billing.models import Customer, Price, StripeEvent, Subscription, SubscriptionItem
from billing.stripe_client import StripeUnavailable

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments):
    out = StringIO()
    call_command("import_customers", *arguments, stdout=out)
    return out.getvalue().strip().splitlines()


def report(*arguments):
    return json.loads("\n".join(run(*arguments, "--json")))


@pytest.fixture
def old(world):
    """Return what the team sold before: a price of their own making, and customers who pay it."""
    product = world.stripe("POST", "products", name="Gold")
    recurring = {"interval": "month"}
    price = world.stripe("POST", "prices", product=product["id"], currency="usd", unit_amount=900, recurring=recurring)
    return price["id"]


def pays(world, price, email, **metadata):
    """A customer of the team's with a live subscription, of whom no row of ours knows."""
    customer = world.stripe("POST", "customers", email=email, metadata=metadata)["id"]
    card = world.stripe("POST", "payment_methods/pm_card_visa/attach", customer=customer)["id"]
    world.stripe("POST", "subscriptions", customer=customer, items=[{"price": price}], default_payment_method=card)
    return customer


def problems(found):
    return {(problem["customer"], problem["code"]) for problem in found["problems"]}


@pytest.mark.postgres
def test_by_email_who_pays_has_access_and_nobody_is_told(world, old):
    ada = world.sign_up("ada@example.com")
    customer = pays(world, old, "Ada@Example.com")
    assert run("--by", "email", "--price", f"{old}=pro") == [
        "Imported: 1 customer at Stripe, 1 linked, 0 already linked, 0 problems."
    ]
    row = Subscription.objects.select_related("plan", "customer").get(customer=customer)
    assert (row.customer.subscriber, row.plan.slug, row.status, row.price_id) == (ada, "pro", "active", old)
    assert (row.has_announced_start, row.current_period_end > row.current_period_start) == (True, True)
    assert access.of(ada).reason == "active"
    assert world.heard == []
    assert not StripeEvent.objects.exists()
    assert SubscriptionItem.objects.get(subscription=row).price_id == old


def test_a_dry_run_names_every_problem_and_price_and_writes_nothing(world, old):
    world.sign_up("one@example.com")
    world.sign_up("two@example.com")
    one = pays(world, old, "one@example.com")
    twice = {pays(world, old, "two@example.com"), world.stripe("POST", "customers", email="two@example.com")["id"]}
    stranger = pays(world, old, "stranger@example.com")
    found = report("--by", "email", "--dry-run")
    assert set(found["links"]) == {one, *twice}
    assert problems(found) == {(stranger, "nobody")}
    assert found["unknown_prices"] == {old: 2}
    assert f"--price {old}=<free|pro|team>" in "\n".join(run("--by", "email", "--dry-run"))
    assert report("--by", "email", "--dry-run", "--price", f"{old}=pro")["unknown_prices"] == {}
    assert (Customer.objects.count(), Subscription.objects.count(), Price.objects.filter(pk=old).count()) == (0, 0, 0)


def test_of_several_customers_all_are_theirs_and_the_one_that_pays_is_current(world, old):
    ada = world.sign_up("ada@example.com")
    pays_now = pays(world, old, "ada@example.com")
    world.advance(days=1)
    newest = world.stripe("POST", "customers", email="ada@example.com")["id"]
    run("--by", "email", "--price", f"{old}=pro")
    assert {row.pk: row.is_current for row in Customer.objects.all_of(ada)} == {pays_now: True, newest: False}
    assert (access.of(ada).reason, world.heard) == ("active", [])
    assert run("--by", "email") == ["Imported: 2 customers at Stripe, 0 linked, 2 already linked, 0 problems."]


def test_run_again_it_changes_nothing_and_says_so(world, old):
    world.sign_up("ada@example.com")
    pays(world, old, "ada@example.com")
    run("--by", "email", "--price", f"{old}=pro")
    before = list(Subscription.objects.values()), list(Customer.objects.values())
    assert run("--by", "email") == ["Imported: 1 customer at Stripe, 0 linked, 1 already linked, 0 problems."]
    assert (list(Subscription.objects.values()), list(Customer.objects.values()), world.heard) == (*before, [])


def test_a_price_learned_later_gives_access_quietly_too(world, old):
    ada = world.sign_up("ada@example.com")
    pays(world, old, "ada@example.com")
    assert "1 price without a plan" in run("--by", "email")[-1]
    assert not access.of(ada).has_access
    run("--by", "email", "--price", f"{old}=team")
    assert (access.of(ada).plan.slug, world.heard) == ("team", [])
    assert call_command("sync_stripe", "--full", stdout=StringIO()) is None
    assert world.heard == []


@pytest.mark.postgres
def test_what_is_linked_otherwise_gone_or_leaving_stays_as_it_is(world, old, tmp_path):
    ada = world.subscribed()
    ben, eve, gone, dan = (world.sign_up(f"{name}@example.com") for name in ("ben", "eve", "gone", "dan"))
    bens, eves = pays(world, old, "b@example.com"), pays(world, old, "e@example.com")
    second, shared = pays(world, old, "second@example.com"), pays(world, old, "shared@example.com")
    deleted = world.stripe("POST", "customers", email="x@example.com")["id"]
    world.stripe("DELETE", f"customers/{deleted}")
    deletion.begin(eve)
    file = tmp_path / "map.csv"
    with file.open("w") as out:
        rows = [(ben.pk, ada.customer), (ada.user.pk, second), (eve.pk, eves), (gone.pk, deleted), ("7", bens)]
        rows += [(dan.pk, shared), (world.sign_up("fay@example.com").pk, shared)]
        csv.writer(out).writerows([("subscriber", "customer"), *rows])
    found = report("--by", "id", "--file", str(file))
    assert problems(found) == {
        (ada.customer, "linked_to_another"),
        (eves, "being_deleted"),
        (deleted, "not_at_stripe"),
        (bens, "nobody"),
        (shared, "several_subscribers"),
    }
    assert dict(Customer.objects.values_list("pk", "subscriber")) == {ada.customer: ada.user.pk, second: ada.user.pk}
    assert Customer.objects.of(ada.user).pk == ada.customer


def test_by_a_file_of_json_lines_by_a_field_and_by_metadata(world, old, tmp_path):
    ada, ben, eve = (world.sign_up(f"{name}@example.com") for name in ("ada", "ben", "eve"))
    adas, bens, eves = pays(world, old, "a@x.org"), pays(world, old, "b@x.org"), pays(world, old, "e@x.org", uid=eve.pk)
    file = tmp_path / "map.jsonl"
    file.write_text(json.dumps({"subscriber": "ada@example.com", "customer": adas}) + "\n")
    assert report("--by", "id", "--file", str(file), "--field", "email")["links"] == {adas: str(ada.pk)}
    get_user_model().objects.filter(pk=ben.pk).update(password=bens)
    found = report("--by", "id", "--field", "password", "--dry-run")
    assert found["links"] == {bens: str(ben.pk)}
    assert report("--by", "metadata", "--key", "uid")["links"] == {eves: str(eve.pk)}


def test_stripe_is_written_to_only_when_asked_and_then_once(world, old):
    ada = world.sign_up("ada@example.com")
    customer = pays(world, old, "ada@example.com")
    run("--by", "email")
    assert world.stripe("GET", f"customers/{customer}")["metadata"] == {}
    assert "1 marked at Stripe" in run("--by", "email", "--write-metadata")[-1]
    assert world.stripe("GET", f"customers/{customer}")["metadata"] == {"billing_subscriber": str(ada.pk)}
    assert "marked" not in run("--by", "email", "--write-metadata")[-1]


def test_broken_off_half_way_it_is_gone_on_with(world, old, monkeypatch):
    monkeypatch.setattr("billing.setup.importing.linking.AT_ONCE", 1)
    for name in ("ada", "ben"):
        world.sign_up(f"{name}@example.com")
        pays(world, old, f"{name}@example.com")
    real = stripe_client.get
    asked = []

    def fails_later(path, **params):
        asked.append(path)
        if path == "/v1/invoices":
            raise StripeUnavailable("Stripe did not answer")
        return real(path, **params)

    monkeypatch.setattr(stripe_client, "get", fails_later)
    with pytest.raises(CommandError, match="Run it again to continue") as failed:
        run("--by", "email", "--price", f"{old}=pro")
    assert failed.value.returncode == 1
    monkeypatch.setattr(stripe_client, "get", real)
    assert "2 linked" in run("--by", "email")[-1]
    assert set(Subscription.objects.values_list("status", "plan__slug")) == {("active", "pro")}


def test_an_event_that_came_in_between_is_asked_about(world, old, monkeypatch):
    ada = world.sign_up("ada@example.com")
    customer = pays(world, old, "ada@example.com")
    world.delivered.update(event["id"] for event in world.events())
    from billing.setup.importing import linking

    carry_out = linking.carry_out

    def after_a_cancellation(*arguments):
        [found] = world.stripe("GET", "subscriptions", customer=customer)["data"]
        world.stripe("DELETE", f"subscriptions/{found['id']}")
        world.deliver()
        carry_out(*arguments)

    monkeypatch.setattr(linking, "carry_out", after_a_cancellation)
    run("--by", "email", "--price", f"{old}=pro")
    assert (Subscription.objects.get(customer=customer).status, access.of(ada).has_access) == ("canceled", False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Say how to match customers"),
        (["--by", "id"], "--field or --file"),
        (["--by", "metadata"], "--key go together"),
        (["--by", "email", "--file", "x.csv"], "--file goes with --by id"),
        (["--by", "id", "--file", "no.csv"], "cannot be read"),
        (["--by", "id", "--field", "nothing"], "no field nothing"),
        (["--by", "email", "--price", "price_none=pro"], "is not a price of this Stripe account"),
        (["--by", "email", "--price", "price_none=gold"], "There is no plan gold. Choose one of: free, pro, team."),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(world, arguments, said):
    with pytest.raises(CommandError, match=said) as refused:
        run(*arguments)
    assert refused.value.returncode == 2


def test_by_djstripe_its_own_links_are_taken(world, old):
    ada = world.sign_up("ada@example.com")
    customer = pays(world, old, "nobody-knows@example.com")
    found = stripe_client.get(f"/v1/customers/{customer}")
    DjstripeCustomer.objects.create(id=customer, livemode=False, stripe_data=found, subscriber=ada)
    run("--by", "djstripe", "--price", f"{old}=pro")
    assert access.of(ada).plan.slug == "pro"


# W5: an address that nobody has proven


def is_confirmed_by_name(subscriber):
    return not subscriber.email.startswith("un")


def test_a_stranger_who_registered_a_customers_address_gets_nothing_of_theirs(world, old):
    """The attack step by step: an old customer pays, a stranger signs up with their address, staff import."""
    vip = pays(world, old, "legacy-vip@example.com")
    friend = pays(world, old, "friend@example.com")
    stranger = world.sign_up("Legacy-Vip@example.com")
    ada = world.sign_up("friend@example.com")
    for user in (stranger, ada):
        joined(user, stripe_seconds(world, vip) + 60)
    joined(ada, stripe_seconds(world, friend) - 60)
    why = "the subscriber joined after this customer was created, and has not proved to own the address"
    assert run("--by", "email", "--price", f"{old}=team") == [
        f"{vip}  {why} (legacy-vip@example.com)",
        "Imported: 2 customers at Stripe, 1 linked, 0 already linked, 1 problem.",
    ]
    assert not access.of(stranger).has_access
    assert access.of(ada).plan.slug == "team"
    assert not Customer.objects.filter(subscriber=stranger).exists()


def stripe_seconds(world, customer):
    return world.stripe("GET", f"customers/{customer}")["created"]


def joined(user, seconds):
    get_user_model().objects.filter(pk=user.pk).update(date_joined=datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(("seconds", "is_linked"), [(-1, True), (0, True), (1, False)])
def test_who_joined_in_the_same_second_was_no_later(world, old, seconds, is_linked):
    customer = pays(world, old, "ada@example.com")
    joined(world.sign_up("ada@example.com"), stripe_seconds(world, customer) + seconds)
    assert bool(report("--by", "email")["links"]) == is_linked


def test_where_addresses_are_confirmed_only_that_counts(world, old, settings):
    settings.BILLING_EMAIL_IS_CONFIRMED = f"{__name__}.is_confirmed_by_name"
    known, unknown = pays(world, old, "ada@example.com"), pays(world, old, "unproven@example.com")
    for name in ("ada", "unproven"):
        joined(world.sign_up(f"{name}@example.com"), stripe_seconds(world, known) + 999)
    found = report("--by", "email", "--dry-run")
    assert (list(found["links"]), problems(found)) == ([known], {(unknown, "unconfirmed")})


def test_a_project_that_confirms_elsewhere_says_so(world, old, settings):
    settings.BILLING_EMAIL_IS_CONFIRMED = "billing.confirmed.elsewhere"
    customer = pays(world, old, "ada@example.com")
    joined(world.sign_up("ada@example.com"), stripe_seconds(world, customer) + 999)
    assert list(report("--by", "email")["links"]) == [customer]


def test_who_is_linked_already_is_no_problem_and_a_surer_way_needs_no_address(world, old, settings, tmp_path):
    customer = pays(world, old, "ada@example.com")
    ada = world.sign_up("ada@example.com")
    joined(ada, stripe_seconds(world, customer) + 999)
    file = tmp_path / "customers.csv"
    file.write_text(f"subscriber,customer\n{ada.pk},{customer}\n")
    assert list(report("--by", "id", "--file", str(file))["links"]) == [customer]
    again = report("--by", "email")
    assert (again["linked_already"], again["problems"]) == (1, [])


def test_the_field_of_when_they_joined_is_named_or_asked_for(world, old):
    pays(world, old, "ada@example.com")
    world.sign_up("ada@example.com")
    with pytest.raises(CommandError, match="--joined last_login") as wrong:
        run("--by", "email", "--joined", "language")
    assert wrong.value.returncode == 2
    with pytest.raises(CommandError, match="goes with --by email"):
        run("--by", "djstripe", "--joined", "date_joined")
    assert run("--by", "email", "--joined", "date_joined")[-1].startswith("Imported: 1 customer")


def test_an_address_is_found_in_another_spelling(world, old):
    ada = world.sign_up("ada@ex\u00e4mple.de")
    customer = pays(world, old, "Ada@EX\u00c4MPLE.de")
    assert report("--by", "email")["links"] == {customer: str(ada.pk)}
