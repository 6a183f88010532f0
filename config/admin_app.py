"""Django's admin app uses the project's own admin site."""

from django.contrib.admin.apps import AdminConfig


class SiteAdminConfig(AdminConfig):
    default_site = "accounts.admin_site.Site"
