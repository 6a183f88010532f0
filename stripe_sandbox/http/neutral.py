"""Some values ask Stripe for what it does anyway: the sandbox takes them even where it covers nothing else."""

from typing import Any

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "adaptive_pricing.enabled": (False,),
    "after_expiration.recovery.enabled": (False,),
    "automatic_tax.enabled": (False,),
    "billing_mode.flexible.proration_discounts": ("included",),
    "billing_mode.type": ("flexible",),
    "capture_method": ("automatic", "automatic_async"),
    "collection_method": ("charge_automatically",),
    "confirmation_method": ("automatic",),
    "consent_collection.terms_of_service": ("none",),
    "default_tax_rates": ("", []),
    "error_on_requires_action": (False,),
    "name_collection.business.enabled": (False,),
    "name_collection.individual.enabled": (False,),
    "payment_method_types": (["card"],),
    "phone_number_collection.enabled": (False,),
    "request_three_d_secure": ("automatic",),
    "tax.validate_location": ("deferred",),
    "tax_id_collection.enabled": (False,),
    "tax_rates": ("", []),
    "ui_mode": ("hosted_page",),
    "use_stripe_sdk": (False,),
}


def is_neutral(dotted: str, value: Any) -> bool:
    """Return whether this value changes nothing, as if the parameter were left out.

    A name of the table also stands for a parameter that ends in it: `phases.automatic_tax.enabled`.
    """
    if isinstance(value, dict):
        return bool(value) and all(is_neutral(f"{dotted}.{name}", inner) for name, inner in value.items())
    names = dotted.split(".")
    return any(value in NEUTRAL.get(".".join(names[start:]), ()) for start in range(len(names)))
