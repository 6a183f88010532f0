"""Prints how the replay of the recorded stories went: `python -m stripe_sandbox.tests.replay [--differences]`."""

import sys

from stripe_sandbox import Sandbox

from .replaying import Outcome, replay
from .stories import read


def row(name: str, outcomes: list[Outcome]) -> str:
    told = [outcome for outcome in outcomes if outcome.left_out is None]
    same_status, same = sum(o.is_same_status for o in told), sum(o.is_same for o in told)
    return f"{name:<10} {len(outcomes):>9} {len(told):>9} {same_status:>12} {same:>20}"


def explain(outcome: Outcome) -> None:
    print(f"  {outcome.step.method} {outcome.step.path.partition('?')[0]} {outcome.step.form[:100]}: {outcome.status}")
    for found in outcome.unexplained if outcome.left_out is None else [outcome.left_out]:
        print(f"    {found}")


def main(with_differences: bool) -> None:
    everything: list[Outcome] = []
    print(f"{'story':<10} {'requests':>9} {'replayed':>9} {'same status':>12} {'same in every field':>20}")
    with Sandbox(port=0) as sandbox:
        for story in read():
            outcomes = replay(story, sandbox)
            everything += outcomes
            print(row(story.name, outcomes))
            if with_differences:
                [explain(outcome) for outcome in outcomes if not outcome.is_same]
    print(row("all", everything))


if __name__ == "__main__":
    main("--differences" in sys.argv[1:])
