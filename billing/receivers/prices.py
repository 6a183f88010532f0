"""Events that tell of what is for sale."""

from djstripe.models import Event

from billing import catalogue, price_changes

from . import contents
from .customer import receiver


@receiver(contents.PRICE)
def on_price(event: Event) -> None:
    price_changes.follow(event.data["object"]["id"])


@receiver(contents.PRICE_DELETED)
def on_price_deleted(event: Event) -> None:
    catalogue.retire(event.data["object"]["id"])
