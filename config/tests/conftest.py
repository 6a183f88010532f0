"""The sandbox and the site with plans on sale, as billing's own tests have them."""

from billing.tests.conftest import world

__all__ = ["world"]
