"""Stripe's lists read in stretches: every object once, whatever is read at the same time, and what is left is known."""

from concurrent.futures import Future

import pytest

from billing.stripe_client import StripeRefused
from billing.sync import listing
from billing.sync.listing import Reader, Stretch

CUSTOMERS = "/v1/customers"


def page(newest, oldest, last="cus_last"):
    return [{"id": "cus_first", "created": newest}, {"id": last, "created": oldest}]


# How a stretch is divided


def test_what_is_left_behind_a_page_ends_where_the_page_did():
    whole = Stretch(CUSTOMERS, {"a": 1}, gte=5, lte=500)
    assert whole.rest(page(400, 300)) == Stretch(CUSTOMERS, {"a": 1}, 5, 300, "cus_last")


def test_the_rest_is_split_ten_pages_on_into_two_that_meet_and_do_not_overlap():
    assert Stretch(CUSTOMERS, {"a": 1}, gte=5, lte=2000).split(page(1000, 990)) == [
        Stretch(CUSTOMERS, {"a": 1}, 891, 990, "cus_last"), Stretch(CUSTOMERS, {"a": 1}, 5, 890, ""),
    ]  # fmt: skip


def test_a_page_of_one_second_counts_as_one_second():
    near, far = Stretch(CUSTOMERS).split(page(1000, 1000))
    assert (near.gte, near.lte, far.gte, far.lte) == (991, 1000, 0, 990)


@pytest.mark.parametrize(("gte", "parts"), [(889, 2), (890, 1), (891, 1)])
def test_where_nothing_older_is_left_it_is_not_split(gte, parts):
    whole = Stretch(CUSTOMERS, gte=gte)
    split = whole.split(page(1000, 990))
    assert len(split) == parts
    assert split[0].after == "cus_last"
    assert split[-1].gte == gte


def test_what_is_read_next_is_split_only_while_others_are_idle():
    reader = Reader([])
    whole, read = Stretch(CUSTOMERS), page(1000, 990)
    assert len(reader._rest(whole, read)) == 2
    reader.todo.extend([whole] * (listing.AT_ONCE - 2))
    assert len(reader._rest(whole, read)) == 2
    reader.todo.append(whole)
    assert reader._rest(whole, read) == [whole.rest(read)]
    assert Reader([], may_split=False)._rest(whole, read) == [whole.rest(read)]


def test_no_more_is_under_way_than_calls_are_made_at_once():
    class Idle:
        def start(self, work):
            return Future()

    reader = Reader(Stretch(CUSTOMERS, gte=number) for number in range(listing.AT_ONCE + 2))
    for _ in range(2):
        reader._start(Idle())
        assert (len(reader.under_way), len(reader.todo)) == (listing.AT_ONCE, 2)
    reader.under_way.popitem()
    reader._start(Idle())
    assert (len(reader.under_way), [stretch.gte for stretch in reader.todo]) == (listing.AT_ONCE, [listing.AT_ONCE + 1])


def test_what_is_under_way_counts_as_left_and_as_busy():
    reader = Reader([Stretch(CUSTOMERS, gte=3, lte=9)])
    assert reader.left() == [[3, 9]]
    reader.under_way = {number: Stretch(CUSTOMERS, gte=number) for number in range(listing.AT_ONCE - 1)}
    assert reader.left() == [[3, 9], *([number, None] for number in range(listing.AT_ONCE - 1))]
    assert len(reader._rest(Stretch(CUSTOMERS), page(1000, 990))) == 1


# What is asked


@pytest.fixture
def asked(monkeypatch):
    """Each call's parameters; the answers are in order, and one that is an error is raised."""
    calls = []

    def answering(*answers):
        waiting = list(answers)

        def get(path, **params):
            calls.append((path, params))
            answer = waiting.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(listing.stripe_client, "get", get)
        return calls

    return answering


@pytest.mark.parametrize(
    ("stretch", "params"),
    [
        (Stretch(CUSTOMERS), {}),
        (Stretch(CUSTOMERS, {"status": "all"}), {"status": "all"}),
        (Stretch(CUSTOMERS, gte=5), {"created": {"gte": 5}}),
        (Stretch(CUSTOMERS, lte=0), {"created": {"gte": 0, "lte": 0}}),
        (Stretch(CUSTOMERS, gte=5, lte=9, after="cus_1"), {"created": {"gte": 5, "lte": 9}, "starting_after": "cus_1"}),
    ],
)
def test_a_stretch_asks_for_its_window_behind_what_was_read(asked, stretch, params):
    calls = asked({"data": []})
    assert stretch.read() == {"data": []}
    assert calls == [(CUSTOMERS, {"limit": 100, **params})]


def refusal(code):
    error = StripeRefused[0] if isinstance(StripeRefused, tuple) else StripeRefused
    return error("no", "param", code=code)


def test_where_the_last_object_read_is_gone_the_window_is_asked_for_from_its_end(asked):
    calls = asked(refusal("resource_missing"), {"data": [1]})
    assert Stretch(CUSTOMERS, gte=5, lte=9, after="cus_gone").read() == {"data": [1]}
    assert [params.get("starting_after") for _, params in calls] == ["cus_gone", None]
    assert calls[1][1]["created"] == {"gte": 5, "lte": 9}


@pytest.mark.parametrize(("after", "code"), [("cus_1", "rate_limit"), ("", "resource_missing")])
def test_another_refusal_is_one(asked, after, code):
    calls = asked(refusal(code))
    with pytest.raises(StripeRefused):
        Stretch(CUSTOMERS, after=after).read()
    assert len(calls) == 1


# At the sandbox


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("may_split", [True, False])
def test_all_that_there_is_is_read_once_and_nothing_is_left(world, monkeypatch, may_split):
    monkeypatch.setattr(listing, "PAGE", 10)
    for _ in range(6):
        world.control("seed", customers=20)
        world.advance(hours=1)
    reader = Reader([Stretch(CUSTOMERS)], may_split=may_split)
    pages = list(reader)
    ids = [row["id"] for one in pages for row in one]
    assert (len(set(ids)), reader.left()) == (120, [])
    assert len(ids) <= 120 + 10 * may_split, "the seconds on a border alone may come twice"
    assert all(0 < len(one) <= 10 for one in pages)


@pytest.mark.django_db(transaction=True)
def test_a_stretch_reads_its_window_and_no_more(world):
    world.control("seed", customers=3)
    world.advance(hours=1)
    world.control("seed", customers=4)
    newest = world.stripe("GET", "customers", limit=1)["data"][0]["created"]
    younger = [row for one in Reader([Stretch(CUSTOMERS, gte=newest)]) for row in one]
    older = [row for one in Reader([Stretch(CUSTOMERS, lte=newest - 1)]) for row in one]
    assert (len(younger), len(older)) == (4, 3)
    assert list(Reader([Stretch(CUSTOMERS, gte=newest + 1)])) == [], "an empty page is not handed out"
