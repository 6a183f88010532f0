"""An event is read as it is, up to each bound of what its readers can bear, and refused one step beyond."""

import json

import pytest

from billing.events import parsing
from billing.events.parsing import Event, NotAnEvent, NotBearable


def event(obj=None, previous=None, **changes):
    body = {"object": {"id": "in_1", "object": "invoice"} if obj is None else obj}
    if previous is not None:
        body["previous_attributes"] = previous
    usual = {"id": "evt_1", "object": "event", "type": "invoice.paid", "created": 5, "livemode": False, "data": body}
    return {**usual, **changes}


def refused(data):
    """The code of the refusal; None if it is read."""
    try:
        parsing.parse(data if isinstance(data, str) else json.dumps(data))
    except (NotAnEvent, NotBearable) as error:
        return error.code if str(error) else "without a word"
    return None


def test_an_event_is_read_as_it_is():
    told = event(previous={"status": "open"}, api_version="2027-01-01", account="acct_1", livemode=True)
    text = json.dumps(told)
    read = parsing.parse(text)
    assert (read.id, read.type, read.created, read.livemode) == ("evt_1", "invoice.paid", 5, True)
    assert (read.api_version, read.account, read.text) == ("2027-01-01", "acct_1", text)
    assert (read.object, read.previous, read.object_id) == (told["data"]["object"], {"status": "open"}, "in_1")


def test_what_an_event_need_not_say_is_empty_and_too_long_words_are_cut():
    bare = parsing.parse(json.dumps(event(obj={"object": "invoice"}, previous=[])))
    assert (bare.api_version, bare.account, bare.previous, bare.object_id) == ("", "", {}, "")
    long = parsing.parse(json.dumps(event(obj={"id": "p" * 300, "object": "price"}, api_version="v" * 65,
                                          account="a" * 256)))  # fmt: skip
    assert (long.api_version, long.account, long.object_id) == ("v" * 64, "a" * 255, "p" * 255)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (event(), None),
        ("no json", "bad_json"),
        ('{"a": NaN}', "bad_json"),
        ('{"a": -Infinity}', "bad_json"),
        ("[]", "not_an_event"),
        ("null", "not_an_event"),
        (event(object="v2.core.event"), "not_an_event"),
        (event(data=None), "not_an_event"),
        (event(data=[]), "not_an_event"),
        (event(data={}), "not_an_event"),
        (event(data={"object": []}), "not_an_event"),
        (event(id=None), "not_an_event"),
        (event(id=""), "not_an_event"),
        (event(id=7), "not_an_event"),
        (event(id="e" * 255), None),
        (event(id="e" * 256), "not_an_event"),
        (event(id="evt 1"), "bad_id"),
        (event(id="evt_ä"), "bad_id"),
        (event(type=""), "not_an_event"),
        (event(type="t" * 100), None),
        (event(type="t" * 101), "not_an_event"),
        (event(created=0), None),
        (event(created=-1), "not_an_event"),
        (event(created=True), "not_an_event"),
        (event(created="5"), "not_an_event"),
        (event(created=5.0), "not_an_event"),
        (event(created=parsing.NO_DATE_HOLDS - 1), None),
        (event(created=parsing.NO_DATE_HOLDS), "not_an_event"),
        (event(livemode=0), "not_an_event"),
        (event(livemode=None), "not_an_event"),
        # Numbers.
        (event(obj={"n": 2**63 - 1}), None),
        (event(obj={"n": 2**63}), "number_too_large"),
        (event(obj={"n": -(2**63)}), None),
        (event(obj={"n": -(2**63) - 1}), "number_too_large"),
        (json.dumps(event(obj={"n": 0})).replace('"n": 0', '"n": ' + "0.5"), None),
        (json.dumps(event(obj={"n": 0})).replace('"n": 0', '"n": ' + "1e999"), "not_finite"),
        (json.dumps(event(obj={"n": 0})).replace('"n": 0', '"n": ' + "-1e999"), "not_finite"),
        (json.dumps(event(obj={"n": 0})).replace('"n": 0', '"n": ' + "9" * 5000), "number_too_large"),
        (json.dumps(event(obj={"n": 0})).replace('"n": 0', '"n": 0, "n": 0'), "repeated_name"),
        # Its object.
        (event(obj={}), None),
        (event(obj={"object": 7}), "bad_object"),
        (event(obj={"id": 7}), "bad_object"),
        (event(obj={"id": "a/b", "object": "invoice"}), "bad_id"),
        (event(obj={"id": "i" * 256, "object": "invoice"}), "bad_id"),
        (event(obj={"id": "", "object": "invoice"}), "bad_id"),
        *((event(obj={"id": "a/b c", "object": kind}), None) for kind in sorted(parsing.NAMED_BY_US)),
    ],
)  # fmt: skip
def test_each_bound_is_read_and_one_step_beyond_is_refused(data, code):
    assert refused(data) == code


@pytest.mark.parametrize("name", parsing.REFERENCES)
def test_an_id_that_an_object_names_can_stand_in_a_path_wherever_it_stands(name):
    fit, odd = ("x_1", None, "", {"id": "x_1"}), ("a/b", 7, {"id": "a/b"}, {"name": "x"})
    for found in (*fit, *odd):
        code = "bad_id" if found in odd else None
        assert refused(event(obj={name: found})) == code
        assert refused(event(previous={name: found})) == code
        assert refused(event(obj={"payment": {name: found}})) == code
        assert refused(event(obj={"other": {name: found}})) is None
    assert refused(event(obj={"payment": "pi_1"})) is None


def nested(levels, inner="x", kind=list):
    value = inner
    for _ in range(levels):
        value = [value] if kind is list else {"a": value}
    return value


@pytest.mark.parametrize("kind", [list, dict])
def test_a_value_has_up_to_64_levels(kind):
    parsing.check_depth(nested(64, kind=kind))
    with pytest.raises(NotBearable) as refusal:
        parsing.check_depth(nested(65, kind=kind))
    assert refusal.value.code == "too_deep"
    with pytest.raises(NotBearable):
        parsing.check_depth(["flat", {"a": 1}, nested(64, kind=kind)])
    for flat in ("text", 7, None, [], {}, [1, "a"]):
        parsing.check_depth(flat)


def test_what_is_deeper_than_the_parser_goes_is_too_deep_as_well():
    assert refused("[" * 100_000) == "too_deep"


@pytest.mark.parametrize(
    ("told", "kept"),
    [("a\0b", "a�b"), ("\ud83d", "?"), ("ab\udfff", "ab?"), ("\U0001f600", "\U0001f600"), ("\\u0000", "\\u0000")],
)
def test_what_no_database_holds_is_written_otherwise_and_everything_else_stays(told, kept):
    read = Event.of(event(obj={"note": told, "list": [told, 7], told: None}))
    assert read.object == {"note": kept, "list": [kept, 7], kept: None}
    assert json.loads(read.text)["data"]["object"] == read.object


def test_a_text_that_is_storable_is_kept_letter_by_letter():
    text = json.dumps(event(), indent=3)
    assert parsing.parse(text).text == text
    assert Event.of(event()).text == json.dumps(event())
