"""Jobs that are due run by name, one instant after another."""

from collections.abc import Callable

from ..events import forget_old
from ..store import State

Job = Callable[..., None]
JOBS: dict[str, Job] = {}


def job(function: Job) -> Job:
    """Register a function by its name; it is called with the state and the arguments it was scheduled with."""
    JOBS[function.__name__] = function
    return function


def run_due(state: State, until: int) -> int:
    """Run all jobs due up to `until`, with the clock standing at each instant; return how many instants there were."""
    done, outer = 0, state.clock.standing
    while (found := state.next_due(until)) is not None:
        at, name, arguments = found
        state.clock.standing = max(at, outer or at)
        try:
            JOBS[name](state, *arguments)
        finally:
            state.clock.standing = outer
        done += 1
    return done


def advance(state: State, to: int) -> int:
    """Move the clock; jobs that fall due while others run are run as well."""
    done = run_due(state, to)
    state.clock.move_to(to)
    forget_old(state)
    return done
