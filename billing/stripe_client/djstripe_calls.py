"""dj-stripe's calls go through our client, and the SDK's own settings stay the host project's.

The SDK keeps its HTTP client, address, version and retries in module variables, which every package in the process
shares. dj-stripe calls the SDK by its classes, so it is given classes of ours, which look like the SDK's and ask our
client. Keys and connected accounts that dj-stripe names are used; the version is ours.
"""

import sys
from functools import cache
from inspect import isclass
from types import ModuleType
from typing import Any

import stripe
from django.apps import apps

from .client import client_of

OPTIONS = ("stripe_account", "stripe_context", "idempotency_key", "max_network_retries", "content_type", "headers")


class Ours(type):
    """A class of this type extends one of the SDK; an object of the SDK's class counts as its instance."""

    def __call__(cls, id: str | None = None, **given: Any) -> Any:  # noqa: A002  the SDK's name
        options = {"stripe_account": given.pop("stripe_account", None)}
        requestor = _requestor(given.pop("api_key", None))._new_requestor_with_options(options)
        given.pop("stripe_version", None)
        return cls.__base__(id, _requestor=requestor, **given)  # type: ignore[misc]

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__base__)  # type: ignore[arg-type]


def _static_request(cls: Any, method_: str, url_: str, params: Any = None, *, base_address: Any = "api") -> Any:
    """Make a request of a class, as `list`, `create` and `modify` do."""
    given = dict(params or {})
    given.pop("stripe_version", None)
    requestor = _requestor(given.pop("api_key", None))
    options = {name: given.pop(name) for name in OPTIONS if name in given}
    return requestor.request(method_, url_, params=given, options=options, base_address=base_address)


class Sdk(ModuleType):
    """This module looks like `stripe`, with classes of ours."""

    def __getattr__(self, name: str) -> Any:
        return ours(getattr(stripe, name))


@cache
def ours(found: Any) -> Any:
    """Return our class for a class of the SDK that makes requests, and anything else as it is."""
    if not isclass(found) or isinstance(found, Ours) or not issubclass(found, stripe.APIResource):
        return found
    if found is stripe.APIResource:
        return found
    return Ours(found.__name__, (found,), {"_static_request": classmethod(_static_request)})


def install() -> None:
    """Give dj-stripe our classes."""
    for model in apps.get_app_config("djstripe").get_models():
        if hasattr(model, "stripe_class"):
            model.stripe_class = ours(model.stripe_class)
    sdk = Sdk("stripe")
    for name, module in list(sys.modules.items()):
        if name.startswith("djstripe.models.") and getattr(module, "stripe", None) is stripe:
            module.stripe = sdk  # type: ignore[attr-defined]


def as_stripe_object(found: dict[str, Any]) -> Any:
    """Return an object as the SDK has it; the further pages of its lists are read by our client."""
    return client_of().deserialize(found, api_mode="V1")


def _requestor(api_key: str | None) -> Any:
    return client_of(api_key)._requestor
