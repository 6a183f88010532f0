"""A cadence is spelled, compared and put into words."""

import pytest

from billing.cadence import Cadence


@pytest.mark.parametrize(
    ("spelling", "key", "per", "adverb"),
    [
        ("month", "month", "per month", "monthly"),
        ("3 month", "3_month", "every 3 months", "every 3 months"),
        ("2 week", "2_week", "every 2 weeks", "every 2 weeks"),
        ("year", "year", "per year", "yearly"),
    ],
)
def test_a_cadence_has_one_spelling_a_lookup_key_and_words(spelling, key, per, adverb):
    cadence = Cadence.parse(spelling)
    assert (str(cadence), cadence.key, cadence.per, cadence.adverb) == (spelling, key, per, adverb)


@pytest.mark.parametrize("spelling", ["", "1 month", "0 month", "3 months", "3month", "quarter", "month 3", " month"])
def test_another_spelling_is_refused(spelling):
    with pytest.raises(ValueError, match="is not an interval"):
        Cadence.parse(spelling)


def test_cadences_are_compared_by_their_length():
    spelled = ["day", "week", "2 week", "4 week", "month", "31 day", "3 month", "26 week", "year", "18 month", "2 year"]
    backwards = spelled[::-1]
    assert sorted(backwards, key=lambda each: Cadence.parse(each).months) == spelled
    assert Cadence.parse("12 month").months == Cadence.parse("year").months
    assert Cadence.parse("6 month").months == Cadence.parse("26 week").months == 6


def test_stripe_sells_by_at_most_three_years():
    assert all(Cadence.parse(each).is_sellable for each in ("36 month", "3 year", "156 week", "1095 day"))
    assert not any(Cadence.parse(each).is_sellable for each in ("37 month", "4 year", "157 week", "1096 day"))
