"""The admin's first page begins with the search for a subscriber, the dashboard, failed events and what needs a person;
the sidebar lists tables by task.

The site names the template, so the order of INSTALLED_APPS does not matter, and a project's own admin/index.html is
extended, not replaced. A site with its own `index_template` keeps it and can include billing/admin/start.html; a site
whose class has its own `get_app_list` keeps its sidebar.
"""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.sites import AdminSite

from . import missing, sidebar

TEMPLATE = "billing/admin/index.html"


def install() -> None:
    if admin.site.index_template is None:
        admin.site.index_template = TEMPLATE
    if admin.site.__class__.get_app_list is AdminSite.get_app_list:
        djangos = partial(AdminSite.get_app_list, admin.site)
        admin.site.get_app_list = sidebar.by_task(djangos)
    _tell_what_is_missing()


def _tell_what_is_missing() -> None:
    """Have every view of the site answer a refusal with a page that names the permission."""
    views = admin.site.admin_view

    def admin_view(view: Any, cacheable: bool = False) -> Any:
        return views(missing.told(view), cacheable)

    admin.site.admin_view = admin_view


install()
