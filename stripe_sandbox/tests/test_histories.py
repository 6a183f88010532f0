"""Random histories: whatever people, banks and time do in whatever order, shapes hold, books balance, ends are final.

    python -m pytest stripe_sandbox/tests/test_histories.py --hypothesis-profile=long      (minutes, other histories)

They are told to the sandbox in this process, without HTTP. Refusals are part of a history; failures are not.
"""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stripe_sandbox import Sandbox

from .history import DOINGS, History
from .invariants import broken
from .post_box import PostBox, listen, receive

NOW = 1_790_000_000


@settings(suppress_health_check=list(HealthCheck))
@given(
    data=st.data(),
    doings=st.lists(st.sampled_from([*DOINGS, listen, listen, receive, receive]), min_size=5, max_size=25),
)
def test_whatever_happens_shapes_hold_books_balance_and_ends_are_final(
    data: st.DataObject, doings: list[Callable[[History], None]]
) -> None:
    history = History(lambda choices: data.draw(st.sampled_from(choices)), Sandbox(seed=7, now=NOW))
    history.sandbox.dispatcher = post = PostBox(history.sandbox)
    for do in doings:
        do(history)
    assert broken(history.state, list(history.events.values())) == []
    assert post.miscounted() == []
