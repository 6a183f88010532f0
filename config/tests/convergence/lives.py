"""Lives of subscribers are drawn by hypothesis: what one buys and how, and what happens at each turn of the clock."""

import json
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

TURNS = 4
CARDS = ["visa", "visa", "visa", "declined, then visa", "3ds", "3ds failed, then visa", "disputed", "declined later"]
DEBITS = ["debit", "debit refused"]
COMMON = "upgrade downgrade seats yearly refund refund_part dispute bad_card good_card cancel_at_end cancel"
# Each is a method of `people.Subscriber`.
EVENTS_OF_A_LIFE = (
    f"{COMMON} {COMMON} inquiry escalate win lose close_inquiry review warn pay authenticate sca_card refund_fails "
    "cancel_on_a_day resume resume delete rename buy buy void "
    "vault vault vault_ends vault_bad_card magazine magazine magazine_fails goodwill goodwill new_price odd_price "
    "debit bad_debit bad_debit bank_pays bank_refuses by_invoice staff_sale staff_sale staff_invoice"
).split()


@dataclass(frozen=True)
class Life:
    """A life says what one subscriber buys, and what happens to them at each turn of the clock."""

    plan: str
    interval: str
    card: str
    turns: tuple[tuple[str, ...], ...]

    def to_json(self):
        return [self.plan, self.interval, self.card, self.turns]

    @classmethod
    def from_json(cls, given):
        plan, interval, card, turns = given
        return cls(plan, interval, card, tuple(map(tuple, turns)))


@dataclass(frozen=True)
class Batch:
    """Lives that go on side by side. `gaps`: the days that pass before each turn; `seed` is that of the disorder."""

    seed: int
    gaps: tuple[float, ...]
    lives: tuple[Life, ...]

    def to_json(self):
        return json.dumps([self.seed, self.gaps, [life.to_json() for life in self.lives]], separators=(",", ":"))

    @classmethod
    def from_json(cls, text):
        seed, gaps, lives = json.loads(text)
        return cls(seed, tuple(gaps), tuple(map(Life.from_json, lives)))


lives = st.builds(
    Life,
    plan=st.sampled_from(["pro", "team"]),
    interval=st.sampled_from(["month", "month", "year"]),
    card=st.sampled_from(CARDS + DEBITS),
    turns=st.tuples(*[st.lists(st.sampled_from(EVENTS_OF_A_LIFE), min_size=1, max_size=2).map(tuple)] * TURNS),
)
# Stripe keeps events for thirty days: what was dropped is to be found by the sync after two turns.
gaps = st.tuples(*[st.sampled_from([0.0, 0.7, 2.3, 4.4, 9.1, 14.2])] * TURNS)


def draw(strategy, number, chance):
    """So many examples; the same for the same seed."""
    found = []

    @seed(chance)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example):
        found.append(example)

    collect()
    return tuple(found[:number])


def batch(seed, size):
    (days,) = draw(gaps, 2, seed)[-1:]
    return Batch(seed, days, draw(lives, size, seed))
