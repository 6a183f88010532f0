"""The clock of the rules follows the sandbox's in every process alike, and never goes back."""

import pytest

from billing import clock


@pytest.fixture
def two_processes(world, settings):
    """Two processes, each of which asks the sandbox whenever it is asked."""
    found = clock.SandboxClock(), clock.SandboxClock()
    for each in found:
        each.REFRESH_SECONDS = 0
    return found


def test_what_one_process_dates_is_not_in_the_future_of_another(world, two_processes):
    """A grant that begins now counts at once, whoever asks."""
    world.advance(days=3)
    moments = [process() for _ in range(300) for process in two_processes]
    assert moments == sorted(moments)


def test_it_moves_when_the_sandboxs_is_moved(world, two_processes):
    one, _ = two_processes
    before = one()
    world.advance(days=3)
    assert -1 <= (one() - before).total_seconds() - 3 * 86_400 < 60  # the sandbox moves to a whole second


def test_while_the_sandbox_is_away_it_goes_on(world, two_processes, settings):
    one, _ = two_processes
    world.advance(days=3)
    before = one()
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    assert 0 <= (one() - before).total_seconds() < 60
