"""The sandbox and the site with plans on sale, as billing's own tests have them."""

from billing.tests.conftest import sandbox_server, world

__all__ = ["sandbox_server", "world"]
