"""The deletion of an account ends every subscription first, and redacts what is left."""

from . import process

__all__ = ["process"]
