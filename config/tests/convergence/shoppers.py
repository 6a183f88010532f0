"""Shoppers buy packs, get credits and use more than their plan includes; what they were told is kept to be compared."""

import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth import get_user_model

from billing import clock, grants, usage
from billing.lanes import LaneBusy
from billing.lifecycle import purchases
from billing.lifecycle.refusals import AlreadyOwned, EmailUnconfirmed, PackNotOffered
from billing.stripe_client import StripeUnavailable

from .people import REFUSALS, WAYS_TO_PAY, Subscriber

FEATURE = "generations"
PURCHASE_KEY = "billing_purchase"
REFUSED = (*REFUSALS, AlreadyOwned, EmailUnconfirmed, PackNotOffered)
NOT_USED = (usage.QuotaExceeded, usage.NoAccess)


@dataclass
class Shopper(Subscriber):
    """`uses`: key → what it counts still. `given`: source of credits → how many. `wanted_back`: source → how many of
    them were to be taken back.
    """

    uses: Counter = field(default_factory=Counter)
    given: dict = field(default_factory=dict)
    wanted_back: dict = field(default_factory=dict)

    def __post_init__(self):
        super().__post_init__()
        self.chance = random.Random(f"{self.number}:{self.life.turns}")

    def turn(self, number):
        if number == 0:
            self.user = get_user_model().objects.create_user(f"life{self.number}@example.com")
            if self.life.plan:
                self.buy(self.life.card)
        for what in self.life.turns[number]:
            getattr(self, what)()

    # They buy packs

    def pack(self, card="visa", slug="credits_500", quantity=1):
        while True:
            try:
                purchase = purchases.start(self.user, slug, quantity)
                break
            except StripeUnavailable:
                time.sleep(0.05)
            except (LaneBusy, *REFUSED):
                return
        self.customer = purchase.customer_id
        self.customers.add(self.customer)
        for way in WAYS_TO_PAY[card]:
            self.stripe.control(f"checkout/{purchase.session_id}/complete", **way)
        if self.chance.random() < 0.25:
            with suppress(StripeUnavailable, LaneBusy):  # the return page, at the same time as the webhook
                purchases.refresh(purchase)

    def three_packs(self):
        self.pack(quantity=3)

    def short_pack(self):
        self.pack(slug="week_of_credits")

    def own_pack(self):
        self.pack(slug="handbook", quantity=2)

    def plan_pack(self):
        self.pack(slug="pro_for_good")

    def pack_by_debit(self):
        self.pack("debit")

    def pack_refused(self):
        self.pack("debit refused")

    def pack_disputed(self):
        self.pack("disputed")

    def charge(self):
        """Any paid charge of a pack, also an old one."""
        found = self.stripe.get("charges", customer=self.customer, limit=50).get("data", []) if self.customer else []
        packs = [row["id"] for row in found if row["paid"] and PURCHASE_KEY in row["metadata"]]
        return self.chance.choice(packs) if packs else None

    # They are given credits

    def credits(self, until=None):
        source, quantity = f"staff:{self.number}:{len(self.given)}", self.chance.choice([7, 40])
        self.given[source] = quantity
        for _ in range(self.chance.choice([1, 2])):
            grants.give_credits(self.user, FEATURE, quantity, until=until, source=source)

    def short_credits(self):
        self.credits(clock.now() + timedelta(days=2))

    def credits_taken_back(self):
        if self.given:
            source = self.chance.choice(sorted(self.given))
            total = self.chance.choice([3, self.given[source]])
            grants.take_back_credits(self.user, source, total)
            self.wanted_back[source] = total

    # They use something

    def use(self, quantity=9):
        """The answer is lost now and then, and the same is asked again."""
        key = f"{self.number}:{len(self.uses)}"
        for _ in range(self.chance.choice([1, 2])):
            with suppress(*NOT_USED):
                usage.consume(self.user, FEATURE, quantity, key=key)
                self.uses[key] = quantity

    def use_much(self):
        self.use(350)

    def use_beyond(self):
        """More than the limit and the credits hold."""
        self.use(100 + usage.crediting.balance(self.user).get(FEATURE, 0) + self.chance.choice([1, 250]))

    def use_reserved(self):
        key = f"{self.number}:{len(self.uses)}"
        with suppress(*NOT_USED):
            usage.reserve(self.user, FEATURE, 60, key=key)
            usage.commit(self.user, FEATURE, key, 25)
            self.uses[key] = 25

    def give_back(self):
        if used := [key for key, quantity in self.uses.items() if quantity]:
            key = self.chance.choice(used)
            for _ in range(self.chance.choice([1, 2])):
                usage.release(self.user, FEATURE, key)
            self.uses[key] = 0

    def reports(self):
        """Another worker's minute is at the same time."""
        usage.each_minute()
