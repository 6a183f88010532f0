"""The world of billing's own tests, with the mails of this project."""

from billing.tests.conftest import a_process_that_knows_nothing_of_stripe, at_once, world

__all__ = ["a_process_that_knows_nothing_of_stripe", "at_once", "world"]
