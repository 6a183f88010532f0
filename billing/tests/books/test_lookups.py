"""Rows come in portions, each once and in the order of their query."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.books.lookups import portions
from billing.models import Lane

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("number", [0, 1, 3, 4, 8])
@pytest.mark.parametrize("order", [("pk",), ("woken_at", "pk")])
def test_every_row_comes_once_and_in_order_whoever_shares_its_moment(number, order, django_assert_max_num_queries):
    Lane.objects.bulk_create(
        Lane(pk=f"cus_{each}", arrived=1, drained=1, woken_at=NOON - timedelta(hours=each // 5))
        for each in range(number)
    )
    rows = Lane.objects.order_by(*order)
    expected = list(rows)
    with django_assert_max_num_queries(number // 3 + 2):
        found = list(portions(rows, 3))
    assert [row for portion in found for row in portion] == expected
    assert all(0 < len(portion) <= 3 for portion in found)
