"""A price changed at Stripe: what is sold here follows, by what Stripe says of it now."""

from billing import catalogue, fetch, mirror


def settle(price_id: str) -> None:
    """Prices of no plan of ours change nothing. One that is gone is sold no more, and still known to who has it."""
    price = fetch.price(price_id)
    if price is None:
        catalogue.retire(price_id)
        return
    catalogue.refresh(price)
    mirror.sync(price)
