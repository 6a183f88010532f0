"""Lives of subscribers are drawn by chance: what one buys and how, and what happens at each turn of the clock."""

import json
import random
from dataclasses import dataclass

TURNS = 4
# Stripe keeps events for thirty days: what was dropped is to be found by the sync after two turns.
GAPS = [0.0, 0.7, 2.3, 4.4, 9.1, 14.2]
PLANS = ["pro", "team"]
INTERVALS = ["month", "month", "year"]
CARDS = ["visa", "visa", "visa", "declined, then visa", "3ds", "3ds failed, then visa", "disputed", "declined later"]
CARDS += ["debit", "debit refused"]
COMMON = "upgrade downgrade seats yearly refund refund_part dispute bad_card good_card cancel_at_end cancel"
# Each is a method of `people.Subscriber`.
EVENTS_OF_A_LIFE = (
    f"{COMMON} {COMMON} inquiry escalate win lose close_inquiry review warn pay authenticate sca_card refund_fails "
    "cancel_on_a_day resume resume delete rename buy buy void "
    "vault vault vault_ends vault_bad_card magazine magazine magazine_fails goodwill goodwill new_price odd_price "
    "debit bad_debit bad_debit bank_pays bank_refuses by_invoice staff_sale staff_sale staff_invoice"
).split()

# Each is a method of `shoppers.Shopper`; nobody has a plan that is called "".
SHOPPERS_PLANS = ["cloud", "cloud", "cloud", "pro", ""]
EVENTS_OF_A_SHOPPER = (
    "pack pack three_packs short_pack own_pack plan_pack pack_by_debit pack_refused pack_disputed refund refund "
    "refund_part refund_part refund_fails dispute win lose credits short_credits credits_taken_back use use use "
    "use_much use_much use_beyond use_beyond use_beyond use_beyond use_reserved give_back give_back reports cancel "
    "buy bad_card good_card"
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
    is_of_shoppers: bool = False

    def to_json(self):
        lives = [life.to_json() for life in self.lives]
        return json.dumps([self.seed, self.gaps, lives, self.is_of_shoppers], separators=(",", ":"))

    @classmethod
    def from_json(cls, text):
        seed, gaps, lives, *rest = json.loads(text)
        return cls(seed, tuple(gaps), tuple(map(Life.from_json, lives)), *rest)


def batch(seed, size):
    """So many lives; the same for the same seed."""
    chance = random.Random(seed)
    return Batch(seed, tuple(chance.choice(GAPS) for _ in range(TURNS)), tuple(_life(chance) for _ in range(size)))


def _life(chance):
    turns = tuple(tuple(chance.choices(EVENTS_OF_A_LIFE, k=chance.choice([1, 2]))) for _ in range(TURNS))
    return Life(chance.choice(PLANS), chance.choice(INTERVALS), chance.choice(CARDS), turns)


def shoppers(seed, size):
    """So many lives of people who buy packs and use more than their plan includes."""
    chance = random.Random(seed)
    lives = tuple(
        Life(
            chance.choice(SHOPPERS_PLANS),
            "month",
            "visa",
            tuple(tuple(chance.choices(EVENTS_OF_A_SHOPPER, k=chance.choice([4, 5, 6]))) for _ in range(TURNS)),
        )
        for _ in range(size)
    )
    return Batch(seed, tuple(chance.choice(GAPS) for _ in range(TURNS)), lives, is_of_shoppers=True)
