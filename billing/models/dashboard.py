"""The dashboard is a page of the admin, and needs a model of its own there."""

from .payments import Payment


class Dashboard(Payment):
    """The dashboard has an address, a place in the menu and a permission in the admin, but no rows."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = verbose_name_plural = "dashboard"
