"""The test kit serves projects that use `billing`, with pytest or without: see docs/testing.md.

    using_sandbox()          a Stripe in this process for the length of a `with`; `Stripe` says what it can do
    event, example           an event of any type, and the object that such an event brings
    sign, post, deliver      a body of your own to the door
    work, retry              the worker, when told to
    assert_all_processed     else it says which events failed, and why

What stands here is public; pytest users have the fixture `billing_stripe` of `billing.testing.plugin` besides.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .events import assert_all_processed, deliver, event, post, retry, sign, work
    from .examples import example
    from .kit import Stripe
    from .memory import knowing_nothing_of_stripe
    from .running import now, using_sandbox
    from .subscribed import Subscribed

__all__ = [
    "Stripe",
    "Subscribed",
    "assert_all_processed",
    "deliver",
    "event",
    "example",
    "knowing_nothing_of_stripe",
    "now",
    "post",
    "retry",
    "sign",
    "using_sandbox",
    "work",
]
PLACES = {
    "events": ("assert_all_processed", "deliver", "event", "post", "retry", "sign", "work"),
    "examples": ("example",),
    "kit": ("Stripe",),
    "memory": ("knowing_nothing_of_stripe",),
    "running": ("now", "using_sandbox"),
    "subscribed": ("Subscribed",),
}
_MODULES = {name: module for module, names in PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a name when it is asked for: pytest loads the plugin beside this before Django has its settings."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
