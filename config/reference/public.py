"""This module lists what a host project may rely on in Python, module by module, and how the page says it."""

import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

# Module → its public names. What `billing.testing` offers is what it says of itself.
MODULES: dict[str, tuple[str, ...]] = {
    "billing.access": ("has_access", "of", "explain", "explain_customer", "grace_end", "Access", "Explanation"),
    "billing.grants": ("grant", "extend", "revoke", "GrantRefused"),
    "billing.usage": ("consume", "allowance", "summary", "Quota", "Allowance", "QuotaExceeded", "NoAccess"),
    "billing.books": ("reckon", "Reckoning", "Sheet", "Difference"),
    "billing.decorators": ("access_required",),
    "billing.api.permissions": ("HasAccess",),
    "billing.subscriptions.seats": ("changed",),
    "billing.subscriptions.customer_details": ("changed",),
    "billing.subscriptions.holds": ("place", "release"),
    "billing.subscriptions.discounts": ("discounts_of",),
    "billing.lifecycle.offers": ("offer_for", "take_up"),
    "billing.lifecycle.pausing": ("days_offered", "pause", "resume_early"),
    "billing.queues": ("schedule",),
    "billing.lanes": ("exclusive", "LaneBusy"),
    "billing.lifecycle.deletion": ("begin", "deletion_of"),
    "billing.models": ("Customer", "Subscription", "Hold", "Grant"),
    "billing.events": ("EVENT_TYPES",),
    "billing.templatetags.billing_access": ("has_access",),
    "billing.templatetags.billing_clock": ("sandbox_clock",),
}
# Constants have no docstring.
CONSTANTS = {"EVENT_TYPES": "The types of Stripe's events that `billing` listens to."}
KIT = "billing.testing"
MODULE_PATH = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Za-z_])")
AT_AN_ADDRESS = re.compile(r"<[^<>]*(?:<[^<>]*>)?[^<>]* at 0x[0-9a-f]+>")


def modules() -> Iterator[tuple[ModuleType, tuple[str, ...]]]:
    for path, names in MODULES.items():
        yield import_module(path), names
    kit = import_module(KIT)
    yield kit, _offered(kit)
    for found in pkgutil.iter_modules(getattr(kit, "__path__", []), f"{KIT}."):
        module = import_module(found.name)
        names = tuple(name for name in _offered(module) if name not in _offered(kit))
        if names and hasattr(module, "__all__"):
            yield module, names


def callables() -> Iterator[tuple[str, Any]]:
    """Return everything public that is called, by its full name, with methods and properties of classes."""
    for module, names in modules():
        for name in (name for name in names if name not in CONSTANTS):
            found = getattr(module, name)
            yield f"{module.__name__}.{name}", found
            yield from ((f"{module.__name__}.{name}.{part}", member) for part, member in members(found))


def members(found: Any) -> list[tuple[str, Any]]:
    """Return the members that one of our classes defines and documents. A class without a docstring documents all by
    their names."""
    if not inspect.isclass(found):
        return []
    own = [(name, value) for name, value in vars(found).items() if not name.startswith("_")]
    return [
        (name, value)
        for name, value in own
        if (inspect.isfunction(value) or isinstance(value, property)) and value.__doc__
    ]


def signature(found: Any) -> str:
    """Return a signature as one writes the call, with types by their last name. A dataclass shows its fields."""
    if isinstance(found, property):
        return ""
    try:
        text = str(inspect.signature(found))
    except (TypeError, ValueError):
        return ""
    return (
        MODULE_PATH.sub("", AT_AN_ADDRESS.sub("…", text))
        .replace("self, ", "")
        .replace("(self)", "()")
        .removesuffix(" -> None")
        .replace("(*args, **kwargs)", "")  # a model's
    )


def documentation(found: Any) -> str:
    """Return the docstring; a generated one, which only repeats the signature, counts as none."""
    text = inspect.cleandoc(getattr(found, "__doc__", None) or "")
    is_generated = inspect.isclass(found) and text.startswith(f"{found.__name__}(")
    return "" if is_generated else text


def _offered(module: ModuleType) -> tuple[str, ...]:
    """Return what `__all__` names; without it, the functions and classes that the module defines."""
    if hasattr(module, "__all__"):
        names = tuple(module.__all__)
    else:
        names = tuple(
            name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
        )
    return tuple(name for name in names if not name.startswith("_") and callable(getattr(module, name)))
