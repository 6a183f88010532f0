"""This package is a Stripe to develop against: it has an API, hosted pages, events and a clock, and needs no account
and no network."""

from .running import Sandbox

__all__ = ["Sandbox"]
