"""Deliveries in a history: they wait to be told how they went, and nothing goes over a network."""

from typing import Any

from stripe_sandbox import Sandbox
from stripe_sandbox.deliveries import Delivery, Dispatcher
from stripe_sandbox.events import targets, wants

from .history import History

KINDS = ("*", "invoice.paid", "customer.subscription.updated")


class PostBox(Dispatcher):
    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox.state, sandbox.faults, sandbox.lock)
        self.waiting: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.wanted: dict[str, tuple[dict[str, Any], set[str]]] = {}

    def take(self) -> None:
        published, self.state.published = self.state.published, []
        for target in targets(self.state):
            wanted = [(event, target) for event in published if wants(target, event["type"])]
            self.waiting += wanted
            for event, _ in wanted:
                self.wanted.setdefault(event["id"], (event, set()))[1].add(target["id"])

    def arrive(self, event: dict[str, Any], target: dict[str, Any], status: int | None) -> None:
        """It goes on waiting: what failed, and now and then what arrived, comes again."""
        self.record(Delivery(0.0, 0, event), target, status, None if status else "ConnectionRefusedError")

    def miscounted(self) -> list[str]:
        """Events that say something else than how many of those that wanted them have not answered 2xx."""
        return [
            f"{identifier}: {event['pending_webhooks']} pending, {event['reached']} of {targets_of} reached"
            for identifier, (event, targets_of) in self.wanted.items()
            if event["pending_webhooks"] != len(targets_of - set(event["reached"]))
        ]


def listen(history: History) -> None:
    """Listen to all, or to a few kinds; or no longer."""
    endpoint = history.pick("webhook_endpoint")
    if endpoint and history.one_of(True, False):
        path = f"webhook_endpoints/{endpoint['id']}"
        history.one_of(lambda: history.api("DELETE", path), lambda: history.post(path, disabled="true"))()
    else:
        history.post("webhook_endpoints", {"url": "http://127.0.0.1:9/", "enabled_events[0]": history.choose(KINDS)})


def receive(history: History) -> None:
    """Deliveries arrive, fail, come twice, in any order."""
    post: Any = history.sandbox.dispatcher
    for _ in range(5 if post.waiting else 0):
        event, target = history.choose(post.waiting)
        post.arrive(event, target, history.one_of(200, 204, 500, None))
