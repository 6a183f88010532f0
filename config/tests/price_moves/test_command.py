"""Wrong use of `move_price` has a stable code and exit code 2, and changes nothing."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.models import Price, PriceMove

from .moving import move, priced, rows, the_move

pytestmark = pytest.mark.django_db


def refused(old, new, *args, **options):
    """Return the code of the refusal."""
    before = PriceMove.objects.count()
    with pytest.raises(CommandError) as failure:
        move(old, new, *args, **options)
    assert (failure.value.returncode, PriceMove.objects.count()) == (2, before)
    words = str(failure.value)
    return words[words.rindex("[") + 1 : -1]


def test_every_pair_that_cannot_be_moved_is_refused(world):
    old = Price.objects.get(lookup_key="pro_month")
    year, team = (Price.objects.get(lookup_key=key).pk for key in ("pro_year", "team_month"))
    assert refused("price_nowhere", old.pk) == "unknown_price"
    assert refused(old.pk, "price_nowhere") == "unknown_price"
    assert refused("pro:fortnight", old.pk) == "unknown_price"
    assert refused("nothing:month", old.pk) == "unknown_price"
    assert refused(old.pk, old.pk) == refused("pro:month", old.pk) == "same_price"
    assert refused(old.pk, team) == "other_product"
    assert refused(old.pk, year) == "other_interval"
    assert refused(old.pk, priced(world, currency_options={})) == "other_currency"
    assert refused(old.pk, priced(world), notice_days=-1) == "notice_days"
    assert refused(old.pk, priced(world), notice_days=1000) == "notice_days"
    archived = priced(world)
    world.stripe("POST", f"prices/{archived}", active=False)
    assert refused(old.pk, archived) == "not_for_sale"
    other = world.stripe("POST", "products", name="Other")["id"]
    assert refused(old.pk, priced(world, product=other)) == "other_product"
    Price.objects.filter(pk=old.pk).update(unit_amount=0)
    assert refused(old.pk, priced(world)) == "free_price"


def test_prices_with_and_without_tax_do_not_compare(world):
    old = Price.objects.get(lookup_key="pro_month")
    Price.objects.filter(pk=old.pk).update(tax_behavior="exclusive")
    assert refused(old.pk, priced(world, tax_behavior="inclusive")) == "other_tax"


def test_a_price_by_usage_is_not_moved(world):
    old = Price.objects.get(lookup_key="pro_month")
    Price.objects.filter(pk=old.pk).update(terms={"is_metered": True})
    assert refused(old.pk, priced(world)) == "metered_price"


def test_from_one_price_one_move_runs(world):
    world.subscribed()
    one, other = priced(world), priced(world, 3000)
    move("pro:month", one)
    old = the_move().old_price_id
    assert refused(old, other) == "already_moving"
    assert refused(old, one, notice_days=10) == "already_moving"
    assert refused(one, other.replace(other, old)) in ("already_moving", "not_for_sale")
    move(old, one, "--stop")
    move(old, other)
    assert sorted(set(rows().values())) == ["told"]


def test_it_runs_under_its_full_name_too(world):
    dearer, out = priced(world), StringIO()
    call_command("billing", "move_price", "pro:month", dearer, stdout=out)
    assert PriceMove.objects.get().new_price_id == dearer
