"""Events that tell of what is for sale."""

from djstripe.models import Event

from billing import price_changes

from . import contents
from .customer import receiver


@receiver(contents.PRICE)
def on_price(event: Event) -> None:
    price_changes.settle(event.data["object"]["id"])
