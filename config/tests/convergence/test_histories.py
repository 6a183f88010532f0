"""Two hundred lives, drawn by chance, lived in a storm of faults and kills: all agrees with Stripe afterwards.

Some more are shoppers, who buy packs and use more than their plan includes.
"""

import pytest

from . import lives, replaying
from .site import running
from .storm import weather

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres_only]

BATCHES, LIVES = 5, 40
SHOPPERS = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("convergence")


def test_whole_histories_converge(folder, capsys):
    with running(folder) as site:
        batches = [lives.batch(seed, LIVES) for seed in range(BATCHES)]
        for batch in [lives.shoppers(1, SHOPPERS), *batches]:
            outcome = weather(site, batch)
            with capsys.disabled():
                print(f"\n{outcome.line()}", end="")  # noqa: T201
            assert not outcome.wrong, replaying.told(batch, outcome)
