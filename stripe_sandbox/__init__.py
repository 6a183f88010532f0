"""A Stripe to develop against: its API, its hosted pages, its events and its clock, with no account and no network."""

from .running import Sandbox

__all__ = ["Sandbox"]
