"""docs/api.md, written from what the code says of itself: `manage.py write_reference`."""

from .page import PATH, page

__all__ = ["PATH", "page"]
