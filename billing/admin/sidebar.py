"""The sidebar and the first page list the tables of billing by task, and not all of them under one name.

Tables of other apps stay where they are, but for those that billing brings: the queue's tables are part of the engine
room, and dj-stripe's mirror, whose names are those of our tables, is one line there that leads to its own page.
Each task and table carries the sentence that explains its name.
"""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse

from billing.conf import conf

from . import sidebar_words

AppList = list[dict[str, Any]]
# The models of billing by task, in the order in which they are listed. A test holds that none is missing.
TASKS = {
    "Customers": """
        Customer Subscription Trial Agreement Grant Hold Discount CancelOffer CheckoutAttempt TaxId
        Usage LimitOverride Credit KeyedUse SpendCap UsageReport AccountDeletion
    """,
    "Money": """
        Dashboard Payment Invoice PaymentFailure Refund Dispute Purchase InvoicePayment BalanceTransaction MrrMovement
    """,
    "Catalogue": "Plan Price AddOn AddOnPrice OveragePrice Pack Code PriceMove PriceMoveRow",
    "Engine room": "StripeEvent SyncRun StripeWrite Lane Alert MirrorFailure",
}
MIRROR, QUEUE = "djstripe", "django_q"


def by_task(listed: Callable[..., AppList]) -> Callable[..., AppList]:
    """Return a `get_app_list` that lists billing's tables by task, made from the site's own."""

    def get_app_list(request: HttpRequest, app_label: str | None = None) -> AppList:
        found = listed(request, app_label)
        return found if app_label else _by_task(found)

    return get_app_list


def _by_task(found: AppList) -> AppList:
    brought = {app["app_label"]: app for app in found if app["app_label"] in (conf.app_label, MIRROR, QUEUE)}
    others = [app for app in found if app["app_label"] not in brought]
    ours = brought.get(conf.app_label)
    models = {model["object_name"]: model for model in ours["models"]} if ours else {}
    tasks = [_task(name, [models.pop(model, None) for model in names.split()]) for name, names in TASKS.items()]
    last = tasks[-1]
    last["models"] += models.values()
    last["models"] += brought.get(QUEUE, {"models": []})["models"]
    if MIRROR in brought:
        last["models"].append(_mirror(brought[MIRROR]))
    shown = [task for task in tasks if task["models"]]
    return [*shown[:-1], *others, shown[-1]] if last["models"] else [*shown, *others]


def _task(name: str, models: list[Any]) -> dict[str, Any]:
    return {
        "name": name,
        "app_label": conf.app_label,
        "app_url": reverse("admin:app_list", args=(conf.app_label,)),
        "has_module_perms": True,
        "explained": sidebar_words.TASKS[name],
        "models": [
            {**model, "explained": sidebar_words.MODELS.get(model["object_name"], "")} for model in models if model
        ],
    }


def _mirror(app: dict[str, Any]) -> dict[str, Any]:
    """Return the line that leads to the page of dj-stripe's tables."""
    return {
        "model": apps.get_app_config(MIRROR),
        "name": f"Stripe's objects, as mirrored ({len(app['models'])} tables)",
        "object_name": "Mirror",
        "perms": {"add": False, "change": False, "delete": False, "view": True},
        "admin_url": app["app_url"],
        "add_url": None,
        "view_only": True,
    }
