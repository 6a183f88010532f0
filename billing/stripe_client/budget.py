"""The budget limits how many calls a second all processes together send to Stripe.

Time is cut into windows of a quarter of a second, each with its part of the rate, counted in the cache. No second
then has more than five windows' calls: 100 at a rate of 80, 25 at 20, which are Stripe's own limits. Who waits holds
no lock and no transaction. The last fifth of a window is for those who wait for a page.
"""

import time
from collections import Counter

from billing.cache import CacheAway
from billing.conf import conf

from . import shared_state
from .shared_state import PAUSED_UNTIL, PREFIX

WINDOW_SECONDS = 0.25
SMALLEST_WINDOW = 5  # calls, so that a fifth can be kept
PATIENT_SHARE = 0.8
PATIENT_WAIT_SECONDS = 30.0
PAGE_WAIT_SECONDS = 1.0
# Without a cache each process assumes so many like itself.
PROCESSES = 4

_own: Counter[int] = Counter()


def reset() -> None:
    """Forget the calls that this process has counted by itself."""
    _own.clear()


def take(calls: int, *, is_patient: bool) -> bool:
    """Wait until so many calls may be sent; return False when that takes longer than we can wait."""
    deadline = time.time() + (PATIENT_WAIT_SECONDS if is_patient else PAGE_WAIT_SECONDS)
    while True:
        ready_at = shared_state.get(PAUSED_UNTIL)
        if ready_at <= time.time():
            calls -= granted(calls, is_patient)
            if calls <= 0:
                return True
            ready_at = _next_window()
        if ready_at > deadline:
            return False
        time.sleep(max(ready_at - time.time(), 0.001))


def pause(seconds: float) -> None:
    """Stop all calls for so long, because Stripe limits our rate."""
    until = time.time() + seconds
    if until > shared_state.get(PAUSED_UNTIL):
        shared_state.put(PAUSED_UNTIL, until, seconds + 1)


def granted(calls: int, is_patient: bool) -> int:
    """Return how many of the calls this window still has room for, and give the rest back."""
    if not conf.stripe_rate:
        return calls
    room = _room(is_patient)
    window = int(time.time() / _window_seconds())
    key = f"{PREFIX}window.{window}"
    try:
        excess = _beyond(shared_state.count(key, calls, 60), room, calls)
        if excess:
            shared_state.count(key, -excess, 60)
    except CacheAway:
        return _granted_alone(calls, window, max(room // PROCESSES, 1))
    return calls - excess


def _granted_alone(calls: int, window: int, room: int) -> int:
    for past in [past for past in _own if past < window]:
        del _own[past]
    _own[window] += calls
    excess = _beyond(_own[window], room, calls)
    _own[window] -= excess
    return calls - excess


def _beyond(count: int, room: int, calls: int) -> int:
    return min(max(count - room, 0), calls)


def _room(is_patient: bool) -> int:
    calls = int(conf.stripe_rate * _window_seconds())
    return int(calls * PATIENT_SHARE) if is_patient else calls


def _window_seconds() -> float:
    return max(WINDOW_SECONDS, SMALLEST_WINDOW / conf.stripe_rate)


def _next_window() -> float:
    return (int(time.time() / _window_seconds()) + 1) * _window_seconds()
