"""The sandbox answers recorded requests as Stripe did: the same status, the same in every field but those allowed."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from stripe_sandbox import Sandbox

from .allowed import ALLOWED, reason_for
from .comparing import Difference, Names, differences
from .replaying import Outcome, replay
from .stories import Story, read

STORIES = read()
# Payments for a connected account, and intents whose making was not recorded.
LEFT_OUT = {"story-06": 3, "story-20": 7}


@pytest.fixture(scope="module")
def teller() -> Iterator[Sandbox]:
    with Sandbox(port=0) as running:
        yield running


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_recorded_story_is_answered_as_stripe_answered_it(teller: Sandbox, story: Story) -> None:
    outcomes = replay(story, teller)
    assert [f"{each.step.path}: {each.status}" for each in outcomes if each.left_out is None and not each.is_same] == []
    assert sum(each.left_out is not None for each in outcomes) == LEFT_OUT.get(story.name, 0)


def test_nearly_every_recorded_request_is_replayed() -> None:
    assert (len(STORIES), sum(len(story.steps) for story in STORIES)) == (35, 198)
    assert sum(LEFT_OUT.values()) == 10


def test_the_list_and_the_documentation_are_what_the_replay_shows(teller: Sandbox) -> None:
    """An allowed difference that no story shows any more is taken off the list; the documented numbers are today's."""
    outcomes = [outcome for story in STORIES for outcome in replay(story, teller)]
    told = [outcome for outcome in outcomes if outcome.left_out is None]
    same_status, same = sum(each.is_same_status for each in told), sum(each.is_same for each in told)
    numbers = f"| {len(STORIES)} | {len(outcomes)} | {len(told)} | {same_status} | {same} |"
    assert numbers in (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text()
    met = Counter(reason for outcome in outcomes for reason in _reasons(outcome))
    assert {f"{kind}: {reason}" for _, kind, reason in ALLOWED} - met.keys() == set()


def _reasons(outcome: Outcome) -> list[str]:
    return [reason for found in outcome.differences if (reason := reason_for(found)) is not None]


@pytest.mark.parametrize(
    ("recorded", "answered"),
    [
        ({"object": "charge", "amount": 100}, {"object": "charge", "amount": 101}),
        ({"object": "charge", "paid": True}, {"object": "charge", "paid": 1}),
        ({"object": "charge", "order": None}, {"object": "charge"}),
        ({"object": "charge"}, {"object": "charge", "order": None}),
        ({"object": "charge", "created": 1_700_000_000}, {"object": "charge", "created": 1_700_000_011}),
        ({"object": "list", "data": [1, 2]}, {"object": "list", "data": [1]}),
        ({"customer": "cus_001"}, {"customer": "pm_001x"}),
    ],
)
def test_another_answer_is_noticed(recorded: dict[str, object], answered: dict[str, object]) -> None:
    assert len(list(differences(Names(), recorded, answered))) == 1


def test_an_id_stands_for_the_same_thing_throughout_a_story() -> None:
    names = Names()
    assert list(differences(names, {"customer": "cus_001"}, {"customer": "cus_Ada1"})) == []
    assert list(differences(names, {"customer": "cus_001"}, {"customer": "cus_Ada1"})) == []
    assert list(differences(names, {"customer": "cus_001"}, {"customer": "cus_Bob1"})) == [
        Difference("customer", "cus_001", "cus_Bob1")
    ]
    assert list(differences(names, {"customer": "cus_002"}, {"customer": "cus_Ada1"})) != []


def test_instants_may_differ_by_seconds() -> None:
    assert list(differences(Names(), {"created": 1_700_000_000}, {"created": 1_700_000_010})) == []
