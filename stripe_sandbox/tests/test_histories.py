"""Random histories: whatever people, banks and time do in whatever order, shapes hold, books balance, ends are final.

    python -m pytest stripe_sandbox/tests/test_histories.py --hypothesis-profile=long      (minutes, other histories)

They are told to the sandbox in this process, without HTTP. Refusals are part of a history; failures are not.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stripe_sandbox import Sandbox

from .history import DOINGS, History
from .invariants import broken
from .post_box import PostBox, listen, receive
from .varied import DOINGS as FURTHER
from .varied import Varied

NOW = 1_790_000_000
POST = [listen, listen, receive, receive]


@settings(suppress_health_check=list(HealthCheck))
@given(
    data=st.data(),
    doings=st.lists(st.sampled_from([*DOINGS, *POST]), min_size=5, max_size=25),
)
def test_whatever_happens_shapes_hold_books_balance_and_ends_are_final(
    data: st.DataObject, doings: list[Callable[[History], None]]
) -> None:
    tell(data, doings, History)


@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data(), doings=st.lists(st.sampled_from([*FURTHER, *POST]), min_size=5, max_size=25))
def test_so_they_do_of_what_is_rarer(data: st.DataObject, doings: list[Callable[[Any], None]]) -> None:
    tell(data, doings, Varied)


def tell(data: st.DataObject, doings: list[Callable[[Any], None]], kind: type[History]) -> None:
    history = kind(lambda choices: data.draw(st.sampled_from(choices)), Sandbox(seed=7, now=NOW))
    history.sandbox.dispatcher = post = PostBox(history.sandbox)
    for do in doings:
        do(history)
    assert broken(history.state, list(history.events.values())) == []
    assert post.miscounted() == []
