"""Two hundred lives, drawn by chance, lived in a storm of faults and kills: all agrees with Stripe afterwards."""

import pytest

from . import lives, replaying
from .site import running
from .storm import weather

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres_only]

BATCHES, LIVES = 5, 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("convergence")


def test_whole_histories_converge(folder, capsys):
    with running(folder) as site:
        for seed in range(BATCHES):
            batch = lives.batch(seed, LIVES)
            outcome = weather(site, batch)
            with capsys.disabled():
                print(f"\n{outcome.line()}", end="")  # noqa: T201
            assert not outcome.wrong, replaying.told(batch, outcome)
