"""The setup room prepares a site: the database, the Stripe account, checks, the doctor, and the import of customers."""

from . import account, checks, database, doctor, importing, integrations, publishing, publishing_overage, watching
from .account import Change

__all__ = [
    "Change",
    "account",
    "checks",
    "database",
    "doctor",
    "importing",
    "integrations",
    "publishing",
    "publishing_overage",
    "watching",
]
