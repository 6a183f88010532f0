"""The bounds of what may be given as credits are touched from both sides."""

import pytest

from billing import grants
from billing.models import Credit
from billing.usage import crediting

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("quantity", [1, crediting.MOST_QUANTITY])
@pytest.mark.parametrize("source", ["x", "x" * crediting.LONGEST_SOURCE])
def test_the_least_and_the_most_are_given(ada, ben, quantity, source):
    grants.give_credits(ada, "generations", quantity, source=source)
    assert [(row.subscriber, row.left, row.source) for row in Credit.objects.all()] == [(ada, quantity, source)]


@pytest.mark.parametrize("quantity", [0, crediting.MOST_QUANTITY + 1])
def test_one_less_and_one_more_are_refused(ada, quantity):
    with pytest.raises(grants.CreditRefused, match="Give at least 1 credit"):
        grants.give_credits(ada, "generations", quantity, source="x")
    assert not Credit.objects.exists()
