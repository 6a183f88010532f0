"""This package writes docs/api.md from the code's own documentation: `manage.py write_reference`."""

from .page import PATH, page

__all__ = ["PATH", "page"]
