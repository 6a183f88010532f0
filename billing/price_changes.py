"""A price changed at Stripe: what is sold here follows, by what Stripe says of it now."""

from billing import catalogue, fetch, mirror


def follow(price_id: str) -> None:
    """A price of no plan of ours is dj-stripe's alone; of one that is not there any more `price.deleted` tells."""
    if price := fetch.price(price_id):
        catalogue.refresh(price)
        mirror.sync(price)
