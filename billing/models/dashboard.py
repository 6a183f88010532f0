from .payments import Payment


class Dashboard(Payment):
    """The dashboard as the admin knows it: a page with its own address, place in the menu and permission, no rows."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = verbose_name_plural = "dashboard"
