"""Samples of the mails about packs, credits and spend caps, realistic and extreme."""

from typing import Any

from .models import Mail

Kind = Mail.Kind
SOON = "2026-12-15T09:30:00+00:00"
LONG = "The Extraordinarily Complete Pack of Credits for Very Large Organisations & <Friends> " * 2

PACK: dict[str, Any] = {
    "purchase": "00000000-0000-4000-8000-000000000001",
    "pack": "1,000 generations",
    "quantity": 1000,
    "feature": "generations",
    "plan": "",
    "plan_slug": "",
    "until": "",
}
OF_PLAN: dict[str, Any] = {**PACK, "pack": "Pro for good", "quantity": 0, "feature": "", "plan": "Pro"}
OWN: dict[str, Any] = {**PACK, "pack": "A printed handbook", "quantity": 0, "feature": ""}
WAITING: dict[str, Any] = {
    **PACK,
    "paid": 1500,
    "currency": "usd",
    "invoice": "in_1Sample",
}
BACK: dict[str, Any] = {**PACK, "given_back": 750, "currency": "usd", "taken": 500, "used": 0}
CAP: dict[str, Any] = {
    "plan": "Pro",
    "plan_slug": "pro",
    "line": "main",
    "amount": 5000,
    "currency": "usd",
    "policy": "stop",
    "resets_at": SOON,
}
CREDITS: dict[str, Any] = {"credit": 1, "feature": "generations", "left": 120, "given": 1000}

PACK_SAMPLES: dict[str, tuple[Mail.Kind, dict[str, Any]]] = {
    "pack_waiting": (Kind.PACK_WAITING, WAITING),
    "pack_waiting_in_yen_with_a_long_name": (
        Kind.PACK_WAITING,
        {**WAITING, "pack": LONG, "paid": 123456789, "currency": "jpy"},
    ),
    "pack_waiting_for_nothing": (Kind.PACK_WAITING, {**WAITING, "paid": 0, "invoice": ""}),
    "pack_delivered": (Kind.PACK_DELIVERED, PACK),
    "pack_delivered_until_a_day_with_a_long_name": (
        Kind.PACK_DELIVERED,
        {**PACK, "pack": LONG, "quantity": 1234567890, "until": SOON},
    ),
    "pack_delivered_of_a_plan": (Kind.PACK_DELIVERED, OF_PLAN),
    "pack_delivered_of_a_plan_until_a_day": (Kind.PACK_DELIVERED, {**OF_PLAN, "until": SOON}),
    "pack_delivered_by_the_project": (Kind.PACK_DELIVERED, OWN),
    "pack_reversed": (Kind.PACK_REVERSED, BACK),
    "pack_reversed_after_use_in_yen": (
        Kind.PACK_REVERSED,
        {**BACK, "given_back": 2300, "currency": "jpy", "taken": 400, "used": 600},
    ),
    "pack_reversed_of_a_plan": (
        Kind.PACK_REVERSED,
        {**OF_PLAN, "given_back": 40000, "currency": "usd", "taken": 1, "used": 0},
    ),
    "pack_reversed_of_the_project": (
        Kind.PACK_REVERSED,
        {**OWN, "given_back": 4000, "currency": "usd", "taken": 1, "used": 0},
    ),
    "credits_low": (Kind.CREDITS_LOW, CREDITS),
    "credits_used_up": (Kind.CREDITS_LOW, {**CREDITS, "left": 0}),
    "credits_expiring": (Kind.CREDITS_EXPIRING, {**CREDITS, "expires_at": SOON}),
    "spend_cap_reached": (Kind.SPEND_CAP_REACHED, CAP),
    "spend_cap_reached_that_warns_in_yen_with_a_long_name": (
        Kind.SPEND_CAP_REACHED,
        {**CAP, "plan": LONG, "amount": 123456789, "currency": "jpy", "policy": "warn"},
    ),
}
